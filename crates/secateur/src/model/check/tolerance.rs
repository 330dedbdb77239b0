//! What each leg found is judged by itself, by one tolerance.

use secateur_graph::{ModelMeta, Unary, to_model};
use secateur_testkit::mlp;

use super::super::sample::Worst;
use super::*;

fn found(small: f64, settled: f64) -> Found {
    Found {
        small,
        settled: Some(settled),
        moved: Some(0.25),
        cut_at: vec![],
    }
}

fn held(small: f64, settled: f64, sampled: f64) -> Held {
    let sampled = Worst {
        difference: sampled,
        node: "n".into(),
    };
    Held {
        found: found(small, settled),
        sampled,
    }
}

/// All legs, with one difference in one of them.
fn legs(which: usize, difference: f64) -> Legs {
    let at = |own: usize| if own == which { difference } else { 0.0 };
    Legs {
        runtime: Some(found(at(0), at(1))),
        runtime_refused: None,
        naive: Some(found(at(2), at(3))),
        engine: Some(held(at(4), at(5), at(6))),
    }
}

fn judged(legs: Legs) -> Result<ModelEvidence> {
    let graph = mlp(&[2, 3, 1], Unary::Relu, 1).unwrap();
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let models = Models {
        file: &ModelFile::of("m".into(), model, graph.clone(), 0).unwrap(),
        masked: &|| Ok(graph.clone()),
        is_masked: true,
        small: &Parts {
            model: vec![],
            data: vec![],
        },
    };
    legs.judged(&models, false)
}

#[test]
fn each_leg_is_refused_for_a_difference_that_no_other_found() {
    let said = [
        "the small model differs from the masked one",
        "the model with its shapes settled differs from the file",
        "the engine at 'n' differs from the f64 evaluator",
    ];
    for which in 0..7 {
        for difference in [2e-4, 1e-3, f64::INFINITY, f64::NAN] {
            let error = judged(legs(which, difference)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification);
            let said = said[if which == 6 { 2 } else { which % 2 }];
            assert!(error.to_string().starts_with(said), "{which}: {error}");
        }
        judged(legs(which, 5e-5)).unwrap();
    }
}

#[test]
fn evidence_is_what_each_leg_found() {
    let evidence = judged(Legs {
        runtime: Some(found(1e-5, 0.0)),
        runtime_refused: None,
        naive: Some(found(2e-5, 0.0)),
        engine: Some(held(3e-5, 0.0, 4e-5)),
    });
    let evidence = evidence.unwrap();
    assert_eq!(evidence.runtime_difference, Some(1e-5));
    assert_eq!(evidence.naive_difference, Some(2e-5));
    assert_eq!(evidence.engine_difference, Some(3e-5));
    assert_eq!(evidence.engine_sampled, Some(4e-5));
    assert_eq!(evidence.masking_moved, Some(0.25));
    assert_eq!(evidence.tolerance, 1e-4);
    let error = judged(Legs::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("nothing here can run"),
        "{error}"
    );
}
