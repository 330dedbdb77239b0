//! What a file says beside its nodes: sparse tensors, annotations, training, and types that are no tensors.

use secateur_onnx::proto::tensor_proto::DataLocation;
use secateur_onnx::proto::{
    GraphProto, NodeProto, SparseTensorProto, StringStringEntryProto, TensorAnnotation,
    TensorProto, TrainingInfoProto, TypeProto, type_proto,
};
use secateur_onnx::{i64_tensor, write};

use crate::Case;
use crate::base::{model, node, spoilt, tensor};

/// The last weights as a sparse tensor of four values, in another form.
fn sparse(spoil: impl FnOnce(&mut SparseTensorProto)) -> Vec<u8> {
    spoilt(|g| {
        g.initializer.pop();
        let mut own = SparseTensorProto {
            values: tensor("v", &[4]).into(),
            indices: i64_tensor("", &[4], &[0, 3, 6, 9]).unwrap().into(),
            dims: vec![3, 4, 1, 1],
            ..SparseTensorProto::default()
        };
        spoil(&mut own);
        g.sparse_initializer.push(own);
    })
}

fn indices(shape: &[usize], numbers: &[i64]) -> Vec<u8> {
    sparse(|s| s.indices = i64_tensor("", shape, numbers).unwrap().into())
}

fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto {
        key: Some(key.into()),
        value: Some(value.into()),
        ..StringStringEntryProto::default()
    }
}

/// The tensor `w` is quantised as `scale` says.
fn annotated(scale: &str) -> Vec<u8> {
    spoilt(|g| {
        g.quantization_annotation.push(TensorAnnotation {
            tensor_name: Some("w".into()),
            quant_parameter_tensor_names: vec![entry("SCALE_TENSOR", scale)],
            ..TensorAnnotation::default()
        });
    })
}

fn trained(bound: &str, read: &str) -> Vec<u8> {
    let mut model = model();
    model.training_info.push(TrainingInfoProto {
        algorithm: GraphProto {
            node: vec![node("Neg", "step", &[read], "new")],
            ..GraphProto::default()
        }
        .into(),
        update_binding: vec![entry(bound, "new")],
        ..TrainingInfoProto::default()
    });
    write(&model).unwrap()
}

fn input_of(value: Option<type_proto::Value>) -> Vec<u8> {
    spoilt(|g| {
        g.input[0].r#type = TypeProto {
            value,
            ..TypeProto::default()
        }
        .into();
    })
}

/// A constant in a function that says that its data lie elsewhere.
fn function_outside() -> Vec<u8> {
    let mut model = model();
    let outside = TensorProto {
        raw_data: None,
        data_location: Some(DataLocation::EXTERNAL),
        external_data: vec![entry("location", "gone.bin")],
        ..tensor("inner", &[4])
    };
    let mut constant: NodeProto = node("Constant", "c", &[], "inner");
    constant
        .attribute
        .push(secateur_onnx::proto::AttributeProto {
            name: Some("value".into()),
            t: outside.into(),
            ..Default::default()
        });
    model.functions.push(secateur_onnx::proto::FunctionProto {
        name: Some("f".into()),
        domain: Some("own".into()),
        node: vec![constant],
        ..Default::default()
    });
    write(&model).unwrap()
}

/// A tensor that has data here and says that they are elsewhere.
fn outside_and_inside() -> Vec<u8> {
    spoilt(|g| {
        g.initializer[0].data_location = Some(DataLocation::EXTERNAL);
        g.initializer[0].external_data = vec![entry("location", "external.bin")];
    })
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        ("sparse", sparse(|_| ())),
        (
            "sparse-dims-overflow",
            sparse(|s| s.dims = vec![1 << 40, 1 << 40, 1, 1]),
        ),
        ("sparse-huge", sparse(|s| s.dims = vec![1 << 30, 4, 1, 1])),
        ("sparse-dims-negative", sparse(|s| s.dims[0] = -3)),
        ("sparse-of-other-dims", sparse(|s| s.dims[0] = 5)),
        ("sparse-index-beyond-end", indices(&[4], &[0, 3, 6, 12])),
        ("sparse-index-negative", indices(&[4], &[-1, 3, 6, 9])),
        ("sparse-too-few-indices", indices(&[3], &[0, 3, 6])),
        ("sparse-indices-of-other-rank", indices(&[4, 2], &[0; 8])),
        (
            "sparse-without-indices",
            sparse(|s| s.indices = None.into()),
        ),
        ("sparse-without-values", sparse(|s| s.values = None.into())),
        ("annotation-of-channels", annotated("b")),
        ("annotation-names-nothing", annotated("gone")),
        ("training", trained("w", "b")),
        ("training-names-nothing", trained("gone", "lost")),
        (
            "input-of-sequences",
            input_of(Some(type_proto::Sequence::default().into())),
        ),
        (
            "input-optional",
            input_of(Some(type_proto::Optional::default().into())),
        ),
        ("external-in-a-function", function_outside()),
        ("external-and-inside", outside_and_inside()),
    ]
}
