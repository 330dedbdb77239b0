//! Combined group and exclusive sparsity: `lambda * (mu * c * norm2(w) + (1 - mu) / 2 * norm1(w)^2)`.
//!
//! Removes groups where `mu` is large and makes weights compete where it is small; the mix falls with
//! depth. With `a = step * lambda * mu * c` and `b = step * lambda * (1 - mu)` the step is the soft
//! threshold `tau` followed by the group step `a`, where `tau = b * norm1(w(tau))` is the root of one
//! monotone equation. Composing the steps of the two terms, in either order, is wrong: the threshold
//! depends on what the group step leaves. Convex. Yoon & Hwang 2017, "Combined group and exclusive
//! sparsity for deep neural networks".

use crate::elementwise::{add_mixed, distance_to_mixed, soft};
use crate::error::in_range;
use crate::group_penalty::GroupPenalty;
use crate::radial::{Radial, rescale};
use crate::real::{largest_magnitude, norm1};
use crate::{GroupLasso, Real, Result, Strength};

/// `lambda * (mu * c * norm2(w) + (1 - mu) / 2 * norm1(w)^2)`: removes groups, and thins the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cges {
    mu: f64,
    by_depth: bool,
}

impl Cges {
    /// One mix for all layers: `mu` in `0..=1` is the share of the group norm; 1 is the group lasso, 0
    /// the exclusive lasso.
    pub fn new(mu: f64) -> Result<Self> {
        let mu = in_range("mu", mu, 0.0..=1.0, "in 0..=1")?;
        Ok(Self {
            mu,
            by_depth: false,
        })
    }

    /// The mix falls with depth, as published; 1/2 until [`at_depth`](Self::at_depth) names a layer.
    pub fn by_depth() -> Self {
        Self {
            mu: 0.5,
            by_depth: true,
        }
    }

    /// This penalty in layer `layer` (from 0) of `layers`: a mix by depth becomes
    /// `mu = 1 - (layer + 1) / (layers + 1)`, within `0..1`; a fixed mix stays.
    #[must_use]
    pub fn at_depth(self, layer: usize, layers: usize) -> Self {
        if !self.by_depth {
            return self;
        }
        let layer = layer.min(layers.saturating_sub(1));
        let mu = 1.0 - (layer as f64 + 1.0) / (layers as f64 + 1.0);
        Self {
            mu: mu.max(0.0),
            ..self
        }
    }

    /// The share of the group norm.
    pub fn mu(self) -> f64 {
        self.mu
    }

    /// Whether the mix falls with depth.
    pub fn is_by_depth(self) -> bool {
        self.by_depth
    }

    fn parts(self, s: Strength) -> (f64, f64) {
        (self.mu * s.of_norm(), (1.0 - self.mu) * s.lambda)
    }
}

impl Default for Cges {
    fn default() -> Self {
        Self::by_depth()
    }
}

/// Newton's method takes about ten iterations; bisection, where it leaves the bracket, sixty.
const MOST_ITERATIONS: usize = 200;

/// The root of `tau = b * norm1(w(tau))`, `w(tau)` the group softened by `tau` and shortened by `a`.
///
/// The group is divided by `scale`, so that no square overflows.
fn threshold<T: Real>(group: &[T], scale: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, b * norm1(group) / scale);
    let mut tau = 0.0;
    for _ in 0..MOST_ITERATIONS {
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for w in group {
            let left = soft(w.to_f64() / scale, tau).abs();
            sum += left;
            squares += left * left;
            count += f64::from(u8::from(left > 0.0));
        }
        let r = squares.sqrt();
        let factor = GroupLasso.prox(r, a, 1.0) / if r == 0.0 { 1.0 } else { r };
        let excess = tau - b * sum * factor;
        if excess <= 0.0 {
            low = tau;
        } else {
            high = tau;
        }
        let slope = if factor > 0.0 {
            1.0 + b * (count * factor + a * (sum / r) * (sum / r) / r)
        } else {
            1.0
        };
        let newton = tau - excess / slope;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if excess == 0.0 || (next - tau).abs() <= f64::EPSILON * tau {
            break;
        }
        tau = next;
    }
    tau
}

impl GroupPenalty for Cges {
    const NAME: &'static str = "cges";

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        let (a, b) = self.parts(s);
        let sum = norm1(group);
        a * T::norm(group) + 0.5 * b * sum * sum
    }

    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        let (a, b) = self.parts(s);
        let (a, b) = (step * a, step * b);
        let r = T::norm(group);
        // At 0 the squared term is flat, so that the group norm alone decides.
        if r <= a {
            group.fill(T::ZERO);
            return;
        }
        let scale = largest_magnitude(group);
        let tau = scale * threshold(group, scale, a / scale, b);
        if !tau.is_finite() || !scale.is_finite() {
            group.fill(T::NAN);
            return;
        }
        for w in group.iter_mut() {
            *w = T::from_f64(soft(w.to_f64(), tau));
        }
        let r = T::norm(group);
        rescale(group, GroupLasso.prox(r, a, 1.0), r);
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        let (a, b) = self.parts(s);
        distance_to_mixed(group, gradient, b * norm1(group), a)
    }

    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        let (a, b) = self.parts(s);
        add_mixed(group, b * norm1(group), a, gradient);
    }

    fn lambda_max<T: Real>(&self, gradient: &[T], weight: f64) -> Option<f64> {
        let slope = self.mu * weight;
        (slope > 0.0).then(|| T::norm(gradient) / slope)
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn removes_units(&self) -> bool {
        self.mu > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_outside_its_range_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(Cges::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_mix_falls_with_depth_unless_it_is_fixed() {
        let mus: Vec<f64> = (0..3)
            .map(|l| Cges::by_depth().at_depth(l, 3).mu())
            .collect();
        assert_eq!(mus, [0.75, 0.5, 0.25]);
        assert_eq!(
            Cges {
                mu: 0.9,
                by_depth: false
            }
            .at_depth(0, 3)
            .mu(),
            0.9
        );
        assert_eq!(Cges::by_depth().at_depth(7, 0).mu(), 0.0);
    }

    #[test]
    fn a_small_group_dies_and_a_large_one_is_thinned() {
        let s = Strength {
            lambda: 2.0,
            weight: 1.0,
        };
        let cges = Cges {
            mu: 0.5,
            by_depth: false,
        };
        let mut small = [0.6, -0.8];
        cges.prox_in_place(&mut small, s, 1.0);
        assert_eq!(small, [0.0, 0.0]);
        let mut large = [9.0, 1.0];
        cges.prox_in_place(&mut large, s, 1.0);
        // One survivor: tau = 9 - tau - 1.
        assert_eq!(large, [4.0, 0.0]);
    }
}
