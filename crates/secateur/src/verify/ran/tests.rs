//! One output that differs is enough to be refused, whoever gave it.

use super::*;
use crate::ErrorKind;

const RUNTIME: &str = "outputs of rten 0.27 differ";
const ENGINE: &str = "outputs of the engine differ";
const READ_BACK: &str = "the file read back computes something else than the network";

fn refused<T: std::fmt::Debug>(result: Result<T>, start: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    assert!(error.message().starts_with(start), "{error}");
}

/// Outputs of 3 and 2 numbers for each of 7 rows, of which the naive evaluator ran some.
struct Made {
    naive: Vec<Vec<f64>>,
    runtime: Vec<Vec<f32>>,
    engine: Vec<f32>,
    naive_rows: usize,
}

impl Made {
    fn new(naive_rows: usize) -> Self {
        let all = |width: usize| (0..7 * width).map(|i| 2.0 - i as f64 / 32.0);
        let single = |width| all(width).map(|v| v as f32).collect();
        Self {
            naive: [3, 2]
                .map(|w| all(w).take(naive_rows * w).collect())
                .to_vec(),
            runtime: vec![single(3), single(2)],
            engine: single(3),
            naive_rows,
        }
    }

    fn evidence(&self) -> Result<Evidence> {
        self.with(Some(&self.engine))
    }

    fn with(&self, engine: Option<&[f32]>) -> Result<Evidence> {
        let ran = Ran {
            naive: &self.naive,
            naive_rows: self.naive_rows,
            runtime: &self.runtime,
            engine,
            rows: 7,
        };
        ran.evidence()
    }
}

/// What is refused, what is accepted, and what that measures: differences relative to the largest number, which is 2.
fn judged(spoilt: impl Fn(f32) -> Result<Evidence>, by: &str) {
    let measured = |evidence: &Evidence| match by {
        RUNTIME => evidence.runtime_difference,
        _ => evidence.engine_difference,
    };
    let accepted = spoilt(2.0 * 5e-5).unwrap();
    assert!((measured(&accepted) - 5e-5).abs() < 1e-6, "{accepted:?}");
    for difference in [2e-4, 1e-3, -1e-3, f32::NAN, f32::INFINITY] {
        refused(spoilt(2.0 * difference), by);
    }
}

#[test]
fn equal_outputs_are_evidence_of_what_was_compared() {
    for naive_rows in [1, 3, 7] {
        let evidence = Made::new(naive_rows).evidence().unwrap();
        assert_eq!((evidence.rows, evidence.naive_rows), (7, naive_rows));
        assert_eq!(evidence.tolerance, 1e-4);
        assert_eq!(evidence.runtime, "rten 0.27");
        let differences = [evidence.runtime_difference, evidence.engine_difference];
        assert!(differences.iter().all(|d| *d < 1e-7), "{evidence:?}");
    }
}

#[test]
fn the_runtime_is_refused_for_one_number_of_any_output_that_the_naive_evaluator_gives() {
    for (output, at) in [(0, 0), (0, 20), (1, 0), (1, 13)] {
        judged(
            |by| {
                let mut made = Made::new(7);
                made.runtime[output][at] += by;
                // The engine is with the naive evaluator.
                made.evidence()
            },
            RUNTIME,
        );
    }
    // Of the rows that the naive evaluator ran, the last, and without an engine.
    judged(
        |by| {
            let mut made = Made::new(3);
            made.runtime[1][5] += by;
            made.with(None)
        },
        RUNTIME,
    );
}

#[test]
fn the_engine_is_refused_for_one_number_of_any_row() {
    for naive_rows in [7, 3, 1] {
        for at in [0, 8, 20] {
            judged(
                |by| {
                    let mut made = Made::new(naive_rows);
                    made.engine[at] += by;
                    made.evidence()
                },
                ENGINE,
            );
        }
    }
}

#[test]
fn behind_the_rows_of_the_naive_evaluator_runtime_and_engine_are_held_to_each_other() {
    judged(
        |by| {
            let mut made = Made::new(3);
            made.runtime[0][20] += by;
            made.evidence()
        },
        ENGINE,
    );
}

/// Where the naive evaluator ran all rows, each is held to that alone.
#[test]
fn the_engine_is_not_held_to_the_runtime_for_rows_that_the_naive_evaluator_ran() {
    let mut made = Made::new(7);
    made.runtime[0][20] += 2.0 * 8e-5;
    made.engine[20] -= 2.0 * 8e-5;
    let evidence = made.evidence().unwrap();
    let differences = [evidence.runtime_difference, evidence.engine_difference];
    assert!(
        differences.iter().all(|d| (7e-5..9e-5).contains(d)),
        "{evidence:?}"
    );
    made.naive_rows = 3;
    made.naive = Made::new(3).naive;
    refused(made.evidence(), ENGINE);
}

#[test]
fn outputs_that_are_missing_or_of_other_rows_are_refused() {
    for naive_rows in [7, 3] {
        let spoilt = |spoil: &dyn Fn(&mut Made)| {
            let mut made = Made::new(naive_rows);
            spoil(&mut made);
            made.evidence()
        };
        refused(
            spoilt(&|m| m.runtime.truncate(1)),
            "rten 0.27 gives 1 outputs of 2",
        );
        refused(
            spoilt(&|m| m.runtime.push(vec![])),
            "rten 0.27 gives 3 outputs of 2",
        );
        refused(spoilt(&|m| m.runtime[1].truncate(12)), RUNTIME);
        refused(spoilt(&|m| m.runtime[1].push(1.0)), RUNTIME);
        refused(spoilt(&|m| m.runtime[1].truncate(6)), RUNTIME);
        refused(spoilt(&|m| m.engine.truncate(18)), ENGINE);
        refused(spoilt(&|m| m.engine.truncate(9)), ENGINE);
        refused(spoilt(&|m| m.engine.extend([1.0; 3])), ENGINE);
        refused(spoilt(&|m| m.engine.clear()), ENGINE);
    }
    let mut none = Made::new(7);
    none.naive.clear();
    none.runtime.clear();
    refused(none.evidence(), "the network has no output to compare");
}

#[test]
fn what_reads_back_is_refused_for_more_than_double_precision_rounds() {
    let want = Made::new(7).naive;
    let back = |output: usize, at: usize, by: f64| {
        let mut back = want.clone();
        back[output][at] += by;
        hold_read_back(&want, &back)
    };
    for (output, at) in [(0, 0), (0, 20), (1, 13)] {
        back(output, at, 1e-12).unwrap();
        for by in [4e-12, 1e-9, 2e-3, f64::NAN, f64::INFINITY] {
            refused(back(output, at, by), READ_BACK);
        }
    }
    refused(hold_read_back(&want, &want[..1]), READ_BACK);
    refused(hold_read_back(&want[..1], &want), READ_BACK);
}
