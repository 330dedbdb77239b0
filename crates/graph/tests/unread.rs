//! What a file asks for and nobody reads changes nothing, and what does nothing at inference is the value itself; both come
//! back as they were.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod onnx_messages;

use onnx_messages::{int, model, node, with};
use secateur_graph::{
    Array, ChannelGroups, Keep, Norm, Op, Unary, evaluate, from_model, patch, shrink,
};
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
};
use secateur_onnx::{f32_tensor, i64_tensor, raw_tensor, write_node};

/// A layer of four units from three features, nodes behind it that make `m` of `h`, and a layer that reads that.
fn network(opset: i64, nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> ModelProto {
    let mut all = vec![node("MatMul", &["x", "a"], &["h"])];
    all.extend(nodes);
    all.push(node("MatMul", &["m", "b"], &["y"]));
    let mut model = model(opset, all);
    let graph: &mut GraphProto = model.graph.get_or_insert_default();
    let drawn = |name: &str, shape: &[usize]| {
        let count = shape.iter().product::<usize>();
        let numbers: Vec<f32> = (0..count).map(|i| (i as f32 * 1.7).sin()).collect();
        f32_tensor(name, shape, &numbers).unwrap()
    };
    graph.initializer = vec![drawn("a", &[3, 4]), drawn("b", &[4, 2])];
    graph.initializer.extend(constants);
    graph.input = vec![onnx_messages::value("x", &[2, 3])];
    graph.output = vec![onnx_messages::value("y", &[2, 2])];
    model
}

/// What the nodes between the layers are understood as.
fn between(model: &ModelProto) -> Vec<Op> {
    let graph = from_model(model).unwrap();
    let nodes = graph.nodes();
    nodes[1..nodes.len() - 1]
        .iter()
        .map(|n| n.op.clone())
        .collect()
}

/// The nodes between the layers come back as they were when the layer in front loses a unit.
fn stays(model: &ModelProto) {
    let graph = from_model(model).unwrap();
    assert_eq!(&patch(model, &graph, &graph).unwrap(), model);
    let groups = ChannelGroups::of(&graph).unwrap();
    let id = groups.named("h").unwrap();
    assert_eq!(groups.group(id).frozen, None);
    let mut keep = Keep::all(&groups);
    keep.drop(id, 2).unwrap();
    let small = shrink(&graph, &groups, &keep).unwrap().graph;
    let patched = patch(model, &graph, &small).unwrap();
    let messages = |model: &ModelProto| {
        let nodes = &model.graph.node;
        let own = nodes[1..nodes.len() - 1].iter();
        own.map(|n| write_node(n).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(messages(&patched), messages(model));
    let x = Array::new([2, 3], vec![1.0, -2.0, 0.5, 0.25, 1.5, -1.0]).unwrap();
    let run = |model| evaluate(model, std::slice::from_ref(&x)).unwrap();
    assert_eq!(run(&from_model(&patched).unwrap()), run(&small));
}

fn freezes(model: &ModelProto) -> bool {
    let groups = ChannelGroups::of(&from_model(model).unwrap()).unwrap();
    groups.group(groups.named("h").unwrap()).frozen.is_some()
}

fn truth(name: &str, value: u8) -> TensorProto {
    raw_tensor(
        name,
        &[],
        secateur_onnx::proto::tensor_proto::DataType::BOOL,
        vec![value],
    )
    .unwrap()
}

#[test]
fn dropout_that_drops_nothing_is_the_value_itself() {
    let rate = f32_tensor("rate", &[], &[0.5]).unwrap();
    let none = f32_tensor("none", &[], &[0.0]).unwrap();
    let dropout = |inputs: &[&str], outputs: &[&str]| vec![node("Dropout", inputs, outputs)];
    let constants = || vec![rate.clone(), none.clone(), truth("no", 0), truth("yes", 1)];
    for inputs in [
        &["h"][..],
        &["h", "rate"],
        &["h", "rate", "no"],
        &["h", "rate", ""],
        &["h", "", "no"],
        &["h", "none", "yes"],
    ] {
        for outputs in [&["m"][..], &["m", "mask"], &["m", ""]] {
            let model = network(17, dropout(inputs, outputs), constants());
            assert_eq!(between(&model), [Op::Identity], "{inputs:?} {outputs:?}");
            stays(&model);
        }
    }
    for inputs in [&["h", "rate", "yes"][..], &["h", "", "yes"]] {
        let model = network(17, dropout(inputs, &["m"]), constants());
        assert!(matches!(between(&model)[..], [Op::Opaque(_)]), "{inputs:?}");
        assert!(freezes(&model));
    }
    // Whether it is trained is an input of the file.
    let mut asked = network(17, dropout(&["h", "rate", "asked"], &["m"]), constants());
    let graph = asked.graph.get_or_insert_default();
    graph.input.push(onnx_messages::value("asked", &[1]));
    assert!(freezes(&asked));
}

#[test]
fn a_mask_that_something_reads_keeps_channels() {
    let dropout = node("Dropout", &["h"], &["m", "mask"]);
    let read = node("Cast", &["mask"], &["c"]);
    let read = with(read, int("to", 1));
    let model = network(17, vec![dropout.clone(), read], vec![]);
    assert!(matches!(between(&model)[0], Op::Opaque(_)));
    assert!(freezes(&model));
    // A subgraph reads by name.
    let inner = GraphProto {
        name: Some("inner".into()),
        node: vec![node("Identity", &["mask"], &["z"])],
        output: vec![onnx_messages::value("z", &[2, 4])],
        ..GraphProto::default()
    };
    let body = AttributeProto {
        name: Some("then_branch".into()),
        r#type: Some(secateur_onnx::proto::attribute_proto::AttributeType::GRAPH),
        g: inner.into(),
        ..AttributeProto::default()
    };
    let branch = with(node("If", &["yes"], &["z.out"]), body);
    let model = network(17, vec![dropout.clone(), branch], vec![truth("yes", 1)]);
    assert!(matches!(between(&model)[0], Op::Opaque(_)));
    // And so does whoever runs the file.
    let mut given_out = network(17, vec![dropout], vec![]);
    let graph = given_out.graph.get_or_insert_default();
    graph.output.push(onnx_messages::value("mask", &[2, 4]));
    assert!(matches!(between(&given_out)[0], Op::Opaque(_)));
}

fn numbers(name: &str, numbers: &[f32]) -> TensorProto {
    f32_tensor(name, &[numbers.len()], numbers).unwrap()
}

#[test]
fn statistics_that_nobody_reads_are_left_out() {
    let constants = || {
        let one = numbers("one", &[1.0, 2.0, 3.0, 4.0]);
        vec![one, numbers("zero", &[0.5, -1.0, 0.0, 1.0])]
    };
    let inputs = ["h", "one", "zero", "zero", "one"];
    let norm = |outputs: &[&str]| node("BatchNormalization", &inputs, outputs);
    let trained = with(norm(&["m", "mean", "variance"]), int("training_mode", 1));
    let model = network(15, vec![trained.clone()], constants());
    assert!(matches!(
        between(&model)[..],
        [Op::Norm(Norm::Batch { .. })]
    ));
    // Four numbers each lose one.
    let graph = from_model(&model).unwrap();
    assert!(!freezes(&model) && graph.nodes()[1].outputs.len() == 1);
    assert_eq!(patch(&model, &graph, &graph).unwrap(), model);
    stays(&network(15, vec![norm(&["m", "", ""])], constants()));
    // Running statistics that go somewhere are more than is understood.
    let read = node("Relu", &["mean"], &["r"]);
    assert!(freezes(&network(15, vec![trained, read], constants())));
    // Before operator set 14, further outputs mean training.
    let old = norm(&["m", "mean", "variance", "saved", "saved2"]);
    assert!(freezes(&network(9, vec![old], constants())));
    let layer = node(
        "LayerNormalization",
        &["h", "one"],
        &["m", "mean", "spread"],
    );
    let model = network(17, vec![layer], constants());
    assert!(matches!(
        between(&model)[..],
        [Op::Norm(Norm::Layer { .. })]
    ));
}

#[test]
fn places_of_maxima_that_nobody_reads_are_left_out() {
    let shape = i64_tensor("image", &[4], &[1, 2, 4, 1]).unwrap();
    let back = i64_tensor("rows", &[2], &[2, 4]).unwrap();
    let window = AttributeProto {
        name: Some("kernel_shape".into()),
        r#type: Some(secateur_onnx::proto::attribute_proto::AttributeType::INTS),
        ints: vec![1, 1],
        ..AttributeProto::default()
    };
    let pool = with(node("MaxPool", &["i"], &["p", "at"]), window);
    let pool = with(pool, int("storage_order", 1));
    let nodes = vec![
        node("Reshape", &["h", "image"], &["i"]),
        pool,
        node("Reshape", &["p", "rows"], &["m"]),
    ];
    let model = network(12, nodes, vec![shape, back]);
    assert!(matches!(&between(&model)[1], Op::Pool(_)));
    let graph = from_model(&model).unwrap();
    assert_eq!(graph.nodes()[2].outputs.len(), 1);
    assert_eq!(patch(&model, &graph, &graph).unwrap(), model);
}

#[test]
fn functions_of_runtimes_are_the_functions_that_they_are() {
    let of = |name: &str, inputs: &[&str]| {
        let mut function = node(name, inputs, &["m"]);
        function.domain = Some("com.microsoft".into());
        let bias = numbers("bias", &[1.0, 2.0, 3.0, 4.0]);
        let mut model = network(17, vec![function], vec![bias]);
        model.opset_import.push(OperatorSetIdProto {
            domain: Some("com.microsoft".into()),
            version: Some(1),
            ..OperatorSetIdProto::default()
        });
        model
    };
    let cases = [
        ("Gelu", Unary::Gelu { tanh: false }),
        ("FastGelu", Unary::Gelu { tanh: true }),
        ("QuickGelu", Unary::Swish { alpha: 1.702 }),
    ];
    for (name, unary) in cases {
        let model = of(name, &["h"]);
        assert_eq!(between(&model), [Op::Unary(unary)]);
        stays(&model);
    }
    assert!(freezes(&of("FastGelu", &["h", "bias"])));
    assert!(freezes(&of("Relu", &["h"])));
}
