//! What must be known of every operation: its shape, its channels, its cost, its value.
//!
//! One file per family, always in the order attributes, shape rule, channel rule, slice rule, cost,
//! value. The matches here have no wildcard arms: the compiler names every rule that a new operation
//! still lacks.

mod batch_norm;
mod binary;
mod concat;
mod conv;
mod dense;
mod flatten;
mod gather;
mod gemm;
mod identity;
mod matmul;
mod movement;
mod opaque;
mod pool;
mod prelu;
mod reduce;
mod reshape;
mod softmax;
mod squeeze;
mod transpose;
mod unary;
mod window;

pub(crate) use dense::Dense;
pub(crate) use gather::{is_own as is_own_list, positions as picked};

pub use binary::Binary;
pub use conv::Conv;
pub use gemm::Gemm;
pub use opaque::Opaque;
pub use pool::{Pool, PoolKind};
pub use reduce::{Reduce, ReduceAxes, ReduceKind};
pub use squeeze::Squeeze;
pub use unary::Unary;
pub use window::{Padding, Window};

use std::collections::BTreeMap;

use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Op, Result, Tensor, ValueId};

/// For axes whose positions change: the old position of every new one.
pub(crate) type Sources = BTreeMap<(ValueId, usize), Vec<usize>>;

/// The shape of the node's first output, if it can be known.
pub(crate) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    match &node.op {
        Op::Gemm(attributes) => gemm::shape(graph, node, attributes),
        Op::MatMul => matmul::shape(graph, node),
        Op::Conv(attributes) => conv::shape(graph, node, attributes),
        Op::BatchNorm { .. } => batch_norm::shape(graph, node),
        Op::Pool(attributes) => pool::shape(graph, node, attributes),
        Op::Reduce(attributes) => reduce::shape(graph, node, attributes),
        Op::Reshape { allow_zero } => reshape::shape(graph, node, *allow_zero),
        Op::Transpose { order } => transpose::shape(graph, node, order),
        Op::Squeeze(attributes) => squeeze::shape(graph, node, attributes),
        Op::Concat { axis } => concat::shape(graph, node, *axis),
        Op::Binary(_) => binary::shape(graph, node),
        Op::Unary(_) => unary::shape(graph, node),
        Op::PRelu => prelu::shape(graph, node),
        Op::Clip { .. } => prelu::clip_shape(graph, node),
        Op::Softmax { .. } | Op::LogSoftmax { .. } => softmax::shape(graph, node),
        Op::Flatten { axis } => flatten::shape(graph, node, *axis),
        Op::Gather { axis } => gather::shape(graph, node, *axis),
        Op::Identity => identity::shape(graph, node),
        Op::Opaque(_) => opaque::shape(graph, node),
    }
}

/// States to the walk which channels the node makes, passes on, reads or mixes.
pub(crate) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    match &node.op {
        Op::Gemm(attributes) => gemm::channels(node, attributes, walk),
        Op::MatMul => matmul::channels(node, walk),
        Op::Conv(attributes) => conv::channels(node, attributes, walk),
        Op::BatchNorm { .. } => batch_norm::channels(node, walk),
        Op::Pool(_) => pool::channels(node, walk),
        Op::Reduce(attributes) => reduce::channels(node, attributes, walk),
        Op::Reshape { allow_zero } => reshape::channels(node, *allow_zero, walk),
        Op::Transpose { order } => transpose::channels(node, order, walk),
        Op::Squeeze(attributes) => squeeze::channels(node, attributes, walk),
        Op::Concat { axis } => concat::channels(node, *axis, walk),
        Op::PRelu => prelu::channels(node, walk),
        Op::Clip { .. } => prelu::clip_channels(node, walk),
        Op::Binary(_) => binary::channels(node, walk),
        Op::Unary(_) => unary::channels(node, walk),
        Op::Softmax { axis } | Op::LogSoftmax { axis } => softmax::channels(node, *axis, walk),
        Op::Flatten { axis } => flatten::channels(node, *axis, walk),
        Op::Gather { axis } => gather::channels(node, *axis, walk),
        Op::Identity => identity::channels(node, walk),
        Op::Opaque(_) => opaque::channels(node, walk),
    }
}

