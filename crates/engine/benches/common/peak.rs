//! The most multiply-adds that the processor does: independent chains in registers.

use std::hint::black_box;
use std::time::Instant;

use secateur_engine::Threads;

const CHAINS: usize = 12;

/// GFLOP/s of `threads` threads together: the best of many runs.
pub(crate) fn gflops(threads: usize, seconds: f64) -> f64 {
    let threads = Threads::new(threads).unwrap();
    let mut best: f64 = 0.0;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        let flop: f64 = threads.broadcast(|| chains(200_000)).iter().sum();
        best = best.max(flop / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}

/// Does `rounds` multiply-adds in each chain; returns the floating-point operations done.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions are looked for first")]
fn chains(rounds: usize) -> f64 {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512.
        unsafe { chains_avx512(rounds) }
    } else if is_x86_feature_detected!("fma") {
        // SAFETY: the processor has FMA, and with it AVX.
        unsafe { chains_fma(rounds) }
    } else {
        chains_portable(rounds)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn chains(rounds: usize) -> f64 {
    chains_portable(rounds)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn chains_avx512(rounds: usize) -> f64 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_set1_ps};
    let mut sums = [_mm512_set1_ps(black_box(1.0)); CHAINS];
    let (a, b) = (
        _mm512_set1_ps(black_box(0.999)),
        _mm512_set1_ps(black_box(0.001)),
    );
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, a, b);
        }
    }
    black_box(sums);
    (2 * 16 * CHAINS * rounds) as f64
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx,fma")]
fn chains_fma(rounds: usize) -> f64 {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    let mut sums = [_mm256_set1_ps(black_box(1.0)); CHAINS];
    let (a, b) = (
        _mm256_set1_ps(black_box(0.999)),
        _mm256_set1_ps(black_box(0.001)),
    );
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, a, b);
        }
    }
    black_box(sums);
    (2 * 8 * CHAINS * rounds) as f64
}

/// A product and a sum on four lanes.
fn chains_portable(rounds: usize) -> f64 {
    let mut sums = black_box([[1.0f32; 4]; CHAINS]);
    let (a, b) = (black_box([0.999f32; 4]), black_box([0.001f32; 4]));
    for _ in 0..rounds {
        for sum in &mut sums {
            for lane in 0..4 {
                sum[lane] = sum[lane] * a[lane] + b[lane];
            }
        }
    }
    black_box(sums);
    (2 * 4 * CHAINS * rounds) as f64
}
