//! When the outputs of two engines are the same, and when a model has no latency.

use secateur_graph::{ModelMeta, Unary, to_model};
use secateur_testkit::mlp;

use super::*;

fn agreed(want: &[Vec<f32>], have: &[Vec<f32>]) -> Result<f64> {
    let graph = mlp(&[2, 3, 1], Unary::Relu, 1).unwrap();
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let file = ModelFile::of("m".into(), model, graph, 0).unwrap();
    Subject::of(&file).agree(want, have, 4)
}

fn refused(result: Result<f64>, said: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification);
    assert!(error.to_string().starts_with(said), "{error}");
}

const DIFFER: &str = "m: outputs of the engine and of rten 0.27 differ";

/// Two outputs of four rows; the largest number of each is 2.
fn outputs() -> Vec<Vec<f32>> {
    let output = |width: usize| (0..4 * width).map(|i| 2.0 - i as f32 / 8.0).collect();
    vec![output(3), output(2)]
}

fn with(output: usize, at: usize, by: f32) -> Vec<Vec<f32>> {
    let mut outputs = outputs();
    outputs[output][at] += by;
    outputs
}

#[test]
fn one_number_that_differs_is_enough() {
    assert_eq!(agreed(&outputs(), &outputs()).unwrap(), 0.0);
    for (output, at) in [(0, 1), (0, 11), (1, 1), (1, 7)] {
        let close = agreed(&outputs(), &with(output, at, 2.0 * 5e-5)).unwrap();
        assert!((close - 5e-5).abs() < 1e-6, "{close}");
        for by in [2e-4, 1e-3, -1e-3] {
            let other = with(output, at, 2.0 * by);
            refused(agreed(&outputs(), &other), DIFFER);
            refused(agreed(&other, &outputs()), DIFFER);
        }
    }
}

#[test]
fn outputs_that_are_missing_or_longer_differ() {
    let outputs = outputs();
    let mut longer = outputs.clone();
    longer[1].push(0.0);
    for other in [&outputs[..1], &longer[..]] {
        refused(agreed(&outputs, other), DIFFER);
        refused(agreed(other, &outputs), DIFFER);
    }
}

#[test]
fn what_is_no_finite_number_is_refused_wherever_it_is() {
    let said = "m: gives outputs that are no finite numbers";
    for by in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let other = with(1, 7, by);
        refused(agreed(&outputs(), &other), said);
        refused(agreed(&other, &outputs()), said);
        refused(agreed(&other, &other), said);
    }
}
