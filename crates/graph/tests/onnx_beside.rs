//! What a file holds beside its network (types that no operation reads, sparse tensors, annotations, training) comes
//! back as it was when the network gets smaller, and what it touches keeps its lengths.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests build is well formed, or the test fails"
)]

use secateur_graph::{
    ChannelGroups, Dim, GraphBuilder, Keep, ModelMeta, Op, Tensor, Unary, from_model, lighten,
    patch, settle, shrink, to_model,
};
use secateur_onnx::proto::tensor_proto::DataType;
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, SparseTensorProto,
    StringStringEntryProto, TensorAnnotation, TensorProto, TrainingInfoProto, TypeProto,
    ValueInfoProto, type_proto,
};
use secateur_onnx::{f32_tensor, i64_tensor, write};

/// `y = relu(relu(x a) b) c` with four units in each of the layers `h` and `k`.
fn model() -> ModelProto {
    let mut b = GraphBuilder::new("g");
    let mut value = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    for (weights, made, shape) in [("a", "h", [3, 4]), ("b", "k", [4, 4]), ("c", "y", [4, 2])] {
        let numbers = (1..=shape[0] * shape[1]).map(|n| n as f32).collect();
        let weights = b.constant(weights, Tensor::f32(shape, numbers).unwrap());
        value = b.node(made, Op::MatMul, &[value, weights]);
        if made != "y" {
            value = b.node(format!("{made}r"), Op::Unary(Unary::Relu), &[value]);
        }
    }
    b.output(value);
    to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap()
}

fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.get_or_insert_default()
}

/// The model without the first unit of every group that may lose it, and the names of those groups.
fn cut(model: &ModelProto) -> (ModelProto, Vec<String>) {
    let network = from_model(model).unwrap();
    let mut light = model.clone();
    lighten(&mut light, &network);
    let whole = patch(&light, &network, &network).unwrap();
    assert!(write(&whole).unwrap() == write(model).unwrap());
    let groups = ChannelGroups::of(&network).unwrap();
    let mut keep = Keep::all(&groups);
    let mut cut = vec![];
    for (id, group) in groups
        .iter()
        .filter(|(_, g)| g.name != "x" && g.frozen.is_none())
    {
        if keep.can_drop(&groups, id, 0) {
            keep.drop(id, 0).unwrap();
            cut.push(group.name.clone());
        }
    }
    let small = shrink(&network, &groups, &keep).unwrap();
    (patch(&light, &network, &small.graph).unwrap(), cut)
}

fn dims(model: &ModelProto, name: &str) -> Vec<i64> {
    let mut tensors = model.graph.initializer.iter();
    tensors
        .find(|t| t.name.as_deref() == Some(name))
        .unwrap()
        .dims
        .clone()
}

/// Two elements of each type that there is, in raw data and in the field that the schema assigns to the type.
fn of_every_type() -> Vec<TensorProto> {
    use DataType as D;
    let all = (1..).map_while(secateur_onnx::data_type);
    let mut tensors = vec![];
    for element in all {
        let bare = |form: &str| TensorProto {
            dims: vec![2],
            data_type: Some(element as i32),
            name: Some(format!("{element:?} {form}")),
            doc_string: Some("kept".into()),
            ..TensorProto::default()
        };
        let bytes = match element {
            D::STRING => 0,
            D::COMPLEX128 => 32,
            D::DOUBLE | D::INT64 | D::UINT64 | D::COMPLEX64 => 16,
            D::FLOAT | D::INT32 | D::UINT32 => 8,
            D::UINT16 | D::INT16 | D::FLOAT16 | D::BFLOAT16 => 4,
            D::UINT8 | D::INT8 | D::BOOL | D::FLOAT8E4M3FN | D::FLOAT8E4M3FNUZ => 2,
            D::FLOAT8E5M2 | D::FLOAT8E5M2FNUZ | D::FLOAT8E8M0 => 2,
            D::FLOAT6E2M3 | D::FLOAT6E3M2 => 2,
            D::UINT4 | D::INT4 | D::FLOAT4E2M1 | D::UINT2 | D::INT2 => 1,
            D::UNDEFINED => unreachable!(),
        };
        if bytes > 0 {
            let raw_data = Some((1..=bytes).collect());
            tensors.push(TensorProto {
                raw_data,
                ..bare("raw")
            });
        }
        let mut typed = bare("typed");
        match element {
            D::STRING => typed.string_data = vec![b"one".to_vec(), vec![0xff]],
            D::FLOAT => typed.float_data = vec![1.0, 2.0],
            D::COMPLEX64 => typed.float_data = vec![1.0; 4],
            D::DOUBLE => typed.double_data = vec![1.0, 2.0],
            D::COMPLEX128 => typed.double_data = vec![1.0; 4],
            D::INT64 => typed.int64_data = vec![1, -2],
            D::UINT32 | D::UINT64 => typed.uint64_data = vec![1, 2],
            D::UINT4 | D::INT4 | D::FLOAT4E2M1 | D::UINT2 | D::INT2 => typed.int32_data = vec![1],
            _ => typed.int32_data = vec![1, 1],
        }
        tensors.push(typed);
    }
    tensors
}

