//! What a file no longer reads: nodes whose results are constants now, and all that only they needed.

use std::collections::HashSet;

use secateur_onnx::proto::{AttributeProto, GraphProto, NodeProto};

use crate::Graph;
use crate::lower::parameters;

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

/// Takes away the nodes that lead to no output and read what has other lengths than before: nothing says how they would
/// have to follow. `beside` are names that something beside the graph reads.
pub(super) fn drop_unreached(
    graph: &mut GraphProto,
    changed: &HashSet<&str>,
    beside: &HashSet<String>,
) {
    let reads: Vec<HashSet<String>> = graph
        .node
        .iter()
        .map(|node| {
            let mut names = HashSet::new();
            read_by(node, &mut names);
            names
        })
        .collect();
    let mut reached = beside.clone();
    reached.extend(graph.output.iter().filter_map(|o| o.name.clone()));
    let mut is_live = vec![false; graph.node.len()];
    let mut changed: HashSet<String> = changed.iter().map(|&name| name.to_owned()).collect();
    let mut is_stale = is_live.clone();
    spread(&mut is_live, |at| {
        let is_reached = graph.node[at].output.iter().any(|o| reached.contains(o));
        if is_reached {
            reached.extend(reads[at].iter().cloned());
        }
        is_reached
    });
    spread(&mut is_stale, |at| {
        let is_stale = !is_live[at] && reads[at].iter().any(|name| changed.contains(name));
        if is_stale {
            changed.extend(graph.node[at].output.iter().cloned());
        }
        is_stale
    });
    let mut is_stale = is_stale.into_iter();
    graph.node.retain(|_| is_stale.next() != Some(true));
}

/// The values that nodes make of what has other lengths than before, and that the network has no part in: outputs that nobody
/// reads, and steps between constants. Of the lengths that a file states of them nothing is known.
pub(super) fn stale<'a>(
    graph: &GraphProto,
    changed: impl Iterator<Item = &'a str>,
    network: &Graph,
) -> HashSet<String> {
    let live = live(network);
    let mut changed: HashSet<String> = changed.map(ToOwned::to_owned).collect();
    let mut stale = HashSet::new();
    let mut follows = vec![false; graph.node.len()];
    spread(&mut follows, |at| {
        let node = &graph.node[at];
        let follows = node.input.iter().any(|name| changed.contains(name));
        if follows {
            let made = node
                .output
                .iter()
                .filter(|name| !live.contains(name.as_str()));
            for name in made {
                stale.insert(name.clone());
                changed.insert(name.clone());
            }
        }
        follows
    });
    stale
}

/// Names of the values that nodes make or read, whose shapes are known.
fn live(graph: &Graph) -> HashSet<&str> {
    let ids = graph
        .nodes()
        .iter()
        .flat_map(|node| node.inputs.iter().flatten().chain(&node.outputs));
    ids.map(|&id| graph.value(id).name.as_str()).collect()
}

/// Marks what takes the mark, in whatever order, until nothing else does.
fn spread(marks: &mut [bool], mut takes: impl FnMut(usize) -> bool) {
    loop {
        let before = marks.iter().filter(|&&mark| mark).count();
        for at in (0..marks.len()).rev() {
            marks[at] = marks[at] || takes(at);
        }
        if marks.iter().filter(|&&mark| mark).count() == before {
            return;
        }
    }
}

/// Takes away what makes only what is a constant now or what nobody reads any more though somebody did `before`.
///
/// A node that makes something else beside a constant stays, and makes the constant's numbers under a name that nobody reads.
pub(super) fn prune(
    graph: &mut GraphProto,
    before: &Reads,
    computed: &HashSet<String>,
    beside: &HashSet<String>,
) {
    let mut renamed: HashSet<String> = HashSet::new();
    let mut taken: HashSet<String> = computed.clone();
    taken.extend(graph.node.iter().flat_map(|n| n.output.iter().cloned()));
    taken.extend(graph.initializer.iter().filter_map(|t| t.name.clone()));
    taken.extend(graph.input.iter().filter_map(|i| i.name.clone()));
    for output in graph.node.iter_mut().flat_map(|n| &mut n.output) {
        if computed.contains(output) {
            let names = (1u32..).map(|n| format!("{output}.unread.{n}"));
            // Numbered names do not run out.
            let free = names.into_iter().find(|name| taken.insert(name.clone()));
            *output = free.unwrap_or_default();
            renamed.insert(output.clone());
        }
    }
    loop {
        let now = Reads::of(graph, beside);
        let gone = |name: &str| (before.has(name) || renamed.contains(name)) && !now.has(name);
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
            return;
        }
    }
}
