//! Operators that are not understood: carried through unchanged, freezing what they touch.

use serde::{Deserialize, Serialize};

use crate::channels::Walk;
use crate::{Dim, Error, Graph, Node, Op, Result, ValueId};

/// An operator that is not understood, kept so that it can be written back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opaque {
    /// Operator domain; empty for the standard one.
    pub domain: String,
    /// Operator name.
    pub op_type: String,
    /// Version of the standard operators of the model that it was read from.
    pub opset: i64,
    /// The node's message in bytes, as it was read.
    pub message: Vec<u8>,
}

/// What was declared stays. Of what was not, the weights of a layer that reads it tell the number of axes and of channels.
pub(super) fn shapes(graph: &Graph, node: &Node) -> Vec<Option<Vec<Dim>>> {
    let shape = |&made: &ValueId| match graph.value(made).shape {
        Some(_) => None,
        None => read_as(graph, made),
    };
    node.outputs.iter().map(shape).collect()
}

fn read_as(graph: &Graph, value: ValueId) -> Option<Vec<Dim>> {
    let readers = graph.readers(value).iter().map(|&id| graph.node(id));
    let mut known = readers.filter_map(|node| {
        if node.input(0) != Ok(value) {
            return None;
        }
        let weights = graph.constant(node.input(1).ok()?)?.shape();
        let (rank, axis, channels) = match &node.op {
            Op::Conv(conv) => (
                weights.len(),
                1,
                weights.get(1)?.checked_mul(conv.conv_groups)?,
            ),
            Op::ConvTranspose(_) => (weights.len(), 1, *weights.first()?),
            Op::Gemm(gemm) => {
                let axis = usize::from(!gemm.trans_a);
                (2, axis, *weights.get(gemm.axis_in())?)
            }
            _ => return None,
        };
        let name = &graph.value(value).name;
        let lengths = (0..rank).map(|axis| Dim::Named(format!("{name}:{axis}")));
        let mut shape: Vec<Dim> = lengths.collect();
        *shape.get_mut(axis)? = Dim::Fixed(channels);
        Some(shape)
    });
    known.next()
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let reason = format!(
        "is read by {}, which is not understood",
        node.op.onnx_name()
    );
    for &value in node.inputs.iter().flatten() {
        walk.freeze(value, node, &reason);
    }
    Ok(())
}

pub(super) fn no_value(opaque: &Opaque) -> Error {
    Error::unsupported(format!("{} cannot be evaluated here", opaque.op_type))
        .hint("verify this network with a runtime that knows the operator")
}
