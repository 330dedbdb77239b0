//! Controls are chosen by validation rows.

use secateur::{Event, Flow, Outcome, Progress, Score, Stage, compress};

use crate::case::{Case, short};
use crate::data::{classes, numbers};
use crate::decided::{Decided, Tested};

fn case(is_classified: bool) -> Case {
    let mut config = short();
    config.baseline = Some(true);
    config.control = Some("narrow".into());
    match is_classified {
        true => Case::new(classes(300, &[5], 0.4, 0), config),
        false => Case::new(numbers(300, 4, 0), config),
    }
}

/// A run, with the validation score of each narrowed network at its end.
fn run(case: &Case) -> (Outcome, Vec<Score>) {
    case.data.write(case.place());
    let mut last = vec![];
    let outcome = compress(&case.config, None, &mut |progress| {
        if let Progress::Train {
            stage: Stage::Narrow,
            event: Event::Epoch(epoch),
        } = progress
            && epoch.number == epoch.of
        {
            last.push(epoch.validation.clone());
        }
        Flow::Continue
    });
    (outcome.unwrap(), last)
}

#[test]
fn other_test_rows_leave_controls_as_they_were() {
    for is_classified in [true, false] {
        let case = case(is_classified);
        let first = case.run(&case.data);
        let other = case.run(&case.with_spoilt_tests());
        assert!(first.report.dense.is_some() && first.report.narrow.is_some());
        assert_eq!(Decided::of(&first), Decided::of(&other));
        assert_ne!(Tested::of(&first).scores[0], Tested::of(&other).scores[0]);
        assert_ne!(Tested::of(&first).scores[1], Tested::of(&other).scores[1]);
    }
}

#[test]
fn the_decay_of_a_narrowed_control_is_the_best_on_validation_rows() {
    let case = case(false);
    let (outcome, tried) = run(&case);
    assert_eq!(tried.len(), 3);
    let standardised = |score: &Score| match score {
        Score::Values { rmse, .. } => rmse.clone(),
        Score::Classes { .. } => panic!("numbers"),
    };
    let qualities: Vec<f64> = tried.iter().map(Score::quality).collect();
    assert!(
        qualities[0] != qualities[1] && qualities[1] != qualities[2],
        "{qualities:?}"
    );
    let best = tried
        .iter()
        .max_by(|a, b| a.quality().total_cmp(&b.quality()));
    let scaler = secateur_data::TargetScaler::fit(
        secateur::load_data(&case.config, None).unwrap().target(),
        &case.split().train,
    );
    let units = standardised(best.unwrap()).into_iter();
    let units: Vec<f64> = units
        .zip(scaler.unwrap().scale())
        .map(|(rmse, &scale)| rmse * f64::from(scale))
        .collect();
    let mean = units.iter().sum::<f64>() / units.len() as f64;
    assert_eq!(outcome.report.narrow.unwrap().validation_score, mean);
}
