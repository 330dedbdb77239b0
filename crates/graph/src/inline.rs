//! `If` nodes whose condition is the same for every input: the branch that is taken stands in their place.
//!
//! Exporters write an `If` where they do not know the length that it depends on, though the file tells.

use std::collections::HashMap;

use secateur_onnx::proto::{GraphProto, ModelProto, NodeProto, ValueInfoProto};

use crate::shapes::infer_shapes;
use crate::{Graph, Op, Result, from_model};

/// Branches in branches are taken as deep as this.
const DEEPEST: usize = 16;

/// The model with the branches that are taken for every input in place of the nodes that choose them; none where there is
/// no such node. `graph` is the network of the model.
///
/// # Errors
/// If shapes do not fit together, or what comes out is no network.
pub fn inline_branches(model: &ModelProto, graph: &Graph) -> Result<Option<ModelProto>> {
    let mut inlined: Option<ModelProto> = None;
    let mut taken = decided(graph)?;
    for _ in 0..DEEPEST {
        if taken.is_empty() {
            break;
        }
        let mut next = inlined.unwrap_or_else(|| model.clone());
        if let Some(graph) = next.graph.as_option_mut() {
            inline(graph, &taken);
        }
        taken = decided(&from_model(&next)?)?;
        inlined = Some(next);
    }
    Ok(inlined)
}

/// The first output of every `If` whose condition is known, and whether it holds.
fn decided(graph: &Graph) -> Result<HashMap<String, bool>> {
    let is_if = |op: &Op| matches!(op, Op::Opaque(o) if o.domain.is_empty() && o.op_type == "If");
    if !graph.nodes().iter().any(|node| is_if(&node.op)) {
        return Ok(HashMap::new());
    }
    let shaped = infer_shapes(graph)?;
    let mut decided = HashMap::new();
    for node in shaped.nodes().iter().filter(|node| is_if(&node.op)) {
        // A damaged node may have neither.
        let (Ok(condition), Ok(made)) = (node.input(0), node.output()) else {
            continue;
        };
        if let Some([holds]) = shaped.numbers(condition).as_deref() {
            decided.insert(shaped.value(made).name.clone(), *holds != 0.0);
        }
    }
    Ok(decided)
}

fn inline(graph: &mut GraphProto, taken: &HashMap<String, bool>) {
    for mut node in std::mem::take(&mut graph.node) {
        let made = node.output.first();
        let wanted = made
            .and_then(|made| taken.get(made))
            .map(|holds| match holds {
                true => "then_branch",
                false => "else_branch",
            });
        let branch = node
            .attribute
            .iter_mut()
            .find(|a| wanted.is_some() && a.name.as_deref() == wanted)
            .and_then(|a| a.g.as_option_mut().map(std::mem::take));
        match branch {
            Some(branch) => take(graph, &node.output, branch),
            None => graph.node.push(node),
        }
    }
}

/// Puts what is in a branch into the graph around it, where it makes `outputs`.
fn take(graph: &mut GraphProto, outputs: &[String], mut branch: GraphProto) {
    let prefix = outputs.first().map(String::as_str).unwrap_or_default();
    let results: Vec<String> = (branch.output.iter())
        .map(|o| o.name.clone().unwrap_or_default())
        .collect();
    let initializers = branch.initializer.iter().filter_map(|t| t.name.clone());
    let sparse = branch.sparse_initializer.iter();
    let sparse = sparse.filter_map(|s| s.values.as_option()?.name.clone());
    let made = branch.node.iter().flat_map(|n| n.output.iter().cloned());
    // Two branches may use one name for different things.
    let names: HashMap<String, String> = (initializers.chain(sparse).chain(made))
        .filter(|name| !name.is_empty())
        .map(|name| (name.clone(), format!("{prefix}/{name}")))
        .collect();
    for tensor in &mut branch.initializer {
        tensor.name.iter_mut().for_each(|name| rename(name, &names));
    }
    for tensor in &mut branch.sparse_initializer {
        if let Some(values) = tensor.values.as_option_mut() {
            values.name.iter_mut().for_each(|name| rename(name, &names));
        }
    }
    branch
        .node
        .iter_mut()
        .for_each(|node| rename_all(node, &names));
    branch
        .value_info
        .iter_mut()
        .for_each(|info| rename_info(info, &names));
    graph.initializer.append(&mut branch.initializer);
    graph
        .sparse_initializer
        .append(&mut branch.sparse_initializer);
    graph.value_info.append(&mut branch.value_info);
    graph.node.append(&mut branch.node);
    for (output, mut result) in outputs.iter().zip(results) {
        rename(&mut result, &names);
        graph.node.push(NodeProto {
            name: Some(format!("{output}/taken")),
            op_type: Some("Identity".into()),
            input: vec![result],
            output: vec![output.clone()],
            ..NodeProto::default()
        });
    }
}

