//! How does a penalty of the group's norm act on the group?
//!
//! A radial penalty is `phi(norm2(w))` with a scalar `phi`. Its proximal operator keeps the direction
//! of the group and applies the scalar operator of `phi` to its length, so that each penalty states
//! three formulas in one dimension and can be checked exhaustively there.

use crate::group_penalty::{GroupPenalty, without_metric_step};
use crate::metric;
use crate::{Real, Result, Strength};

/// A scalar penalty `phi(r)` of a norm `r >= 0`, with strength `lambda` (the product of the two
/// numbers of [`Strength`]).
pub(crate) trait Radial {
    const NAME: &'static str;
    const CONVEX: bool;

    /// `phi(r)`, with `phi(0) = 0`.
    fn value(&self, r: f64, lambda: f64) -> f64;

    /// The global minimiser over `p >= 0` of `phi(p) + (p - r)^2 / (2 step)`, for every `step > 0`;
    /// the smallest where there are several.
    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64;

    /// `phi'(r)` for `r > 0`, and the right derivative at 0 (infinite where `phi` jumps).
    fn slope(&self, r: f64, lambda: f64) -> f64;

    /// The right derivative of `phi` at 0 for `lambda = 1`, if `phi` is proportional to `lambda` there.
    fn unit_slope_at_zero(&self) -> Option<f64>;

    /// Whether the step in a diagonal metric is that of the group norm.
    const IS_NORM: bool = false;
}

impl<P: Radial> GroupPenalty for P {
    const NAME: &'static str = <P as Radial>::NAME;

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        Radial::value(self, T::norm(group), s.of_norm())
    }

    #[inline(always)]
    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        let r = T::norm(group);
        let p = Radial::prox(self, r, s.of_norm(), step);
        rescale(group, p, r);
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        let r = T::norm(group);
        let slope = self.slope(r, s.of_norm());
        if r == 0.0 {
            return beyond(T::norm(gradient), slope);
        }
        let squares = group.iter().zip(gradient).map(|(w, g)| {
            let residual = g.to_f64() + slope * (w.to_f64() / r);
            residual * residual
        });
        squares.sum::<f64>().sqrt()
    }

    #[inline(always)]
    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        let r = T::norm(group);
        if r == 0.0 {
            return;
        }
        let factor = T::from_f64(self.slope(r, s.of_norm()) / r);
        for (g, &w) in gradient.iter_mut().zip(group) {
            *g += factor * w;
        }
    }

    fn lambda_max<T: Real>(&self, gradient: &[T], weight: f64) -> Option<f64> {
        let slope = self.unit_slope_at_zero()? * weight;
        (slope > 0.0).then(|| T::norm(gradient) / slope)
    }

    fn is_convex(&self) -> bool {
        P::CONVEX
    }

    fn removes_units(&self) -> bool {
        true
    }

    fn prox_in_metric<T: Real>(&self, group: &mut [T], d: &[T], s: Strength) -> Result<()> {
        if P::IS_NORM {
            metric::norm_step(group, d, s.of_norm());
            return Ok(());
        }
        Err(without_metric_step(P::NAME))
    }
}

/// Gives a group of norm `from` the norm `to`: literal positive zeros when that is 0, which covers a
/// group that is zero already, so that `to / from` is never 0/0. A NaN on either side spreads to
/// the whole group.
#[inline(always)]
pub(crate) fn rescale<T: Real>(group: &mut [T], to: f64, from: f64) {
    // An infinite norm that is kept would make the factor NaN.
    if to == from && to != 0.0 {
        return;
    }
    let factor = T::from_f64(to / from);
    if to == 0.0 || factor == T::ZERO {
        group.fill(T::ZERO);
        return;
    }
    for w in group {
        *w *= factor;
    }
}

/// How far `value` lies above `limit`; NaN if either is, which `f64::max` would drop.
pub(crate) fn beyond(value: f64, limit: f64) -> f64 {
    if value <= limit { 0.0 } else { value - limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescale_removes_with_positive_zeros_and_keeps_nan() {
        let mut group = [-1.0f32, -0.0];
        rescale(&mut group, 0.0, 1.0);
        assert!(group.iter().all(|w| w.to_bits() == 0));
        rescale(&mut group, f64::NAN, 1.0);
        assert!(group.iter().all(|w| w.is_nan()));
    }

    #[test]
    fn beyond_keeps_nan_and_takes_infinite_limits() {
        assert_eq!(beyond(3.0, 1.0), 2.0);
        assert_eq!(beyond(3.0, f64::INFINITY), 0.0);
        assert!(beyond(f64::NAN, 1.0).is_nan());
    }
}
