//! A small valid model, and its parts for spoiling.

use secateur_onnx::f32_tensor;
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, tensor_proto::DataType, type_proto,
};

/// Convolution, batch normalisation, rectifier, convolution.
pub(crate) fn model() -> ModelProto {
    let names = ["scale", "shift", "mean", "variance"];
    let mut initializers = vec![tensor("w", &[4, 2, 1, 1]), tensor("b", &[4])];
    initializers.extend(names.map(|name| tensor(name, &[4])));
    initializers.push(tensor("v", &[3, 4, 1, 1]));
    let conv = |name: &str, inputs: &[&str], output: &str| NodeProto {
        // The independent runtime takes no node without them.
        attribute: vec![ints("strides", &[1, 1]), ints("pads", &[0; 4])],
        ..node("Conv", name, inputs, output)
    };
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(17),
            ..OperatorSetIdProto::default()
        }],
        graph: GraphProto {
            name: Some("small".into()),
            node: vec![
                conv("first", &["x", "w", "b"], "h"),
                node(
                    "BatchNormalization",
                    "norm",
                    &["h", names[0], names[1], names[2], names[3]],
                    "n",
                ),
                node("Relu", "act", &["n"], "r"),
                conv("second", &["r", "v"], "y"),
            ],
            initializer: initializers,
            input: vec![value("x", &[1, 2, 2, 2])],
            output: vec![value("y", &[1, 3, 2, 2])],
            ..GraphProto::default()
        }
        .into(),
        ..ModelProto::default()
    }
}

/// The graph of a model that has one.
pub(crate) fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_option_mut().unwrap()
}

/// The bytes of the model with its graph spoilt.
pub(crate) fn spoilt(spoil: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = model();
    spoil(graph(&mut model));
    secateur_onnx::write(&model).unwrap()
}

/// The bytes of a model with one more node at its end, which reads `e`.
pub(crate) fn at_end(mut node: NodeProto, extra: Vec<TensorProto>) -> Vec<u8> {
    spoilt(|g| {
        g.node[3].output[0] = "e".into();
        node.output = vec!["y".into()];
        g.node.push(node);
        g.initializer.extend(extra);
    })
}

/// The bytes of a model whose trunk goes through one more node before its end, which reads `extra` as well.
pub(crate) fn with_node(mut node: NodeProto, extra: Vec<TensorProto>) -> Vec<u8> {
    spoilt(|g| {
        node.output = vec!["e".into()];
        g.node[3].input[0] = "e".into();
        g.node.insert(3, node);
        g.initializer.extend(extra);
    })
}

pub(crate) fn node(op: &str, name: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(op.into()),
        name: Some(name.into()),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

/// A tensor of 0.5, 1.0, 1.5, ...
pub(crate) fn tensor(name: &str, shape: &[usize]) -> TensorProto {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (1..=count).map(|n| n as f32 / 2.0).collect();
    f32_tensor(name, shape, &values).unwrap()
}

pub(crate) fn value(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = |&length: &i64| Dimension {
        value: Some(dimension::Value::DimValue(length)),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: Some(DataType::FLOAT as i32),
        shape: TensorShapeProto {
            dim: shape.iter().map(dim).collect(),
            ..TensorShapeProto::default()
        }
        .into(),
        ..type_proto::Tensor::default()
    };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: TypeProto {
            value: Some(tensor.into()),
            ..TypeProto::default()
        }
        .into(),
        ..ValueInfoProto::default()
    }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::INT),
        i: Some(value),
        ..AttributeProto::default()
    }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::INTS),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}
