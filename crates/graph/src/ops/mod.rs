//! What must be known of every operation: its shape, its channels, its cost, its value.
//!
//! One file per family, always in the order attributes, shape rule, channel rule, slice rule, cost,
//! value. The matches here have no wildcard arms: the compiler names every rule that a new operation
//! still lacks.

mod binary;
mod dense;
mod flatten;
mod gather;
mod gemm;
mod identity;
mod matmul;
mod movement;
mod opaque;
mod softmax;
mod unary;

pub(crate) use dense::Dense;
pub(crate) use gather::{is_own as is_own_list, positions as picked};

pub use binary::Binary;
pub use gemm::Gemm;
pub use opaque::Opaque;
pub use unary::Unary;

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
        Op::Binary(_) => binary::shape(graph, node),
        Op::Unary(_) => unary::shape(graph, node),
        Op::Softmax { .. } => softmax::shape(graph, node),
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
        Op::Binary(_) => binary::channels(node, walk),
        Op::Unary(_) => unary::channels(node, walk),
        Op::Softmax { axis } => softmax::channels(node, *axis, walk),
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
        Op::Gemm(_)
        | Op::MatMul
        | Op::Binary(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::Flatten { .. }
        | Op::Identity
        | Op::Opaque(_) => Ok(None),
    }
}

/// Multiply-accumulates of the node for one row; `None` where nobody knows.
pub(crate) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    match &node.op {
        Op::Gemm(attributes) => gemm::macs(graph, node, attributes),
        Op::MatMul => matmul::macs(graph, node),
        Op::Binary(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
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
        Op::Binary(binary) => binary.evaluate(input(0)?, input(1)?),
        Op::Unary(unary) => Ok(unary.evaluate(input(0)?)),
        Op::Softmax { axis } => softmax::evaluate(*axis, input(0)?),
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
