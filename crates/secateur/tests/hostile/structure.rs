//! Graphs that hang together wrongly, and nodes that say what their operator does not know.

use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::{AttributeProto, ModelProto, NodeProto};
use secateur_onnx::write;

use crate::Case;
use crate::base::{graph, int, ints, model, node, spoilt, value, with_node};

fn whole(spoil: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = model();
    spoil(&mut model);
    write(&model).unwrap()
}

/// Graphs that hang together wrongly.
pub(crate) fn structure() -> Vec<Case> {
    let version = |version| whole(|m| m.opset_import[0].version = Some(version));
    vec![
        ("no-graph", whole(|m| m.graph = Default::default())),
        ("opset-3", version(3)),
        ("opset-999", version(999)),
        ("opset-negative", version(-1)),
        ("no-opset", whole(|m| m.opset_import.clear())),
        (
            "no-opset-version",
            whole(|m| m.opset_import[0].version = None),
        ),
        ("no-outputs", spoilt(|g| g.output.clear())),
        ("no-inputs", spoilt(|g| g.input.clear())),
        ("no-nodes", spoilt(|g| g.node.clear())),
        ("cycle", spoilt(|g| g.node[0].input[0] = "r".into())),
        ("reads-itself", spoilt(|g| g.node[2].input[0] = "r".into())),
        (
            "value-made-twice",
            spoilt(|g| g.node[1].output[0] = "h".into()),
        ),
        (
            "initializer-twice",
            spoilt(|g| {
                let again = g.initializer[0].clone();
                g.initializer.push(again);
            }),
        ),
        (
            "input-twice",
            spoilt(|g| {
                let again = g.input[0].clone();
                g.input.push(again);
            }),
        ),
        (
            "input-made-by-a-node",
            spoilt(|g| g.node[2].output[0] = "x".into()),
        ),
        (
            "initializer-made-by-a-node",
            spoilt(|g| g.node[2].output[0] = "v".into()),
        ),
        (
            "output-nobody-makes",
            spoilt(|g| g.output.push(value("z", &[1]))),
        ),
        (
            "reads-what-nobody-makes",
            spoilt(|g| g.node[2].input[0] = "z".into()),
        ),
        (
            "input-of-unknown-rank",
            spoilt(|g| g.input[0].r#type = Default::default()),
        ),
        (
            "input-negative-length",
            spoilt(|g| g.input[0] = value("x", &[1, -2, 2, 2])),
        ),
        (
            "input-without-channels",
            spoilt(|g| g.input[0] = value("x", &[1, 0, 2, 2])),
        ),
        (
            "input-huge",
            spoilt(|g| g.input[0] = value("x", &[1, 2, i64::MAX, i64::MAX])),
        ),
        (
            "input-too-large-to-run",
            spoilt(|g| {
                g.input[0] = value("x", &[1, 2, 16000, 16000]);
                g.output[0] = value("y", &[1, 3, 16000, 16000]);
            }),
        ),
        ("windows-too-many-to-run", slow()),
        (
            "output-declared-wrongly",
            spoilt(|g| g.output[0] = value("y", &[1, 5, 2, 2])),
        ),
        ("node-without-output", spoilt(|g| g.node[2].output.clear())),
        (
            "node-without-operator",
            spoilt(|g| g.node[2].op_type = None),
        ),
        ("functions", whole(|m| m.functions.push(Default::default()))),
        ("spoilt-name", {
            let mut bytes = whole(|m| graph(m).name = Some("NAME".into()));
            let at = bytes.windows(4).position(|w| w == b"NAME").unwrap();
            bytes[at] = 0xff;
            bytes
        }),
    ]
}

/// A window of which every position reads millions.
fn slow() -> Vec<u8> {
    let pool = NodeProto {
        attribute: vec![ints("kernel_shape", &[3000, 3000])],
        ..node("MaxPool", "pool", &["r"], "")
    };
    let model = secateur_onnx::read(&with_node(pool, vec![]), &secateur_onnx::Limits::default());
    let mut model = model.unwrap();
    graph(&mut model).input[0] = value("x", &[1, 2, 6000, 6000]);
    graph(&mut model).output[0] = value("y", &[1, 3, 3001, 3001]);
    write(&model).unwrap()
}

fn conv(attribute: AttributeProto) -> Vec<u8> {
    spoilt(|g| {
        let own = &mut g.node[0].attribute;
        own.retain(|a| a.name != attribute.name);
        own.push(attribute);
    })
}

/// Nodes that say what their operator does not know.
pub(crate) fn nodes() -> Vec<Case> {
    let float = AttributeProto {
        name: Some("group".into()),
        r#type: Some(AttributeType::FLOAT),
        f: Some(1.0),
        ..AttributeProto::default()
    };
    vec![
        ("attribute-unknown", conv(int("colour", 3))),
        ("attribute-of-wrong-type", conv(float)),
        (
            "attribute-twice",
            spoilt(|g| {
                g.node[0]
                    .attribute
                    .extend([int("group", 1), int("group", 1)]);
            }),
        ),
        ("group-zero", conv(int("group", 0))),
        ("group-negative", conv(int("group", -2))),
        ("group-huge", conv(int("group", i64::MAX))),
        ("group-uneven", conv(int("group", 3))),
        ("strides-zero", conv(ints("strides", &[0, 1]))),
        ("strides-negative", conv(ints("strides", &[-1, 1]))),
        ("strides-too-many", conv(ints("strides", &[1, 1, 1]))),
        (
            "dilations-huge",
            conv(ints("dilations", &[i64::MAX, i64::MAX])),
        ),
        ("pads-huge", conv(ints("pads", &[i64::MAX; 4]))),
        (
            "kernel-other-than-weights",
            conv(ints("kernel_shape", &[3, 3])),
        ),
        (
            "too-many-inputs",
            spoilt(|g| g.node[2].input.push("x".into())),
        ),
        ("too-few-inputs", spoilt(|g| g.node[0].input.truncate(1))),
        (
            "too-many-outputs",
            spoilt(|g| g.node[2].output.push("more".into())),
        ),
        (
            "pool-larger-than-image",
            with_node(
                NodeProto {
                    attribute: vec![ints("kernel_shape", &[9, 9])],
                    ..node("MaxPool", "pool", &["r"], "")
                },
                vec![],
            ),
        ),
        (
            "pool-of-nothing",
            with_node(
                NodeProto {
                    attribute: vec![ints("kernel_shape", &[0, 0])],
                    ..node("AveragePool", "pool", &["r"], "")
                },
                vec![],
            ),
        ),
    ]
}
