//! The wrapped network computes what the trained one does, and what does not cannot be written.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use secateur::{ErrorKind, Verified, Wrapping, assemble};
use secateur_data::{Features, Scaling, Standardiser, Storage, Target, TargetScaler};
use secateur_graph::{Array, ChannelGroups, Graph, Keep, ModelMeta, Unary, evaluate, shrink};
use secateur_testkit::{Stream, mlp};

const ROWS: usize = 20;
const COLUMNS: usize = 5;

/// Raw features of very different scale, with their standardiser.
fn features() -> (Vec<f32>, Standardiser) {
    let mut stream = Stream::new(1);
    let scales = [1.0, 1000.0, 1e-3, 50.0, 3.0];
    let raw: Vec<f32> = (0..ROWS * COLUMNS)
        .map(|i| (scales[i % COLUMNS] * (stream.unit() + 2.0)) as f32)
        .collect();
    let table = Features::new(Storage::F32(raw.clone()), COLUMNS).unwrap();
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    (raw, Standardiser::fit(&table, &rows, Scaling::PerFeature))
}

/// A network that reads features 0, 2 and 3 only.
fn network(outputs: usize) -> Graph {
    let graph = mlp(&[COLUMNS, 7, outputs], Unary::Tanh, 3).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let (input, _) = groups.iter().next().unwrap();
    let mut keep = Keep::all(&groups);
    for unread in [1, 4] {
        keep.drop(input, unread).unwrap();
    }
    shrink(&graph, &groups, &keep).unwrap().graph
}

fn array(values: &[f32], columns: usize) -> Array {
    let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
    Array::new([values.len() / columns, columns], values).unwrap()
}

fn standardised(raw: &[f32], by: &Standardiser) -> Array {
    let scaled: Vec<f64> = raw
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let c = i % COLUMNS;
            (f64::from(x) - f64::from(by.shift()[c])) / f64::from(by.scale()[c])
        })
        .collect();
    Array::new([ROWS, COLUMNS], scaled).unwrap()
}

fn as_f32(array: &Array) -> Vec<f32> {
    array.values.iter().map(|&v| v as f32).collect()
}

#[test]
fn a_classifier_takes_raw_features_and_gives_logits_and_probabilities() {
    let (raw, standardiser) = features();
    let core = network(3);
    let wrapping = Wrapping {
        standardiser: &standardiser,
        target_scaler: None,
        softmax: true,
    };
    let whole = assemble(&core, wrapping).unwrap();
    let outputs = evaluate(&whole, &[array(&raw, COLUMNS)]).unwrap();
    let want = &evaluate(&core, &[standardised(&raw, &standardiser)]).unwrap()[0];
    for (a, b) in want.values.iter().zip(&outputs[0].values) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    for row in outputs[1].values.chunks(3) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let model = Verified::new(&whole, &ModelMeta::default(), &raw, ROWS, &as_f32(want)).unwrap();
    assert!(model.evidence().runtime_difference < 1e-5);
    assert!(model.bytes().len() > 100);
}

#[test]
fn a_regression_gives_the_target_in_its_own_units() {
    let (raw, standardiser) = features();
    let core = network(2);
    let target = Target::Values {
        columns: vec!["a".into(), "b".into()],
        values: (0..ROWS * 2).map(|i| 100.0 + i as f32 * 7.0).collect(),
    };
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let scaler = TargetScaler::fit(&target, &rows).unwrap();
    let wrapping = Wrapping {
        standardiser: &standardiser,
        target_scaler: Some(&scaler),
        softmax: false,
    };
    let whole = assemble(&core, wrapping).unwrap();
    let have = &evaluate(&whole, &[array(&raw, COLUMNS)]).unwrap()[0];
    let core_outputs = &evaluate(&core, &[standardised(&raw, &standardiser)]).unwrap()[0];
    for (i, (&y, &z)) in have.values.iter().zip(&core_outputs.values).enumerate() {
        let want = z * f64::from(scaler.scale()[i % 2]) + f64::from(scaler.shift()[i % 2]);
        assert!((y - want).abs() < 1e-9, "{y} {want}");
    }
    Verified::new(&whole, &ModelMeta::default(), &raw, ROWS, &as_f32(have)).unwrap();
}

#[test]
fn outputs_that_differ_are_refused() {
    let (raw, standardiser) = features();
    let wrapping = Wrapping {
        standardiser: &standardiser,
        target_scaler: None,
        softmax: false,
    };
    let whole = assemble(&network(3), wrapping).unwrap();
    let right = as_f32(&evaluate(&whole, &[array(&raw, COLUMNS)]).unwrap()[0]);
    for spoil in [1.001f32, f32::NAN] {
        let mut wrong = right.clone();
        let largest = (0..wrong.len()).max_by(|&a, &b| wrong[a].abs().total_cmp(&wrong[b].abs()));
        wrong[largest.unwrap()] *= spoil;
        let refused = Verified::new(&whole, &ModelMeta::default(), &raw, ROWS, &wrong);
        assert_eq!(
            refused.unwrap_err().kind(),
            ErrorKind::Verification,
            "{spoil}"
        );
    }
}
