//! What cannot be read as a network, or not be written anew, is refused with the place.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests build is well formed, or the test fails"
)]

mod onnx_messages;

use secateur_graph::{Dim, ErrorKind, ModelMeta, from_model, patch, to_model};
use secateur_onnx::f32_tensor;
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::{AttributeProto, ModelProto, TensorProto};

use self::onnx_messages::{int, model, node, value, with};

#[test]
fn what_cannot_be_read_is_refused_and_named() {
    let relu = || node("Relu", &["x"], &["y"]);
    let changed = |change: &dyn Fn(&mut ModelProto)| {
        let mut model = model(17, vec![relu()]);
        change(&mut model);
        model
    };
    let external = TensorProto {
        data_location: Some(secateur_onnx::proto::tensor_proto::DataLocation::EXTERNAL),
        raw_data: None,
        ..f32_tensor("w", &[3], &[1.0; 3]).unwrap()
    };
    let (invalid, unsupported) = (ErrorKind::Invalid, ErrorKind::Unsupported);
    let cases = [
        (ModelProto::default(), invalid, None),
        (changed(&|m| m.graph = None.into()), invalid, None),
        (model(6, vec![relu()]), unsupported, None),
        (model(99, vec![relu()]), unsupported, None),
        (
            model(17, vec![with(relu(), int("odd", 1))]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Add", &["x"], &["y"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Add", &["x", ""], &["y"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Relu", &["x"], &["y", "z"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Relu", &["gone"], &["y"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Relu", &["y"], &["y"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![node("Relu", &["x"], &["z"])]),
            invalid,
            Some("y"),
        ),
        (
            model(17, vec![relu(), node("Relu", &["x"], &["w"])]),
            invalid,
            Some("w"),
        ),
        (
            changed(&|m| m.graph.get_or_insert_default().initializer = vec![external.clone()]),
            unsupported,
            Some("tensor 'w'"),
        ),
        (
            changed(&|m| m.graph.get_or_insert_default().input = vec![value("x", &[-2, 3])]),
            invalid,
            Some("x"),
        ),
        (
            changed(&|m| m.graph.get_or_insert_default().input[0].r#type = None.into()),
            unsupported,
            Some("x"),
        ),
        (
            changed(&|m| {
                let graph = m.graph.get_or_insert_default();
                let twice = graph.initializer[0].clone();
                graph.initializer.push(twice);
            }),
            invalid,
            Some("w"),
        ),
    ];
    for (index, (model, kind, place)) in cases.iter().enumerate() {
        let error = from_model(model).unwrap_err();
        assert_eq!(
            (error.kind(), error.place()),
            (*kind, *place),
            "case {index}: {error}"
        );
    }
}

/// Their form of today may mean something else; the model that they came from can still be carried over.
#[test]
fn old_forms_are_read_but_not_written_anew() {
    let mut ints = int("axes", 0);
    ints.i = None;
    ints.r#type = Some(AttributeType::INTS);
    ints.ints = vec![-1];
    let into = with(node("Unsqueeze", &["x"], &["u"]), ints.clone());
    let out = with(node("Squeeze", &["u"], &["y"]), ints);
    let mut clip = with(node("Clip", &["x"], &["y"]), int("max", 0));
    clip.attribute[0] = AttributeProto {
        name: Some("max".into()),
        r#type: Some(AttributeType::FLOAT),
        f: Some(6.0),
        ..AttributeProto::default()
    };
    let cases = [
        (vec![node("Det", &["x"], &["y"])], "y"),
        (vec![into, out], "u"),
        (vec![clip], "y"),
    ];
    for (nodes, place) in cases {
        let old = model(9, nodes);
        let graph = from_model(&old).unwrap();
        let error = to_model(&graph, &ModelMeta::default()).unwrap_err();
        assert_eq!(
            (error.kind(), error.place()),
            (ErrorKind::Unsupported, Some(place)),
            "{error}"
        );
        assert_eq!(patch(&old, &graph, &graph).unwrap(), old);
    }
}

#[test]
fn operator_sets_outside_the_known_are_not_written() {
    let graph = from_model(&model(17, vec![node("Relu", &["x"], &["y"])])).unwrap();
    for (opset, written) in [(12, false), (13, true), (28, true), (29, false)] {
        let meta = ModelMeta {
            opset,
            ..ModelMeta::default()
        };
        assert_eq!(to_model(&graph, &meta).is_ok(), written, "{opset}");
    }
    let meta = ModelMeta {
        properties: vec![("k".into(), "1".into()), ("k".into(), "2".into())],
        ..ModelMeta::default()
    };
    assert!(to_model(&graph, &meta).is_err());
}

/// Not as the format says, but what several exporters write for a length that is unknown.
#[test]
fn a_length_of_minus_one_is_unknown_and_comes_back() {
    let mut read = model(17, vec![node("Relu", &["x"], &["y"])]);
    read.graph.get_or_insert_default().input = vec![value("x", &[-1, 3])];
    let graph = from_model(&read).unwrap();
    let shape = graph.value(graph.inputs()[0]).shape.clone().unwrap();
    assert_eq!(shape, [Dim::Named("x:0".into()), Dim::Fixed(3)]);
    assert_eq!(patch(&read, &graph, &graph).unwrap(), read);
}
