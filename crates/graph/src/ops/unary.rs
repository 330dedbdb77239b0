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
    /// `exp(x)`
    Exp,
    /// Square root.
    Sqrt,
    /// Magnitude.
    Abs,
    /// `-x`
    Neg,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x` above zero, `alpha * (exp(x) - 1)` below.
    Elu {
        /// Minus the limit far below zero.
        alpha: f32,
    },
    /// `alpha * x + beta`, clipped to 0 and 1.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at zero.
        beta: f32,
    },
    /// `x * max(0, min(1, x / 6 + 1 / 2))`
    HardSwish,
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
            Unary::Exp => x.exp(),
            Unary::Sqrt => x.sqrt(),
            Unary::Abs => x.abs(),
            Unary::Neg => -x,
            Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Unary::Elu { alpha } if x < 0.0 => f64::from(alpha) * x.exp_m1(),
            Unary::Elu { .. } => x,
            Unary::HardSigmoid { alpha, beta } => clip(f64::from(alpha) * x + f64::from(beta)),
            Unary::HardSwish => x * clip(x / 6.0 + 0.5),
        }
    }

    pub(super) fn evaluate(self, x: &Array) -> Array {
        Array {
            shape: x.shape.clone(),
            values: x.values.iter().map(|&x| self.apply(x)).collect(),
        }
    }
}

/// To between 0 and 1; NaN stays NaN.
fn clip(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
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
        assert!((Unary::Softplus.apply(0.0) - 2f64.ln()).abs() < 1e-15);
        assert_eq!(Unary::Softplus.apply(-1000.0), 0.0);
        assert_eq!(Unary::Elu { alpha: 2.0 }.apply(f64::NEG_INFINITY), -2.0);
        let hard = Unary::HardSigmoid {
            alpha: 0.5,
            beta: 0.5,
        };
        assert_eq!([-3.0, 0.5, 3.0].map(|x| hard.apply(x)), [0.0, 0.75, 1.0]);
        assert_eq!(
            [-4.0, 3.0, 5.0].map(|x| Unary::HardSwish.apply(x)),
            [0.0, 3.0, 5.0]
        );
    }

    #[test]
    fn nan_is_not_rectified_away() {
        assert!(Unary::Relu.apply(f64::NAN).is_nan());
        assert!(Unary::LeakyRelu { alpha: 0.1 }.apply(f64::NAN).is_nan());
        assert!(Unary::HardSwish.apply(f64::NAN).is_nan());
        assert!(Unary::Softplus.apply(f64::NAN).is_nan());
    }
}
