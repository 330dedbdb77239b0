//! What do the penalties that also act on single weights share?

use crate::Real;
use crate::radial::beyond;

/// `sign(w) * max(abs(w) - threshold, 0)`, with a literal positive zero at and below the threshold
/// and NaN kept.
#[inline(always)]
pub(crate) fn soft<T: Real>(w: T, threshold: T) -> T {
    let magnitude = w.abs();
    if magnitude <= threshold {
        T::ZERO
    } else {
        (magnitude - threshold).copysign(w)
    }
}

/// Applies [`soft`] to every weight.
#[inline(always)]
pub(crate) fn soften<T: Real>(group: &mut [T], threshold: f64) {
    let threshold = T::from_f64(threshold);
    for w in group {
        *w = soft(*w, threshold);
    }
}

/// Distance of `-gradient` to the subdifferential at `group` of `l1 * norm1 + l2 * norm2`.
pub(crate) fn distance_to_mixed<T: Real>(group: &[T], gradient: &[T], l1: f64, l2: f64) -> f64 {
    let r = T::norm(group);
    let squares = group.iter().zip(gradient).map(|(w, g)| {
        let (w, g) = (w.to_f64(), g.to_f64());
        let residual = if w == 0.0 {
            beyond(g.abs(), l1)
        } else {
            g + l1.copysign(w) + l2 * (w / r)
        };
        residual * residual
    });
    let distance = squares.sum::<f64>().sqrt();
    if r == 0.0 {
        beyond(distance, l2)
    } else {
        distance
    }
}

/// Adds the subgradient of `l1 * norm1 + l2 * norm2`, 0 at the kinks.
pub(crate) fn add_mixed<T: Real>(group: &[T], l1: f64, l2: f64, gradient: &mut [T]) {
    let r = T::norm(group);
    let factor = T::from_f64(if r == 0.0 { 0.0 } else { l2 / r });
    let l1 = T::from_f64(l1);
    for (g, &w) in gradient.iter_mut().zip(group) {
        if w != T::ZERO {
            *g += l1.copysign(w) + factor * w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_is_zero_at_the_threshold_itself() {
        assert_eq!(soft(-2.0f64, 2.0).to_bits(), 0);
        assert_eq!(soft(-3.0, 2.0), -1.0);
        assert_eq!(soft(3.0f32, 0.0), 3.0);
        assert!(soft(f64::NAN, 2.0).is_nan());
    }

    #[test]
    fn the_mixed_distance_sees_both_kinks() {
        assert_eq!(distance_to_mixed(&[0.0, 0.0], &[4.0, 5.0], 1.0, 2.0), 3.0);
        assert_eq!(distance_to_mixed(&[0.0, 2.0], &[0.5, -3.0], 1.0, 2.0), 0.0);
        assert!(distance_to_mixed(&[0.0], &[f64::NAN], 1.0, 1.0).is_nan());
    }
}
