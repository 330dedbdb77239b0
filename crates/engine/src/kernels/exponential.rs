//! The exponential and what is made of it, without branches or tables, so that loops over them become
//! vector code on every instruction set.
//!
//! Polynomials and constants are those of `expf` and `tanhf` of the Cephes library (Moshier, 1984-1992,
//! netlib.org/cephes); NaN comes out as NaN.

/// `e^x` to about 2 units in the last place; below -87 and above 88 it stays at its value there.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons, not `clamp` or `max`, so that a NaN passes through.
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    // Adding 1.5 * 2^23 leaves the rounded number in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts; the first has few enough bits that n times it is exact.
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + c;
    }
    let fraction = p * (r * r) + r + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    fraction * power
}

/// `e^x - 1`, to about 3 units in the last place near 0 as well.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    // (e^x - 1) / x at 0, which e^x - 1 loses; six terms are enough below 1/4.
    let mut p = 1.0 / 720.0;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = p * x + c;
    }
    let small = p * x;
    let large = exp(x) - 1.0;
    if x.abs() < 0.25 { small } else { large }
}

/// The error function, to about 2e-7 of it.
///
/// The rational approximation of Eigen (`generic_fast_erf_float`, Mozilla Public License 2.0 only for its text; the
/// coefficients are a minimax fit): odd over even polynomial in `x`, which is 1 in single precision from 4 on.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let z = x * x;
    let mut p = -2.726_142_3e-10;
    for c in [
        2.770_681_5e-8,
        -2.101_024_1e-6,
        -5.692_506_3e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ] {
        p = p * z + c;
    }
    let mut q = -1.456_607_2e-5;
    for c in [
        -2.133_740_6e-4,
        -1.682_826_9e-3,
        -7.373_329_2e-3,
        -1.426_473_9e-2,
    ] {
        q = q * z + c;
    }
    x * p / q
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent to about 2 units in the last place.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    for c in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p * z + c;
    }
    let small = p * z * x + x;
    let size = x.abs();
    let large = (1.0 - 2.0 / (exp(2.0 * size) + 1.0)).copysign(x);
    if size < 0.625 { small } else { large }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(approximate: fn(f32) -> f32, exact: fn(f64) -> f64, from: f64, to: f64) -> f64 {
        let mut worst: f64 = 0.0;
        let steps = 200_000;
        for i in 0..=steps {
            let x = (from + (to - from) * f64::from(i) / f64::from(steps)) as f32;
            let expected = exact(f64::from(x));
            let error = (f64::from(approximate(x)) - expected).abs() / expected.abs().max(1e-30);
            worst = worst.max(error);
        }
        worst
    }

    /// A unit in the last place is 6e-8 to 1.2e-7 of a number.
    #[test]
    fn errors_are_a_few_units_in_the_last_place() {
        assert!(worst(exp, f64::exp, -86.9, 87.9) < 2.5e-7);
        assert!(worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -60.0, 60.0) < 5e-7);
        for reach in [1e-3, 1.0, 20.0] {
            assert!(worst(tanh, f64::tanh, -reach, reach) < 3e-7);
        }
    }

    #[test]
    fn small_differences_and_areas_keep_their_digits() {
        assert!(worst(exp_m1, f64::exp_m1, -80.0, 80.0) < 6e-7);
        for reach in [1e-3, 0.3] {
            assert!(worst(exp_m1, f64::exp_m1, -reach, reach) < 6e-7);
        }
        // The series of the error function, which converges everywhere.
        let exact = |x: f64| {
            let mut term = x;
            let mut sum = x;
            for n in 1..120 {
                term *= -x * x / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            sum * std::f64::consts::FRAC_2_SQRT_PI
        };
        for reach in [1e-3, 1.0, 4.5] {
            assert!(worst(erf, exact, -reach, reach) < 5e-7);
        }
    }

    #[test]
    fn edges() {
        for f in [exp, sigmoid, tanh] {
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!((exp(0.0), sigmoid(0.0), tanh(0.0)), (1.0, 0.5, 0.0));
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37);
        assert!(exp(1000.0).is_finite());
    }
}
