//! A picture of a model and its groups, for Graphviz.

use std::collections::HashMap;
use std::fmt::Write as _;

use secateur_graph::{Graph, Group, NodeId, ValueId};

use super::ModelFile;
use super::describe::shape;

/// Colours of groups, light enough for black letters; from the tenth group on they come again.
const PALETTE: [&str; 9] = [
    "#8dd3c7", "#ffffb3", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5",
    "#ccebc5",
];
const FROZEN: &str = "#d9d9d9";
const NONE: &str = "#ffffff";
/// So many groups of one node are told apart by stripes.
const STRIPES: usize = 4;

impl ModelFile {
    /// The network in the language of Graphviz: a box for each node, in the colours of the groups whose channels
    /// it makes or passes on, grey where they are frozen, white where it has none; shapes on the arrows.
    pub fn to_dot(&self) -> String {
        let graph = &self.graph;
        let held = self.held();
        let mut text = String::from(
            "digraph model {\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
        );
        let groups = |id: ValueId| held.get(&id).map_or(&[][..], Vec::as_slice);
        for &input in graph.inputs() {
            let name = escaped(&graph.value(input).name);
            let look = look(groups(input));
            line(
                &mut text,
                format_args!("{} [label=\"{name}\", shape=ellipse, {look}]", port(input)),
            );
        }
        for id in graph.node_ids() {
            let node = graph.node(id);
            let made = node.outputs.first().map_or(&[][..], |&made| groups(made));
            let (name, op) = (escaped(&node.name), escaped(node.op.onnx_name()));
            let look = look(made);
            line(
                &mut text,
                format_args!("{} [label=\"{name}\\n{op}\", {look}]", place(id)),
            );
            for &read in node.inputs.iter().flatten() {
                edge(&mut text, graph, read, &place(id));
            }
        }
        for (index, &output) in graph.outputs().iter().enumerate() {
            let name = escaped(&graph.value(output).name);
            line(
                &mut text,
                format_args!("out{index} [label=\"{name}\", shape=ellipse, fillcolor=\"{NONE}\"]"),
            );
            edge(&mut text, graph, output, &format!("out{index}"));
        }
        text + "}\n"
    }

    /// The groups of each activation, with their places.
    fn held(&self) -> HashMap<ValueId, Vec<(usize, &Group)>> {
        let mut held: HashMap<ValueId, Vec<(usize, &Group)>> = HashMap::new();
        for (id, group) in self.groups.iter() {
            for activation in &group.activations {
                let own = held.entry(activation.value).or_default();
                if own.last().is_none_or(|(last, _)| *last != id.index()) {
                    own.push((id.index(), group));
                }
            }
        }
        held
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    writeln!(text, "  {content};").unwrap_or_default();
}

/// An arrow from where a value comes from; constants have none.
fn edge(text: &mut String, graph: &Graph, value: ValueId, to: &str) {
    let from = match graph.producer(value) {
        Some(node) => place(node),
        None if graph.constant(value).is_some() => return,
        None => port(value),
    };
    let shape = escaped(&shape(graph, value));
    line(text, format_args!("{from} -> {to} [label=\"{shape}\"]"));
}

fn place(node: NodeId) -> String {
    format!("node{}", node.index())
}

fn port(input: ValueId) -> String {
    format!("in{}", input.index())
}

fn look(groups: &[(usize, &Group)]) -> String {
    let colour = |(index, group): &(usize, &Group)| match group.frozen {
        Some(_) => FROZEN,
        None => PALETTE[index % PALETTE.len()],
    };
    let mut colours: Vec<&str> = groups.iter().map(colour).collect();
    colours.dedup();
    colours.truncate(STRIPES);
    let style = match &colours[..] {
        [] => format!("fillcolor=\"{NONE}\""),
        [one] => format!("fillcolor=\"{one}\""),
        several => format!("style=striped, fillcolor=\"{}\"", several.join(":")),
    };
    let told = groups.iter().map(|(_, group)| {
        let name = &group.name;
        match &group.frozen {
            Some(freeze) => format!("group {name}: {freeze}"),
            None => format!("group {name}: {} units", group.units),
        }
    });
    let told = told.collect::<Vec<_>>().join("; ");
    format!("{style}, tooltip=\"{}\"", escaped(&told))
}

/// Text between quotes.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n").replace('\r', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_their_quotes() {
        assert_eq!(escaped("a\"b\\N\nc"), "a\\\"b\\\\N\\nc");
        assert_eq!(escaped("\\"), "\\\\");
    }

    #[test]
    fn nodes_without_groups_are_white() {
        assert_eq!(look(&[]), "fillcolor=\"#ffffff\", tooltip=\"\"");
    }
}