/// The constant that must be rewritten, beyond its own cuts, when positions of activations change.
pub(crate) fn slice(
    graph: &Graph,
    node: &Node,
    sources: &Sources,
) -> Result<Option<(ValueId, Tensor)>> {
    match &node.op {
        Op::Gather { axis } => gather::slice(graph, node, *axis, sources),
        Op::Reshape { .. } => reshape::slice(graph, node, sources),
        Op::Gemm(_)
        | Op::MatMul
        | Op::Conv(_)
        | Op::BatchNorm { .. }
        | Op::Pool(_)
        | Op::Reduce(_)
        | Op::Transpose { .. }
        | Op::Squeeze(_)
        | Op::Concat { .. }
        | Op::PRelu
        | Op::Clip { .. }
        | Op::Binary(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Flatten { .. }
        | Op::Identity
        | Op::Opaque(_) => Ok(None),
    }
}

/// The operation itself, where its attributes count positions and some of those change.
pub(crate) fn rewritten(graph: &Graph, node: &Node, sources: &Sources) -> Option<Op> {
    match &node.op {
        Op::Conv(attributes) => conv::rewritten(graph, node, attributes, sources),
        _ => None,
    }
}

/// Multiply-accumulates of the node for one row; `None` where nobody knows.
pub(crate) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    match &node.op {
        Op::Gemm(attributes) => gemm::macs(graph, node, attributes),
        Op::MatMul => matmul::macs(graph, node),
        Op::Conv(_) => conv::macs(graph, node),
        Op::BatchNorm { .. }
        | Op::Pool(_)
        | Op::Reduce(_)
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Squeeze(_)
        | Op::Concat { .. }
        | Op::PRelu
        | Op::Clip { .. }
        | Op::Binary(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Flatten { .. }
        | Op::Gather { .. }
        | Op::Identity => Some(0),
        Op::Opaque(_) => None,
    }
}

/// The node's first output in double precision.
pub(crate) fn evaluate(node: &Node, inputs: &[Option<&Array>]) -> Result<Array> {
    let input =
        |index: usize| {
            inputs.get(index).copied().flatten().ok_or_else(|| {
                Error::invalid(format!("{} has no input {index}", node.op.onnx_name()))
            })
        };
    match &node.op {
        Op::Gemm(attributes) => {
            let c = inputs.get(2).copied().flatten();
            gemm::evaluate(attributes, input(0)?, input(1)?, c)
        }
        Op::MatMul => matmul::evaluate(input(0)?, input(1)?),
        Op::Conv(attributes) => {
            let bias = inputs.get(2).copied().flatten();
            conv::evaluate(attributes, input(0)?, input(1)?, bias)
        }
        Op::BatchNorm { epsilon } => {
            let parameters = [input(1)?, input(2)?, input(3)?, input(4)?];
            batch_norm::evaluate(*epsilon, input(0)?, parameters)
        }
        Op::Pool(attributes) => pool::evaluate(attributes, input(0)?),
        Op::Reduce(attributes) => reduce::evaluate(attributes, input(0)?),
        Op::Reshape { allow_zero } => reshape::evaluate(*allow_zero, input(0)?, input(1)?),
        Op::Transpose { order } => transpose::evaluate(order, input(0)?),
        Op::Squeeze(attributes) => squeeze::evaluate(attributes, input(0)?),
        Op::Concat { axis } => {
            let all: Result<Vec<&Array>> = (0..inputs.len()).map(input).collect();
            concat::evaluate(*axis, &all?)
        }
        Op::PRelu => prelu::evaluate(input(0)?, input(1)?),
        Op::Clip { min, max } => {
            let given = |index: usize| inputs.get(index).copied().flatten();
            prelu::clip((*min, *max), input(0)?, [given(1), given(2)])
        }
        Op::Binary(binary) => binary.evaluate(input(0)?, input(1)?),
        Op::Unary(unary) => Ok(unary.evaluate(input(0)?)),
        Op::Softmax { axis } => softmax::evaluate(*axis, input(0)?, false),
        Op::LogSoftmax { axis } => softmax::evaluate(*axis, input(0)?, true),
        Op::Flatten { axis } => flatten::evaluate(*axis, input(0)?),
        Op::Gather { axis } => gather::evaluate(*axis, input(0)?, input(1)?),
        Op::Identity => Ok(input(0)?.clone()),
        Op::Opaque(opaque) => Err(opaque::no_value(opaque)),
    }
}

/// The shape of a node's input, if it is known.
fn input_shape<'g>(graph: &'g Graph, node: &Node, index: usize) -> Result<Option<&'g [Dim]>> {
    Ok(graph.value(node.input(index)?).shape.as_deref())
}
