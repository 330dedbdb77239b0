//! Messages of small models, for the tests that read them.

use secateur_onnx::f32_tensor;
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::tensor_proto::DataType;
use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto,
    TypeProto, ValueInfoProto, type_proto,
};

pub(crate) fn value(name: &str, lengths: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| Dimension {
        value: match length {
            0 => Some(dimension::Value::DimParam("batch".into())),
            length => Some(dimension::Value::DimValue(length)),
        },
        ..Dimension::default()
    };
    let shape = TensorShapeProto {
        dim: lengths.iter().map(dim).collect(),
        ..TensorShapeProto::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: Some(DataType::FLOAT as i32),
        shape: shape.into(),
        ..type_proto::Tensor::default()
    };
    let r#type = TypeProto {
        value: Some(tensor.into()),
        ..TypeProto::default()
    };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: r#type.into(),
        ..ValueInfoProto::default()
    }
}

pub(crate) fn node(op_type: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op_type.into()),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: outputs.iter().map(ToString::to_string).collect(),
        ..NodeProto::default()
    }
}

pub(crate) fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute);
    node
}

pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::INT),
        i: Some(i),
        ..AttributeProto::default()
    }
}

/// A model from `x` (batch, 3) to `y` by `nodes`, with a vector `w` of three ones.
pub(crate) fn model(opset: i64, nodes: Vec<NodeProto>) -> ModelProto {
    let graph = GraphProto {
        node: nodes,
        initializer: vec![f32_tensor("w", &[3], &[1.0; 3]).unwrap()],
        input: vec![value("x", &[0, 3])],
        output: vec![value("y", &[0, 3])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(8),
        graph: graph.into(),
        opset_import: vec![OperatorSetIdProto {
            version: Some(opset),
            ..OperatorSetIdProto::default()
        }],
        ..ModelProto::default()
    }
}
