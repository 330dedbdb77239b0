//! Measures networks and data for the report.

use secateur_engine::Chain;
use secateur_graph::{ChannelGroups, Graph, Tensor, cost};
use secateur_train::{Score, Trained, score};

use crate::Result;
use crate::job::Job;
use crate::prepare::Prepared;
use crate::report::{Arm, DataReport, RemovalReport, SMALL, WeightCount, headline, rmse_by_column};
use secateur_prune::norms;

impl Job {
    /// What was read, and how it was divided.
    pub(crate) fn data_report(&self) -> DataReport {
        let Prepared { dataset, split, .. } = &self.prepared;
        DataReport {
            name: dataset.name().to_owned(),
            fingerprint: dataset.fingerprint().to_string(),
            features: dataset.inputs(),
            train_rows: split.train.len(),
            validation_rows: split.validation.len(),
            test_rows: split.test.len(),
            notes: dataset
                .notes()
                .iter()
                .chain(&split.notes)
                .cloned()
                .collect(),
        }
    }

    /// Scores and costs of a network.
    pub(crate) fn arm(&self, graph: &Graph, train_seconds: f64) -> Result<Arm> {
        let split = &self.prepared.split;
        let threads = self.plan.settings.threads;
        let on = |rows: &[u32]| -> Result<Score> { Ok(score(graph, &self.rows(rows)?, threads)?) };
        let scale = self
            .prepared
            .target_scaler
            .as_ref()
            .map_or(&[][..], |s| s.scale());
        let test = on(&split.test)?;
        let cost = cost(graph)?;
        let units = secateur_train::widths(graph)?;
        let macs_all_inputs = match self.plan.start.is_chain() {
            true => {
                let unread = (self.prepared.dataset.inputs() - units[0]) as u64;
                let first = *units.get(1).unwrap_or(&self.prepared.dataset.outputs()) as u64;
                cost.macs + unread * first
            }
            false => cost.macs,
        };
        Ok(Arm {
            test_score: headline(&test, scale),
            validation_score: headline(&on(&split.validation)?, scale),
            train_score: headline(&on(&split.train)?, scale),
            balanced_accuracy: match &test {
                Score::Classes {
                    balanced_accuracy, ..
                } => Some(*balanced_accuracy),
                Score::Values { .. } => None,
            },
            rmse_by_column: rmse_by_column(&test, scale),
            r2_by_column: match &test {
                Score::Values { r2, .. } => r2.clone(),
                Score::Classes { .. } => vec![],
            },
            params: cost.params,
            macs: cost.macs,
            macs_all_inputs,
            bytes: self.file_size(graph)?,
            units,
            weights: weight_count(graph)?,
            train_seconds,
        })
    }
}

/// How many weights a network has, and how many of them do little.
fn weight_count(graph: &Graph) -> Result<WeightCount> {
    let Ok(network) = Chain::compile(graph, 1, 0, 1) else {
        return net_weight_count(graph);
    };
    let mut count = WeightCount {
        all: 0,
        zero: 0,
        small: 0,
        live_units: vec![],
    };
    for layer in network.layers() {
        let weights = layer.weight();
        let counted = |is: &dyn Fn(f32) -> bool| weights.iter().filter(|&&w| is(w)).count() as u64;
        count.all += weights.len() as u64;
        count.zero += counted(&|w| w == 0.0);
        count.small += counted(&|w| w.abs() < SMALL);
        let lives = |row: &&[f32]| row.iter().map(|w| w.abs()).sum::<f32>() > SMALL;
        let live = weights.chunks_exact(layer.outputs()).filter(lives).count();
        count.live_units.push(live);
    }
    Ok(count)
}

/// The same for networks of any form; of each group, the units whose reading weights are not small.
fn net_weight_count(graph: &Graph) -> Result<WeightCount> {
    let mut count = WeightCount {
        all: 0,
        zero: 0,
        small: 0,
        live_units: vec![],
    };
    let weights = graph.values().iter().filter_map(|v| v.constant.as_deref());
    for weights in weights
        .filter(|t| t.shape().len() > 1)
        .filter_map(Tensor::as_f32)
    {
        let counted = |is: &dyn Fn(f32) -> bool| weights.iter().filter(|&&w| is(w)).count() as u64;
        count.all += weights.len() as u64;
        count.zero += counted(&|w| w == 0.0);
        count.small += counted(&|w| w.abs() < SMALL);
    }
    let groups = ChannelGroups::of(graph)?;
    for group in groups.groups().iter().filter(|g| g.is_free()) {
        let sums = norms(graph, group, f64::abs);
        let live = sums.iter().filter(|&&s| s > f64::from(SMALL)).count();
        count.live_units.push(live);
    }
    Ok(count)
}

/// Every removal of a run.
pub(crate) fn removals(trained: &Trained) -> Vec<RemovalReport> {
    let report = |r: &secateur_train::Removal| RemovalReport {
        epoch: r.epoch,
        units: r.units,
        folded: r.folded,
        inputs: r.inputs,
        asked: r.asked,
        naive_difference: r.naive_difference,
        engine_difference: r.engine_difference,
    };
    trained.removals.iter().map(report).collect()
}
