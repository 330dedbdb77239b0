//! In which order can the nodes of a file be evaluated?

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use secateur_onnx::proto::NodeProto;

use super::node::label;
use crate::patch::subgraphs;
use crate::{Error, Result};

/// Indices of `nodes`, each after those whose outputs it reads, otherwise as in the file.
/// `given` tells which values need no node.
pub(super) fn of(nodes: &[NodeProto], given: impl Fn(&str) -> bool) -> Result<Vec<usize>> {
    let makers = makers(nodes, &given)?;
    let mut waits = vec![0usize; nodes.len()];
    let mut readers = vec![vec![]; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let mut needed = BTreeSet::new();
        for input in node.input.iter().filter(|i| !i.is_empty() && !given(i)) {
            match makers.get(input.as_str()) {
                Some(&maker) => needed.insert(maker),
                None => {
                    let message = format!("reads '{input}', which nothing makes");
                    return Err(Error::invalid(message).at(label(node, index)));
                }
            };
        }
        // What a subgraph makes for itself has no maker out here.
        let captured = captured(node).into_iter();
        let around = captured.filter_map(|name| makers.get(name).copied());
        needed.extend(around.filter(|&maker| maker != index));
        waits[index] = needed.len();
        for maker in needed {
            readers[maker].push(index);
        }
    }

    let mut ready: BinaryHeap<_> = (0..nodes.len())
        .filter(|&i| waits[i] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &reader in &readers[index] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    match waits.iter().position(|&w| w > 0) {
        Some(stuck) => {
            Err(Error::invalid("is part of a cycle, or reads from one")
                .at(label(&nodes[stuck], stuck)))
        }
        None => Ok(order),
    }
}

/// Names that the subgraphs of a node read, its own and those of what stands around it.
pub(super) fn captured(node: &NodeProto) -> Vec<&str> {
    let mut names = vec![];
    let graphs = node.attribute.iter().flat_map(subgraphs);
    for graph in graphs {
        for inner in &graph.node {
            names.extend(inner.input.iter().map(String::as_str));
            names.extend(captured(inner));
        }
        names.extend(graph.output.iter().filter_map(|o| o.name.as_deref()));
    }
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}

fn makers<'a>(
    nodes: &'a [NodeProto],
    given: &impl Fn(&str) -> bool,
) -> Result<HashMap<&'a str, usize>> {
    let mut makers = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if given(output) || makers.insert(output.as_str(), index).is_some() {
                let message = format!("makes '{output}', which exists already");
                return Err(Error::invalid(message).at(label(node, index)));
            }
        }
    }
    Ok(makers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(edges: &[(&[&str], &str)]) -> Vec<NodeProto> {
        let node = |(inputs, output): &(&[&str], &str)| NodeProto {
            name: Some(format!("make {output}")),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_string()],
            ..NodeProto::default()
        };
        edges.iter().map(node).collect()
    }

    fn order(edges: &[(&[&str], &str)]) -> Result<Vec<usize>> {
        of(&nodes(edges), |name| name == "x")
    }

    #[test]
    fn a_sorted_file_keeps_its_order_and_others_are_sorted() {
        assert_eq!(
            order(&[(&["x"], "a"), (&["x"], "b"), (&["a", "b", "a"], "c")]).unwrap(),
            [0, 1, 2]
        );
        assert_eq!(
            order(&[(&["b"], "c"), (&["x", ""], "a"), (&["a"], "b")]).unwrap(),
            [1, 2, 0]
        );
    }

    #[test]
    fn what_cannot_be_ordered_is_named() {
        let error = |edges| order(edges).unwrap_err().to_string();
        assert_eq!(
            error(&[(&["x"], "a"), (&["c"], "b"), (&["b"], "c")]),
            "make b: is part of a cycle, or reads from one"
        );
        assert_eq!(
            error(&[(&["y"], "a")]),
            "make a: reads 'y', which nothing makes"
        );
        assert_eq!(
            error(&[(&["x"], "a"), (&["x"], "a")]),
            "make a: makes 'a', which exists already"
        );
        assert_eq!(
            error(&[(&["x"], "x")]),
            "make x: makes 'x', which exists already"
        );
    }
}
