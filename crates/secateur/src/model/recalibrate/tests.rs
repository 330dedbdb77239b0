//! What is measured anew is verified anew.

use std::collections::BTreeMap;

use secateur_graph::{
    Dim, Graph, GraphBuilder, ModelMeta, Op, Tensor, Unary, evaluate, from_model, to_model,
};
use secateur_onnx::Limits;
use secateur_testkit::Stream;

use super::*;
use crate::{Choice, Config, Limit, shrink_model};

/// Digits through four normalised units to ten numbers.
fn network(activation: Unary) -> Graph {
    let mut stream = Stream::new(4);
    let mut b = GraphBuilder::new("net");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(64)]);
    let mut drawn = |b: &mut GraphBuilder, name: &str, shape: [usize; 2]| {
        let numbers = (0..shape[0] * shape[1]).map(|_| (0.3 * stream.unit()) as f32);
        b.constant(name, Tensor::f32(shape, numbers.collect()).unwrap())
    };
    let (w1, w2) = (drawn(&mut b, "w1", [64, 4]), drawn(&mut b, "w2", [4, 10]));
    let [scale, shift, mean, variance] = [
        ("scale", 1.0),
        ("shift", 0.1),
        ("mean", 0.0),
        ("variance", 1.0),
    ]
    .map(|(name, v)| b.constant(name, Tensor::f32([4], vec![v; 4]).unwrap()));
    let h = b.node("dense1", Op::MatMul, &[x, w1]);
    let norm = Op::BatchNorm {
        epsilon: 1e-5,
        momentum: 0.9,
    };
    let h = b.node("norm", norm, &[h, scale, shift, mean, variance]);
    let h = b.node("act", Op::Unary(activation), &[h]);
    let y = b.node("dense2", Op::MatMul, &[h, w2]);
    b.output(y);
    b.build().unwrap()
}

fn file(activation: Unary) -> ModelFile {
    let graph = network(activation);
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    ModelFile::of("m".into(), model, graph, 0).unwrap()
}

#[test]
fn a_file_that_is_another_network_behind_its_statistics_is_refused() {
    let file = file(Unary::Relu);
    let config = Config {
        data: Some("digits".into()),
        threads: Some(1),
        ..Config::default()
    };
    let data = ModelData::read(&file, &config, 50, None).unwrap();
    let dropped = BTreeMap::from([("dense1".to_owned(), vec![1])]);
    let small = shrink_model(&file, &Choice::of(Limit::AllBut(dropped))).unwrap();

    let again = small.clone().recalibrate(&file, &data).unwrap();
    let Some(Recalibration::Measured { verified, .. }) = again.recalibration() else {
        panic!("{:?}", again.recalibration());
    };
    let test = &data.job.prepared.split.test;
    assert_eq!(verified.rows, test.len().min(256));
    assert!(verified.runtime_difference < 1e-5 && verified.engine_difference < 1e-5);
    // What is kept is what was verified: it has the new statistics.
    let back = again.parts.read(LOCATION, &Limits::default()).unwrap();
    let row = secateur_graph::Array::new([1, 64], vec![0.5; 64]).unwrap();
    let run = |graph: &Graph| evaluate(graph, std::slice::from_ref(&row)).unwrap();
    assert_ne!(
        run(&from_model(&back).unwrap()),
        run(&small.graph().unwrap())
    );

    // The nodes of the file are not those of the network.
    let mut other = file.clone();
    other.graph = self::file(Unary::Tanh).graph;
    let error = small.recalibrate(&other, &data).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    assert!(error.to_string().contains("the file read back"), "{error}");
}
