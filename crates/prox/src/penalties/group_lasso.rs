//! Group lasso: `phi(r) = lambda r`, `r` the norm of the group.
//!
//! Zeroes a whole group when its norm is at most `step * lambda`, shortens it by that much otherwise.
//! Convex; biased for large groups (see `group_mcp`). Yuan & Lin 2006, "Model selection and estimation
//! in regression with grouped variables".

use crate::radial::Radial;

/// `lambda * c * norm2(w)`: zeroes groups of small norm, shortens all others by the same length.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GroupLasso;

impl Radial for GroupLasso {
    const NAME: &'static str = "group-lasso";
    const CONVEX: bool = true;
    const IS_NORM: bool = true;

    #[inline(always)]
    fn value(&self, r: f64, lambda: f64) -> f64 {
        lambda * r
    }

    #[inline(always)]
    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64 {
        let threshold = step * lambda;
        // Not (r - threshold).max(0.0): f64::max drops NaN and would zero a diverged group.
        if r <= threshold { 0.0 } else { r - threshold }
    }

    #[inline(always)]
    fn slope(&self, _: f64, lambda: f64) -> f64 {
        lambda
    }

    fn unit_slope_at_zero(&self) -> Option<f64> {
        Some(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;
    use crate::group_penalty::GroupPenalty;

    #[test]
    fn a_group_at_the_threshold_is_removed_with_positive_zeros() {
        let s = Strength {
            lambda: 2.5,
            weight: 4.0,
        };
        let mut group = [3.0f32, -4.0];
        GroupLasso.prox_in_place(&mut group, s, 0.5);
        assert!(group.iter().all(|w| w.to_bits() == 0));
        let mut group = [6.0, -8.0];
        GroupLasso.prox_in_place(&mut group, s, 0.5);
        assert_eq!(group, [3.0, -4.0]);
    }
}
