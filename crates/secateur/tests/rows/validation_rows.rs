//! Validation rows never train: where nothing is chosen, they move nothing but their own scores.

use secateur::Score;

use crate::case::all;
use crate::decided::{Decided, Tested};

#[test]
fn other_validation_rows_leave_the_weights_as_they_were() {
    for (name, case) in all() {
        let first = case.run(&case.data);
        let changed = case.with(|data, split| {
            data.with_exchanged_features(&split.validation)
                .with_scaled_features(&split.validation, -1000.0)
        });
        let other = case.run(&changed);
        assert_eq!(first.model.bytes(), other.model.bytes(), "{name}");
        assert_eq!(Tested::of(&first), Tested::of(&other), "{name}");
        let (first, other) = (Decided::of(&first), Decided::of(&other));
        assert_eq!(first.report.removals, other.report.removals, "{name}");
        let (before, after) = (&first.report.after, &other.report.after);
        assert_eq!(before.train_score, after.train_score, "{name}");
        for (arm, epochs) in [(before, &first.epochs), (after, &other.epochs)] {
            if let Score::Classes { accuracy, .. } = epochs[epochs.len() - 1].validation {
                assert_eq!(arm.validation_score, accuracy, "{name}");
            } else {
                assert_ne!(before.validation_score, after.validation_score, "{name}");
            }
        }
        for (before, after) in first.epochs.iter().zip(&other.epochs) {
            assert_eq!(before.loss, after.loss, "{name}");
            assert_ne!(before.validation, after.validation, "{name}");
        }
    }
}

/// Otherwise a run that learns nothing would pass every law.
#[test]
fn one_other_training_row_gives_other_weights() {
    for (name, case) in all() {
        let changed = case.with(|data, split| data.with_scaled_features(&split.train[..1], 1.5));
        let (first, other) = (case.run(&case.data), case.run(&changed));
        assert_ne!(first.model.bytes(), other.model.bytes(), "{name}");
        let (first, other) = (&first.trained.epochs[0], &other.trained.epochs[0]);
        assert_ne!(first.loss, other.loss, "{name}");
    }
}
