//! Every channel by itself: all vectors are channels of pixels, and nothing is spread.

use super::dense::Finish;
use super::set::InstructionSet;
use super::vector::{Vector, Work};
use super::walk::{Run, Walk, parts};

/// Most pixels of a tile, and most taps of a tile of the weight gradient: as many as there are general
/// registers for where they lie.
pub(super) const TILE: usize = 9;

/// Walks over `vectors` vectors of channels of `source`, with `rows` vectors of weights for each, and writes
/// as many for each pixel.
///
/// # Panics
/// If a slice is too short.
#[expect(unsafe_code, reason = "kernels take pointers")]
pub(super) fn run(
    set: InstructionSet,
    walk: &Walk,
    source: &[f32],
    weights: &[f32],
    rows: usize,
    vectors: usize,
    finish: Finish<'_>,
    target: &mut [f32],
) {
    let width = vectors * set.lanes();
    check(walk, source.len(), target.len(), width);
    assert!(
        weights.len() >= rows * width && rows >= walk.weight_rows(),
        "weights"
    );
    assert!(finish.bias.is_empty() || finish.bias.len() >= width, "bias");
    let pass = Pass {
        walk,
        rows,
        vectors,
        source: source.as_ptr(),
        weights: weights.as_ptr(),
        finish,
        target: target.as_mut_ptr(),
    };
    // SAFETY: the slices hold all that the walk reads and writes, as has been checked.
    unsafe { set.run(&pass) }
}

/// # Panics
/// If an image is too short.
pub(super) fn check(walk: &Walk, source: usize, target: usize, width: usize) {
    // A run stands for its first number, and `width` numbers are read from there.
    let reads = walk.source_len().saturating_sub(1) + width;
    assert!(walk.runs.is_empty() || source >= reads, "source");
    assert!(target >= walk.target_len(width), "target");
}

struct Pass<'a> {
    walk: &'a Walk,
    rows: usize,
    vectors: usize,
    source: *const f32,
    weights: *const f32,
    finish: Finish<'a>,
    target: *mut f32,
}

#[expect(unsafe_code, reason = "kernels take pointers")]
impl Work for Pass<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let walk = self.walk;
        let most = TILE.min(V::ONE);
        // All channels of a row while it is in the cache.
        for row in 0..walk.grid[0] {
            for vector in 0..self.vectors {
                let channel = vector * V::LANES;
                parts(
                    walk.grid[1],
                    most,
                    #[inline(always)]
                    |column, pixels| {
                        let from = row * walk.source_steps[0] + column * walk.source_steps[1];
                        let to = row * walk.target_steps[0] + column * walk.target_steps[1];
                        // SAFETY: the pixels are on the grid and the channels below all vectors, so that
                        // the tile stays inside of the slices that `run` has checked.
                        unsafe {
                            let tile = Tile {
                                source: self.source.wrapping_add(from + channel),
                                step: walk.source_steps[1],
                                runs: &walk.runs,
                                weights: self.weights.add(channel * self.rows),
                                finish: self.finish,
                                channel,
                                target: self.target.add(walk.target + to + channel),
                                target_step: walk.target_steps[1],
                            };
                            match pixels {
                                1 => tile.run::<V, 1>(),
                                2 => tile.run::<V, 2>(),
                                3 => tile.run::<V, 3>(),
                                4 => tile.run::<V, 4>(),
                                5 => tile.run::<V, 5>(),
                                6 => tile.run::<V, 6>(),
                                7 => tile.run::<V, 7>(),
                                8 => tile.run::<V, 8>(),
                                9 => tile.run::<V, 9>(),
                                _ => unreachable!("a tile of so many pixels"),
                            }
                        }
                    },
                );
            }
        }
    }
}

/// Where a tile reads and writes.
struct Tile<'a> {
    source: *const f32,
    step: usize,
    runs: &'a [Run],
    weights: *const f32,
    finish: Finish<'a>,
    channel: usize,
    target: *mut f32,
    target_step: usize,
}

impl Tile<'_> {
    /// # Safety
    /// As for [`Work::run`], for `P` pixels of a vector.
    #[inline(always)]
    #[expect(unsafe_code, reason = "kernels take pointers")]
    unsafe fn run<V: Vector, const P: usize>(&self) {
        // SAFETY: the caller says that the pointers are valid for a vector in `P` pixels of all runs, a
        // vector of weights for each run, and a vector in `P` pixels to write.
        unsafe {
            let mut sums = [V::zero(); P];
            for run in self.runs {
                let weight = V::load(self.weights.add(run.row * V::LANES));
                let source = self.source.add(run.offset);
                for p in 0..P {
                    sums[p] = V::load(source.add(p * self.step)).mul_add(weight, sums[p]);
                }
            }
            let one = V::splat(1.0);
            let bias = if self.finish.bias.is_empty() {
                V::zero()
            } else {
                V::load(self.finish.bias.as_ptr().add(self.channel))
            };
            for p in 0..P {
                let target = self.target.add(p * self.target_step);
                let mut sum = one.mul_add(sums[p], bias);
                if self.finish.add {
                    sum = one.mul_add(sum, V::load(target));
                }
                if self.finish.relu {
                    sum = sum.relu();
                }
                sum.store(target);
            }
        }
    }
}
