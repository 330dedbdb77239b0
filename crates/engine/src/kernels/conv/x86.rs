//! Vectors of AVX-512 and AVX2.

use std::arch::x86_64::*;

use super::vector::{Vector, Work};

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
