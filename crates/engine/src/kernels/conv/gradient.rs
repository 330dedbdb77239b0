//! Gradients of the weights of dense convolutions.
//!
//! A tile is some neighbouring numbers that are read times one or two vectors of channels that are
//! written. Its sums stay in registers over all pixels of a band of rows; a band is so small that
//! both images stay in the first-level cache while tile after tile goes over it.

use super::dense::BLOCK;
use super::vector::{InstructionSet, Vector, Work};
use super::walk::{Walk, parts};

/// Floats of both images in a band.
const BAND: usize = 8 << 10;

/// Adds to `packed`, laid out like the weights, the products of what `walk` reads and `target` holds.
///
/// # Panics
/// If a slice is too short.
#[expect(unsafe_code, reason = "kernels take pointers")]
pub(super) fn run(
    set: InstructionSet,
    walk: &Walk,
    source: &[f32],
    target: &[f32],
    vectors: usize,
    packed: &mut [f32],
) {
    let width = vectors * set.lanes();
    let rows: usize = walk.runs.iter().map(|run| run.len).sum();
    assert!(source.len() >= walk.source_len(), "source");
    assert!(target.len() >= walk.target_len(width), "target");
    assert!(packed.len() >= rows * width, "weights");
    let pass = Pass {
        walk,
        vectors,
        rows,
        source: source.as_ptr(),
        target: target.as_ptr(),
        packed: packed.as_mut_ptr(),
    };
    // SAFETY: the slices hold all that the walk reads and writes, as the assertions have checked.
    unsafe { set.run(&pass) }
}

struct Pass<'a> {
    walk: &'a Walk,
    vectors: usize,
    rows: usize,
    source: *const f32,
    target: *const f32,
    packed: *mut f32,
}

#[expect(unsafe_code, reason = "kernels take pointers")]
impl Work for Pass<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let walk = self.walk;
        let row_len = walk.source_steps[0] + walk.target_steps[0];
        let band = (BAND / row_len.max(1)).max(1);
        for first in (0..walk.grid[0]).step_by(band) {
            let height = band.min(walk.grid[0] - first);
            for vector in (0..self.vectors).step_by(BLOCK) {
                let count = BLOCK.min(self.vectors - vector);
                let most = if count == 2 { V::TWO } else { V::ONE };
                let channel = vector * V::LANES;
                let mut packed_row = 0;
                for run in &walk.runs {
                    parts(
                        run.len,
                        most,
                        #[inline(always)]
                        |start, numbers| {
                            let from = first * walk.source_steps[0] + run.offset + start;
                            let to = walk.target + first * walk.target_steps[0] + channel;
                            let sums =
                                channel * self.rows + (packed_row + start) * count * V::LANES;
                            // SAFETY: what the tile reads and writes is inside of the slices that `run`
                            // has checked: its rows are on the grid, its numbers in a run, and its
                            // channels below all vectors.
                            unsafe {
                                let tile = Tile {
                                    grid: [height, walk.grid[1]],
                                    source: self.source.add(from),
                                    source_steps: walk.source_steps,
                                    target: self.target.add(to),
                                    target_steps: walk.target_steps,
                                    sums: self.packed.add(sums),
                                };
                                if count == 2 {
                                    two::<V>(tile, numbers);
                                } else {
                                    one::<V>(tile, numbers);
                                }
                            }
                        },
                    );
                    packed_row += run.len;
                }
            }
        }
    }
}

/// Where a tile reads and writes.
#[derive(Clone, Copy)]
struct Tile {
    grid: [usize; 2],
    source: *const f32,
    source_steps: [usize; 2],
    target: *const f32,
    target_steps: [usize; 2],
    sums: *mut f32,
}

/// A tile of `N` numbers and `C` vectors.
struct Sized<const N: usize, const C: usize>(Tile);

#[expect(unsafe_code, reason = "kernels take pointers")]
impl<const N: usize, const C: usize> Work for Sized<N, C> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let tile = self.0;
        // SAFETY: the caller says that the pointers are valid for `N` numbers and `C` vectors of each
        // pixel of the grid, and `N` rows of `C` vectors of sums.
        unsafe {
            let mut sums = [[V::zero(); C]; N];
            for n in 0..N {
                for c in 0..C {
                    sums[n][c] = V::load(tile.sums.add((n * C + c) * V::LANES));
                }
            }
            for y in 0..tile.grid[0] {
                let mut source = tile.source.add(y * tile.source_steps[0]);
                let mut target = tile.target.add(y * tile.target_steps[0]);
                for _ in 0..tile.grid[1] {
                    let mut row = [V::zero(); C];
                    for c in 0..C {
                        row[c] = V::load(target.add(c * V::LANES));
                    }
                    for n in 0..N {
                        let x = V::splat(*source.add(n));
                        for c in 0..C {
                            sums[n][c] = x.mul_add(row[c], sums[n][c]);
                        }
                    }
                    // The pointers may leave the slices after the last pixel.
                    source = source.wrapping_add(tile.source_steps[1]);
                    target = target.wrapping_add(tile.target_steps[1]);
                }
            }
            for n in 0..N {
                for c in 0..C {
                    sums[n][c].store(tile.sums.add((n * C + c) * V::LANES));
                }
            }
        }
    }
}

/// Enters the tile of `$numbers` numbers, which must be among those that are listed.
macro_rules! enter {
    ($vector:ty, $tile:expr, $numbers:expr, $vectors:literal, $most:expr, $($n:literal)*) => {
        match $numbers {
            $($n => {
                // Larger tiles than the registers hold are not even compiled.
                if const { $n <= $most } {
                    // SAFETY: the caller vouches for processor and pointers.
                    unsafe { <$vector>::enter(&Sized::<$n, $vectors>($tile)) }
                }
            })*
            _ => unreachable!("a tile of so many numbers"),
        }
    };
}

#[inline(always)]
#[expect(unsafe_code, reason = "kernels take pointers")]
unsafe fn two<V: Vector>(tile: Tile, numbers: usize) {
    enter!(V, tile, numbers, 2, V::TWO, 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

#[inline(always)]
#[expect(unsafe_code, reason = "kernels take pointers")]
unsafe fn one<V: Vector>(tile: Tile, numbers: usize) {
    enter!(
        V, tile, numbers, 1, V::ONE,
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28
    );
}
