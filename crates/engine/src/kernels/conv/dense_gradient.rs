//! Gradients of the weights of dense convolutions.
//!
//! A tile is some neighbouring numbers that are read times one or two vectors of channels that are
//! written. Its sums stay in registers over all pixels of a walk; walks are over bands of rows that
//! are so small that both images stay in the first-level cache while tile after tile goes over them.

use super::dense::BLOCK;
use super::set::InstructionSet;
use super::vector::{Vector, Work, enter_tile};
use super::walk::{Walk, parts};

/// Adds to `packed`, laid out like weights of `rows` rows and `vectors` vectors of columns, the products of
/// what `walk` reads and what `target` holds.
///
/// # Panics
/// If a slice is too short.
#[expect(unsafe_code, reason = "kernels take pointers")]
pub(super) fn run(
    set: InstructionSet,
    walk: &Walk,
    source: &[f32],
    target: &[f32],
    rows: usize,
    vectors: usize,
    packed: &mut [f32],
) {
    let width = vectors * set.lanes();
    assert!(source.len() >= walk.source_len(), "source");
    assert!(target.len() >= walk.target_len(width), "target");
    assert!(
        packed.len() >= rows * width && rows >= walk.weight_rows(),
        "weights"
    );
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
        for vector in (0..self.vectors).step_by(BLOCK) {
            let count = BLOCK.min(self.vectors - vector);
            let most = if count == 2 { V::TWO } else { V::ONE };
            let channel = vector * V::LANES;
            for run in &walk.runs {
                parts(
                    run.len,
                    most,
                    #[inline(always)]
                    |start, numbers| {
                        let row = (run.row + start) * count * V::LANES;
                        // SAFETY: what the tile reads and writes is inside of the slices that `run` has
                        // checked: its numbers are in a run, and its channels below all vectors.
                        unsafe {
                            let tile = Tile {
                                grid: walk.grid,
                                source: self.source.add(run.offset + start),
                                source_steps: walk.source_steps,
                                target: self.target.add(walk.target + channel),
                                target_steps: walk.target_steps,
                                sums: self.packed.add(channel * self.rows + row),
                            };
                            if count == 2 {
                                enter_tile!(V, Shaped::<2>(tile), numbers, V::TWO);
                            } else {
                                enter_tile!(V, Shaped::<1>(tile), numbers, V::ONE);
                            }
                        }
                    },
                );
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
struct Shaped<const N: usize, const C: usize>(Tile);

#[expect(unsafe_code, reason = "kernels take pointers")]
impl<const N: usize, const C: usize> Work for Shaped<N, C> {
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
