//! Element-wise functions: every channel passes through by itself.

use super::{identity, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Graph, Node, Result};

/// Element-wise functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    /// `max(x, 0)`
    Relu,
    /// `x` above zero, `alpha * x` below.
    LeakyRelu {
        /// Slope below zero.
        alpha: f32,
    },
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
}

impl Unary {
    /// The result for one number; NaN stays NaN.
    pub(crate) fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Relu if x < 0.0 => 0.0,
            Unary::Relu => x,
            Unary::LeakyRelu { alpha } if x < 0.0 => f64::from(alpha) * x,
            Unary::LeakyRelu { .. } => x,
            Unary::Tanh => x.tanh(),
            Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }

    pub(super) fn evaluate(self, x: &Array) -> Array {
        Array {
            shape: x.shape.clone(),
            values: x.values.iter().map(|&x| self.apply(x)).collect(),
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    Ok(input_shape(graph, node, 0)?.map(<[Dim]>::to_vec))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    identity::channels(node, walk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_known_points() {
        assert_eq!(Unary::Relu.apply(-1.0), 0.0);
        assert_eq!(Unary::Relu.apply(2.0), 2.0);
        assert_eq!(Unary::LeakyRelu { alpha: 0.5 }.apply(-2.0), -1.0);
        assert_eq!(Unary::Tanh.apply(0.0), 0.0);
        assert_eq!(Unary::Sigmoid.apply(0.0), 0.5);
    }

    #[test]
    fn nan_is_not_rectified_away() {
        assert!(Unary::Relu.apply(f64::NAN).is_nan());
        assert!(Unary::LeakyRelu { alpha: 0.1 }.apply(f64::NAN).is_nan());
    }
}
