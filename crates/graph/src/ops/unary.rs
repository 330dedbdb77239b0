//! Element-wise functions: every channel passes through by itself.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use serde::{Deserialize, Serialize};

use super::{identity, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Graph, Node, Result};

/// Element-wise functions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    /// Tangent.
    Tan,
    /// The angle of a sine.
    Asin,
    /// The angle of a cosine.
    Acos,
    /// The angle of a tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Inverse hyperbolic cosine.
    Acosh,
    /// Inverse hyperbolic tangent.
    Atanh,
    /// `x / (1 + |x|)`
    Softsign,
    /// `gamma * x` above zero, `gamma * alpha * (exp(x) - 1)` below.
    Selu {
        /// Minus the limit far below zero, before scaling.
        alpha: f32,
        /// Scale.
        gamma: f32,
    },
    /// `x` above zero, `alpha * (exp(x / alpha) - 1)` below.
    Celu {
        /// Minus the limit far below zero.
        alpha: f32,
    },
    /// `x` above `alpha`, 0 elsewhere.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32,
    },
    /// `x - bias` above `lambda`, `x + bias` below `-lambda`, 0 between.
    Shrink {
        /// What is taken off the magnitude.
        bias: f32,
        /// The threshold.
        lambda: f32,
    },
    /// `x / (1 + exp(-alpha * x))`
    Swish {
        /// Steepness.
        alpha: f32,
    },
    /// Whether it is no number.
    IsNan,
    /// Whether it is infinite.
    IsInf {
        /// Whether minus infinity counts.
        negative: bool,
        /// Whether plus infinity counts.
        positive: bool,
    },
    /// All bits of a signed whole number the other way.
    BitwiseNot,
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
            Unary::Tan => "Tan",
            Unary::Asin => "Asin",
            Unary::Acos => "Acos",
            Unary::Atan => "Atan",
            Unary::Sinh => "Sinh",
            Unary::Cosh => "Cosh",
            Unary::Asinh => "Asinh",
            Unary::Acosh => "Acosh",
            Unary::Atanh => "Atanh",
            Unary::Softsign => "Softsign",
            Unary::Selu { .. } => "Selu",
            Unary::Celu { .. } => "Celu",
            Unary::ThresholdedRelu { .. } => "ThresholdedRelu",
            Unary::Shrink { .. } => "Shrink",
            Unary::Swish { .. } => "Swish",
            Unary::IsNan => "IsNaN",
            Unary::IsInf { .. } => "IsInf",
            Unary::BitwiseNot => "BitwiseNot",
        }
    }

    /// Whether the result is true or false.
    pub(crate) fn is_truth(self) -> bool {
        matches!(self, Unary::Not | Unary::IsNan | Unary::IsInf { .. })
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
            Unary::Tan => x.tan(),
            Unary::Asin => x.asin(),
            Unary::Acos => x.acos(),
            Unary::Atan => x.atan(),
            Unary::Sinh => x.sinh(),
            Unary::Cosh => x.cosh(),
            Unary::Asinh => x.asinh(),
            Unary::Acosh => x.acosh(),
            Unary::Atanh => x.atanh(),
            Unary::Softsign => x / (1.0 + x.abs()),
            Unary::Selu { alpha, gamma } => f64::from(gamma) * Unary::Elu { alpha }.apply(x),
            Unary::Celu { alpha } if x < 0.0 => f64::from(alpha) * (x / f64::from(alpha)).exp_m1(),
            Unary::Celu { .. } => x,
            Unary::ThresholdedRelu { alpha } if x <= f64::from(alpha) => 0.0,
            Unary::ThresholdedRelu { .. } => x,
            Unary::Shrink { bias, lambda } if x < -f64::from(lambda) => x + f64::from(bias),
            Unary::Shrink { bias, lambda } if x > f64::from(lambda) => x - f64::from(bias),
            Unary::Shrink { .. } if x.is_nan() => x,
            Unary::Shrink { .. } => 0.0,
            Unary::Swish { alpha } => x * Unary::Sigmoid.apply(f64::from(alpha) * x),
            Unary::IsNan => truth(x.is_nan()),
            Unary::IsInf { negative, positive } => {
                truth(negative && x == f64::NEG_INFINITY || positive && x == f64::INFINITY)
            }
            Unary::BitwiseNot => -1.0 - x,
        }
    }

    pub(super) fn evaluate(self, x: &Array) -> Array {
        Array {
            shape: x.shape.clone(),
            values: x.values.iter().map(|&x| self.apply(x)).collect(),
        }
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
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
    fn thresholds_and_truths() {
        let shrink = Unary::Shrink {
            bias: 1.0,
            lambda: 2.0,
        };
        assert_eq!(
            [-3.0, -2.0, 0.0, 3.0].map(|x| shrink.apply(x)),
            [-2.0, 0.0, 0.0, 2.0]
        );
        let above = Unary::ThresholdedRelu { alpha: 1.0 };
        assert_eq!([0.5, 1.0, 2.0].map(|x| above.apply(x)), [0.0, 0.0, 2.0]);
        assert_eq!(Unary::Celu { alpha: 2.0 }.apply(f64::NEG_INFINITY), -2.0);
        assert_eq!(Unary::Softsign.apply(-3.0), -0.75);
        let infinite = Unary::IsInf {
            negative: false,
            positive: true,
        };
        assert_eq!(infinite.apply(f64::INFINITY), 1.0);
        assert_eq!(infinite.apply(f64::NEG_INFINITY), 0.0);
        assert_eq!(Unary::IsNan.apply(f64::NAN), 1.0);
        assert_eq!(Unary::BitwiseNot.apply(5.0), -6.0);
        assert!(shrink.apply(f64::NAN).is_nan() && above.apply(f64::NAN).is_nan());
    }

    #[test]
    fn nan_is_not_rectified_away() {
        assert!(Unary::Relu.apply(f64::NAN).is_nan());
        assert!(Unary::LeakyRelu { alpha: 0.1 }.apply(f64::NAN).is_nan());
        assert!(Unary::HardSwish.apply(f64::NAN).is_nan());
        assert!(Unary::Softplus.apply(f64::NAN).is_nan());
    }
}
