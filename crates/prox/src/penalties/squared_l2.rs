//! Squared L2: `lambda / 2 * norm2(w)^2`.
//!
//! Divides every weight by `1 + step * lambda`: the implicit form of weight decay. Convex and smooth.
//! Nothing ever becomes 0, so it cannot remove units. The group's weight is not used. Hoerl & Kennard
//! 1970, "Ridge regression".

use crate::group_penalty::GroupPenalty;
use crate::{Real, Result, Strength};

/// `lambda / 2 * norm2(w)^2`: shortens everything by one factor and removes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SquaredL2;

impl GroupPenalty for SquaredL2 {
    const NAME: &'static str = "l2";

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        let r = T::norm(group);
        0.5 * s.lambda * r * r
    }

    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        let divisor = 1.0 + step * s.lambda;
        for w in group {
            // Adding zero makes a negative zero positive.
            *w = T::from_f64(w.to_f64() / divisor) + T::ZERO;
        }
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        let squares = group.iter().zip(gradient).map(|(w, g)| {
            let residual = g.to_f64() + s.lambda * w.to_f64();
            residual * residual
        });
        squares.sum::<f64>().sqrt()
    }

    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        let lambda = T::from_f64(s.lambda);
        for (g, &w) in gradient.iter_mut().zip(group) {
            *g += lambda * w;
        }
    }

    fn lambda_max<T: Real>(&self, _: &[T], _: f64) -> Option<f64> {
        None
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn removes_units(&self) -> bool {
        false
    }

    fn prox_in_metric<T: Real>(&self, group: &mut [T], d: &[T], s: Strength) -> Result<()> {
        for (w, d) in group.iter_mut().zip(d) {
            *w = T::from_f64(w.to_f64() / (1.0 + s.lambda / d.to_f64())) + T::ZERO;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_divided_and_none_is_lost() {
        let s = Strength {
            lambda: 2.0,
            weight: 100.0,
        };
        let mut group = [3.0, -1e-30];
        SquaredL2.prox_in_place(&mut group, s, 0.5);
        assert_eq!(group, [1.5, -5e-31]);
    }
}
