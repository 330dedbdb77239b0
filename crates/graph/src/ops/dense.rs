//! What `Gemm` and `MatMul` with constant weights have in common: a product, and perhaps a bias.

use crate::eval::Array;
use crate::{Binary, Graph, Node, Op, Tensor, ValueId};

/// A node that multiplies an activation by constant weights.
pub(crate) struct Dense {
    /// What is multiplied, along its last axis.
    pub(crate) x: ValueId,
    /// The constant matrix.
    pub(crate) weights: ValueId,
    /// The axis of the weights that is contracted.
    pub(crate) axis_in: usize,
    /// The factor of the product.
    pub(crate) alpha: f64,
    /// A constant per output channel that nothing else reads.
    pub(crate) bias: Option<Bias>,
}

/// A bias and its factor, which is not 0.
pub(crate) struct Bias {
    pub(crate) tensor: ValueId,
    pub(crate) beta: f64,
}

impl Dense {
    /// The dense view of a node, if it has one.
    pub(crate) fn of(graph: &Graph, node: &Node) -> Option<Self> {
        let (axis_in, alpha, beta) = match &node.op {
            Op::Gemm(gemm) if !gemm.trans_a => (gemm.axis_in(), gemm.alpha, gemm.beta),
            Op::MatMul => (0, 1.0, 1.0),
            _ => return None,
        };
        let (x, weights) = (node.input(0).ok()?, node.input(1).ok()?);
        let matrix = graph.constant(weights).filter(|t| t.shape().len() == 2)?;
        let columns = matrix.shape()[1 - axis_in];
        let added = match &node.op {
            Op::MatMul => added_behind(graph, node),
            _ => node.inputs.get(2).copied().flatten(),
        };
        let own = |&tensor: &ValueId| {
            let shape = graph.constant(tensor).map(Tensor::shape);
            let is_vector = shape.is_some_and(|s| {
                s.last() == Some(&columns) && s.iter().product::<usize>() == columns
            });
            is_vector && graph.readers(tensor).len() == 1 && !graph.outputs().contains(&tensor)
        };
        let bias = added.filter(own).filter(|_| beta != 0.0);
        Some(Self {
            x,
            weights,
            axis_in,
            alpha: f64::from(alpha),
            bias: bias.map(|tensor| Bias {
                tensor,
                beta: f64::from(beta),
            }),
        })
    }

    /// The sum over the given inputs, by their weights to each output, times `alpha`; inputs whose weight
    /// is 0.0 are left out, whatever they are.
    pub(crate) fn product(&self, weights: &Tensor, inputs: &[(usize, f64)]) -> Option<Vec<f64>> {
        let values = weights.as_f32()?;
        let columns = weights.shape()[1 - self.axis_in];
        let (step_in, step_out) = match self.axis_in {
            0 => (columns, 1),
            _ => (1, weights.shape()[1]),
        };
        let sum = |j: usize| {
            let mut sum = 0.0;
            for &(k, x) in inputs {
                let weight = values[k * step_in + j * step_out];
                if weight != 0.0 {
                    sum += x * f64::from(weight);
                }
            }
            self.alpha * sum
        };
        Some((0..columns).map(sum).collect())
    }

    /// The product with every row of `x`.
    pub(crate) fn products(&self, weights: &Tensor, x: &Array) -> Option<Array> {
        let (&length, outer) = x.shape.split_last()?;
        if length != weights.shape()[self.axis_in] || length == 0 {
            return None;
        }
        let rows = x.values.chunks_exact(length).map(|row| {
            let inputs: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
            self.product(weights, &inputs)
        });
        let values: Vec<Vec<f64>> = rows.collect::<Option<_>>()?;
        let shape = [outer, &[weights.shape()[1 - self.axis_in]]].concat();
        Array::new(shape, values.concat()).ok()
    }
}

/// The constant that alone is added to what the node makes.
fn added_behind(graph: &Graph, node: &Node) -> Option<ValueId> {
    let made = node.output().ok()?;
    let [reader] = graph.readers(made)[..] else {
        return None;
    };
    let add = graph.node(reader);
    if add.op != Op::Binary(Binary::Add) || graph.outputs().contains(&made) {
        return None;
    }
    let mut others = add.inputs.iter().flatten().filter(|&&i| i != made);
    others
        .next()
        .copied()
        .filter(|&o| graph.constant(o).is_some())
}
