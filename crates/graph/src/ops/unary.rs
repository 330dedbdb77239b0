//! Element-wise functions: every channel passes through by itself.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

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
    /// The error function.
    Erf,
    /// `x` times the share of a normal distribution below it.
    Gelu {
        /// Whether that is approximated by a hyperbolic tangent.
        tanh: bool,
    },
    /// `x * tanh(softplus(x))`
    Mish,
    /// `1 / x`
    Reciprocal,
    /// Natural logarithm.
    Log,
    /// The next whole number below.
    Floor,
    /// The next whole number above.
    Ceil,
    /// The nearest whole number, halves to the even one.
    Round,
    /// -1, 0 or 1.
    Sign,
    /// Whether it is 0.
    Not,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
}

impl Unary {
    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Unary::Relu => "Relu",
            Unary::LeakyRelu { .. } => "LeakyRelu",
            Unary::Tanh => "Tanh",
            Unary::Sigmoid => "Sigmoid",
            Unary::Exp => "Exp",
            Unary::Sqrt => "Sqrt",
            Unary::Abs => "Abs",
            Unary::Neg => "Neg",
            Unary::Softplus => "Softplus",
            Unary::Elu { .. } => "Elu",
            Unary::HardSigmoid { .. } => "HardSigmoid",
            Unary::HardSwish => "HardSwish",
            Unary::Erf => "Erf",
            Unary::Gelu { .. } => "Gelu",
            Unary::Mish => "Mish",
            Unary::Reciprocal => "Reciprocal",
            Unary::Log => "Log",
            Unary::Floor => "Floor",
            Unary::Ceil => "Ceil",
            Unary::Round => "Round",
            Unary::Sign => "Sign",
            Unary::Not => "Not",
            Unary::Sin => "Sin",
            Unary::Cos => "Cos",
        }
    }

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
            Unary::Erf => libm::erf(x),
            Unary::Gelu { tanh: false } => 0.5 * x * (1.0 + libm::erf(x * FRAC_1_SQRT_2)),
            Unary::Gelu { tanh: true } => {
                let inner = (2.0 / PI).sqrt() * (x + 0.044715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Unary::Mish => x * Unary::Softplus.apply(x).tanh(),
            Unary::Reciprocal => x.recip(),
            Unary::Log => x.ln(),
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Round => x.round_ties_even(),
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Not => f64::from(u8::from(x == 0.0)),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
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
    fn further_values_at_known_points() {
        assert!((Unary::Erf.apply(1.0) - 0.842_700_792_949_714_9).abs() < 1e-15);
        let gelu = [false, true].map(|tanh| Unary::Gelu { tanh }.apply(1.0));
        assert!((gelu[0] - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((gelu[1] - 0.841_191_990_608_276_1).abs() < 1e-12);
        assert!((Unary::Mish.apply(1.0) - 0.865_098_388_267_310_3).abs() < 1e-12);
        assert_eq!(
            [0.5, 1.5, -2.5].map(|x| Unary::Round.apply(x)),
            [0.0, 2.0, -2.0]
        );
        assert_eq!(
            [-3.0, 0.0, 2.0].map(|x| Unary::Sign.apply(x)),
            [-1.0, 0.0, 1.0]
        );
        assert_eq!([0.0, 2.0].map(|x| Unary::Not.apply(x)), [1.0, 0.0]);
    }

    #[test]
    fn nan_is_not_rectified_away() {
        assert!(Unary::Relu.apply(f64::NAN).is_nan());
        assert!(Unary::LeakyRelu { alpha: 0.1 }.apply(f64::NAN).is_nan());
        assert!(Unary::HardSwish.apply(f64::NAN).is_nan());
        assert!(Unary::Softplus.apply(f64::NAN).is_nan());
    }
}
