//! How many test rows there are decides nothing, and predictions are told of test rows.

use secateur::Outcome;

use crate::case::{Case, pixels, short, values};
use crate::data::{Data, Targets, numbers};
use crate::decided::Decided;

/// The data without the last rows of their test set.
fn with_fewer_tests(data: &Data, fewer: usize) -> Data {
    let mut data = data.clone();
    let rows = data.rows() - fewer;
    data.cells.truncate(rows * data.width());
    match &mut data.targets {
        Targets::Classes(labels) => labels.truncate(rows),
        Targets::Numbers(values, width) => values.truncate(rows * *width),
    }
    data.own_test -= fewer;
    data
}

fn decided(outcome: &Outcome) -> Decided {
    let mut decided = Decided::of(outcome);
    decided.report.data.test_rows = 0;
    decided.report.verify.rows = 0;
    decided.report.verify.naive_rows = 0;
    decided.report.machine.planned_memory_bytes = 0;
    decided
}

#[test]
fn a_run_is_the_same_with_fewer_test_rows() {
    let case = pixels();
    let first = case.run(&case.data);
    let other = case.run(&with_fewer_tests(&case.data, 50));
    assert_eq!(
        (first.report.data.test_rows, other.report.data.test_rows),
        (80, 30)
    );
    assert_eq!(decided(&first), decided(&other));
    assert_ne!(first.report.after.test_score, other.report.after.test_score);
}

/// Thousands of rows could show that a stronger penalty costs little; those that are looked at are too few for that.
#[test]
fn many_test_rows_do_not_let_a_search_for_strengths_go_on() {
    let mut config = short();
    config.strength = None;
    config.epochs = Some(3);
    let case = Case::new(numbers(3300, 2, 3000), config);
    let first = case.run(&case.data);
    assert_eq!(
        (first.report.data.validation_rows, first.report.tries.len()),
        (30, 1)
    );
    let other = case.run(&with_fewer_tests(&case.data, 2980));
    assert_eq!(decided(&first), decided(&other));
}

#[test]
fn predictions_are_those_of_test_rows_beside_what_was_measured() {
    let case = values();
    let outcome = case.run(&case.data);
    let Targets::Numbers(values, width) = &case.data.targets else {
        panic!("numbers");
    };
    let predictions = outcome.predictions.unwrap();
    for (column, told) in predictions.targets.iter().enumerate() {
        let test = case.split().test;
        let measured = test.iter().map(|&r| values[r as usize * width + column]);
        assert!(measured.eq(told.measured.iter().copied()));
        let errors = told
            .measured
            .iter()
            .zip(&told.predicted)
            .map(|(m, p)| f64::from(m - p));
        let squares: f64 = errors.map(|e| e * e).sum();
        let rmse = (squares / test.len() as f64).sqrt();
        let score = outcome.report.after.rmse_by_column[column];
        // Predictions are brought back to their units in single precision.
        assert!((rmse / score - 1.0).abs() < 1e-4, "{rmse} {score}");
    }
}

#[test]
fn right_rows_are_those_of_the_test_score() {
    let case = pixels();
    let outcome = case.run(&case.data);
    let right = outcome.right_rows.unwrap();
    assert_eq!(right.accuracy(), outcome.report.after.test_score);
    let own = right.against(&secateur::RightRows::new(vec![true; case.data.own_test]));
    let wrong = (80.0 * (1.0 - outcome.report.after.test_score)).round() as u64;
    assert!(own.is_some_and(|(only_this, only_all, _)| (only_this, only_all) == (0, wrong)));
}
