//! Group SCAD: slope `lambda` up to `r = lambda`, falling to 0 at `r = a lambda`, flat from there on.
//!
//! Shortens small groups as the group lasso does, medium ones less, large ones not at all. Not convex.
//! The textbook formula is the minimiser only for `step < a - 1`; a longer step makes the middle piece
//! concave, and the minimiser jumps from the first piece to the flat one where their objectives meet:
//! at `lambda (a + 1 + step) / 2`, or at `lambda sqrt(step (a + 1))` once the first piece yields 0.
//! Fan & Li 2001, "Variable selection via nonconcave penalized likelihood".

use crate::Result;
use crate::error::in_range;
use crate::radial::Radial;

/// Smoothly clipped absolute deviation of the group's norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupScad {
    a: f64,
}

impl GroupScad {
    /// `a > 2`: where the penalty becomes flat, as a multiple of lambda; Fan & Li suggest 3.7.
    pub fn new(a: f64) -> Result<Self> {
        let a = in_range("a", a, 2.0f64.next_up().., "a finite number above 2")?;
        Ok(Self { a })
    }

    /// Where the penalty becomes flat, as a multiple of lambda.
    pub fn a(self) -> f64 {
        self.a
    }

    /// The minimiser where the objective is concave on the middle piece.
    fn prox_long(self, r: f64, lambda: f64, step: f64) -> f64 {
        let a = self.a;
        let jump = if step < a + 1.0 {
            0.5 * lambda * (a + 1.0 + step)
        } else {
            lambda * (step * (a + 1.0)).sqrt()
        };
        if r <= step * lambda && r <= jump {
            0.0
        } else if r <= jump {
            r - step * lambda
        } else {
            r
        }
    }
}

impl Default for GroupScad {
    fn default() -> Self {
        Self { a: 3.7 }
    }
}

impl Radial for GroupScad {
    const NAME: &'static str = "group-scad";
    const CONVEX: bool = false;

    fn value(&self, r: f64, lambda: f64) -> f64 {
        let a = self.a;
        if r <= lambda {
            lambda * r
        } else if r <= a * lambda {
            (2.0 * a * lambda * r - r * r - lambda * lambda) / (2.0 * (a - 1.0))
        } else {
            // A NaN norm lands here and must not become the constant.
            0.5 * lambda * lambda * (a + 1.0) + 0.0 * r
        }
    }

    fn prox(&self, r: f64, lambda: f64, step: f64) -> f64 {
        let a = self.a;
        if step >= a - 1.0 {
            return self.prox_long(r, lambda, step);
        }
        if r <= step * lambda {
            0.0
        } else if r <= lambda * (1.0 + step) {
            r - step * lambda
        } else if r <= a * lambda {
            ((a - 1.0) * r - a * step * lambda) / (a - 1.0 - step)
        } else {
            r
        }
    }

    fn slope(&self, r: f64, lambda: f64) -> f64 {
        let a = self.a;
        if r <= lambda {
            lambda
        } else if r <= a * lambda {
            (a * lambda - r) / (a - 1.0)
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
    fn a_must_exceed_two() {
        for bad in [2.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(GroupScad::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_four_pieces_of_a_short_step() {
        let scad = GroupScad { a: 3.0 };
        assert_eq!(scad.prox(1.0, 1.0, 1.0), 0.0);
        assert_eq!(scad.prox(1.5, 1.0, 1.0), 0.5);
        assert_eq!(scad.prox(2.5, 1.0, 1.0), 2.0);
        assert_eq!(scad.prox(3.5, 1.0, 1.0), 3.5);
    }

    #[test]
    fn a_long_step_jumps_over_the_concave_piece() {
        let scad = GroupScad { a: 3.0 };
        // step 3: the jump is at 3.5, from 0.5 to 3.5; step 16: at 8, from 0.
        assert_eq!(scad.prox(3.5, 1.0, 3.0), 0.5);
        assert_eq!(scad.prox(3.6, 1.0, 3.0), 3.6);
        assert_eq!(scad.prox(8.0, 1.0, 16.0), 0.0);
        assert_eq!(scad.prox(8.1, 1.0, 16.0), 8.1);
    }
}
