//! What a run leaves beside its report: its epochs, the features that are still read, and predictions.

use secateur_data::{ImageShape, Target, drawn};
use secateur_engine::Chain;
use secateur_graph::Graph;
use secateur_train::{Epoch, Score, outputs, right_rows};
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::layers::NormReport;
use crate::{Result, RightRows};

/// Test rows whose predictions are kept, at most.
const PREDICTED_ROWS: usize = 1_000;

/// One epoch; a line of `log.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: usize,
    /// Mean training loss, penalty apart.
    pub train_loss: f64,
    /// Mean loss on the validation rows.
    pub validation_loss: f64,
    /// Share of right validation rows, where classes are predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// Mean of the columns' RMSE on the validation rows in standardised units, where numbers are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_rmse_standardised: Option<f64>,
    /// Lambda at its end; 0 while settling.
    pub strength: f64,
    /// Input features read, then units of each hidden layer.
    pub units: Vec<usize>,
    /// Lengths of the units of each penalised layer, in the order of the report's `layers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub norms: Vec<NormReport>,
    /// Multiply-accumulate operations a row.
    pub macs: u64,
    /// Seconds since the run began.
    pub seconds: f64,
}

impl From<&Epoch> for EpochRecord {
    fn from(e: &Epoch) -> Self {
        let (accuracy, rmse) = match &e.validation {
            Score::Classes { accuracy, .. } => (Some(*accuracy), None),
            Score::Values { .. } => (None, Some(-e.validation.quality())),
        };
        Self {
            epoch: e.number,
            train_loss: e.loss,
            validation_loss: e.validation.loss(),
            validation_accuracy: accuracy,
            validation_rmse_standardised: rmse,
            strength: e.lambda,
            units: e.units.clone(),
            norms: e.norms.iter().map(NormReport::from).collect(),
            macs: e.macs,
            seconds: e.seconds,
        }
    }
}

/// Which features the small network still reads; the content of `inputs.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputsRecord {
    /// The name of every feature.
    pub names: Vec<String>,
    /// Height, width and channels, where a row is a picture; features are stored in that order.
    pub image: Option<[usize; 3]>,
    /// Indices into `names`, rising.
    pub read: Vec<usize>,
    /// For each of `read`, the norm of its outgoing weights in the first layer (features standardised).
    pub norms: Vec<f32>,
}

/// What the small network predicts for some test rows; the content of `predictions.json`. Regression only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Names of the features, where there are at most two; else none.
    pub features: Vec<String>,
    /// One list a feature, in its own units.
    pub inputs: Vec<Vec<f32>>,
    /// One entry a target column.
    pub targets: Vec<TargetPredictions>,
    /// The formula and the noise that the data were drawn from, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn_from: Option<String>,
}

/// One target column, row by row, in its own units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPredictions {
    /// Of the column.
    pub name: String,
    /// As in the data.
    pub measured: Vec<f32>,
    /// By the small network.
    pub predicted: Vec<f32>,
    /// Without noise, where the function that made the data is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<Vec<f32>>,
}

impl Job {
    /// Which features `graph` reads, and how strongly.
    pub(crate) fn inputs_record(&self, graph: &Graph) -> Result<InputsRecord> {
        let dataset = &self.prepared.dataset;
        let shape = |i: ImageShape| [i.height, i.width, i.channels];
        let Ok(network) = Chain::compile(graph, 1, 0, 1) else {
            // Networks over places read all of them.
            return Ok(InputsRecord {
                names: vec![],
                image: dataset.image().map(shape),
                read: vec![],
                norms: vec![],
            });
        };
        let read = match network.selected_inputs() {
            Some(selected) => selected.to_vec(),
            None => (0..dataset.inputs()).collect(),
        };
        let norm = |row: &[f32]| row.iter().map(|w| w * w).sum::<f32>().sqrt();
        let first = &network.layers()[0];
        Ok(InputsRecord {
            names: dataset.feature_names().to_vec(),
            image: dataset.image().map(shape),
            read,
            norms: first
                .weight()
                .chunks_exact(first.outputs())
                .map(norm)
                .collect(),
        })
    }

    /// Which test rows `graph` gets right; none where numbers are predicted.
    pub(crate) fn right_rows(&self, graph: &Graph) -> Result<Option<RightRows>> {
        let rows = self.rows(&self.prepared.split.test)?;
        let right = right_rows(graph, &rows, self.plan.settings.threads)?;
        Ok(right.map(RightRows::new))
    }

    /// Predictions of `graph` for the first test rows; none for classes.
    pub(crate) fn predictions(&self, graph: &Graph) -> Result<Option<Predictions>> {
        let dataset = &self.prepared.dataset;
        let Target::Values { columns, values } = dataset.target() else {
            return Ok(None);
        };
        let test = &self.prepared.split.test;
        let sample = &test[..PREDICTED_ROWS.min(test.len())];
        let mut predicted = outputs(graph, &self.rows(sample)?, self.plan.settings.threads)?;
        if let Some(scaler) = &self.prepared.target_scaler {
            scaler.invert(&mut predicted);
        }
        let width = columns.len();
        let column = |all: &[f32], c: usize| -> Vec<f32> {
            sample
                .iter()
                .map(|&row| all[row as usize * width + c])
                .collect()
        };
        let targets = columns
            .iter()
            .enumerate()
            .map(|(c, name)| TargetPredictions {
                name: name.clone(),
                measured: column(values, c),
                predicted: predicted.iter().skip(c).step_by(width).copied().collect(),
                truth: dataset.truth().map(|truth| column(truth, c)),
            });
        let raw = self.prepared.raw(sample)?;
        let inputs = dataset.inputs();
        let shown = if inputs <= 2 { inputs } else { 0 };
        Ok(Some(Predictions {
            features: dataset.feature_names()[..shown].to_vec(),
            inputs: (0..shown)
                .map(|f| raw.iter().skip(f).step_by(inputs).copied().collect())
                .collect(),
            targets: targets.collect(),
            drawn_from: drawn::of(dataset).map(ToString::to_string),
        }))
    }
}
