//! Paths are walked and judged by validation rows.

use secateur::path::{PathEnd, PathOptions, PathOutcome, PathProgress, PathReport, path};
use secateur::{Event, Evidence, Flow, Score};

use crate::case::{Case, pictures, regressor, short, table, values};
use crate::data::Data;

/// A path, and the validation scores of its epochs.
fn walk(case: &Case, data: &Data, drop: &str) -> (PathOutcome, Vec<Score>) {
    data.write(case.place());
    let options = PathOptions::new(3, "25%", Some(drop)).unwrap();
    let mut scores = vec![];
    let outcome = path(&case.config, &options, None, &mut |progress| {
        if let PathProgress::Train {
            event: Event::Epoch(epoch),
            ..
        } = progress
        {
            scores.push(epoch.validation.clone());
        }
        Flow::Continue
    });
    (outcome.unwrap(), scores)
}

/// All that test rows must not move.
fn decided(outcome: &PathOutcome) -> PathReport {
    let mut report = outcome.report.clone();
    report.data.fingerprint.clear();
    report.seconds = 0.0;
    report.machine.peak_memory_bytes = 0;
    for point in &mut report.points {
        point.test_score = 0.0;
        point.seconds = 0.0;
        point.verify = Evidence {
            runtime_difference: 0.0,
            engine_difference: 0.0,
            ..point.verify.clone()
        };
    }
    report
}

fn cases() -> [(Case, &'static str); 4] {
    let mut cases = [
        (table(), "8pt"),
        (values(), "30%"),
        (pictures(), "8pt"),
        (regressor(), "30%"),
    ];
    for (case, _) in &mut cases {
        case.config.part = None;
        case.config.budget = None;
        case.config.epochs = short().epochs;
    }
    cases
}

#[test]
fn other_test_rows_leave_a_path_as_it_was() {
    for (case, drop) in cases() {
        let (first, scores) = walk(&case, &case.data, drop);
        let (other, others) = walk(&case, &case.with_spoilt_tests(), drop);
        assert_ne!(
            first.report.ended,
            PathEnd::Failed,
            "{:?}",
            first.report.notes
        );
        assert!(first.report.points.len() > 2, "{:?}", first.report.notes);
        assert_eq!(scores, others);
        assert_eq!(decided(&first), decided(&other));
        for (a, b) in first.models.iter().zip(&other.models) {
            assert_eq!(a.bytes(), b.bytes());
        }
        for (a, b) in first.report.points.iter().zip(&other.report.points) {
            assert_ne!(a.test_score, b.test_score, "{}", a.name);
            assert_ne!(a.verify, b.verify, "{}", a.name);
        }
    }
}

/// Points behind the third lie where validation rows lead, and are left out.
#[test]
fn other_validation_rows_leave_the_points_of_a_path_as_they_were() {
    for (case, drop) in cases() {
        let changed = case.with(|data, split| {
            data.with_exchanged_features(&split.validation)
                .with_scaled_features(&split.validation, -9.0)
        });
        let ((first, _), (other, _)) = (walk(&case, &case.data, drop), walk(&case, &changed, drop));
        assert_eq!(first.report.strength, other.report.strength);
        for name in ["point-00", "point-01", "point-02"] {
            let find = |outcome: &PathOutcome| {
                let at = outcome.report.points.iter().position(|p| p.name == name);
                let at = at.unwrap();
                let point = outcome.report.points[at].clone();
                (point, outcome.models[at].bytes().to_vec())
            };
            let ((a, bytes), (b, others)) = (find(&first), find(&other));
            assert_eq!(bytes, others, "{name}");
            assert_eq!((a.test_score, a.verify), (b.test_score, b.verify), "{name}");
            assert_ne!(a.validation_score, b.validation_score, "{name}");
        }
    }
}
