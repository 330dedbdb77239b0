//! A network written as an ONNX model and read back is the same network.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests build is well formed, or the test fails"
)]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use secateur_graph::{
    Binary, Dim, ErrorKind, Gemm, Graph, GraphBuilder, ModelMeta, Node, Op, Opaque, Tensor, Unary,
    ValueId, from_model, patch, to_model,
};
use secateur_onnx::proto::NodeProto;
use secateur_onnx::{Limits, read, read_file, write, write_node};
use secateur_testkit::{larger_data, model_files};

/// What a graph says, with values told apart by name: the order of values is not kept in a file,
/// nor are constants that nothing reads or shapes between nodes.
#[derive(Debug, PartialEq)]
struct Said {
    name: String,
    inputs: Vec<(String, Option<Vec<Dim>>)>,
    outputs: Vec<(String, Option<Vec<Dim>>)>,
    nodes: Vec<SaidNode>,
    constants: BTreeMap<String, Tensor>,
}

/// Name, operation, names of inputs and of outputs.
type SaidNode = (String, Op, Vec<Option<String>>, Vec<String>);

fn said(graph: &Graph) -> Said {
    let name = |id: &ValueId| graph.value(*id).name.clone();
    let shaped = |id: &ValueId| (name(id), graph.value(*id).shape.clone());
    let mut constants = BTreeMap::new();
    let mut nodes = vec![];
    let read = |n: &Node| n.inputs.iter().flatten().copied().collect::<Vec<_>>();
    let read = graph.nodes().iter().flat_map(read);
    for id in read.chain(graph.outputs().iter().copied()) {
        if let Some(tensor) = graph.constant(id) {
            constants.insert(name(&id), tensor.clone());
        }
    }
    for node in graph.nodes() {
        let inputs = node.inputs.iter().map(|i| i.as_ref().map(name)).collect();
        let outputs = node.outputs.iter().map(name).collect();
        nodes.push((node.name.clone(), node.op.clone(), inputs, outputs));
    }
    Said {
        name: graph.name().to_owned(),
        inputs: graph.inputs().iter().map(shaped).collect(),
        outputs: graph.outputs().iter().map(shaped).collect(),
        nodes,
        constants,
    }
}

/// One node of a generated graph: an operation, which of the values so far each of its inputs
/// reads, and whether the last of three is left out.
type Step = (Op, [prop::sample::Index; 3], bool);

fn op() -> impl Strategy<Value = Op> {
    let number = any::<f32>().prop_filter("equal to itself", |x| !x.is_nan());
    let binary = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div];
    prop_oneof![
        (number.clone(), number.clone(), any::<[bool; 2]>()).prop_map(|(alpha, beta, t)| {
            let [trans_a, trans_b] = t;
            Op::Gemm(Gemm {
                alpha,
                beta,
                trans_a,
                trans_b,
            })
        }),
        Just(Op::MatMul),
        prop::sample::select(binary.to_vec()).prop_map(Op::Binary),
        Just(Op::Unary(Unary::Relu)),
        number.prop_map(|alpha| Op::Unary(Unary::LeakyRelu { alpha })),
        Just(Op::Unary(Unary::Tanh)),
        Just(Op::Unary(Unary::Sigmoid)),
        (-3i64..3).prop_map(|axis| Op::Softmax { axis }),
        (-3i64..3).prop_map(|axis| Op::Flatten { axis }),
        (-3i64..3).prop_map(|axis| Op::Gather { axis }),
        Just(Op::Identity),
        any::<f32>()
            .prop_filter("equal to itself", |x| !x.is_nan())
            .prop_map(|alpha| Op::Unary(Unary::Elu { alpha })),
        Just(Op::Unary(Unary::HardSwish)),
        (-3i64..3).prop_map(|axis| Op::Concat { axis }),
        Just(vec![0usize, 1, 2])
            .prop_shuffle()
            .prop_map(|order| Op::Transpose { order }),
        any::<bool>().prop_map(|allow_zero| Op::Reshape { allow_zero }),
        Just(Op::PRelu),
        Just(Op::Clip {
            min: f32::NEG_INFINITY,
            max: f32::INFINITY
        }),
        "(Erf|Clip|Mystery)".prop_map(|op_type| {
            Op::Opaque(Opaque {
                domain: "com.example".into(),
                op_type,
                opset: ModelMeta::default().opset,
                message: vec![],
            })
        }),
    ]
}

fn arity(op: &Op) -> usize {
    match op {
        Op::Gemm(_) | Op::Opaque(_) => 3,
        Op::MatMul
        | Op::Binary(_)
        | Op::Gather { .. }
        | Op::Concat { .. }
        | Op::Reshape { .. }
        | Op::PRelu => 2,
        _ => 1,
    }
}