#[test]
fn tensors_of_every_type_come_back_and_freeze_who_reads_them() {
    let tensors = of_every_type();
    assert_eq!(tensors.len(), 2 * 28 - 1);
    for tensor in tensors {
        let name = tensor.name.clone().unwrap();
        let mut model = model();
        model.opset_import.push(OperatorSetIdProto {
            domain: Some("com.example".into()),
            version: Some(1),
            ..OperatorSetIdProto::default()
        });
        let own = graph(&mut model);
        own.initializer.push(tensor.clone());
        own.node.push(NodeProto {
            domain: Some("com.example".into()),
            op_type: Some("Odd".into()),
            input: vec!["kr".into(), name.clone()],
            output: vec!["z".into()],
            ..NodeProto::default()
        });
        let mut output = own.output[0].clone();
        output.name = Some("z".into());
        own.output.push(output);
        let (small, groups) = cut(&model);
        assert_eq!(groups, ["h"], "{name}");
        assert_eq!(small.graph.initializer.last(), Some(&tensor), "{name}");
        assert_eq!(dims(&small, "b"), [3, 4], "{name}");
    }
}

/// The weights `b` as a sparse tensor.
fn sparse() -> ModelProto {
    let mut model = model();
    graph(&mut model).initializer.remove(1);
    graph(&mut model)
        .sparse_initializer
        .push(SparseTensorProto {
            values: f32_tensor("b", &[2], &[3.0, 4.0]).unwrap().into(),
            indices: i64_tensor("b.indices", &[2], &[0, 9]).unwrap().into(),
            dims: vec![4, 4],
            ..SparseTensorProto::default()
        });
    model
}

#[test]
fn sparse_tensors_keep_what_they_touch() {
    let model = sparse();
    let network = from_model(&model).unwrap();
    let b = network.constant(network.value_named("b").unwrap()).unwrap();
    assert_eq!((b.as_f32().unwrap()[0], b.as_f32().unwrap()[9]), (3.0, 4.0));
    let groups = ChannelGroups::of(&network).unwrap();
    let h = groups.group(groups.named("h").unwrap());
    assert_eq!(
        h.frozen
            .as_ref()
            .unwrap()
            .to_string()
            .matches("is sparse")
            .count(),
        1
    );
    let (small, groups) = cut(&model);
    assert!(groups.is_empty(), "{groups:?}");
    assert_eq!(small, model);
}

fn annotated(tensor: &str, scale: &[usize]) -> ModelProto {
    let mut model = model();
    let own = graph(&mut model);
    let count = scale.iter().product();
    own.initializer
        .push(f32_tensor("scale", scale, &vec![0.5; count]).unwrap());
    own.quantization_annotation.push(TensorAnnotation {
        tensor_name: Some(tensor.into()),
        quant_parameter_tensor_names: vec![StringStringEntryProto {
            key: Some("SCALE_TENSOR".into()),
            value: Some("scale".into()),
            ..StringStringEntryProto::default()
        }],
        ..TensorAnnotation::default()
    });
    model
}

#[test]
fn annotations_stay_and_scales_of_channels_keep_them() {
    for (tensor, scale, groups) in [
        ("b", &[][..], vec!["h", "k"]),
        ("b", &[1], vec!["h", "k"]),
        ("b", &[4], vec![]),
        ("hr", &[4], vec!["k"]),
        ("c", &[2], vec!["h"]),
    ] {
        let model = annotated(tensor, scale);
        let (small, cut) = cut(&model);
        assert_eq!(cut, groups, "{tensor} {scale:?}");
        let annotations = |m: &ModelProto| m.graph.quantization_annotation.clone();
        assert_eq!(annotations(&small), annotations(&model));
        assert_eq!(
            small.graph.initializer.last(),
            model.graph.initializer.last()
        );
    }
    // Nobody knows what a scale that is not there is for.
    let mut model = annotated("b", &[1]);
    graph(&mut model).initializer.pop();
    assert!(cut(&model).1.is_empty());
}

#[test]
fn training_information_keeps_what_it_names() {
    let step = |text: Option<&str>| TrainingInfoProto {
        algorithm: GraphProto {
            node: vec![NodeProto {
                op_type: Some("Gradient".into()),
                domain: Some("ai.onnx.preview.training".into()),
                output: vec!["new".into()],
                attribute: vec![AttributeProto {
                    name: Some("xs".into()),
                    strings: text.into_iter().map(|t| t.as_bytes().to_vec()).collect(),
                    ..AttributeProto::default()
                }],
                ..NodeProto::default()
            }],
            ..GraphProto::default()
        }
        .into(),
        ..TrainingInfoProto::default()
    };
    let bound = |name: &str| TrainingInfoProto {
        update_binding: vec![StringStringEntryProto {
            key: Some(name.into()),
            value: Some("new".into()),
            ..StringStringEntryProto::default()
        }],
        ..step(None)
    };
    for (training, groups) in [
        (step(None), vec!["h", "k"]),
        (step(Some("a")), vec!["k"]),
        (bound("c"), vec!["h"]),
        (bound("nowhere"), vec!["h", "k"]),
    ] {
        let mut model = model();
        model.training_info = vec![training];
        let (small, cut) = cut(&model);
        assert_eq!(cut, groups);
        assert_eq!(small.training_info, model.training_info);
    }
}

