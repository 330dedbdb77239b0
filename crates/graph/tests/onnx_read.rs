//! What a network is made of when it comes from a file: defaults, constants and order.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests build is well formed, or the test fails"
)]

mod onnx_messages;

use secateur_graph::{
    ChannelGroups, Dim, Element, Error, ErrorKind, Gemm, Graph, GraphBuilder, ModelMeta, Op,
    Tensor, Unary, from_model, patch, to_model,
};
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::tensor_proto::DataType;
use secateur_onnx::proto::{
    AttributeProto, FunctionProto, GraphProto, OperatorSetIdProto, TensorProto, type_proto,
};
use secateur_onnx::{f32_tensor, i64_tensor, raw_tensor, read_node};

use self::onnx_messages::{int, model, node, value, with};

fn tensor(name: &str, t: TensorProto) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(AttributeType::TENSOR),
        t: t.into(),
        ..AttributeProto::default()
    }
}

fn only_op(graph: &Graph) -> &Op {
    assert_eq!(graph.nodes().len(), 1);
    &graph.nodes()[0].op
}

#[test]
fn attributes_left_out_have_the_defaults_of_the_operator_set() {
    let op = |opset, name: &str, inputs: &[&str]| {
        let graph = from_model(&model(opset, vec![node(name, inputs, &["y"])])).unwrap();
        only_op(&graph).clone()
    };
    assert_eq!(op(17, "Gemm", &["x", "w"]), Op::Gemm(Gemm::default()));
    assert_eq!(
        op(17, "LeakyRelu", &["x"]),
        Op::Unary(Unary::LeakyRelu { alpha: 0.01 })
    );
    assert_eq!(op(17, "Flatten", &["x"]), Op::Flatten { axis: 1 });
    assert_eq!(op(17, "Gather", &["w", "x"]), Op::Gather { axis: 0 });
    assert_eq!(op(17, "Softmax", &["x"]), Op::Softmax { axis: -1 });
    assert_eq!(op(13, "Softmax", &["x"]), Op::Softmax { axis: -1 });
    assert_eq!(op(12, "Softmax", &["x"]), Op::Softmax { axis: 1 });
}

#[test]
fn the_old_softmax_is_read_only_over_the_last_axis() {
    let read = |axis, shape: &[i64]| {
        let relu = node("Relu", &["x"], &["r"]);
        let softmax = with(node("Softmax", &["r"], &["y"]), int("axis", axis));
        let mut model = model(11, vec![relu, softmax]);
        model.graph.get_or_insert_default().input = vec![value("x", shape)];
        from_model(&model)
    };
    assert!(read(2, &[0, 3, 4]).is_ok());
    assert!(read(-1, &[0, 3, 4]).is_ok());
    let folded = read(1, &[0, 3, 4]).unwrap();
    assert!(matches!(folded.nodes()[1].op, Op::Opaque(_)));
    let error = to_model(&folded, &ModelMeta::default()).unwrap_err();
    assert_eq!(error.place(), Some("y"));
    assert!(error.hint_text().unwrap().contains("version_converter"));
}

#[test]
fn attributes_given_are_taken() {
    let gemm = with(
        node("Gemm", &["x", "w", ""], &["y"]),
        AttributeProto {
            name: Some("alpha".into()),
            r#type: Some(AttributeType::FLOAT),
            f: Some(0.5),
            ..AttributeProto::default()
        },
    );
    let gemm = with(gemm, int("transB", 1));
    let graph = from_model(&model(17, vec![gemm])).unwrap();
    let expected = Gemm {
        alpha: 0.5,
        trans_b: true,
        ..Gemm::default()
    };
    assert_eq!(*only_op(&graph), Op::Gemm(expected));
    assert_eq!(graph.nodes()[0].inputs.len(), 3);
    assert_eq!(graph.nodes()[0].inputs[2], None);
}

#[test]
fn initializers_listed_as_inputs_are_constants() {
    let mut model = model(9, vec![node("Add", &["x", "w"], &["y"])]);
    model
        .graph
        .get_or_insert_default()
        .input
        .push(value("w", &[3]));
    let graph = from_model(&model).unwrap();
    assert_eq!(graph.inputs().len(), 1);
    let w = graph.value_named("w").unwrap();
    assert_eq!(
        graph.constant(w),
        Some(&Tensor::f32([3], vec![1.0; 3]).unwrap())
    );
}

