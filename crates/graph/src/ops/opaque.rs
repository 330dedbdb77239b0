//! Operators that are not understood: carried through unchanged, freezing what they touch.

use serde::{Deserialize, Serialize};

use crate::channels::Walk;
use crate::{Dim, Error, Graph, Node, Result};

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

/// Nothing is inferred; what was declared stays.
pub(super) fn shape(_graph: &Graph, _node: &Node) -> Result<Option<Vec<Dim>>> {
    Ok(None)
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
