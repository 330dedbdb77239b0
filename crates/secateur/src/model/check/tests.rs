//! Whole comparisons of models that differ.

use secateur_graph::{Dim, GraphBuilder, ModelMeta, Op, Tensor, Unary, to_model};
use secateur_onnx::write_apart;
use secateur_testkit::mlp;

use super::*;
use crate::{Choice, shrink_model};

fn parts(graph: &Graph) -> Parts {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    write_apart(model, LOCATION).unwrap()
}

#[test]
fn other_outputs_and_files_that_no_longer_run_are_refused() {
    let (graph, other) = (
        mlp(&[3, 4, 2], Unary::Relu, 1).unwrap(),
        mlp(&[3, 4, 2], Unary::Relu, 2).unwrap(),
    );
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let file = ModelFile::of("m".into(), model, graph.clone(), 0).unwrap();
    let checked = |masked: &Graph, small: &Parts| {
        let models = Models {
            file: &file,
            masked: &|| Ok(masked.clone()),
            is_masked: true,
            small,
        };
        check(&models, 0)
    };
    let found = checked(&other, &parts(&other)).unwrap();
    assert_eq!(
        (found.runtime_difference, found.naive_difference),
        (Some(0.0), Some(0.0))
    );
    assert!(found.masking_moved.unwrap() > 0.1, "{found:?}");
    let mut cut = parts(&graph);
    // The masked model runs, this does not.
    cut.model.truncate(cut.model.len() / 2);
    for small in [parts(&other), cut] {
        let error = checked(&graph, &small).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    }
}

/// A file whose settled network is another one.
#[test]
fn a_model_that_was_settled_wrongly_is_refused() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let shape = b.node(
        "s",
        Op::Shape {
            start: 0,
            end: None,
        },
        &[x],
    );
    let y = b.node("y", Op::Reshape { allow_zero: false }, &[x, shape]);
    let w = b.constant("w", Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap());
    let z = b.node("z", Op::MatMul, &[y, w]);
    b.output(z);
    let graph = b.build().unwrap();
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let mut file = ModelFile::of("m".into(), model, graph, 0).unwrap();
    assert!(file.is_settled());
    let checked = |file: &ModelFile| {
        let small = file.patched(&file.graph).unwrap();
        let models = Models {
            file,
            masked: &|| Ok(file.graph.clone()),
            is_masked: true,
            small: &write_apart(small, LOCATION).unwrap(),
        };
        check(&models, 0)
    };
    checked(&file).unwrap();
    let other = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 5.0]).unwrap();
    let w = file.graph.value_named("w").unwrap();
    file.graph.set_constant(w, other).unwrap();
    let error = checked(&file).unwrap_err().to_string();
    assert!(
        error.starts_with("the model with its shapes settled differs from the file"),
        "{error}"
    );
}

/// A file whose nodes are not those of the network that is shrunk.
#[test]
fn what_is_made_of_a_model_is_held_to_its_network() {
    let [graph, other] =
        [Unary::Relu, Unary::Tanh].map(|activation| mlp(&[3, 4, 2], activation, 1).unwrap());
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let mut file = ModelFile::of("m".into(), model, graph, 0).unwrap();
    let half = Choice::of("50%".parse().unwrap());
    shrink_model(&file, &half).unwrap();
    file.verify_beforehand(0).unwrap();
    file.graph = other;
    let (shrunk, as_it_is) = (shrink_model(&file, &half), file.verify_beforehand(0));
    for refused in [shrunk.map(drop), as_it_is] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification);
        let text = error.to_string();
        assert!(
            text.contains("the small model differs from the masked one"),
            "{text}"
        );
    }
}

#[test]
fn work_decides_what_runs_inputs_that_the_runtime_refuses() {
    let engine = [99, 100, 101, u64::MAX - 1, u64::MAX].map(|work| is_for_the_engine(work, 100));
    assert_eq!(engine, [false, false, true, true, false]);
    // Ten thousand millions take the evaluator about a minute.
    let most = 10_000_000_000;
    let evaluator = [0, 1, 2].map(|turn| [most, most + 1].map(|w| is_for_the_evaluator(w, turn)));
    assert_eq!(evaluator, [[true, true], [true, false], [true, false]]);
}

#[test]
fn work_is_that_of_the_inputs() {
    let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
    let of = |shape: [usize; 2]| {
        let values = vec![0.0; shape.iter().product()];
        work_at(&graph, &[Array::new(shape, values).unwrap()])
    };
    // Multiply-accumulates of a row, whatever there are of them.
    assert_eq!([of([1, 3]), of([7, 3])], [20, 20]);
    // Shapes that do not fit are nobody's work.
    assert_eq!(of([1, 5]), 0);
}