#[test]
fn constant_nodes_are_constants() {
    let made = |attribute| {
        let nodes = vec![
            with(node("Constant", &[], &["c"]), attribute),
            // The exponent may be of another type.
            node("Pow", &["x", "c"], &["y"]),
        ];
        let graph = from_model(&model(17, nodes))?;
        assert_eq!(graph.nodes().len(), 1);
        Ok::<_, Error>(
            graph
                .constant(graph.value_named("c").unwrap())
                .unwrap()
                .clone(),
        )
    };
    let scalar = i64_tensor("", &[], &[7]).unwrap();
    assert_eq!(
        made(tensor("value", scalar)).unwrap(),
        Tensor::i64([], vec![7]).unwrap()
    );
    let attribute = AttributeProto {
        name: Some("value_floats".into()),
        floats: vec![1.0, 2.0],
        ..AttributeProto::default()
    };
    assert_eq!(
        made(attribute).unwrap(),
        Tensor::f32([2], vec![1.0, 2.0]).unwrap()
    );
    let attribute = AttributeProto {
        name: Some("value_int".into()),
        ..AttributeProto::default()
    };
    assert_eq!(made(attribute).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn other_element_types_are_constants_too() {
    let half = || raw_tensor("h", &[1], DataType::FLOAT16, vec![0, 60]).unwrap();
    let mut model = model(17, vec![node("Pow", &["x", "h"], &["y"])]);
    model.graph.get_or_insert_default().initializer.push(half());
    let graph = from_model(&model).unwrap();
    let h = graph.value_named("h").unwrap();
    let tensor = graph.constant(h).unwrap();
    assert_eq!(
        (tensor.element(), tensor.numbers()),
        (Element::F16, vec![1.0])
    );
    let back = to_model(&graph, &ModelMeta::default()).unwrap();
    assert_eq!(back.graph.initializer[0], half());
}

#[test]
fn types_narrower_than_a_byte_are_carried_to_nodes_that_are_not_understood() {
    let narrow = || raw_tensor("h", &[2], DataType::INT4, vec![0x21]).unwrap();
    let mut model = model(17, vec![node("Add", &["x", "h"], &["y"])]);
    model
        .graph
        .get_or_insert_default()
        .initializer
        .push(narrow());
    let graph = from_model(&model).unwrap();
    let [carrier, reader] = graph.nodes() else {
        panic!("{graph:?}");
    };
    let Op::Opaque(opaque) = &carrier.op else {
        panic!("{carrier:?}");
    };
    let message = read_node(&opaque.message, &secateur_onnx::Limits::default()).unwrap();
    assert_eq!(message.attribute[0].t.as_option(), Some(&narrow()));
    assert!(matches!(reader.op, Op::Opaque(_)), "{reader:?}");
}

#[test]
fn unknown_operators_keep_their_message_and_their_absent_outputs() {
    let mut odd = node("Odd", &["x", "", "w"], &["a", "", "y"]);
    odd.name = Some("odd".into());
    odd.domain = Some("com.example".into());
    let mut model = model(17, vec![odd.clone(), node("Relu", &["a"], &["r"])]);
    model.opset_import.push(OperatorSetIdProto {
        domain: Some("com.example".into()),
        version: Some(3),
        ..OperatorSetIdProto::default()
    });
    let graph = from_model(&model).unwrap();
    assert_eq!(graph.nodes()[0].outputs.len(), 3);
    let back = to_model(&graph, &ModelMeta::of(&model)).unwrap();
    assert_eq!(back.graph.node[0], odd);

    let error = to_model(&graph, &ModelMeta::default()).unwrap_err();
    assert_eq!(error.place(), Some("odd"));
}

#[test]
fn axes_without_a_length_get_a_name() {
    let mut model = model(17, vec![node("Relu", &["x"], &["y"])]);
    let mut input = value("x", &[0, 3]);
    let Some(type_proto::Value::TensorType(tensor)) =
        &mut input.r#type.get_or_insert_default().value
    else {
        unreachable!("value() declares tensors");
    };
    tensor.shape.get_or_insert_default().dim[0].value = None;
    model.graph.get_or_insert_default().input = vec![input];
    let graph = from_model(&model).unwrap();
    let shape = graph.value(graph.inputs()[0]).shape.clone().unwrap();
    assert_eq!(shape, [Dim::Named("x:0".into()), Dim::Fixed(3)]);
}

#[test]
fn nodes_without_or_with_equal_names_are_told_apart() {
    let mut a = node("Relu", &["x"], &["a"]);
    a.name = Some("same".into());
    let mut b = node("Relu", &["a"], &["b"]);
    b.name = Some("same".into());
    let graph = from_model(&model(17, vec![a, b, node("Relu", &["b"], &["y"])])).unwrap();
    let names: Vec<_> = graph.nodes().iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["same", "same#2", "y"]);
}

/// The format's checker asks for the shape of every output.
#[test]
fn outputs_without_a_shape_are_written_with_the_inferred_one() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let w = b.constant("w", Tensor::f32([2, 3], vec![0.0; 6]).unwrap());
    let y = b.node("y", Op::MatMul, &[x, w]);
    b.output(y);
    let model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
    assert_eq!(model.graph.output, [value("y", &[0, 3])]);
}

/// What a subgraph reads by name from around it stays, and is read before the node.
#[test]
fn subgraphs_and_functions_come_back_and_freeze_what_they_read() {
    let branch = |read: &str| AttributeProto {
        name: Some("then_branch".into()),
        r#type: Some(AttributeType::GRAPH),
        g: GraphProto {
            node: vec![node("Relu", &[read], &["inner"])],
            output: vec![value("inner", &[2, 3])],
            ..GraphProto::default()
        }
        .into(),
        ..AttributeProto::default()
    };
    let nodes = vec![
        with(node("If", &["x"], &["y"]), branch("h")),
        node("MatMul", &["x", "square"], &["h"]),
    ];
    let mut read = model(17, nodes);
    let square = f32_tensor("square", &[3, 3], &[1.0; 9]).unwrap();
    read.graph.get_or_insert_default().initializer.push(square);
    read.functions.push(FunctionProto {
        name: Some("f".into()),
        ..FunctionProto::default()
    });
    let graph = from_model(&read).unwrap();
    assert_eq!(graph.nodes()[0].name, "h");
    let groups = ChannelGroups::of(&graph).unwrap();
    let h = groups.group(groups.named("h").unwrap());
    assert!(h.frozen.as_ref().unwrap().reason.contains("If"), "{h:?}");
    let back = to_model(&graph, &ModelMeta::of(&read)).unwrap();
    assert_eq!(back.functions, read.functions);
    assert_eq!(back.graph.node[1], read.graph.node[0]);
    assert_eq!(patch(&read, &graph, &graph).unwrap(), read);
}
