//! Operators with attributes that are given and left out, beside the naive evaluator, which is held to an independent
//! runtime on them.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use secateur_engine::{Network, Threads};
use secateur_graph::{Array, Dim, Element, Graph, evaluate, from_model};
use secateur_onnx::f32_tensor;
use secateur_onnx::proto::NodeProto;
use secateur_testkit::{Judged, Stream, judged};

use super::{check, check_outputs};

/// The network with trained slopes before the operator, so that gradients flow through it; none where its rows are
/// not those of
/// a batch.
fn trained(one: &Judged) -> Option<Graph> {
    let graph = one.graph().unwrap();
    let first = graph.value(*graph.inputs().first()?);
    let shape = first.shape.as_ref()?;
    let is_batch = matches!(shape.first(), Some(Dim::Named(_)));
    if !is_batch || shape.len() < 2 || first.element.is_some_and(|e| e != Element::F32) {
        return None;
    }
    let row: Vec<usize> = one.inputs[0].shape[1..].to_vec();
    let mut model = one.model.clone();
    let proto = model.graph.get_or_insert_default();
    let mut stream = Stream::new(7);
    let mut all = vec![];
    for (at, given) in one.inputs.iter().enumerate() {
        // Whatever else flows is the same input with other slopes.
        if given.shape != one.inputs[0].shape {
            return None;
        }
        let op = proto.node[0].op_type.clone()?;
        let (from, slopes, made) = (
            proto.input[at].name.clone()?,
            format!("slopes{at}"),
            format!("made{at}"),
        );
        let numbers: Vec<f32> = (0..row.iter().product())
            .map(|_| 0.9 + 0.3 * stream.unit() as f32)
            .collect();
        proto
            .initializer
            .push(f32_tensor(&slopes, &row, &numbers).unwrap());
        for name in proto.node[0].input.iter_mut().filter(|name| **name == from) {
            name.clone_from(&made);
        }
        all.push(NodeProto {
            op_type: Some("PRelu".into()),
            input: vec![proto.input[0].name.clone()?, slopes],
            output: vec![format!("sloped{at}")],
            ..NodeProto::default()
        });
        all.push(NodeProto {
            op_type: Some(domain_of(&op).unwrap_or("Identity").into()),
            input: vec![format!("sloped{at}")],
            output: vec![made],
            ..NodeProto::default()
        });
    }
    all.append(&mut proto.node);
    proto.node = all;
    proto.input.truncate(1);
    proto.output.truncate(1);
    Some(from_model(&model).unwrap())
}

/// Whether as many rows come out as go in, whatever their number.
fn is_by_rows(graph: &Graph, row: &[usize]) -> bool {
    [1, 3].into_iter().all(|rows| {
        let shape = [&[rows], row].concat();
        let x = Array::new(shape.clone(), vec![0.5; shape.iter().product()]).unwrap();
        let made = evaluate(graph, &[x]);
        made.is_ok_and(|made| made[0].shape.first() == Some(&rows) && !made[0].values.is_empty())
    })
}

/// Whether differences tell a slope: nothing goes back through a rest, and a cast to single precision goes in steps.
fn has_slopes(op: &str) -> bool {
    !matches!(op, "Mod" | "Cast")
}

/// What brings drawn numbers to where the operator is defined.
fn domain_of(op: &str) -> Option<&'static str> {
    Some(match op {
        "Acosh" => "Cosh",
        "Acos" | "Asin" | "Atanh" => "Softsign",
        "Div" | "Log" | "Pow" | "Reciprocal" | "ReduceLogSum" | "Sqrt" => "Softplus",
        _ => return None,
    })
}

/// Checks the operators with an initial in the range, and tells which of them are run; of two names of the same one,
/// the first.
fn run(from: char, to: char) -> Vec<String> {
    let (mut run, mut tried) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = vec![];
    for one in judged().unwrap() {
        let is_own = one
            .op_type()
            .starts_with(|c: char| (from..=to).contains(&c));
        let Some(graph) = is_own.then(|| trained(&one)).flatten() else {
            continue;
        };
        let row = &one.inputs[0].shape[1..];
        let one_row = [&[1], row].concat();
        let network = Network::compile(&graph, &one_row, 2, 0, Threads::new(1).unwrap());
        if network.is_err() {
            continue;
        }
        // What is moved between rows has other rows behind it.
        let wholes: Vec<&[i64]> = graph
            .value_ids()
            .filter_map(|id| graph.constant(id)?.as_i64())
            .collect();
        let is_new = tried.insert(format!("{:?} {wholes:?} {row:?}", graph.nodes()));
        if !is_new || !is_by_rows(&graph, row) {
            continue;
        }
        run.insert(one.op_type().to_owned());
        let checks = || {
            check_outputs(&graph, 1);
            match has_slopes(one.op_type()) {
                true => check(&graph, 3),
                false => check_outputs(&graph, 3),
            }
        };
        if catch_unwind(AssertUnwindSafe(checks)).is_err() {
            wrong.push(one.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    run.into_iter().collect()
}

#[test]
fn operators_from_a_to_c() {
    assert_eq!(
        run('A', 'C').join(" "),
        "Abs Acos Acosh Add ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil Celu \
         Clip Concat Conv ConvTranspose Cos Cosh"
    );
}

#[test]
fn operators_from_d_to_l() {
    assert_eq!(
        run('D', 'L').join(" "),
        "DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor Gather Gelu Gemm \
         GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid \
         HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less \
         LessOrEqual Log LogSoftmax"
    );
}

#[test]
fn operators_from_m_to_q() {
    assert_eq!(
        run('M', 'Q').join(" "),
        "MatMul Max MaxPool Mean Min Mish Mod Mul Neg PRelu Pad Pow QuickGelu"
    );
}

#[test]
fn operators_from_r_to_z() {
    assert_eq!(
        run('R', 'Z').join(" "),
        "RMSNormalization Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean \
         ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round Selu Shrink Sigmoid Sign \
         Sin Sinh Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh \
         ThresholdedRelu Tile Transpose Unsqueeze Upsample Where"
    );
}
