//! How are `f32` and `f64` groups summed without overflow, and fast?

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The scalar of a group of weights: `f32` or `f64`, and nothing else.
pub trait Real:
    sealed::Sealed
    + Copy
    + Debug
    + PartialEq
    + PartialOrd
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + MulAssign
    + Send
    + Sync
    + 'static
{
    /// Positive zero.
    const ZERO: Self;
    /// Not a number.
    const NAN: Self;
    /// Widens without loss.
    fn to_f64(self) -> f64;
    /// Rounds to the nearest.
    fn from_f64(value: f64) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// This magnitude with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// Euclidean norm, correct for every finite group: neither a square that overflows nor one that
    /// underflows is lost. NaN if the group holds one.
    fn norm(group: &[Self]) -> f64;
}

/// Independent accumulators: two registers of AVX-512, four of AVX2, enough to hide the latency of
/// an addition on either.
const LANES: usize = 32;

/// Rows of lanes that are summed before the total moves to `f64`, so that the rounding error does
/// not grow with the size of the group.
const ROWS: usize = 32;

/// Sum of squares in `T`, moved to `f64` block by block. Plain loops over fixed-size lanes, so that
/// the compiler turns them into vector code for whatever instruction set the caller enabled, with
/// the same additions in the same order on all of them.
#[inline(always)]
fn sum_of_squares<T: Real>(group: &[T]) -> f64 {
    let mut total = 0.0;
    for block in group.chunks(LANES * ROWS) {
        let mut lanes = [T::ZERO; LANES];
        let (rows, rest) = block.as_chunks::<LANES>();
        for row in rows {
            add_squares(&mut lanes, row);
        }
        if !rest.is_empty() {
            // Padded, because a loop of unknown length over the lanes would keep them in memory.
            let mut row = [T::ZERO; LANES];
            row[..rest.len()].copy_from_slice(rest);
            add_squares(&mut lanes, &row);
        }
        for half in [LANES / 2, LANES / 4, LANES / 8] {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        let [a, b, c, d] = [lanes[0], lanes[1], lanes[2], lanes[3]].map(T::to_f64);
        total += (a + b) + (c + d);
    }
    total
}

#[inline(always)]
fn add_squares<T: Real>(lanes: &mut [T; LANES], row: &[T; LANES]) {
    for i in 0..LANES {
        lanes[i] += row[i] * row[i];
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const NAN: Self = f32::NAN;

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        f32::copysign(self, sign)
    }

    #[inline(always)]
    fn norm(group: &[Self]) -> f64 {
        let squares = sum_of_squares(group);
        // Below 1e-28 squares may have been lost to underflow; above f32::MAX to overflow.
        if (1e-28..f64::INFINITY).contains(&squares) {
            squares.sqrt()
        } else {
            wide_norm(group)
        }
    }
}

/// Norm of an `f32` group with squares in `f64`, where none can overflow or underflow.
#[cold]
#[inline(never)]
fn wide_norm(group: &[f32]) -> f64 {
    let square = |&w: &f32| f64::from(w) * f64::from(w);
    group.iter().map(square).sum::<f64>().sqrt()
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const NAN: Self = f64::NAN;

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        f64::copysign(self, sign)
    }

    #[inline(always)]
    fn norm(group: &[Self]) -> f64 {
        let squares = sum_of_squares(group);
        if (1e-280..f64::INFINITY).contains(&squares) {
            squares.sqrt()
        } else {
            scaled_norm(group)
        }
    }
}

/// Norm of an `f64` group brought into range by a power of two, which rounds nothing.
#[cold]
#[inline(never)]
fn scaled_norm(group: &[f64]) -> f64 {
    let largest = largest_magnitude(group);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scale = 2.0f64.powi(if largest > 1.0 { -600 } else { 600 });
    let square = |&w: &f64| (w * scale) * (w * scale);
    group.iter().map(square).sum::<f64>().sqrt() / scale
}

/// Largest magnitude of a group, 0 if it is empty, NaN if it holds one.
pub(crate) fn largest_magnitude<T: Real>(group: &[T]) -> f64 {
    let mut largest = 0.0;
    for &w in group {
        let magnitude = w.to_f64().abs();
        // A NaN is taken and, as nothing exceeds it, kept; `f64::max` would drop it.
        if magnitude > largest || magnitude.is_nan() {
            largest = magnitude;
        }
    }
    largest
}

/// Sum of magnitudes, in `f64`.
pub(crate) fn norm1<T: Real>(group: &[T]) -> f64 {
    group.iter().map(|w| w.to_f64().abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_survive_overflow_and_underflow() {
        assert_eq!(
            f32::norm(&[3e30, -4e30]),
            f64::from(3e30f32).hypot(f64::from(4e30f32))
        );
        // 3e200 and 4e200 are rounded themselves.
        assert!((f64::norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() <= f64::EPSILON);
        let tiny = f32::from_bits(1);
        assert_eq!(f32::norm(&[tiny; 4]), 2.0 * f64::from(tiny));
        assert_eq!(f64::norm(&[f64::from_bits(2); 4]), f64::from_bits(4));
        assert_eq!(f64::norm(&[]), 0.0);
    }

    #[test]
    fn a_nan_anywhere_makes_the_norm_nan() {
        for at in [0, 31, 32, 69] {
            let mut group = [1.0f32; 70];
            group[at] = f32::NAN;
            assert!(f32::norm(&group).is_nan());
            assert!(f64::norm(&group.map(f64::from)).is_nan());
            assert!(largest_magnitude(&group).is_nan());
        }
    }

    #[test]
    fn every_length_sums_every_element() {
        for length in (0..100).chain(1020..1060) {
            let ones = vec![1.0f32; length];
            assert_eq!(f32::norm(&ones), (length as f64).sqrt());
        }
    }
}
