//! What a file no longer reads: nodes whose results are constants now, and all that only they needed.

use std::collections::HashSet;

use secateur_onnx::proto::{AttributeProto, GraphProto, NodeProto};

use crate::lower::parameters;
use crate::{Error, Result};

/// The names that the nodes of a file read, and those that it gives out.
pub(super) struct Reads(HashSet<String>);

impl Reads {
    /// `beside` are names that something beside the graph reads.
    pub(super) fn of(graph: &GraphProto, beside: &HashSet<String>) -> Self {
        let mut names = beside.clone();
        for node in &graph.node {
            read_by(node, &mut names);
        }
        let outputs = graph.output.iter().filter_map(|o| o.name.clone());
        names.extend(outputs);
        for annotation in &graph.quantization_annotation {
            names.extend(parameters(annotation).map(str::to_owned));
        }
        Self(names)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Subgraphs read by name what stands around them.
fn read_by(node: &NodeProto, names: &mut HashSet<String>) {
    names.extend(node.input.iter().cloned());
    for attribute in &node.attribute {
        for graph in subgraphs(attribute) {
            graph.node.iter().for_each(|node| read_by(node, names));
            names.extend(graph.output.iter().filter_map(|o| o.name.clone()));
        }
    }
}

pub(crate) fn subgraphs(attribute: &AttributeProto) -> impl Iterator<Item = &GraphProto> {
    attribute.g.as_option().into_iter().chain(&attribute.graphs)
}

/// Takes away the nodes that make what is a constant now, and what nobody reads any more though somebody did `before`.
pub(super) fn prune(
    graph: &mut GraphProto,
    before: &Reads,
    computed: &HashSet<String>,
    beside: &HashSet<String>,
) -> Result<()> {
    let makes_constant = |name: &String| computed.contains(name);
    for node in graph
        .node
        .iter()
        .filter(|n| n.output.iter().any(makes_constant))
    {
        let others = node.output.iter().filter(|o| !makes_constant(o));
        if let Some(other) = others.into_iter().find(|o| before.has(o)) {
            let message = format!("makes '{other}' beside what is constant");
            return Err(Error::unsupported(message).at(node.name.clone().unwrap_or_default()));
        }
    }
    graph
        .node
        .retain(|node| !node.output.iter().any(makes_constant));
    loop {
        let now = Reads::of(graph, beside);
        let gone = |name: &str| before.has(name) && !now.has(name);
        let count = graph.node.len();
        graph.node.retain(|node| {
            let made: Vec<&String> = node.output.iter().filter(|o| !o.is_empty()).collect();
            let unread = made.iter().all(|o| !now.has(o));
            !(unread && made.iter().any(|o| gone(o)))
        });
        let annotations = graph.quantization_annotation.len();
        graph.quantization_annotation.retain(|annotation| {
            let name = annotation.tensor_name.as_deref();
            !name.is_some_and(gone)
        });
        if (graph.node.len(), graph.quantization_annotation.len()) == (count, annotations) {
            let name = |name: &Option<String>| name.clone().unwrap_or_default();
            graph
                .initializer
                .retain(|tensor| !gone(&name(&tensor.name)));
            graph.sparse_initializer.retain(|tensor| {
                let values = tensor.values.as_option();
                !values.is_some_and(|values| gone(&name(&values.name)))
            });
            graph.value_info.retain(|info| {
                let name = name(&info.name);
                !gone(&name) && !computed.contains(&name)
            });
            return Ok(());
        }
    }
}
