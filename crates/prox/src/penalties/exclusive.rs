//! Exclusive lasso: `lambda / 2 * norm1(w)^2` of the group.
//!
//! Makes the weights of a group compete: the soft threshold `tau` grows with what survives it,
//! `tau = step * lambda * norm1(w)`. The largest weight always survives, so no group is ever removed.
//! Convex. The group's weight is not used. Zhou, Jin & Hoi 2010, "Exclusive lasso for multi-task
//! feature selection".

use crate::elementwise::{add_mixed, distance_to_mixed, soften};
use crate::group_penalty::GroupPenalty;
use crate::real::norm1;
use crate::{Real, Strength};

/// `lambda / 2 * norm1(w)^2`: weights of one group compete; no group is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Exclusive;

/// The threshold `tau = b * sum (|w_i| - tau)+` by Newton's method from 0. The left side minus the right
/// is increasing, concave and piecewise linear, so that every iterate stays below the root and the
/// last one is the root itself, after at most one step for each weight.
fn threshold<T: Real>(group: &[T], b: f64) -> f64 {
    let mut tau = 0.0;
    for _ in 0..=group.len() {
        let (mut sum, mut count) = (0.0, 0.0);
        for w in group {
            let magnitude = w.to_f64().abs();
            // A diverged weight must not be dropped from the sum.
            if magnitude > tau || magnitude.is_nan() {
                sum += magnitude;
                count += 1.0;
            }
        }
        let next = b * (sum / (1.0 + b * count));
        if next <= tau {
            break;
        }
        tau = next;
    }
    tau
}

impl GroupPenalty for Exclusive {
    const NAME: &'static str = "exclusive";

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        let sum = norm1(group);
        0.5 * s.lambda * sum * sum
    }

    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        let tau = threshold(group, step * s.lambda);
        if tau.is_finite() {
            soften(group, tau);
        } else {
            // An infinite weight would pull the whole group, itself included, to 0.
            group.fill(T::NAN);
        }
    }

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        distance_to_mixed(group, gradient, s.lambda * norm1(group), 0.0)
    }

    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        add_mixed(group, s.lambda * norm1(group), 0.0, gradient);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weak_lose_to_the_strong() {
        let s = Strength {
            lambda: 1.0,
            weight: 100.0,
        };
        let mut group = [3.0, -1.0, 0.5];
        // Two survivors would need tau = 4/3 > 1; one has tau = 3/2.
        Exclusive.prox_in_place(&mut group, s, 1.0);
        assert_eq!(group, [1.5, 0.0, 0.0]);
    }

    #[test]
    fn no_strength_removes_a_group() {
        let s = Strength {
            lambda: 1e9,
            weight: 1.0,
        };
        let mut group = [1.0, 2.0, -3.0];
        Exclusive.prox_in_place(&mut group, s, 1.0);
        assert!(group.iter().any(|&w| w != 0.0));
    }
}