/// A graph of the given nodes. Shapes need not fit: reading and writing do not look at them.
fn graph(steps: Vec<Step>, weights: Vec<f32>, indices: &[i64]) -> Graph {
    let mut b = GraphBuilder::new("generated");
    let mut values = vec![
        (b.input("x", [Dim::batch(), Dim::Fixed(3)]), "x".to_owned()),
        (
            b.constant("weights", Tensor::f32([weights.len()], weights).unwrap()),
            "weights".into(),
        ),
        (
            b.constant("scalar", Tensor::f32([], vec![0.5]).unwrap()),
            "scalar".into(),
        ),
    ];
    for (number, (mut op, reads, leave_out)) in steps.into_iter().enumerate() {
        let name = format!("node {number}");
        let mut inputs: Vec<Option<(ValueId, String)>> = reads[..arity(&op)]
            .iter()
            .map(|r| Some(r.get(&values).clone()))
            .collect();
        if let Op::Gather { .. } | Op::Reshape { .. } = op {
            let tensor = Tensor::i64([1, indices.len()], indices.to_vec()).unwrap();
            let name = format!("indices {number}");
            inputs[1] = Some((b.constant(&name, tensor), name));
        }
        if leave_out && inputs.len() == 3 {
            inputs[2] = None;
        }
        if let Op::Opaque(opaque) = &mut op {
            let named = |i: &Option<(ValueId, String)>| i.clone().map(|i| i.1).unwrap_or_default();
            let message = NodeProto {
                name: Some(name.clone()),
                domain: Some(opaque.domain.clone()),
                op_type: Some(opaque.op_type.clone()),
                input: inputs.iter().map(named).collect(),
                output: vec![format!("y{number}")],
                doc_string: Some("kept".into()),
                ..NodeProto::default()
            };
            opaque.message = write_node(&message).unwrap();
        }
        let shape = Some(vec![Dim::batch(), Dim::Fixed(number)]);
        let output = b.declare(format!("y{number}"), shape);
        values.push((output, format!("y{number}")));
        let inputs = inputs.into_iter().map(|i| i.map(|i| i.0)).collect();
        b.add_node(Node {
            name,
            op,
            inputs,
            outputs: vec![output],
        });
    }
    b.output(values[values.len() - 1].0);
    b.build().unwrap()
}

fn meta() -> ModelMeta {
    ModelMeta {
        doc: "described".into(),
        properties: vec![
            ("config_hash".into(), "0123".into()),
            ("empty".into(), String::new()),
        ],
        domains: vec![("com.example".into(), 1)],
        ..ModelMeta::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_and_read_back_is_the_same(
        steps in prop::collection::vec((op(), any::<[prop::sample::Index; 3]>(), any::<bool>()), 1..12),
        weights in prop::collection::vec(-1e30f32..1e30, 0..9),
        indices in prop::collection::vec(any::<i64>(), 0..9),
    ) {
        let graph = graph(steps, weights, &indices);
        let bytes = write(&to_model(&graph, &meta()).unwrap()).unwrap();
        let model = read(&bytes, &Limits::default()).unwrap();
        let back = from_model(&model).unwrap();
        prop_assert_eq!(said(&back), said(&graph));
        prop_assert_eq!(ModelMeta::of(&model), meta());
        prop_assert_eq!(write(&to_model(&back, &ModelMeta::of(&model)).unwrap()).unwrap(), bytes);
    }
}

/// What the files of a folder come to as networks, and back; how many could be read as one.
fn survive(folder: &Path) -> usize {
    let files = model_files(folder).unwrap();
    let mut lowered = 0;
    for file in files {
        let model = read_file(&file, &Limits::default()).unwrap();
        match from_model(&model) {
            Ok(graph) => {
                assert_eq!(patch(&model, &graph, &graph).unwrap(), model);
                lowered += 1;
                match to_model(&graph, &ModelMeta::of(&model)) {
                    Ok(again) => {
                        let back = from_model(&again).unwrap();
                        assert_eq!(said(&back), said(&graph), "{}", file.display());
                    }
                    // Forms of old operator sets.
                    Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported, "{e}"),
                }
            }
            Err(e) => assert!(e.hint_text().is_some(), "{}: {e}", file.display()),
        }
    }
    lowered
}

#[test]
fn exported_files_survive() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../secateur/tests/fixtures");
    let counts = ["torch", "built", "given"].map(|folder| survive(&fixtures.join(folder)));
    assert_eq!(counts, [32, 27, 3]);
}

#[test]
fn real_files_survive_or_are_refused_with_a_reason() {
    let Some(data) = larger_data() else { return };
    let lowered = survive(&data.join("onnx-models"));
    assert!(lowered > 0, "no file could be read as a network");
}
