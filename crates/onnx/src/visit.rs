//! Every tensor of a model, wherever it is.

use crate::Result;
use crate::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto,
};

/// What is done with each tensor.
pub(crate) type Visit<'a> = dyn FnMut(&mut TensorProto) -> Result<()> + 'a;

/// Those of the graph, its initializers first, then those of functions and of training; subgraphs are looked into.
///
/// # Errors
/// The first one that `visit` gives.
pub(crate) fn tensors(model: &mut ModelProto, visit: &mut Visit<'_>) -> Result<()> {
    if let Some(own) = model.graph.as_option_mut() {
        graph(own, visit)?;
    }
    for function in &mut model.functions {
        attributes(&mut function.attribute_proto, visit)?;
        nodes(&mut function.node, visit)?;
    }
    for training in &mut model.training_info {
        let graphs = [&mut training.initialization, &mut training.algorithm];
        for own in graphs.into_iter().filter_map(|g| g.as_option_mut()) {
            graph(own, visit)?;
        }
    }
    Ok(())
}

/// Those of one node.
///
/// # Errors
/// As for [`tensors`].
pub(crate) fn tensors_of_node(node: &mut NodeProto, visit: &mut Visit<'_>) -> Result<()> {
    attributes(&mut node.attribute, visit)
}

fn graph(graph: &mut GraphProto, visit: &mut Visit<'_>) -> Result<()> {
    graph.initializer.iter_mut().try_for_each(&mut *visit)?;
    for tensor in &mut graph.sparse_initializer {
        sparse(tensor, visit)?;
    }
    nodes(&mut graph.node, visit)
}

fn nodes(nodes: &mut [NodeProto], visit: &mut Visit<'_>) -> Result<()> {
    let mut nodes = nodes.iter_mut();
    nodes.try_for_each(|node| attributes(&mut node.attribute, visit))
}

fn attributes(attributes: &mut [AttributeProto], visit: &mut Visit<'_>) -> Result<()> {
    for a in attributes {
        a.t.as_option_mut().into_iter().try_for_each(&mut *visit)?;
        a.tensors.iter_mut().try_for_each(&mut *visit)?;
        let one = a.sparse_tensor.as_option_mut().into_iter();
        for tensor in one.chain(&mut a.sparse_tensors) {
            sparse(tensor, visit)?;
        }
        for own in a.g.as_option_mut().into_iter().chain(&mut a.graphs) {
            graph(own, visit)?;
        }
    }
    Ok(())
}

fn sparse(tensor: &mut SparseTensorProto, visit: &mut Visit<'_>) -> Result<()> {
    let parts = [&mut tensor.values, &mut tensor.indices];
    let mut parts = parts.into_iter().filter_map(|part| part.as_option_mut());
    parts.try_for_each(visit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read};

    #[test]
    fn none_is_left_out() {
        let bytes = include_bytes!("../tests/fixtures/everything.onnx");
        let mut model = read(bytes, &Limits::default()).unwrap();
        let tensor = |name: &str| TensorProto {
            name: Some(name.into()),
            ..TensorProto::default()
        };
        let held = |name: &str| GraphProto {
            initializer: vec![tensor(name)],
            ..GraphProto::default()
        };
        let of_function = AttributeProto {
            t: tensor("default of a function").into(),
            sparse_tensors: vec![SparseTensorProto {
                values: tensor("sparse").into(),
                ..SparseTensorProto::default()
            }],
            ..AttributeProto::default()
        };
        model.functions[0].attribute_proto.push(of_function);
        let in_function = AttributeProto {
            graphs: vec![held("in a function")],
            ..AttributeProto::default()
        };
        model.functions[0].node[0].attribute.push(in_function);
        model.training_info[0].algorithm = held("of training").into();

        let mut names = vec![];
        let mut note = |tensor: &mut TensorProto| {
            names.push(tensor.name.clone().unwrap_or_default());
            Ok(())
        };
        tensors(&mut model, &mut note).unwrap();
        let graph = model.graph.as_option().unwrap();
        let initializers = graph.initializer.iter().map(|t| t.name.clone().unwrap());
        let mut wanted: Vec<String> = initializers.collect();
        let behind = [
            "f32",
            "i64",
            "f32_raw",
            "i64",
            "default of a function",
            "sparse",
            "in a function",
            "of training",
        ];
        wanted.extend(behind.map(String::from));
        assert_eq!(names, wanted);
    }
}
