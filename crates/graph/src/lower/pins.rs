//! What must stay as long as it is, though no operator says so: what a file says about tensors beside its nodes.

use std::collections::BTreeSet;

use secateur_onnx::proto::{GraphProto, ModelProto, NodeProto, TensorAnnotation, TensorProto};

use super::value::tensor_name;
use crate::patch::subgraphs;

const SPARSE: &str = "is sparse";
const ANNOTATED: &str = "is quantised along an axis by an annotation";
const TRAINED: &str = "is named by training information";

/// Names of tensors, each with the reason why it stays.
pub(super) fn of<'a>(model: &'a ModelProto, graph: &'a GraphProto) -> Vec<(&'a str, &'static str)> {
    let sparse = graph.sparse_initializer.iter();
    let sparse = sparse.filter_map(|s| s.values.as_option()).map(tensor_name);
    let mut pins: Vec<_> = sparse.map(|name| (name, SPARSE)).collect();
    let one_number = |name: &str| {
        graph
            .initializer
            .iter()
            .any(|t| tensor_name(t) == name && is_one(t))
    };
    for annotation in &graph.quantization_annotation {
        // One scale for all numbers is that of those that stay, too.
        if !parameters(annotation).all(one_number) {
            let named = annotation.tensor_name.as_deref();
            let names = named.into_iter().chain(parameters(annotation));
            pins.extend(names.map(|name| (name, ANNOTATED)));
        }
    }
    pins.extend(
        named_by_training(model)
            .into_iter()
            .map(|name| (name, TRAINED)),
    );
    pins
}

fn is_one(tensor: &TensorProto) -> bool {
    tensor.dims.iter().all(|&n| n == 1)
}

/// The tensors that say how another one is quantised.
pub(crate) fn parameters(annotation: &TensorAnnotation) -> impl Iterator<Item = &str> {
    let all = annotation.quant_parameter_tensor_names.iter();
    all.filter_map(|entry| entry.value.as_deref())
}

/// What training information names: the graph is part of its algorithm, which may read any value of it, also by an
/// attribute that is text.
pub(crate) fn named_by_training(model: &ModelProto) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for training in &model.training_info {
        let bindings = training
            .initialization_binding
            .iter()
            .chain(&training.update_binding);
        names.extend(
            bindings
                .flat_map(|b| [b.key.as_deref(), b.value.as_deref()])
                .flatten(),
        );
        let graphs = [&training.initialization, &training.algorithm];
        graphs
            .into_iter()
            .filter_map(|g| g.as_option())
            .for_each(|g| read_by(g, &mut names));
    }
    names
}

fn read_by<'a>(graph: &'a GraphProto, names: &mut BTreeSet<&'a str>) {
    names.extend(graph.output.iter().filter_map(|o| o.name.as_deref()));
    for node in &graph.node {
        names.extend(node.input.iter().map(String::as_str));
        names.extend(texts(node));
        for inner in node.attribute.iter().flat_map(subgraphs) {
            read_by(inner, names);
        }
    }
}

fn texts(node: &NodeProto) -> impl Iterator<Item = &str> {
    let all = node.attribute.iter();
    let all = all.flat_map(|a| a.s.iter().chain(&a.strings));
    all.filter_map(|text| std::str::from_utf8(text).ok())
}
