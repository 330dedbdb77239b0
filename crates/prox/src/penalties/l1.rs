//! L1: `lambda * norm1(w)`.
//!
//! Zeroes single weights of magnitude at most `step * lambda` and shortens the others by that much.
//! Convex. A whole group dies only by chance, when every one of its weights does. The group's weight is
//! not used. Tibshirani 1996, "Regression shrinkage and selection via the lasso".

use crate::elementwise::{add_mixed, distance_to_mixed, soften};
use crate::group_penalty::GroupPenalty;
use crate::real::{largest_magnitude, norm1};
use crate::{Real, Result, Strength, metric};

/// `lambda * norm1(w)`: zeroes single weights; removes a unit only when all of them go.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct L1;

impl GroupPenalty for L1 {
    const NAME: &'static str = "l1";

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        s.lambda * norm1(group)
    }

    #[inline(always)]
    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        soften(group, step * s.lambda);
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        distance_to_mixed(group, gradient, s.lambda, 0.0)
    }

    #[inline(always)]
    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        add_mixed(group, s.lambda, 0.0, gradient);
    }

    fn lambda_max<T: Real>(&self, gradient: &[T], _: f64) -> Option<f64> {
        Some(largest_magnitude(gradient))
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn removes_units(&self) -> bool {
        true
    }

    fn prox_in_metric<T: Real>(&self, group: &mut [T], d: &[T], s: Strength) -> Result<()> {
        metric::soft_step(group, d, s.lambda);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_weight_is_softened_on_its_own() {
        let s = Strength {
            lambda: 2.0,
            weight: 100.0,
        };
        let mut group = [3.0, -0.5, -1.0, f64::NAN, -4.0];
        L1.prox_in_place(&mut group, s, 0.5);
        assert_eq!(group[..3], [2.0, 0.0, 0.0]);
        assert_eq!(group[2].to_bits(), 0);
        assert!(group[3].is_nan());
        assert_eq!(group[4], -3.0);
    }
}
