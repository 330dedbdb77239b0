//! Gradients of the weights of depthwise convolutions: the sums of some taps stay in registers over all
//! pixels.

use super::depthwise::{TILE, check};
use super::set::InstructionSet;
use super::vector::{Vector, Work};
use super::walk::{Walk, parts};

/// Adds to `packed`, `rows` vectors for each of `vectors` vectors of channels, the products of what `walk`
/// reads and what `target` holds.
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
    check(walk, source.len(), target.len(), width);
    assert!(
        packed.len() >= rows * width && rows >= walk.weight_rows(),
        "weights"
    );
    let pass = Pass {
        walk,
        rows,
        vectors,
        source: source.as_ptr(),
        target: target.as_ptr(),
        packed: packed.as_mut_ptr(),
    };
    // SAFETY: the slices hold all that the walk reads and writes, as has been checked.
    unsafe { set.run(&pass) }
}

struct Pass<'a> {
    walk: &'a Walk,
    rows: usize,
    vectors: usize,
    source: *const f32,
    target: *const f32,
    packed: *mut f32,
}

#[expect(unsafe_code, reason = "kernels take pointers")]
impl Work for Pass<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let most = TILE.min(V::ONE);
        for vector in 0..self.vectors {
            parts(
                self.walk.runs.len(),
                most,
                #[inline(always)]
                |first, taps| {
                    let channel = vector * V::LANES;
                    // SAFETY: the taps are runs of the walk and the channels below all vectors, so that
                    // what is read and written is inside of the slices that `run` has checked.
                    unsafe {
                        match taps {
                            1 => self.taps::<V, 1>(channel, first),
                            2 => self.taps::<V, 2>(channel, first),
                            3 => self.taps::<V, 3>(channel, first),
                            4 => self.taps::<V, 4>(channel, first),
                            5 => self.taps::<V, 5>(channel, first),
                            6 => self.taps::<V, 6>(channel, first),
                            7 => self.taps::<V, 7>(channel, first),
                            8 => self.taps::<V, 8>(channel, first),
                            9 => self.taps::<V, 9>(channel, first),
                            _ => unreachable!("a tile of so many taps"),
                        }
                    }
                },
            );
        }
    }
}

impl Pass<'_> {
    /// # Safety
    /// As for [`Work::run`]; `T` taps from `first` on and the vector at `channel` must exist.
    #[inline(always)]
    #[expect(unsafe_code, reason = "kernels take pointers")]
    unsafe fn taps<V: Vector, const T: usize>(&self, channel: usize, first: usize) {
        let walk = self.walk;
        let runs = &walk.runs[first..first + T];
        let mut offsets = [0; T];
        for t in 0..T {
            offsets[t] = runs[t].offset + channel;
        }
        // SAFETY: see above.
        unsafe {
            let packed = self.packed.add(channel * self.rows);
            let mut sums = [V::zero(); T];
            for t in 0..T {
                sums[t] = V::load(packed.add(runs[t].row * V::LANES));
            }
            for y in 0..walk.grid[0] {
                let mut source = self.source.add(y * walk.source_steps[0]);
                let target = walk.target + y * walk.target_steps[0] + channel;
                let mut target = self.target.add(target);
                for _ in 0..walk.grid[1] {
                    let row = V::load(target);
                    for t in 0..T {
                        sums[t] = V::load(source.add(offsets[t])).mul_add(row, sums[t]);
                    }
                    // The pointers may leave the slices after the last pixel.
                    source = source.wrapping_add(walk.source_steps[1]);
                    target = target.wrapping_add(walk.target_steps[1]);
                }
            }
            for t in 0..T {
                sums[t].store(packed.add(runs[t].row * V::LANES));
            }
        }
    }
}
