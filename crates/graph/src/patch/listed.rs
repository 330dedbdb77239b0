//! Which initializers a file lists as inputs, too: those that went are none any more, and in files of the format's first versions
//! new ones are.

use std::collections::HashSet;

use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    GraphProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// The first version of the format in which initializers need not be inputs.
const FREE: i64 = 4;

/// The names of a graph's initializers, sparse ones too.
pub(super) fn initializers(graph: &GraphProto) -> HashSet<String> {
    let sparse = graph.sparse_initializer.iter();
    let sparse = sparse.filter_map(|s| s.values.as_option());
    let tensors = graph.initializer.iter().chain(sparse);
    tensors.filter_map(|t| t.name.clone()).collect()
}

/// Brings the list of inputs up to date, where there were these initializers before.
pub(super) fn relist(graph: &mut GraphProto, before: &HashSet<String>, version: i64) {
    let now = initializers(graph);
    graph.input.retain(|input| {
        let name = input.name.as_deref().unwrap_or_default();
        !before.contains(name) || now.contains(name)
    });
    if version < FREE {
        let new = graph.initializer.iter();
        let new = new.filter(|t| t.name.as_ref().is_some_and(|name| !before.contains(name)));
        let new: Vec<ValueInfoProto> = new.map(declared).collect();
        graph.input.extend(new);
    }
}

fn declared(tensor: &TensorProto) -> ValueInfoProto {
    let dim = |&n: &i64| Dimension {
        value: Some(dimension::Value::DimValue(n)),
        ..Dimension::default()
    };
    let declared = type_proto::Tensor {
        elem_type: tensor.data_type,
        shape: TensorShapeProto {
            dim: tensor.dims.iter().map(dim).collect(),
            ..TensorShapeProto::default()
        }
        .into(),
        ..type_proto::Tensor::default()
    };
    ValueInfoProto {
        name: tensor.name.clone(),
        r#type: TypeProto {
            value: Some(type_proto::Value::from(declared)),
            ..TypeProto::default()
        }
        .into(),
        ..ValueInfoProto::default()
    }
}
