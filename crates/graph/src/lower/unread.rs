//! Outputs that nobody reads: a node that need not make them is understood as one without.

use std::borrow::Cow;
use std::collections::HashSet;

use secateur_onnx::proto::{GraphProto, NodeProto};

use super::node::{op_type, standard};
use super::order::captured;

/// Operators with outputs beyond the first that nobody need take.
const MAY_MAKE_MORE: [&str; 6] = [
    "MaxPool",
    "BatchNormalization",
    "Dropout",
    "Concat",
    "LayerNormalization",
    "Attention",
];

/// The first operator set in which outputs of `BatchNormalization` do not mean that it is trained.
const TRAINED_BY_ATTRIBUTE: i64 = 14;

/// Whether an operator may have outputs beyond the first that nobody need take.
pub(super) fn may_make_more(node: &NodeProto) -> bool {
    MAY_MAKE_MORE.contains(&op_type(node))
}

/// Names that a node reads, one in a subgraph included, or that are outputs of the graph.
pub(super) fn names_read(graph: &GraphProto) -> HashSet<&str> {
    let mut names: HashSet<&str> = HashSet::new();
    for node in &graph.node {
        names.extend(node.input.iter().map(String::as_str));
        names.extend(captured(node));
    }
    names.extend(graph.output.iter().filter_map(|o| o.name.as_deref()));
    names
}

/// The node without the outputs at its end that it need not make and nobody reads.
pub(super) fn without<'a>(
    node: &'a NodeProto,
    opset: i64,
    read: &HashSet<&str>,
) -> Cow<'a, NodeProto> {
    let means_training = op_type(node) == "BatchNormalization" && opset < TRAINED_BY_ATTRIBUTE;
    if !standard(node) || !may_make_more(node) || means_training {
        return Cow::Borrowed(node);
    }
    let is_needed = |name: &String| !name.is_empty() && read.contains(name.as_str());
    let last = node.output.iter().rposition(is_needed).unwrap_or(0);
    if last + 1 >= node.output.len() {
        return Cow::Borrowed(node);
    }
    let mut node = node.clone();
    node.output.truncate(last + 1);
    Cow::Owned(node)
}