fn rename(name: &mut String, names: &HashMap<String, String>) {
    if let Some(new) = names.get(name) {
        name.clone_from(new);
    }
}

fn rename_info(info: &mut ValueInfoProto, names: &HashMap<String, String>) {
    info.name.iter_mut().for_each(|name| rename(name, names));
}

/// Names in a node and in its subgraphs, which read what stands around them.
fn rename_all(node: &mut NodeProto, names: &HashMap<String, String>) {
    let own = node.input.iter_mut().chain(&mut node.output);
    own.for_each(|name| rename(name, names));
    for attribute in &mut node.attribute {
        let graphs = attribute.g.as_option_mut().into_iter();
        for graph in graphs.chain(&mut attribute.graphs) {
            graph
                .node
                .iter_mut()
                .for_each(|inner| rename_all(inner, names));
            graph
                .output
                .iter_mut()
                .for_each(|info| rename_info(info, names));
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_onnx::proto::attribute_proto::AttributeType;
    use secateur_onnx::proto::{AttributeProto, TensorProto};

    use super::*;
    use crate::{Array, Dim, GraphBuilder, ModelMeta, Unary, evaluate, to_model};

    fn node(op: &str, input: &[&str], output: &str) -> NodeProto {
        NodeProto {
            op_type: Some(op.into()),
            input: input.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        }
    }

    fn branch(nodes: Vec<NodeProto>, result: &str, initializer: Vec<TensorProto>) -> GraphProto {
        GraphProto {
            node: nodes,
            initializer,
            output: vec![ValueInfoProto {
                name: Some(result.into()),
                ..ValueInfoProto::default()
            }],
            ..GraphProto::default()
        }
    }

    fn choice(condition: &str, output: &str, branches: [GraphProto; 2]) -> NodeProto {
        let [then, otherwise] = branches;
        let attribute = |name: &str, graph: GraphProto| AttributeProto {
            name: Some(name.into()),
            r#type: Some(AttributeType::GRAPH),
            g: graph.into(),
            ..AttributeProto::default()
        };
        NodeProto {
            attribute: vec![
                attribute("then_branch", then),
                attribute("else_branch", otherwise),
            ],
            ..node("If", &[condition], output)
        }
    }

    /// y = -x by a branch within a branch; whether a second row is there decides.
    fn model(rows: Dim) -> ModelProto {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [rows, Dim::Fixed(2)]);
        let y = b.node("y", Op::Unary(Unary::Abs), &[x]);
        b.output(y);
        let mut model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
        let graph = model.graph.as_option_mut().unwrap();
        let integers = |name: &str, value: i64| TensorProto {
            name: Some(name.into()),
            data_type: Some(7),
            int64_data: vec![value],
            ..TensorProto::default()
        };
        graph.initializer.push(integers("zero", 0));
        graph.initializer.push(integers("two", 2));
        let negative = branch(vec![node("Neg", &["h"], "o")], "o", vec![]);
        let same = branch(vec![node("Identity", &["h"], "o")], "o", vec![]);
        let inner = vec![
            node("Identity", &["x"], "h"),
            choice("c", "r", [negative, same.clone()]),
        ];
        let outer = branch(inner, "r", vec![]);
        let other = branch(vec![node("Abs", &["x"], "o")], "o", vec![]);
        graph.node = vec![
            node("Shape", &["x"], "s"),
            node("Gather", &["s", "zero"], "n"),
            node("Equal", &["n", "two"], "c"),
            choice("c", "y", [outer, other]),
        ];
        model
    }

    #[test]
    fn branches_that_every_input_takes_stand_in_the_graph() {
        let model_of_two = model(Dim::Fixed(2));
        let graph = from_model(&model_of_two).unwrap();
        let inlined = inline_branches(&model_of_two, &graph).unwrap().unwrap();
        let graph = from_model(&inlined).unwrap();
        assert!(!graph.nodes().iter().any(|n| matches!(n.op, Op::Opaque(_))));
        let x = Array::new([2, 2], vec![1.0, -2.0, 3.0, 4.0]).unwrap();
        let y = evaluate(&graph, &[x]).unwrap().remove(0);
        assert_eq!(y.values, [-1.0, 2.0, -3.0, -4.0]);
    }

    #[test]
    fn what_depends_on_an_open_length_stays() {
        let open = model(Dim::batch());
        let graph = from_model(&open).unwrap();
        assert_eq!(inline_branches(&open, &graph).unwrap(), None);
    }
}
