//! Group MCP: `phi(r) = lambda r - r^2 / (2 gamma)` up to `r = gamma lambda`, constant from there on.
//!
//! Zeroes small groups as the group lasso does and leaves large ones alone, so that survivors are not
//! biased. Not convex. For `gamma > step` the step is firm thresholding; for `gamma <= step` the
//! objective is concave up to the flat part, and the global minimiser is a hard threshold at
//! `lambda * sqrt(gamma * step)`. Zhang 2010, "Nearly unbiased variable selection under minimax concave
//! penalty"; Breheny & Huang 2015 for groups, whose weight multiplies lambda.

use crate::Result;
use crate::error::in_range;
use crate::radial::Radial;

/// Minimax concave penalty of the group's norm: zeroes small groups, leaves large ones alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupMcp {
    gamma: f64,
}

impl GroupMcp {
    /// `gamma > 0`: the larger, the closer to the group lasso; the smaller, the closer to L0.
    pub fn new(gamma: f64) -> Result<Self> {
        let gamma = in_range(
            "gamma",
            gamma,
            f64::MIN_POSITIVE..,
            "a finite number above 0",
        )?;
        Ok(Self { gamma })
    }

    /// Where the penalty becomes flat, as a multiple of lambda.
    pub fn gamma(self) -> f64 {
        self.gamma
    }
}

impl Default for GroupMcp {
    fn default() -> Self {
        Self { gamma: 3.0 }
    }
}

impl Radial for GroupMcp {
    const NAME: &'static str = "group-mcp";
    const CONVEX: bool = false;

    fn value(&self, r: f64, lambda: f64) -> f64 {
        if r <= self.gamma * lambda {
            r * (lambda - 0.5 * (r / self.gamma))
        } else {
            // A NaN norm lands here and must not become the constant.
            0.5 * self.gamma * lambda * lambda + 0.0 * r
        }
    }

    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64 {
        let gamma = self.gamma;
        if gamma <= step {
            return if r <= lambda * (gamma * step).sqrt() {
                0.0
            } else {
                r
            };
        }
        if r <= step * lambda {
            0.0
        } else if r <= gamma * lambda {
            (r - step * lambda) / (1.0 - step / gamma)
        } else {
            r
        }
    }

    fn slope(&self, r: f64, lambda: f64) -> f64 {
        if r <= self.gamma * lambda {
            lambda - r / self.gamma
        } else {
            0.0 * r
        }
    }

    fn unit_slope_at_zero(&self) -> Option<f64> {
        Some(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_must_be_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(GroupMcp::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_long_step_is_a_hard_threshold() {
        let mcp = GroupMcp { gamma: 1.0 };
        // lambda sqrt(gamma step) = 4, beyond gamma lambda = 2; at the tie the group goes.
        assert_eq!(mcp.prox(4.0, 2.0, 4.0), 0.0);
        assert_eq!(mcp.prox(4.1, 2.0, 4.0), 4.1);
    }

    #[test]
    fn large_groups_are_left_alone() {
        let mcp = GroupMcp { gamma: 3.0 };
        assert_eq!(mcp.prox(1.0, 2.0, 0.5), 0.0);
        assert_eq!(mcp.prox(2.0, 2.0, 0.5), 1.2);
        assert_eq!(mcp.prox(6.5, 2.0, 0.5), 6.5);
    }
}
