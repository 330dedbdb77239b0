//! What one run of a comparison came to: the line of a file that a finished cell leaves.

use serde::{Deserialize, Serialize};

use super::grid::Unit;
use crate::auto::Try;
use crate::{Arm, Report, RightRows, Seconds};

/// One finished unit of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What was run.
    pub unit: Unit,
    /// SHA-256 of the data.
    pub fingerprint: String,
    /// `accuracy` or `rmse`.
    pub metric: String,
    /// How it ended.
    pub result: Outcome,
}

/// How a unit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// With a network.
    Done(Box<Measured>),
    /// The share of MACs lies below what the part always leaves.
    NotReachable {
        /// The least MACs a row that the part leaves.
        floor: u64,
    },
    /// No strength that was tried came near the share of MACs.
    NotReached {
        /// The nearest MACs a row.
        nearest: u64,
    },
    /// The loss was not a finite number.
    Diverged,
}

/// What was measured on the network that a unit ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Scores on rows that nothing was chosen on, in [`Cell::metric`].
    pub test: f64,
    /// The same on the rows that choices look at.
    pub validation: f64,
    /// The same on the rows learnt from.
    pub train: f64,
    /// Mean over target columns of the coefficient of determination on the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Inputs read, then units of each hidden layer.
    pub units: Vec<usize>,
    /// The same before.
    pub units_before: Vec<usize>,
    /// The same, counted by the threshold of the published script.
    pub live_units: Vec<usize>,
    /// Weights and biases.
    pub params: u64,
    /// Multiply-accumulate operations a row.
    pub macs: u64,
    /// The same if all inputs were read.
    pub macs_all_inputs: u64,
    /// Of the dense network.
    pub macs_before: u64,
    /// Weights left, biases apart.
    pub weights: u64,
    /// Exact zeros among them.
    pub zero_weights: u64,
    /// Magnitudes below the script's threshold among them.
    pub small_weights: u64,
    /// Share of the weights penalised at the first step.
    pub penalised_share: f64,
    /// Lambda.
    pub strength: f64,
    /// Epochs run.
    pub epochs: usize,
    /// Where the time went.
    pub seconds: Seconds,
    /// Whether nothing else of the comparison ran meanwhile.
    pub alone: bool,
    /// Worker threads.
    pub threads: usize,
    /// Instruction set.
    pub instruction_set: String,
    /// The narrowed dense network of equal MACs, where one was trained in the same cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrow_test: Option<f64>,
    /// Which test rows are right, where classes are predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_rows: Option<RightRows>,
    /// Runs that were needed to come to the share of MACs, the chosen one among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
}

/// What is kept of a run.
pub(crate) struct Run {
    pub(crate) report: Report,
    pub(crate) right_rows: Option<RightRows>,
}

impl Measured {
    pub(crate) fn of(run: &Run, alone: bool) -> Self {
        let report = &run.report;
        let Arm {
            test_score,
            validation_score,
            train_score,
            ref r2_by_column,
            ..
        } = report.after;
        Self {
            test: test_score,
            validation: validation_score,
            train: train_score,
            r2: (!r2_by_column.is_empty())
                .then(|| r2_by_column.iter().sum::<f64>() / r2_by_column.len() as f64),
            units: report.after.units.clone(),
            units_before: report.before.units.clone(),
            live_units: report.after.weights.live_units.clone(),
            params: report.after.params,
            macs: report.after.macs,
            macs_all_inputs: report.after.macs_all_inputs,
            macs_before: report.before.macs,
            weights: report.after.weights.all,
            zero_weights: report.after.weights.zero,
            small_weights: report.after.weights.small,
            penalised_share: report.penalised_share,
            strength: report.strength,
            epochs: report.epochs,
            seconds: report.seconds,
            alone,
            threads: report.machine.threads,
            instruction_set: report.machine.instruction_set.clone(),
            narrow_test: report.narrow.as_ref().map(|n| n.test_score),
            right_rows: run.right_rows.clone(),
            tries: report.tries.clone(),
        }
    }
}

impl Cell {
    /// What was measured, if the unit came to a network.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.result {
            Outcome::Done(measured) => Some(measured),
            Outcome::NotReachable { .. } | Outcome::NotReached { .. } | Outcome::Diverged => None,
        }
    }

    /// Whether larger scores are better.
    pub fn higher_is_better(&self) -> bool {
        self.metric == "accuracy"
    }
}
