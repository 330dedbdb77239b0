//! What a run did, as numbers with their units.

use secateur_train::{Ended, Score};
use serde::{Deserialize, Serialize};

use crate::auto::Try;
use crate::budget::BudgetReport;
use crate::layers::LayerReport;
use crate::origin::GIVEN;
use crate::verify::Evidence;
use crate::{Error, ErrorKind, Origin, Result};

/// What `report.json` and its neighbours mean; raised when a reader of an older folder would misread one.
pub const FORMAT: u32 = 2;

/// Everything a run measured; serialised as `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Version of the program.
    pub secateur: String,
    /// First 16 hexadecimal digits of the SHA-256 of the complete config.
    pub config_hash: String,
    /// `complete`, `interrupted` or `diverged`.
    pub ended: String,
    /// Epoch in which the run ended.
    pub epochs: usize,
    /// The network that the run started from: `chain` of dense layers, the name of one for images, or `given`.
    #[serde(default = "chain")]
    pub start: String,
    /// What was read.
    pub data: DataReport,
    /// What `test_score` is: `accuracy` (share of rows) or `rmse` (in the target's units).
    pub metric: String,
    /// The same network trained without a penalty, if asked for.
    pub dense: Option<Arm>,
    /// The network at the start of the run: untrained, or as the user gave it.
    pub before: Arm,
    /// The network that was written.
    pub after: Arm,
    /// A uniformly narrowed dense network of equal MACs, trained as long, if asked for.
    pub narrow: Option<Arm>,
    /// Where the time of the compressing run went.
    pub seconds: Seconds,
    /// Lambda.
    pub strength: f64,
    /// The strengths that were tried on validation rows, if it was to be found.
    pub tries: Vec<Try>,
    /// Share of the weights that were penalised at the first step.
    pub penalised_share: f64,
    /// What became of the budget; none where there was none, and in folders that older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetReport>,
    /// Every removal with its evidence.
    pub removals: Vec<RemovalReport>,
    /// Every layer whose units were penalised, with their lengths; folders that older versions wrote have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerReport>,
    /// How the written file was checked.
    pub verify: Evidence,
    /// What the run depended on beside the config.
    pub machine: Machine,
}

/// What was read, and how it was divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Short name.
    pub name: String,
    /// SHA-256 of inputs and targets.
    pub fingerprint: String,
    /// Features a row.
    pub features: usize,
    /// Rows learnt from.
    pub train_rows: usize,
    /// Rows that choices looked at.
    pub validation_rows: usize,
    /// Rows of `test_score`.
    pub test_rows: usize,
    /// Odd things that the reader saw.
    pub notes: Vec<String>,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Accuracy or RMSE on the test rows.
    pub test_score: f64,
    /// The same on the validation rows.
    pub validation_score: f64,
    /// The same on the training rows.
    pub train_score: f64,
    /// Mean over classes of the share of right test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// RMSE of each target column on the test rows, in its units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rmse_by_column: Vec<f64>,
    /// Coefficient of determination of each target column on the test rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub r2_by_column: Vec<f64>,
    /// Weights and biases.
    pub params: u64,
    /// Multiply-accumulate operations a row.
    pub macs: u64,
    /// The same if all input features were read.
    pub macs_all_inputs: u64,
    /// Size of the model file.
    pub bytes: u64,
    /// Input features read, then units of each hidden layer; of networks for images, the units of each group of channels.
    pub units: Vec<usize>,
    /// Weights, biases apart, and how many of them do nothing or little.
    pub weights: WeightCount,
    /// Training time; 0 for the untrained network.
    pub train_seconds: f64,
}

/// How many weights of a network are there, and how many of them do little?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightCount {
    /// Weights, biases apart.
    pub all: u64,
    /// Those that are exactly zero.
    pub zero: u64,
    /// Those of magnitude below [`SMALL`], the exact zeros among them.
    pub small: u64,
    /// Input features and units of each hidden layer whose outgoing weights have magnitudes that add up
    /// to more than [`SMALL`]: what a script without exact zeros counts as alive.
    pub live_units: Vec<usize>,
}

