//! Every channel that is written from every channel that is read.
//!
//! A tile is some neighbouring pixels times one or two vectors of channels. Its sums stay in registers
//! while a number of each pixel is read, spread over a vector and multiplied by a row of weights.

use super::set::InstructionSet;
use super::vector::{Vector, Work, enter_tile};
use super::walk::{Run, Walk, parts};

/// Vectors of channels in a tile; the last tile may have one.
pub(super) const BLOCK: usize = 2;

/// Numbers of a pixel in one round of the innermost loop.
const STEPS: usize = 4;

/// What happens to the sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finish<'a> {
    /// Added to each pixel: whole vectors, or empty.
    pub(super) bias: &'a [f32],
    /// Whether the sums are added to what the target holds.
    pub(super) add: bool,
    /// Whether negative numbers become zero in the end.
    pub(super) relu: bool,
}

impl Finish<'_> {
    /// Sums as they are.
    pub(super) const NONE: Self = Self {
        bias: &[],
        add: false,
        relu: false,
    };
}

/// Walks over `source` with `weights` of `rows` rows and `vectors` vectors of columns, and writes as many
/// vectors for each pixel.
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
    assert!(source.len() >= walk.source_len(), "source");
    assert!(
        weights.len() >= rows * width && rows >= walk.weight_rows(),
        "weights"
    );
    assert!(target.len() >= walk.target_len(width), "target");
    assert!(finish.bias.is_empty() || finish.bias.len() >= width, "bias");
    let bias = if finish.bias.is_empty() {
        std::ptr::null()
    } else {
        finish.bias.as_ptr()
    };
    let pass = Pass {
        walk,
        vectors,
        rows,
        tile: Tile {
            source: source.as_ptr(),
            step: walk.source_steps[1],
            runs: &walk.runs,
            weights: weights.as_ptr(),
            bias,
            add: finish.add,
            relu: finish.relu,
            target: target.as_mut_ptr(),
            target_step: walk.target_steps[1],
        },
    };
    // SAFETY: the slices hold all that the walk reads and writes, as the assertions have checked.
    unsafe { set.run(&pass) }
}

struct Pass<'a> {
    walk: &'a Walk,
    vectors: usize,
    rows: usize,
    tile: Tile<'a>,
}

#[expect(unsafe_code, reason = "kernels take pointers")]
impl Work for Pass<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let walk = self.walk;
        for vector in (0..self.vectors).step_by(BLOCK) {
            let pair = self.vectors - vector > 1;
            let channel = vector * V::LANES;
            for row in 0..walk.grid[0] {
                let most = if pair { V::TWO } else { V::ONE };
                parts(
                    walk.grid[1],
                    most,
                    #[inline(always)]
                    |column, pixels| {
                        let from = row * walk.source_steps[0] + column * walk.source_steps[1];
                        let to = row * walk.target_steps[0] + column * walk.target_steps[1];
                        let tile = self.tile;
                        // SAFETY: what the tile reads and writes is inside of the slices that `run` has
                        // checked: its pixels are on the grid, and its channels below all vectors.
                        unsafe {
                            let tile = Tile {
                                // Without runs nothing is read there.
                                source: tile.source.wrapping_add(from),
                                weights: tile.weights.add(channel * self.rows),
                                bias: if tile.bias.is_null() {
                                    tile.bias
                                } else {
                                    tile.bias.add(channel)
                                },
                                target: tile.target.add(walk.target + to + channel),
                                ..tile
                            };
                            if pair {
                                enter_tile!(V, Shaped::<2>(tile), pixels, V::TWO);
                            } else {
                                enter_tile!(V, Shaped::<1>(tile), pixels, V::ONE);
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
struct Tile<'a> {
    source: *const f32,
    step: usize,
    runs: &'a [Run],
    weights: *const f32,
    /// Null stands for zeros.
    bias: *const f32,
    add: bool,
    relu: bool,
    target: *mut f32,
    target_step: usize,
}

impl Tile<'_> {
    /// Multiplies a number of each of `P` pixels with a row of `C` vectors.
    ///
    /// # Safety
    /// As for [`Work::run`].
    #[inline(always)]
    #[expect(unsafe_code, reason = "kernels take pointers")]
    unsafe fn step<V: Vector, const P: usize, const C: usize>(
        &self,
        source: *const f32,
        weights: *const f32,
        sums: &mut [[V; C]; P],
    ) {
        // SAFETY: the caller says that the pointers are valid for a number of each pixel and a row of
        // weights.
        unsafe {
            let mut row = [V::zero(); C];
            for c in 0..C {
                row[c] = V::load(weights.add(c * V::LANES));
            }
            for p in 0..P {
                let x = V::splat(*source.add(p * self.step));
                for c in 0..C {
                    sums[p][c] = x.mul_add(row[c], sums[p][c]);
                }
            }
        }
    }
}

/// A tile of `P` pixels and `C` vectors.
struct Shaped<'a, const P: usize, const C: usize>(Tile<'a>);

#[expect(unsafe_code, reason = "kernels take pointers")]
impl<const P: usize, const C: usize> Work for Shaped<'_, P, C> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let tile = self.0;
        // SAFETY: the caller says that the pointers are valid for `P` pixels of all runs, a row of `C`
        // vectors of weights for each number of the runs, and `P` pixels of `C` vectors to write.
        unsafe {
            let mut sums = [[V::zero(); C]; P];
            for run in tile.runs {
                let mut source = tile.source.add(run.offset);
                let mut weights = tile.weights.add(run.row * C * V::LANES);
                // Several numbers at a time, so that loops are short enough to be foreseen.
                for _ in 0..run.len / STEPS {
                    for step in 0..STEPS {
                        let weights = weights.add(step * C * V::LANES);
                        tile.step(source.add(step), weights, &mut sums);
                    }
                    source = source.add(STEPS);
                    weights = weights.add(STEPS * C * V::LANES);
                }
                for step in 0..run.len % STEPS {
                    let weights = weights.add(step * C * V::LANES);
                    tile.step(source.add(step), weights, &mut sums);
                }
            }
            let one = V::splat(1.0);
            for c in 0..C {
                let bias = if tile.bias.is_null() {
                    V::zero()
                } else {
                    V::load(tile.bias.add(c * V::LANES))
                };
                for p in 0..P {
                    let target = tile.target.add(p * tile.target_step + c * V::LANES);
                    let mut sum = one.mul_add(sums[p][c], bias);
                    if tile.add {
                        sum = one.mul_add(sum, V::load(target));
                    }
                    if tile.relu {
                        sum = sum.relu();
                    }
                    sum.store(target);
                }
            }
        }
    }
}
