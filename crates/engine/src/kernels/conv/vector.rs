//! Vectors of numbers of three instruction sets behind one trait, and how code gets to be compiled for them.
//!
//! A kernel is a [`Work`]: its `run` is generic over the vector and `#[inline(always)]`, and so is all
//! that it calls. [`Vector::enter`] instantiates it inside of a function with the right target features,
//! where everything is inlined and then compiled for that instruction set.

/// What an instruction set has to offer to the kernels.
///
/// # Safety
/// All functions may only be called on a processor that has the instruction set.
#[expect(unsafe_code, reason = "vector instructions and pointers")]
pub(super) trait Vector: Copy {
    /// How many numbers a vector holds.
    const LANES: usize;
    /// The most sums of one vector each that a tile has: they stay in registers, with what else is needed.
    const ONE: usize;
    /// The most pairs of sums that a tile has.
    const TWO: usize;

    /// Vector of zeros.
    unsafe fn zero() -> Self;
    /// `x` in every lane.
    unsafe fn splat(x: f32) -> Self;
    /// The numbers from `from` on, which need not be aligned.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes the numbers from `to` on, which need not be aligned.
    unsafe fn store(self, to: *mut f32);
    /// `self * factor + sum`, rounded once where the processor can.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// Negative numbers replaced by zero; NaN stays.
    unsafe fn relu(self) -> Self;
    /// Runs `work`, compiled for the instruction set.
    unsafe fn enter<W: Work>(work: &W);
}

/// Code that is to be compiled for each instruction set.
#[expect(unsafe_code, reason = "kernels read and write through pointers")]
pub(super) trait Work {
    /// Does the work; implementations must be `#[inline(always)]`.
    ///
    /// # Safety
    /// The processor must have the instruction set of `V`, and all pointers of the work must be valid
    /// for what it reads and writes.
    unsafe fn run<V: Vector>(&self);
}

/// Eight numbers in what vectors the target has without asking: two of NEON or of SSE.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; 8]);

/// 64-bit ARM has 32 vector registers and a fused multiply-add.
const ARM: bool = cfg!(target_arch = "aarch64");

#[expect(unsafe_code, reason = "pointers")]
impl Vector for Plain {
    const LANES: usize = 8;
    const ONE: usize = if ARM { 12 } else { 4 };
    const TWO: usize = if ARM { 6 } else { 2 };

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; 8])
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller says that 8 numbers may be read.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller says that 8 numbers may be written.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, mut sum: Self) -> Self {
        for lane in 0..8 {
            // Where the processor has no such instruction, `f32::mul_add` is a slow function.
            sum.0[lane] = if ARM {
                self.0[lane].mul_add(factor.0[lane], sum.0[lane])
            } else {
                self.0[lane] * factor.0[lane] + sum.0[lane]
            };
        }
        sum
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Self(self.0.map(
            #[inline(always)]
            |x| if x < 0.0 { 0.0 } else { x },
        ))
    }
    #[inline(never)]
    unsafe fn enter<W: Work>(work: &W) {
        // SAFETY: every processor can do this, and the caller says that the pointers are valid.
        unsafe { work.run::<Self>() }
    }
}

/// Enters the tile `$kind::<size, vectors>($tile)` whose size is `$size`, at most `$most`.
macro_rules! enter_tile {
    ($vector:ty, $kind:ident::<$vectors:literal>($tile:expr), $size:expr, $most:expr) => {
        enter_tile!(
            @ $vector, $kind, $vectors, $tile, $size, $most,
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
        )
    };
    (@ $vector:ty, $kind:ident, $vectors:literal, $tile:expr, $size:expr, $most:expr, $($n:literal)*) => {
        match $size {
            $($n => {
                // Larger tiles than the registers hold are not even compiled.
                if const { $n <= $most } {
                    <$vector>::enter(&$kind::<$n, $vectors>($tile));
                }
            })*
            _ => unreachable!("a tile of so many"),
        }
    };
}
pub(super) use enter_tile;