/// The threshold below which the published script takes a weight for zero and a unit for dead.
pub const SMALL: f32 = 1e-3;

/// Wall time by what it went into.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// The compressing run, from the first to the last step.
    pub total: f64,
    /// All runs that were needed to find the strength, the chosen one among them.
    pub search: f64,
    /// Layer outputs and loss.
    pub forward: f64,
    /// Gradients.
    pub backward: f64,
    /// The optimiser's moves.
    pub update: f64,
    /// The penalty.
    pub penalty: f64,
    /// Finding, removing and checking dead units.
    pub shrink: f64,
    /// Scoring validation rows.
    pub score: f64,
    /// Reading and splitting the data.
    pub load: f64,
    /// Checking the written file.
    pub verify: f64,
}

/// One removal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemovalReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Hidden units removed.
    pub units: usize,
    /// How many of them were constant and folded into the next bias.
    pub folded: usize,
    /// Input features removed.
    pub inputs: usize,
    /// Removed to meet a budget, not because they were dead.
    pub asked: bool,
    /// Largest relative difference, masked against shrunk, on the naive f64 evaluator.
    pub naive_difference: f64,
    /// The same on the engine.
    pub engine_difference: f64,
}

/// What a run depended on beside its config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Worker threads.
    pub threads: usize,
    /// Widest instruction set in use.
    pub instruction_set: String,
    /// Most memory the process ever held, in bytes; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
    /// Memory that was planned for data and training before the run began, in bytes; 0 in reports of earlier versions.
    #[serde(default)]
    pub planned_memory_bytes: u64,
}

fn chain() -> String {
    Origin::Chain.to_string()
}

impl Report {
    /// Whether the run started from a chain of dense layers, which may lose inputs.
    pub fn is_chain(&self) -> bool {
        self.start == chain()
    }

    /// Whether the network before the run was trained already.
    pub fn starts_trained(&self) -> bool {
        self.start == GIVEN
    }

    /// Whether a larger `test_score` is better.
    pub fn higher_is_better(&self) -> bool {
        self.metric == "accuracy"
    }

    /// The content of `report.json`.
    ///
    /// # Errors
    /// Never in practice: every number has a place in JSON.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()).at("report.json"))?;
        Ok(text + "\n")
    }
}

/// A score in the user's terms: accuracy, or the mean of the columns' RMSE in their units.
pub(crate) fn headline(score: &Score, scale: &[f32]) -> f64 {
    match score {
        Score::Classes { accuracy, .. } => *accuracy,
        Score::Values { .. } => {
            let by_column = rmse_by_column(score, scale);
            by_column.iter().sum::<f64>() / by_column.len().max(1) as f64
        }
    }
}

/// RMSE of each column in its own units.
pub(crate) fn rmse_by_column(score: &Score, scale: &[f32]) -> Vec<f64> {
    match score {
        Score::Classes { .. } => vec![],
        Score::Values { rmse, .. } => rmse
            .iter()
            .zip(scale)
            .map(|(r, &s)| r * f64::from(s))
            .collect(),
    }
}

/// `complete`, `interrupted` or `diverged`.
pub(crate) fn ended_name(ended: Ended) -> &'static str {
    match ended {
        Ended::Complete => "complete",
        Ended::Interrupted { .. } => "interrupted",
        Ended::Diverged { .. } => "diverged",
    }
}

/// Most memory the process ever held, in bytes; 0 where the system does not tell.
pub(crate) fn peak_memory() -> u64 {
    told_memory("VmHWM:")
}

/// Memory that the process holds, likewise.
pub(crate) fn resident_memory() -> u64 {
    told_memory("VmRSS:")
}

fn told_memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