#[test]
fn outputs_that_are_no_tensors_come_back_and_inputs_are_refused() {
    let sequence = || ValueInfoProto {
        name: Some("z".into()),
        r#type: TypeProto {
            value: Some(type_proto::Sequence::default().into()),
            ..TypeProto::default()
        }
        .into(),
        ..ValueInfoProto::default()
    };
    let mut model = model();
    let own = graph(&mut model);
    own.node.push(NodeProto {
        op_type: Some("SequenceConstruct".into()),
        input: vec!["kr".into()],
        output: vec!["z".into()],
        ..NodeProto::default()
    });
    own.output.push(sequence());
    let (small, groups) = cut(&model);
    assert_eq!(groups, ["h"]);
    assert_eq!(small.graph.output, model.graph.output);
    graph(&mut model).output.pop();
    graph(&mut model).node.pop();
    graph(&mut model).input.push(sequence());
    let error = from_model(&model).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("z: is an input that is a sequence"),
        "{error}"
    );
    assert!(error.hint_text().is_some());
}

/// Numbers that are not in raw data stay in the field where they were.
#[test]
fn typed_numbers_stay_typed() {
    let mut model = model();
    for tensor in &mut graph(&mut model).initializer {
        let raw = tensor.raw_data.take().unwrap();
        let words = raw.chunks_exact(4);
        let numbers = words.map(|w| f32::from_le_bytes(w.try_into().unwrap()));
        tensor.float_data = numbers.collect();
    }
    let (small, groups) = cut(&model);
    assert_eq!(groups, ["h", "k"]);
    let b = &small.graph.initializer[1];
    assert_eq!((b.raw_data.as_ref(), b.float_data.len()), (None, 9));
    assert_eq!(b.float_data[..3], [6.0, 7.0, 8.0]);
}

/// The same in half precision, whose field holds integers.
#[test]
fn typed_numbers_of_half_precision_stay_typed() {
    let mut model = model();
    let own = graph(&mut model);
    for info in own.input.iter_mut().chain(&mut own.output) {
        let declared = info.r#type.as_option_mut().unwrap().value.as_mut();
        let Some(type_proto::Value::TensorType(tensor)) = declared else {
            panic!("{info:?}");
        };
        tensor.elem_type = Some(DataType::FLOAT16 as i32);
    }
    for tensor in &mut own.initializer {
        tensor.data_type = Some(DataType::FLOAT16 as i32);
        let count = tensor.raw_data.take().unwrap().len() / 4;
        tensor.int32_data = (0..count).map(|n| 0x3c00 + n as i32).collect();
    }
    let (small, groups) = cut(&model);
    assert_eq!(groups, ["h", "k"]);
    let b = &small.graph.initializer[1];
    assert_eq!((b.raw_data.as_ref(), b.int32_data.len()), (None, 9));
    assert_eq!(b.int32_data[0], 0x3c05);
}

/// What is a constant once shapes are settled takes its annotation with it, and the scale that only that reads.
#[test]
fn annotations_of_what_goes_go() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let all = Op::Shape {
        start: 0,
        end: None,
    };
    let shape = b.node("s", all, &[x]);
    let y = b.node("y", Op::Reshape { allow_zero: false }, &[x, shape]);
    b.output(y);
    let mut model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
    let annotation = |tensor: &str| {
        let annotated = annotated(tensor, &[1]);
        annotated.graph.quantization_annotation[0].clone()
    };
    let own = graph(&mut model);
    own.initializer = vec![f32_tensor("scale", &[1], &[0.5]).unwrap()];
    own.quantization_annotation = vec![annotation("s")];
    let network = from_model(&model).unwrap();
    let settled = settle(&network).unwrap();
    let patched = |model: &ModelProto| {
        let graph = patch(model, &network, &settled).unwrap().graph;
        let names = graph.initializer.iter().map(|t| t.name.clone().unwrap());
        let names: Vec<String> = names.filter(|name| name == "scale").collect();
        (
            graph.node.len(),
            graph.quantization_annotation.len(),
            names.len(),
        )
    };
    assert_eq!(patched(&model), (1, 0, 0));
    graph(&mut model)
        .quantization_annotation
        .push(annotation("x"));
    assert_eq!(patched(&model), (1, 1, 1));
}
