//! Which law was broken, where, and by how much?

use std::fmt;

/// A law of proximal operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Law {
    /// As many numbers come out as go in, finite ones for finite ones.
    Shape,
    /// No point has a lower objective than the step.
    Minimiser,
    /// `f(z) >= f(p) + <x - p, z - p> / step`.
    VariationalInequality,
    /// `norm2(p - q)^2 <= <x - y, p - q>`.
    FirmlyNonexpansive,
    /// `0 <= <x - y, p - q>`.
    Monotone,
    /// `x = prox_f(x) + step prox_f*(x / step)`.
    Moreau,
    /// `(x - p) / step` is a subgradient at `p`.
    Subdifferential,
    /// The step equals its naive version.
    Naive,
    /// The step in single precision equals that in double precision.
    SinglePrecision,
    /// The step of 0 is 0, and zeros are positive.
    Zero,
    /// A NaN stays NaN.
    Nan,
    /// A tiny step changes nothing.
    SmallStep,
}

/// A broken law, with the point, the step and the two numbers that contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub(super) law: Law,
    pub(super) point: Vec<f64>,
    pub(super) step: f64,
    pub(super) result: Vec<f64>,
    pub(super) found: f64,
    pub(super) limit: f64,
    pub(super) against: Vec<f64>,
}

impl Failure {
    /// The broken law.
    pub fn law(&self) -> Law {
        self.law
    }

    /// The point whose step breaks it.
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// The step size.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// What the step returned.
    pub fn result(&self) -> &[f64] {
        &self.result
    }

    /// The point that the result was held against: the better minimiser, the result at the other
    /// point, the other account of the step.
    pub fn against(&self) -> &[f64] {
        &self.against
    }

    /// The number that should have been at most [`limit`](Self::limit).
    pub fn found(&self) -> f64 {
        self.found
    }

    /// The number that [`found`](Self::found) exceeds, rounding allowed for.
    pub fn limit(&self) -> f64 {
        self.limit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            law,
            point,
            step,
            result,
            found,
            limit,
            against,
        } = self;
        let what = match law {
            Law::Shape => "the number of results, or of those that are not finite",
            Law::Minimiser => "the objective at the result, against that at another point",
            Law::VariationalInequality => "f(p) + <x - p, z - p> / step, against f(z)",
            Law::FirmlyNonexpansive => "norm2(p - q)^2, against <x - y, p - q>",
            Law::Monotone => "-<x - y, p - q>, against 0",
            Law::Moreau => "the distance from x to prox_f(x) + step prox_f*(x / step)",
            Law::Subdifferential => "the distance of (x - p) / step to the subdifferential",
            Law::Naive => "the distance to the naive step",
            Law::SinglePrecision => "the distance to the step in double precision",
            Law::Zero => "the magnitude of the step at 0, or the number of negative zeros",
            Law::Nan => "the number of NaN that were lost",
            Law::SmallStep => "the distance to the point itself",
        };
        write!(
            f,
            "{law:?} broken at x = {point:?}, step {step}: {what} is {found:e}, above {limit:e}; \
             p = {result:?}, held against {against:?}"
        )
    }
}

impl std::error::Error for Failure {}
