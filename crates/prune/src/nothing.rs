//! Why did no unit of a model go?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use secateur_graph::{ChannelGroups, Freeze, Graph, Group, GroupKind, Node, NodeId, Op};

use crate::{Error, ErrorKind};

/// Reasons and operators that are told; the others are counted.
const TOLD: usize = 4;

/// The error of a choice by which all units stay. `stays` tells why a group does that could lose some.
pub(crate) fn nothing_goes(
    graph: &Graph,
    groups: &ChannelGroups,
    stays: &dyn Fn(&Group) -> String,
) -> Error {
    let hidden = groups.groups().iter();
    let hidden = hidden.filter(|g| g.kind == GroupKind::Hidden);
    let reasons = hidden.map(|group| match &group.frozen {
        Some(freeze) => why_frozen(graph, freeze),
        None if group.units == 1 => "has one unit only".to_owned(),
        None => stays(group),
    });
    let mut told = counted(reasons)
        .into_iter()
        .map(|(reason, count)| match count {
            1 => format!("1 group, as it {reason}"),
            _ => format!("{count} groups, as each {reason}"),
        })
        .collect::<Vec<_>>();
    if told.is_empty() {
        told.push("no layer that is understood makes channels inside of the model".to_owned());
    }
    cut_short(&mut told, "reasons");
    let message = format!("no unit can be removed: {}", told.join("; "));
    let mut unknown: Vec<String> = counted(graph.nodes().iter().filter_map(unknown))
        .into_iter()
        .map(|(op, count)| format!("{count} {op}"))
        .collect();
    cut_short(&mut unknown, "operators");
    let message = match unknown.is_empty() {
        true => message,
        false => format!("{message}; not understood are {}", unknown.join(", ")),
    };
    Error::new(ErrorKind::OutOfReach, message)
        .hint("nothing was written; secateur inspect tells of every group why it stays")
}

/// Each with how often it comes, the commonest first.
fn counted(all: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_insert(0) += 1);
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts
}

fn cut_short(told: &mut Vec<String>, what: &str) {
    if told.len() > TOLD {
        let others = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("{others} other {what}"));
    }
}

/// The reason with the operator at which it lies, and with what makes that one's weights where no constant does.
fn why_frozen(graph: &Graph, freeze: &Freeze) -> String {
    // What is said of an output names that, which may be called as a node is.
    let mut outputs = graph.outputs().iter();
    let is_output = outputs.any(|&id| graph.value(id).name == freeze.node);
    let mut nodes = graph.node_ids();
    let node = nodes.find(|&id| graph.node(id).name == freeze.node);
    let Some(id) = node.filter(|_| !(is_output && freeze.reason.contains("output"))) else {
        return freeze.reason.clone();
    };
    let node = graph.node(id);
    let mut reason = freeze.reason.clone();
    if !reason.contains(node.op.onnx_name()) {
        reason = format!("{reason} (at {})", node.op.onnx_name());
    }
    if let Some(maker) = makes_weights(graph, id) {
        reason = format!(
            "{reason}, whose weights are made by {}",
            maker.op.onnx_name()
        );
    }
    reason
}

/// What computes the weights of a node from constants alone.
fn makes_weights(graph: &Graph, id: NodeId) -> Option<&Node> {
    let mut weights = graph.node(id).inputs.iter().skip(1).flatten();
    weights.find_map(|&weight| {
        let maker = graph.node(graph.producer(weight)?);
        let mut read = maker.inputs.iter().flatten();
        read.all(|&id| graph.constant(id).is_some())
            .then_some(maker)
    })
}

/// The operator of a node that is not understood, with its domain where that is not the standard.
fn unknown(node: &Node) -> Option<String> {
    let Op::Opaque(opaque) = &node.op else {
        return None;
    };
    // Of recurrent layers the inside stays, which is their reason.
    if matches!(opaque.op_type.as_str(), "LSTM" | "GRU" | "RNN") {
        return None;
    }
    Some(match opaque.domain.as_str() {
        "" | "ai.onnx" => opaque.op_type.clone(),
        domain => format!("{domain}.{}", opaque.op_type),
    })
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, GraphBuilder, Opaque, Tensor, Unary};

    use super::*;

    fn opaque(domain: &str, op_type: &str) -> Op {
        Op::Opaque(Opaque {
            domain: domain.into(),
            op_type: op_type.into(),
            opset: 17,
            message: vec![],
        })
    }

    fn told(graph: &Graph) -> String {
        let groups = ChannelGroups::of(graph).unwrap();
        nothing_goes(graph, &groups, &|_| "stays".into()).to_string()
    }

    #[test]
    fn reasons_are_counted_with_their_operators() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        for layer in 0..3 {
            let w = Tensor::f32([2, 2], vec![1.0; 4]).unwrap();
            let w = b.constant(format!("w{layer}"), w);
            let made = b.node(format!("layer{layer}"), Op::MatMul, &[x, w]);
            let (domain, op_type) = match layer {
                2 => ("com.microsoft", "FusedGelu"),
                _ => ("", "Mystery"),
            };
            let y = b.node(format!("odd{layer}"), opaque(domain, op_type), &[made]);
            b.output(y);
        }
        let told = told(&b.build().unwrap());
        assert_eq!(
            told,
            "no unit can be removed: 2 groups, as each is read by Mystery, which is not understood; \
             1 group, as it is read by FusedGelu, which is not understood; \
             not understood are 2 Mystery, 1 com.microsoft.FusedGelu"
        );
    }

    #[test]
    fn what_makes_weights_is_named() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let first = b.constant("first", Tensor::f32([2, 2], vec![1.0; 4]).unwrap());
        let hidden = b.node("hidden", Op::MatMul, &[x, first]);
        let hidden = b.node("relu", Op::Unary(Unary::Relu), &[hidden]);
        let packed = b.constant("packed", Tensor::f32([2, 2], vec![1.0; 4]).unwrap());
        let w = b.node("unpacked", opaque("", "DequantizeLinear"), &[packed]);
        let y = b.node("y", Op::MatMul, &[hidden, w]);
        b.output(y);
        let told = told(&b.build().unwrap());
        assert!(
            told.contains("(at MatMul), whose weights are made by DequantizeLinear"),
            "{told}"
        );
    }
}
