//! Models of others that are ranked and repaired on data: which part of a file is scored, and when statistics change.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use secateur::{
    Choice, Config, Criterion, ErrorKind, Limit, Measured, ModelData, ModelFile, RepairBy,
    SmallModel, shrink_model, shrink_model_on,
};
use secateur_graph::{
    Dim, Gemm, Graph, GraphBuilder, ModelMeta, Op, Tensor, Unary, from_model, to_model,
};
use secateur_prox::Share;
use secateur_testkit::Stream;

const PIXELS: usize = 64;
const UNITS: usize = 6;
const CLASSES: usize = 10;

/// Digits through a normalised layer whose unit 3 nobody reads, perhaps with a softmax at the end.
fn network(batch: Dim, is_soft: bool) -> Graph {
    let mut stream = Stream::new(4);
    let mut b = GraphBuilder::new("net");
    let mut drawn =
        |count: usize| -> Vec<f32> { (0..count).map(|_| (0.3 * stream.unit()) as f32).collect() };
    let first = drawn(PIXELS * UNITS);
    let mut last = drawn(UNITS * CLASSES);
    last[3 * CLASSES..4 * CLASSES].fill(0.0);
    let x = b.input("x", [batch, Dim::Fixed(PIXELS)]);
    let mut constant = |name: &str, shape: &[usize], values: Vec<f32>| {
        b.constant(name, Tensor::f32(shape, values).unwrap())
    };
    let w1 = constant("w1", &[PIXELS, UNITS], first);
    let w2 = constant("w2", &[UNITS, CLASSES], last);
    let scale = constant("scale", &[UNITS], vec![1.0, 0.5, 2.0, 1.5, 0.7, 0.9]);
    let shift = constant("shift", &[UNITS], vec![0.1, 0.2, 0.3, 0.1, 0.0, -0.1]);
    let mean = constant("mean", &[UNITS], vec![0.0; UNITS]);
    let variance = constant("variance", &[UNITS], vec![1.0; UNITS]);
    let bias = constant("bias", &[CLASSES], vec![0.0; CLASSES]);
    let h = b.node("dense1", Op::MatMul, &[x, w1]);
    let norm = Op::BatchNorm {
        epsilon: 1e-5,
        momentum: 0.9,
    };
    let h = b.node("norm", norm, &[h, scale, shift, mean, variance]);
    let h = b.node("act", Op::Unary(Unary::Relu), &[h]);
    let mut y = b.node("dense2", Op::Gemm(Gemm::default()), &[h, w2, bias]);
    if is_soft {
        y = b.node("soft", Op::Softmax { axis: 1 }, &[y]);
    }
    b.output(y);
    b.build().unwrap()
}

fn file(folder: &Path, graph: &Graph) -> ModelFile {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    let path = folder.join("model.onnx");
    std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
    ModelFile::read(&path).unwrap()
}

fn digits(file: &ModelFile) -> ModelData {
    let config = Config {
        data: Some("digits".into()),
        threads: Some(1),
        ..Config::default()
    };
    ModelData::read(file, &config, 200, None).unwrap()
}

fn dropping(units: &[usize]) -> Choice {
    let dropped = BTreeMap::from([("dense1".to_owned(), units.to_vec())]);
    Choice::of(Limit::AllBut(dropped))
}

fn numbers(small: &SmallModel, name: &str) -> Vec<f32> {
    let limits = secateur_onnx::Limits::default();
    let model = secateur_onnx::read(small.bytes(), &limits).unwrap();
    let graph = from_model(&model).unwrap();
    let id = graph.value_named(name).unwrap();
    graph.constant(id).unwrap().as_f32().unwrap().to_vec()
}

fn taylor(data: &ModelData, file: &ModelFile) -> Vec<Vec<f64>> {
    let measured = data.measured_for(Criterion::Taylor, file).unwrap();
    measured.gradients.unwrap()
}

#[test]
fn a_softmax_at_the_end_and_a_fixed_batch_are_left_aside() {
    let folder = tempfile::tempdir().unwrap();
    let scores = |graph: &Graph| {
        let file = file(folder.path(), graph);
        let data = digits(&file);
        (taylor(&data, &file), data.quality(file.graph()).unwrap())
    };
    let plain = scores(&network(Dim::batch(), false));
    assert_eq!(scores(&network(Dim::batch(), true)), plain);
    assert_eq!(scores(&network(Dim::Fixed(1), false)), plain);
}

#[test]
fn what_the_loss_does_not_miss_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &network(Dim::batch(), true));
    let choice = Choice {
        by: Criterion::Taylor,
        ..Choice::of(Limit::Units(Share::new(5.0 / 6.0).unwrap()))
    };
    let scores = taylor(&digits(&file), &file);
    let hidden = file.groups().named("dense1").unwrap();
    assert_eq!(scores[hidden.index()][3], 0.0);
    let by = |scores: Vec<Vec<f64>>| {
        let measured = Measured {
            gradients: Some(scores),
            ..Measured::default()
        };
        shrink_model_on(&file, &choice, &measured)
    };
    let small = by(scores.clone()).unwrap();
    assert_eq!(small.keep().kept(hidden), [0, 1, 2, 4, 5]);
    assert_eq!(small.scores(), scores);
    // Scores of data are not made of nothing, nor of another model, nor of what is no number.
    let error = shrink_model(&file, &choice).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(by(vec![]).is_err());
    let mut unknown = scores;
    unknown[hidden.index()][1] = f64::NAN;
    let error = by(unknown).unwrap_err();
    assert!(error.to_string().contains("'dense1'"), "{error}");
}

#[test]
fn statistics_change_where_units_went_that_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &network(Dim::batch(), true));
    let data = digits(&file);
    let exact = shrink_model(&file, &dropping(&[3])).unwrap();
    assert!(exact.is_exact(&file));

    let small = shrink_model(&file, &dropping(&[3, 4])).unwrap();
    assert!(!small.is_exact(&file));
    let inputs = data.repair_inputs(&file).unwrap();
    let again = (small.clone())
        .repair(&file, &inputs, RepairBy::Statistics, &|_| {})
        .unwrap();
    let repair = again.repaired().unwrap();
    assert_eq!(
        (repair.inputs(), repair.way()),
        ([140, 30, 30], "statistics")
    );
    assert_eq!(repair.to_json()["norms"], 1);
    for name in ["w1", "w2", "scale", "shift", "bias"] {
        assert_eq!(numbers(&again, name), numbers(&small, name), "{name}");
    }
    for name in ["mean", "variance"] {
        let (old, new) = (numbers(&small, name), numbers(&again, name));
        assert_eq!(old.len(), new.len());
        assert!(old.iter().zip(&new).all(|(a, b)| a != b), "{name}: {new:?}");
    }
    // What is written gives what was measured: digits are told apart better by units that are neither always on nor off.
    let loss = |small: &SmallModel| data.quality(&small.graph().unwrap()).unwrap().test.2;
    assert_ne!(loss(&small), loss(&again));
}

#[test]
fn a_model_without_normalisation_has_nothing_to_recalibrate() {
    let folder = tempfile::tempdir().unwrap();
    let graph = secateur_testkit::mlp(&[PIXELS, 4, CLASSES], Unary::Relu, 1).unwrap();
    let file = file(folder.path(), &graph);
    let small = shrink_model(&file, &Choice::of("50%".parse().unwrap())).unwrap();
    let inputs = digits(&file).repair_inputs(&file).unwrap();
    let error = (small.repair(&file, &inputs, RepairBy::Statistics, &|_| {})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.hint_text().unwrap().contains("folded"), "{error:?}");
}
