//! Files are verified on test rows: what was measured then follows those, and no others.

use crate::case::{Case, classifier, pictures, regressor, short, table, values};
use crate::data::classes;
use crate::decided::Tested;

/// Rounding differs from row to row, so that other rows give other differences of the same network.
#[test]
fn evidence_is_of_test_rows() {
    for (name, case) in [
        ("table", table()),
        ("values", values()),
        ("pictures", pictures()),
        ("classifier", classifier()),
        ("regressor", regressor()),
    ] {
        let first = case.run(&case.data);
        let changed = case.with(|data, split| data.with_scaled_features(&split.test, 1.7));
        let other = case.run(&changed);
        assert_eq!(first.model.bytes(), other.model.bytes(), "{name}");
        let (before, after) = (&first.report.verify, &other.report.verify);
        assert_eq!(before.rows, first.report.data.test_rows, "{name}");
        assert_eq!(
            (after.rows, after.naive_rows),
            (before.rows, before.rows),
            "{name}"
        );
        assert!(before.runtime_difference > 0.0, "{name}");
        assert_ne!(
            before.runtime_difference, after.runtime_difference,
            "{name}"
        );
    }
}

#[test]
fn evidence_is_of_the_first_256_test_rows() {
    let case = Case::new(classes(430, &[5], 0.4, 300), short());
    let first = case.run(&case.data);
    assert_eq!(
        (first.report.data.test_rows, first.report.verify.rows),
        (300, 256)
    );
    let behind = case.with(|data, split| data.with_scaled_features(&split.test[256..], 1.7));
    let behind = case.run(&behind);
    assert_eq!(behind.report.verify, first.report.verify);
    assert_ne!(
        behind.report.after.test_score,
        first.report.after.test_score
    );
    let before = case.with(|data, split| data.with_scaled_features(&split.test[..256], 1.7));
    let before = Tested::of(&case.run(&before)).evidence;
    assert_ne!(
        before.runtime_difference,
        first.report.verify.runtime_difference
    );
}
