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
    /// The most sums of one vector each that stay in registers, with what else is needed.
    const ONE: usize;
    /// The most pairs of sums that stay in registers, with what else is needed.
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Vector, Work};

    #[expect(unsafe_code, reason = "vector instructions and pointers")]
    impl Vector for __m512 {
        const LANES: usize = 16;
        // 32 registers. Tiles of one vector would gain little from all of them, and cost much to compile.
        const ONE: usize = 16;
        const TWO: usize = 14;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the caller says that the processor has AVX-512.
            unsafe { _mm512_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: as above.
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as above, and that 16 numbers may be read.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as above, and that 16 numbers may be written.
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: the caller says that the processor has AVX-512.
            unsafe { _mm512_fmadd_ps(self, factor, sum) }
        }
        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: as above. Of a NaN and a number the instruction returns its second operand.
            unsafe { _mm512_max_ps(_mm512_setzero_ps(), self) }
        }
        #[inline(always)]
        unsafe fn enter<W: Work>(work: &W) {
            // SAFETY: as above, and that the work's pointers are valid.
            unsafe { avx512(work) }
        }
    }

    #[expect(unsafe_code, reason = "vector instructions and pointers")]
    impl Vector for __m256 {
        const LANES: usize = 8;
        // 16 registers.
        const ONE: usize = 12;
        const TWO: usize = 6;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the caller says that the processor has AVX.
            unsafe { _mm256_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: as above.
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as above, and that 8 numbers may be read.
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as above, and that 8 numbers may be written.
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: the caller says that the processor has FMA.
            unsafe { _mm256_fmadd_ps(self, factor, sum) }
        }
        #[inline(always)]
        unsafe fn relu(self) -> Self {
            // SAFETY: the caller says that the processor has AVX. Of a NaN and a number the instruction
            // returns its second operand.
            unsafe { _mm256_max_ps(_mm256_setzero_ps(), self) }
        }
        #[inline(always)]
        unsafe fn enter<W: Work>(work: &W) {
            // SAFETY: the caller says that the processor has AVX2 and FMA and the pointers are valid.
            unsafe { avx2(work) }
        }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    #[expect(unsafe_code, reason = "the work uses pointers")]
    unsafe fn avx512<W: Work>(work: &W) {
        // SAFETY: the processor has AVX-512, and the caller says that the pointers are valid.
        unsafe { work.run::<__m512>() }
    }

    #[target_feature(enable = "avx2,fma")]
    #[expect(unsafe_code, reason = "the work uses pointers")]
    unsafe fn avx2<W: Work>(work: &W) {
        // SAFETY: the processor has AVX2 and FMA, and the caller says that the pointers are valid.
        unsafe { work.run::<__m256>() }
    }
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

/// An instruction set that this machine has: the proof that code for it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl InstructionSet {
    /// All that this machine has, the widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                found.push(Self(Kind::Avx512));
            }
            if avx2 {
                found.push(Self(Kind::Avx2));
            }
        }
        found.push(Self(Kind::Portable));
        found
    }

    /// The widest that this machine has.
    pub fn widest() -> Self {
        Self::available()[0]
    }

    /// Floats that a vector holds.
    pub fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 8,
            Kind::Portable => Plain::LANES,
        }
    }

    /// Runs `work`, compiled for the instruction set.
    ///
    /// # Safety
    /// All pointers of the work must be valid for what it reads and writes.
    #[expect(unsafe_code, reason = "the set was looked for when the value was made")]
    pub(super) unsafe fn run<W: Work>(self, work: &W) {
        // SAFETY: a value exists only where the processor has the set; pointers are the caller's promise.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => std::arch::x86_64::__m512::enter(work),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => std::arch::x86_64::__m256::enter(work),
                Kind::Portable => Plain::enter(work),
            }
        }
    }
}
