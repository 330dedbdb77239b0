//! Whole measurements of small networks. What they take is not looked at.

use secateur_graph::{Dim, Graph, GraphBuilder, ModelMeta, Op, Tensor, Unary, to_model};
use secateur_testkit::mlp;

use super::*;

fn file(name: &str, graph: &Graph) -> ModelFile {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    ModelFile::of(name.into(), model, graph.clone(), 0).unwrap()
}

fn dense(name: &str, hidden: usize) -> ModelFile {
    file(name, &mlp(&[3, hidden, 2], Unary::Relu, 1).unwrap())
}

/// A product with a square matrix, of an input of this shape.
fn square(name: &str, first: Dim) -> ModelFile {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [first, Dim::Named("n".into()), Dim::Fixed(2)]);
    let w = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let w = b.constant("w", w);
    let y = b.node("y", Op::MatMul, &[x, w]);
    b.output(y);
    file(name, &b.build().unwrap())
}

fn quick(batches: &[usize], threads: &[usize]) -> Settings {
    Settings {
        batches: batches.to_vec(),
        threads: threads.to_vec(),
        seconds: 1e-3,
        ..Settings::default()
    }
}

fn silent(models: &[ModelFile], settings: &Settings) -> Result<Latencies> {
    measure(models, settings, &mut |_| {})
}

#[test]
fn every_model_is_measured_on_both_engines_at_every_batch_and_number_of_threads() {
    let models = [dense("a", 8), dense("b", 4)];
    let mut shares = vec![];
    let settings = quick(&[1, 5], &[1, 2]);
    let told = measure(&models, &settings, &mut |p| shares.push(p.share)).unwrap();
    assert!(shares.is_sorted() && shares.iter().all(|s| (0.0..=1.0 + 1e-9).contains(s)));
    let order: Vec<_> = told
        .latencies
        .iter()
        .map(|l| (l.batch, l.threads, l.engine, l.model.as_str()))
        .collect();
    let mut wanted = vec![];
    for batch in [1, 5] {
        for threads in [1, 2] {
            for engine in Engine::ALL {
                wanted.extend(["a", "b"].map(|model| (batch, threads, engine, model)));
            }
        }
    }
    assert_eq!(order, wanted);
    for latency in &told.latencies {
        let measured = latency.measured.as_ref().unwrap();
        assert!(measured.difference.unwrap() <= crate::verify::TOLERANCE);
        let ratio = measured.ratio.unwrap();
        assert!(latency.model != "a" || (ratio.least, ratio.p90) == (1.0, 1.0));
    }
    assert_eq!((told.length, told.notes()), (None, vec![]));
}

#[test]
fn a_fixed_batch_is_kept_to_and_others_have_no_ratio_there() {
    let models = [square("fixed", Dim::Fixed(3)), square("open", Dim::batch())];
    let told = silent(&models, &quick(&[1, 3], &[1])).unwrap();
    let found: Vec<(usize, &str, bool, bool)> = told
        .latencies
        .iter()
        .filter(|l| l.engine == Engine::Runtime)
        .map(|l| {
            let ratio = l.measured.as_ref().is_some_and(|m| m.ratio.is_some());
            (l.batch, l.model.as_str(), l.measured.is_some(), ratio)
        })
        .collect();
    let wanted = [
        (1, "fixed", false, false),
        (1, "open", true, false),
        (3, "fixed", true, true),
        (3, "open", true, true),
    ];
    assert_eq!(found, wanted);
    assert_eq!(told.length, Some(64));
    assert_eq!(
        told.notes(),
        ["fixed: run in batches of 3 only, as its input says"]
    );
}

#[test]
fn what_the_engine_does_not_run_has_a_reason_in_place_of_a_number() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let y = b.input("y", [Dim::Fixed(1), Dim::Fixed(2)]);
    let z = b.node("z", Op::Binary(secateur_graph::Binary::Add), &[x, y]);
    b.output(z);
    let told = silent(&[file("sum", &b.build().unwrap())], &quick(&[2], &[1])).unwrap();
    let [own, runtime] = &told.latencies[..] else {
        panic!("{told:?}");
    };
    assert_eq!(own.measured, None);
    let reason = own.reason.as_deref().unwrap();
    assert_eq!(
        reason,
        "the engine cannot run it: its inputs differ in their numbers of rows"
    );
    assert_eq!(runtime.measured.as_ref().unwrap().difference, None);
}

/// Two inputs that meet, and two outputs behind each other.
fn several(name: &str) -> (ModelFile, [secateur_graph::ValueId; 2]) {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let y = b.input("y", [Dim::batch(), Dim::Fixed(2)]);
    let add = Op::Binary(secateur_graph::Binary::Add);
    let sum = b.node("sum", add, &[x, y]);
    let weights = ["v", "w"].map(|name| {
        let tensor = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        b.constant(name, tensor)
    });
    let first = b.node("first", Op::MatMul, &[sum, weights[0]]);
    let relu = b.node("relu", Op::Unary(Unary::Relu), &[first]);
    let second = b.node("second", Op::MatMul, &[relu, weights[1]]);
    b.output(first);
    b.output(second);
    (file(name, &b.build().unwrap()), weights)
}

#[test]
fn all_inputs_and_outputs_of_a_model_are_run_and_compared() {
    let (model, weights) = several("a");
    let told = silent(std::slice::from_ref(&model), &quick(&[1, 3], &[2])).unwrap();
    for latency in &told.latencies {
        let measured = latency.measured.as_ref().unwrap();
        assert!(measured.difference.unwrap() < 1e-6, "{latency:?}");
    }
    // The engine runs the network, the runtime the file: whichever output differs is seen.
    for weights in weights {
        let (mut other, _) = several("a");
        let drawn = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.004]).unwrap();
        other.graph.set_constant(weights, drawn).unwrap();
        let error = silent(&[other], &quick(&[3], &[1])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    }
}

#[test]
fn rows_that_are_not_the_first_axis_of_the_output_are_left_to_the_runtime() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let y = b.node("y", Op::Transpose { order: vec![1, 0] }, &[x]);
    b.output(y);
    let told = silent(&[file("t", &b.build().unwrap())], &quick(&[3], &[1])).unwrap();
    assert!(told.latencies[0].measured.is_none(), "{told:?}");
    assert!(told.latencies[1].measured.is_some(), "{told:?}");
}

#[test]
fn outputs_that_differ_are_an_error_and_no_number() {
    // The engine runs the network, the runtime the file.
    let mut model = dense("a", 4);
    let other = Tensor::f32([3, 4], vec![0.5; 12]).unwrap();
    let weights = model.graph.values().iter().find_map(|v| {
        let found = v.constant.as_ref().is_some_and(|t| t.shape() == [3, 4]);
        found.then(|| v.name.clone())
    });
    let weights = model.graph.value_named(&weights.unwrap()).unwrap();
    model.graph.set_constant(weights, other).unwrap();
    let error = silent(&[model], &quick(&[1], &[1])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification);
    let text = error.to_string();
    assert!(
        text.starts_with("a: outputs of the engine and of rten"),
        "{text}"
    );
}

#[test]
fn batches_too_large_to_be_run_are_refused_before_anything_is_drawn() {
    let error = silent(&[dense("a", 4)], &quick(&[1 << 28], &[1])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let named = error
        .to_string()
        .starts_with("a: an input has 805306368 numbers");
    assert!(named, "{error}");
}
