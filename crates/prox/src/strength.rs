//! How strongly is a group penalised?

use crate::Result;
use crate::error::in_range;

/// The strength of a penalty on one group.
///
/// `weight` multiplies the group norm, which grows with the square root of a group's size; terms
/// that are sums over elements (L1, squared L2, exclusive, and the l1 parts of sparse group lasso
/// and CGES) take `lambda` alone. [`GroupWeights`](crate::GroupWeights) computes weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// The factor of the whole penalty; finite and at least 0.
    pub lambda: f64,
    /// The group's own factor `c_g`; finite and at least 0.
    pub weight: f64,
}

impl Strength {
    /// A strength whose numbers are known to be finite and at least 0, else an error that names
    /// the number. The operators take any numbers and never panic; a NaN comes out as NaN.
    pub fn new(lambda: f64, weight: f64) -> Result<Self> {
        Ok(Self {
            lambda: in_range("strength", lambda, 0.0.., "a finite number of at least 0")?,
            weight: in_range(
                "group weight",
                weight,
                0.0..,
                "a finite number of at least 0",
            )?,
        })
    }

    /// `lambda` times `weight`: the strength of the group-norm term.
    #[inline(always)]
    pub fn of_norm(self) -> f64 {
        self.lambda * self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_or_undefined_strength_is_refused_by_name() {
        let error = Strength::new(-1e-4, 1.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "strength: -0.0001 is not a finite number of at least 0"
        );
        assert_eq!(
            Strength::new(1.0, f64::NAN).unwrap_err().place(),
            Some("group weight")
        );
        assert!(Strength::new(0.0, 0.0).is_ok());
    }
}
