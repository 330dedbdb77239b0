//! Group L0: `phi(r) = lambda` for every group that is not 0.
//!
//! Counts groups: a hard threshold at `sqrt(2 step lambda)` that leaves survivors untouched. Neither convex
//! nor continuous; every group is a local minimum at 0, so that nothing regrows by itself. Blumensath &
//! Davies 2008, "Iterative thresholding for sparse approximations".

use crate::radial::Radial;

/// `lambda * c` for every group that is not 0: removes small groups, leaves all others untouched.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GroupL0;

impl Radial for GroupL0 {
    const NAME: &'static str = "group-l0";
    const CONVEX: bool = false;

    fn value(&self, r: f64, lambda: f64) -> f64 {
        if r == 0.0 { 0.0 } else { lambda + 0.0 * r }
    }

    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64 {
        if r <= (2.0 * step * lambda).sqrt() {
            0.0
        } else {
            r
        }
    }

    /// 0 but for the jump at 0, whose Fréchet subdifferential is everything.
    fn slope(&self, r: f64, lambda: f64) -> f64 {
        if r == 0.0 && lambda > 0.0 {
            f64::INFINITY
        } else {
            0.0 * r
        }
    }

    fn unit_slope_at_zero(&self) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tie_goes_to_zero() {
        assert_eq!(GroupL0.prox(2.0, 1.0, 2.0), 0.0);
        assert_eq!(GroupL0.prox(2.0f64.next_up(), 1.0, 2.0), 2.0f64.next_up());
    }
}
