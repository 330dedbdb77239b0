//! What does every penalty know about one group?

use crate::{Error, Real, Result, Strength};

/// One penalty. Each file of `penalties` implements this or [`Radial`](crate::radial::Radial);
/// [`Penalty`](crate::Penalty) documents the methods.
pub(crate) trait GroupPenalty {
    const NAME: &'static str;

    fn value<T: Real>(&self, group: &[T], s: Strength) -> f64;

    fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64);

    fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64;

    fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]);

    fn lambda_max<T: Real>(&self, gradient: &[T], weight: f64) -> Option<f64>;

    fn is_convex(&self) -> bool;

    fn removes_units(&self) -> bool;

    /// The metric has been checked.
    fn prox_in_metric<T: Real>(&self, _: &mut [T], _: &[T], _: Strength) -> Result<()> {
        Err(without_metric_step(Self::NAME))
    }
}

/// The error of a penalty whose step is known for one step size only.
pub(crate) fn without_metric_step(name: &str) -> Error {
    Error::unsupported(format!("{name} has no exact step in a diagonal metric"))
        .at("penalty")
        .hint("take the plain step with the mean of the metric over the group")
}
