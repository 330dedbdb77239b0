//! What follows a layer's affine map, forwards and backwards.

use secateur_graph::{Op, Unary};

use crate::{Error, Result};

/// An element-wise function whose derivative can be told from its result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`, with derivative 0 at 0.
    Relu,
    /// `x` above zero, `alpha * x` elsewhere; `alpha` is not negative.
    LeakyRelu {
        /// Slope below zero.
        alpha: f32,
    },
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `x` above zero, `alpha * (exp(x) - 1)` elsewhere; `alpha` is above zero.
    Elu {
        /// Minus the limit far below zero.
        alpha: f32,
    },
    /// `alpha * x + beta` no lower than 0 and no higher than 1, with derivative 0 at both.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at zero.
        beta: f32,
    },
    /// `x` no lower than `min` and no higher than `max`, with derivative 0 at both.
    Clip {
        /// Lower bound.
        min: f32,
        /// Upper bound.
        max: f32,
    },
}

impl Activation {
    /// The engine's version of a graph's function.
    ///
    /// # Errors
    /// If the slope of a leaky ReLU is negative or not finite: its derivative could then not be told
    /// from its result.
    pub(crate) fn from_graph(unary: Unary) -> Result<Self> {
        match unary {
            Unary::Relu => Ok(Self::Relu),
            Unary::LeakyRelu { alpha } if alpha >= 0.0 && alpha.is_finite() => {
                Ok(Self::LeakyRelu { alpha })
            }
            Unary::LeakyRelu { alpha } => Err(Error::unsupported(format!(
                "a LeakyRelu of slope {alpha} cannot be trained"
            ))
            .hint("use a finite slope of 0 or more")),
            Unary::Tanh => Ok(Self::Tanh),
            Unary::Sigmoid => Ok(Self::Sigmoid),
            Unary::Elu { alpha } if alpha > 0.0 && alpha.is_finite() => Ok(Self::Elu { alpha }),
            Unary::HardSigmoid { alpha, beta } => Ok(Self::HardSigmoid { alpha, beta }),
            other => Err(Error::unsupported(format!(
                "{} cannot be trained",
                Op::Unary(other).onnx_name()
            ))
            .hint("Relu, LeakyRelu, Tanh, Sigmoid, Elu and HardSigmoid can")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_that_hides_the_sign_is_refused() {
        for alpha in [-0.1, f32::NAN, f32::INFINITY] {
            assert!(Activation::from_graph(Unary::LeakyRelu { alpha }).is_err());
        }
        let kept = Activation::from_graph(Unary::LeakyRelu { alpha: 0.0 }).unwrap();
        assert_eq!(kept, Activation::LeakyRelu { alpha: 0.0 });
    }
}
