//! A chain of dense layers with random weights: the network that a run on a table starts from.

use rand_chacha::ChaCha8Rng;
use secateur_graph::{Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary};

use super::Init;
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
