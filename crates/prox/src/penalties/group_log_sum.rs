//! Group log-sum: `phi(r) = lambda ln(1 + r / epsilon)`.
//!
//! Pulls small groups to 0 with slope `lambda / epsilon` and large ones hardly at all. Not convex, so
//! that the inner root of the stationarity condition is compared with 0. Candes, Wakin & Boyd 2008,
//! "Enhancing sparsity by reweighted l1 minimization"; Prater-Bennette, Shen & Tripp 2022 for the step.

use crate::Result;
use crate::error::in_range;
use crate::radial::Radial;

/// Logarithm of the group's norm: strong on small groups, nearly none on large ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupLogSum {
    epsilon: f64,
}

impl GroupLogSum {
    /// `epsilon > 0`: the norm at which the pull has halved.
    pub fn new(epsilon: f64) -> Result<Self> {
        let allowed = "a finite number above 0";
        let epsilon = in_range("epsilon", epsilon, f64::MIN_POSITIVE.., allowed)?;
        Ok(Self { epsilon })
    }

    /// The norm at which the pull has halved.
    pub fn epsilon(self) -> f64 {
        self.epsilon
    }
}

impl Default for GroupLogSum {
    fn default() -> Self {
        Self { epsilon: 0.1 }
    }
}

impl Radial for GroupLogSum {
    const NAME: &'static str = "group-log-sum";
    const CONVEX: bool = false;

    fn value(&self, r: f64, lambda: f64) -> f64 {
        lambda * (r / self.epsilon).ln_1p()
    }

    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64 {
        if r == 0.0 {
            return 0.0;
        }
        let pull = step * lambda;
        let reach = r + self.epsilon;
        // Larger root p of (p - r)(p + epsilon) + pull = 0, as r minus what it loses: no cancellation.
        let discriminant = 1.0 - 4.0 * (pull / reach) / reach;
        if discriminant < 0.0 {
            return 0.0;
        }
        let p = r - 2.0 * (pull / reach) / (1.0 + discriminant.sqrt());
        if p <= 0.0 {
            return 0.0;
        }
        // Up to pull = epsilon^2 the objective is convex and the root needs no comparison; rounding
        // would decide it wrongly where p is small.
        let is_convex = pull <= self.epsilon * self.epsilon;
        let gain = p * (r - 0.5 * p);
        if !is_convex && gain <= pull * (p / self.epsilon).ln_1p() {
            0.0
        } else {
            p
        }
    }

    fn slope(&self, r: f64, lambda: f64) -> f64 {
        lambda / (self.epsilon + r)
    }

    fn unit_slope_at_zero(&self) -> Option<f64> {
        Some(1.0 / self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_must_be_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(GroupLogSum::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_inner_root_loses_to_zero_where_its_objective_is_higher() {
        let log_sum = GroupLogSum { epsilon: 0.1 };
        // Both have real roots (r + 0.1 >= 2), but only the second pays.
        assert_eq!(log_sum.prox(2.0, 1.0, 1.0), 0.0);
        let p = log_sum.prox(3.0, 1.0, 1.0);
        assert!(
            p > 2.0 && ((p - 3.0) * (p + 0.1) + 1.0).abs() < 1e-14,
            "{p}"
        );
    }

    #[test]
    fn huge_groups_lose_nothing_and_do_not_overflow() {
        let log_sum = GroupLogSum { epsilon: 0.1 };
        assert_eq!(log_sum.prox(1e200, 1.0, 1.0), 1e200);
    }
}
