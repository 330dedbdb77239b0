//! Does a penalty obey the laws that every proximal operator obeys?
//!
//! [`penalty`] puts any implementation of [`Prox`], your own included, through a battery at a product of
//! built-in points and steps; [`at`] checks the same laws at points of your own, drawn ones for
//! example. A failure names the law, the point and the numbers. The optional methods of the trait are independent accounts
//! of the same penalty: each one given is held against the step. Derive none of them from the step: a
//! conjugate computed as `x - prox(x)` satisfies Moreau's identity for any operator, right or wrong.
//!
//! | law | for |
//! |---|---|
//! | the step returns as many numbers as it was given, finite ones for finite ones | all |
//! | no other point has a lower objective: on rays, along axes, near the result | all |
//! | `f(z) >= f(p) + <x - p, z - p> / step` (variational inequality) | convex |
//! | `norm2(p - q)^2 <= <x - y, p - q>` (firmly non-expansive) | convex |
//! | `0 <= <x - y, p - q>` (monotone) | all |
//! | `x = prox_f(x) + step prox_f*(x / step)` (Moreau) | with `conjugate_prox` |
//! | `subdiff_distance(p, (p - x) / step) = 0` | with `subdiff_distance` |
//! | the step equals a naive one | with `naive` |
//! | the step in `f32` is within 4 ulp | with `prox_f32` |
//! | 0 stays 0, and what is removed is `+0.0` | all |
//! | a NaN stays NaN | all |
//! | a tiny step changes nothing | all |

mod conjugate;
mod failure;
mod laws;
mod points;

pub use failure::{Failure, Law};

use crate::{Penalty, Strength, naive};

/// A penalty `f` on one group, with its strength, and its step: what the battery needs.
pub trait Prox {
    /// `f(group)`, at least 0, and 0 at 0.
    fn value(&self, group: &[f64]) -> f64;

    /// The global minimiser of `f(.) + norm2(. - group)^2 / (2 step)`.
    fn prox(&self, group: &[f64], step: f64) -> Vec<f64>;

    /// Whether `f` is convex.
    fn is_convex(&self) -> bool;

    /// Distance of `-gradient` to the (Fréchet) subdifferential of `f` at `group`.
    fn subdiff_distance(&self, _group: &[f64], _gradient: &[f64]) -> Option<f64> {
        None
    }

    /// The minimiser of `f*(.) + norm2(. - group)^2 / (2 step)`, `f*` the conjugate of a convex `f`: for a norm,
    /// the projection onto the ball of its dual norm.
    fn conjugate_prox(&self, _group: &[f64], _step: f64) -> Option<Vec<f64>> {
        None
    }

    /// The same as [`prox`](Self::prox) by other, slower means, good to 1e-6 of the group's norm.
    fn naive(&self, _group: &[f64], _step: f64) -> Option<Vec<f64>> {
        None
    }

    /// The same as [`prox`](Self::prox) in single precision.
    fn prox_f32(&self, _group: &[f32], _step: f64) -> Option<Vec<f32>> {
        None
    }
}

impl Prox for (Penalty, Strength) {
    fn value(&self, group: &[f64]) -> f64 {
        self.0.value(group, self.1)
    }

    fn prox(&self, group: &[f64], step: f64) -> Vec<f64> {
        let mut result = group.to_vec();
        self.0.prox_in_place(&mut result, self.1, step);
        result
    }

    fn is_convex(&self) -> bool {
        self.0.is_convex()
    }

    fn subdiff_distance(&self, group: &[f64], gradient: &[f64]) -> Option<f64> {
        Some(self.0.subdiff_distance(group, gradient, self.1))
    }

    fn conjugate_prox(&self, group: &[f64], step: f64) -> Option<Vec<f64>> {
        conjugate::prox(self.0, group, self.1, step)
    }

    fn naive(&self, group: &[f64], step: f64) -> Option<Vec<f64>> {
        Some(naive::prox(self.0, group, self.1, step))
    }

    fn prox_f32(&self, group: &[f32], step: f64) -> Option<Vec<f32>> {
        let mut result = group.to_vec();
        self.0.prox_in_place(&mut result, self.1, step);
        Some(result)
    }
}

/// Checks every law at every pair of built-in points and steps.
pub fn penalty(penalty: &impl Prox) -> Result<(), Failure> {
    let points = points::points();
    for step in points::STEPS {
        for (x, y) in points.iter().zip(points.iter().cycle().skip(1)) {
            at(penalty, x, y, step)?;
        }
        for x in points::extremes() {
            laws::at_extreme(penalty, &x, step)?;
        }
    }
    laws::nan_stays(penalty)?;
    laws::zero_stays(penalty)
}

/// Checks every law at `x` with this step; those on pairs of points also at `y`, cut or filled with 0 to
/// the length of `x`.
pub fn at(penalty: &impl Prox, x: &[f64], y: &[f64], step: f64) -> Result<(), Failure> {
    let mut y = y.to_vec();
    y.resize(x.len(), 0.0);
    laws::at_pair(penalty, x, &y, step)
}
