//! Test rows decide nothing.

use secateur::Outcome;

use crate::case::{Case, all, short, table, values};
use crate::data::{Data, classes};
use crate::decided::{Decided, Tested};

/// Runs a case again with other test rows: what was decided must come out bit for bit, what is told of test rows must
/// not.
fn law(name: &str, case: &Case, first: &Outcome, changed: &Data) {
    let other = case.run(changed);
    assert_eq!(Decided::of(first), Decided::of(&other), "{name}");
    let (before, after) = (Tested::of(first), Tested::of(&other));
    for (before, after) in before.scores.iter().zip(&after.scores) {
        assert_ne!(before, after, "{name}: nothing was shown");
    }
    assert_ne!(first.report.data.fingerprint, other.report.data.fingerprint);
}

#[test]
fn other_test_rows_leave_every_kind_of_run_as_it_was() {
    for (name, case) in all() {
        let first = case.run(&case.data);
        assert!(first.report.removals.iter().any(|r| r.units > 0), "{name}");
        law(name, &case, &first, &case.with_spoilt_tests());
    }
}

#[test]
fn each_change_of_test_rows_alone_leaves_a_run_as_it_was() {
    for (name, case) in [("table", table()), ("values", values())] {
        let first = case.run(&case.data);
        let exchanged = case.with(|data, split| data.with_exchanged_features(&split.test));
        law(name, &case, &first, &exchanged);
        let scaled = case.with(|data, split| data.with_scaled_features(&split.test, 1000.0));
        law(name, &case, &first, &scaled);
        let others = case.with(|data, split| data.with_other_targets(&split.test));
        law(name, &case, &first, &others);
    }
}

/// Classes so far apart that validation rows can afford stronger penalties.
#[test]
fn strengths_are_found_without_test_rows() {
    let mut config = short();
    config.strength = None;
    let case = Case::new(classes(300, &[5], 0.1, 0), config);
    let first = case.run(&case.data);
    assert!(first.report.tries.len() > 1, "{:?}", first.report.tries);
    law("auto", &case, &first, &case.with_spoilt_tests());
}

#[test]
fn a_limit_on_bytes_is_met_without_test_rows() {
    let mut case = table();
    case.config.budget = Some("bytes=1200".into());
    let first = case.run(&case.data);
    assert!(first.report.budget.as_ref().unwrap().is_met);
    law("bytes", &case, &first, &case.with_spoilt_tests());
}
