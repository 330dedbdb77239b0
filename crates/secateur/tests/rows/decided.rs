//! What a run decided, apart from what only its test rows say and from times.

use secateur::{Arm, Epoch, Evidence, Outcome, Report, Seconds};

pub(crate) const NO_TIME: Seconds = Seconds {
    total: 0.0,
    search: 0.0,
    forward: 0.0,
    backward: 0.0,
    update: 0.0,
    penalty: 0.0,
    shrink: 0.0,
    score: 0.0,
    load: 0.0,
    verify: 0.0,
};

/// All that test rows must not move.
#[derive(Debug, PartialEq)]
pub(crate) struct Decided {
    pub(crate) model: Vec<u8>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) read: Vec<usize>,
    pub(crate) report: Report,
}

/// All that is measured on test rows.
#[derive(Debug, PartialEq)]
pub(crate) struct Tested {
    pub(crate) scores: Vec<f64>,
    pub(crate) evidence: Evidence,
}

impl Decided {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let mut report = outcome.report.clone();
        report.data.fingerprint.clear();
        report.seconds = NO_TIME;
        report.machine.peak_memory_bytes = 0;
        report.tries.iter_mut().for_each(|t| t.seconds = 0.0);
        report.verify = Evidence {
            runtime_difference: 0.0,
            engine_difference: 0.0,
            ..report.verify
        };
        let controls = [&mut report.dense, &mut report.narrow]
            .into_iter()
            .flatten();
        for arm in controls.chain([&mut report.before, &mut report.after]) {
            *arm = untested(arm);
        }
        let epochs = outcome.trained.epochs.iter();
        Self {
            model: [outcome.model.bytes(), outcome.model.data()].concat(),
            epochs: epochs
                .map(|e| Epoch {
                    seconds: 0.0,
                    ..e.clone()
                })
                .collect(),
            read: outcome.inputs.read.clone(),
            report,
        }
    }
}

impl Tested {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let report = &outcome.report;
        let arms = [&report.dense, &report.narrow].into_iter().flatten();
        let arms = arms.chain([&report.before, &report.after]);
        Self {
            scores: arms.map(|arm| arm.test_score).collect(),
            evidence: report.verify.clone(),
        }
    }
}

fn untested(arm: &Arm) -> Arm {
    Arm {
        test_score: 0.0,
        balanced_accuracy: None,
        rmse_by_column: vec![],
        r2_by_column: vec![],
        train_seconds: 0.0,
        ..arm.clone()
    }
}
