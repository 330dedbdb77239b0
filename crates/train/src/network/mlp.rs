//! The network a run starts from: a chain of dense layers with random weights.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use secateur_graph::{Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary};

use crate::{Error, Result};

/// Widths and activation of a multi-layer perceptron.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// Number of input features; at least 1.
    pub inputs: usize,
    /// Units of each hidden layer; each at least 1. May be empty.
    pub hidden: Vec<usize>,
    /// Number of outputs; at least 1.
    pub outputs: usize,
    /// Function after each hidden layer.
    pub activation: Unary,
    /// The law of the initial weights.
    pub init: Init,
}

/// The law of initial weights and biases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Normal with a variance that keeps the scale of what flows through: 2/in before rectifiers
    /// (He et al. 2015, eq. 10), 2/(in + out) before tanh and sigmoid (Glorot & Bengio 2010, eq. 12),
    /// 1/in at the output, so that the first loss does not depend on the width. Biases are zero.
    Scaled,
    /// Normal, drawn anew beyond two standard deviations, whatever the widths: as in the published script.
    TruncatedNormal {
        /// Standard deviation before truncation; above zero.
        deviation: f32,
        /// Every bias.
        bias: f32,
    },
}

/// Where a truncated normal ends, in standard deviations.
const TRUNCATION: f32 = 2.0;

impl Mlp {
    /// The graph with weights `[in, out]` drawn from `rng`.
    ///
    /// # Errors
    /// If a width is zero, or a deviation is not a positive number.
    pub fn build(&self, rng: &mut ChaCha8Rng) -> Result<Graph> {
        let mut widths = vec![self.inputs];
        widths.extend(&self.hidden);
        widths.push(self.outputs);
        if let Some(layer) = widths.iter().position(|&w| w == 0) {
            return Err(
                Error::settings(format!("layer {layer} of the network has width 0"))
                    .hint("give every hidden layer at least one unit, for example --net 64-32"),
            );
        }
        let mut b = GraphBuilder::new("mlp");
        let mut value = b.input("features", [Dim::batch(), Dim::Fixed(self.inputs)]);
        let last = widths.len() - 2;
        for (layer, pair) in widths.windows(2).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            let (weights, bias) = self.init.draw(
                (inputs, outputs),
                (layer != last).then_some(self.activation),
                rng,
            )?;
            let name = format!("dense{}", layer + 1);
            let weight = b.constant(
                format!("{name}.weight"),
                Tensor::f32([inputs, outputs], weights)?,
            );
            let bias = b.constant(
                format!("{name}.bias"),
                Tensor::f32([outputs], vec![bias; outputs])?,
            );
            let output = if layer == last {
                "output".to_owned()
            } else {
                name.clone()
            };
            value = b.node(output, Op::Gemm(Gemm::default()), &[value, weight, bias]);
            if layer != last {
                value = b.node(format!("{name}.act"), Op::Unary(self.activation), &[value]);
            }
        }
        b.output(value);
        Ok(b.build()?)
    }
}

impl Init {
    /// The law, if its numbers are in their ranges.
    ///
    /// # Errors
    /// If a deviation is not a positive number, or a bias is not finite.
    pub fn checked(self) -> Result<Self> {
        let Self::TruncatedNormal { deviation, bias } = self else {
            return Ok(self);
        };
        if !(deviation.is_finite() && deviation > 0.0) {
            return Err(
                Error::settings(format!("{deviation} is not a positive deviation"))
                    .at("init")
                    .hint("0.1 is the published one: truncated-normal:0.1"),
            );
        }
        if !bias.is_finite() {
            return Err(Error::settings(format!("{bias} is not a bias"))
                .at("init")
                .hint("0.1 is the published one: truncated-normal:0.1:0.1"));
        }
        Ok(self)
    }

    /// Weights of a layer and the value of its biases; `activation` is that behind it, if any.
    fn draw(
        self,
        (inputs, outputs): (usize, usize),
        activation: Option<Unary>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Vec<f32>, f32)> {
        let (deviation, bias, most) = match self.checked()? {
            Self::Scaled => {
                let variance = match activation {
                    None => 1.0 / inputs as f32,
                    Some(Unary::Relu | Unary::LeakyRelu { .. }) => 2.0 / inputs as f32,
                    Some(Unary::Elu { .. } | Unary::Softplus | Unary::HardSwish) => {
                        2.0 / inputs as f32
                    }
                    Some(_) => 2.0 / (inputs + outputs) as f32,
                };
                (variance.sqrt(), 0.0, f32::INFINITY)
            }
            Self::TruncatedNormal { deviation, bias } => (deviation, bias, TRUNCATION * deviation),
        };
        let normal = Normal::new(0.0, deviation)
            .map_err(|e| Error::settings(format!("initial weights: {e}")))?;
        let mut one = || loop {
            let weight = normal.sample(rng);
            if weight.abs() <= most {
                return weight;
            }
        };
        Ok(((0..inputs * outputs).map(|_| one()).collect(), bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn widths_and_spread_of_the_weights() {
        let mlp = Mlp {
            inputs: 50,
            hidden: vec![80],
            outputs: 3,
            activation: Unary::Relu,
            init: Init::Scaled,
        };
        let graph = mlp.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let id = graph.value_named("dense1.weight").unwrap();
        let weights = graph.constant(id).unwrap().as_f32().unwrap();
        assert_eq!(weights.len(), 50 * 80);
        let variance = weights.iter().map(|w| w * w).sum::<f32>() / 4000.0;
        // The variance of 4,000 draws has a relative standard error of sqrt(2/4000) = 0.022.
        assert!((variance / (2.0 / 50.0) - 1.0).abs() < 0.1, "{variance}");
        let again = mlp.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(graph, again);
    }

    #[test]
    fn a_truncated_normal_ends_at_two_deviations() {
        let mlp = Mlp {
            inputs: 50,
            hidden: vec![80],
            outputs: 3,
            activation: Unary::Relu,
            init: Init::TruncatedNormal {
                deviation: 0.1,
                bias: 0.1,
            },
        };
        let graph = mlp.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let constant = |name| graph.constant(graph.value_named(name).unwrap()).unwrap();
        let weights = constant("dense1.weight").as_f32().unwrap();
        assert!(weights.iter().all(|w| w.abs() <= 0.2));
        let variance = weights.iter().map(|w| w * w).sum::<f32>() / 4000.0;
        // A standard normal cut at 2 has variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737.
        assert!((variance / 0.007_737 - 1.0).abs() < 0.1, "{variance}");
        assert!(
            constant("dense2.bias")
                .as_f32()
                .unwrap()
                .iter()
                .all(|&b| b == 0.1)
        );
    }

    #[test]
    fn laws_that_draw_nothing_useful_are_refused() {
        let law = |deviation, bias| Init::TruncatedNormal { deviation, bias }.checked();
        assert!(law(0.1, -0.1).is_ok() && Init::Scaled.checked().is_ok());
        for (deviation, bias) in [
            (0.0, 0.0),
            (-0.1, 0.0),
            (f32::NAN, 0.0),
            (f32::INFINITY, 0.0),
            (0.1, f32::NAN),
        ] {
            let error = law(deviation, bias).unwrap_err();
            assert_eq!(error.place(), Some("init"), "{deviation} {bias}");
        }
    }

    #[test]
    fn a_zero_width_is_refused() {
        let mlp = Mlp {
            inputs: 5,
            hidden: vec![8, 0],
            outputs: 3,
            activation: Unary::Tanh,
            init: Init::Scaled,
        };
        let error = mlp.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap_err();
        assert!(error.to_string().contains("layer 2"), "{error}");
    }
}
