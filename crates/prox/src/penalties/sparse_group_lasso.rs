//! Sparse group lasso: `lambda * (alpha * norm1(w) + (1 - alpha) * c * norm2(w))`.
//!
//! Zeroes single weights, then whole groups of what is left: first the soft threshold
//! `step * lambda * alpha`, then the group step with `step * lambda * (1 - alpha) * c`; in this order the
//! composition is exact. Convex. Friedman, Hastie & Tibshirani 2010, "A note on the group lasso and a
//! sparse group lasso"; `alpha = 0.1` is the default of partial regularization.

use crate::elementwise::{add_mixed, distance_to_mixed, soft, soften};
use crate::error::in_range;
use crate::group_penalty::GroupPenalty;
use crate::radial::{Radial, rescale};
use crate::real::{largest_magnitude, norm1};
use crate::{GroupLasso, Real, Result, Strength, metric};

/// `lambda * (alpha * norm1(w) + (1 - alpha) * c * norm2(w))`: thins groups and removes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SparseGroupLasso {
    alpha: f64,
}

impl SparseGroupLasso {
    /// `alpha` in `0..=1` is the share of the l1 term; 0 is the group lasso, 1 is L1.
    pub fn new(alpha: f64) -> Result<Self> {
        let alpha = in_range("alpha", alpha, 0.0..=1.0, "in 0..=1")?;
        Ok(Self { alpha })
    }

    /// The share of the l1 term.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// The strengths of the l1 term and of the group norm.
    #[inline(always)]
    fn parts(self, s: Strength) -> (f64, f64) {
        (s.lambda * self.alpha, (1.0 - self.alpha) * s.of_norm())
    }
}

impl Default for SparseGroupLasso {
    fn default() -> Self {
        Self { alpha: 0.1 }
    }
}

impl GroupPenalty for SparseGroupLasso {
    const NAME: &'static str = "sparse-group-lasso";

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        let (l1, l2) = self.parts(s);
        l1 * norm1(group) + l2 * T::norm(group)
    }

    #[inline(always)]
    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        let (l1, l2) = self.parts(s);
        soften(group, step * l1);
        let r = T::norm(group);
        rescale(group, Radial::prox(&GroupLasso, r, l2, step), r);
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        let (l1, l2) = self.parts(s);
        distance_to_mixed(group, gradient, l1, l2)
    }

    #[inline(always)]
    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        let (l1, l2) = self.parts(s);
        add_mixed(group, l1, l2, gradient);
    }

    /// The root of `norm2(soft(g, lambda alpha)) = lambda (1 - alpha) c`, by bisection: the left side
    /// falls with lambda and the right side grows.
    fn lambda_max<T: Real>(&self, gradient: &[T], weight: f64) -> Option<f64> {
        let norm_share = (1.0 - self.alpha) * weight;
        let survives = |lambda: f64| {
            let threshold = lambda * self.alpha;
            let squares = gradient.iter().map(|g| soft(g.to_f64(), threshold).powi(2));
            squares.sum::<f64>().sqrt() > lambda * norm_share
        };
        let of_norm = T::norm(gradient) / norm_share;
        let of_l1 = largest_magnitude(gradient) / self.alpha;
        let (mut low, mut high) = (0.0, f64::min(of_norm, of_l1));
        if !high.is_finite() {
            return None;
        }
        while low < high {
            let middle = low + 0.5 * (high - low);
            if middle <= low || middle >= high {
                break;
            }
            if survives(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn removes_units(&self) -> bool {
        true
    }

    fn prox_in_metric<T: Real>(&self, group: &mut [T], d: &[T], s: Strength) -> Result<()> {
        let (l1, l2) = self.parts(s);
        metric::soft_step(group, d, l1);
        metric::norm_step(group, d, l2);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_outside_its_range_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(SparseGroupLasso::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_norm_takes_the_weight() {
        let s = Strength {
            lambda: 2.0,
            weight: 5.0,
        };
        let mut group = [4.0, 5.0, -0.5];
        SparseGroupLasso { alpha: 0.5 }.prox_in_place(&mut group, s, 0.5);
        // Softened by 0.5 to a norm of about 5.7, then shortened by 2.5.
        let r = 3.5f64.hypot(4.5);
        let factor = (r - 2.5) / r;
        assert_eq!(group, [3.5 * factor, 4.5 * factor, 0.0]);
    }
}
