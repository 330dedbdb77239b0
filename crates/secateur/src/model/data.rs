//! Rows that a model of others is ranked on, measured on and repaired on.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use secateur_graph::Graph;
use secateur_prune::{Criterion, Measured, Needs};
use secateur_train::{activation_variances, score, taylor_scores};

use super::ModelFile;
use super::RepairInputs;
use super::quality::Quality;
use crate::given_model::trained_part;
use crate::job::Job;
use crate::prepare::Prepared;
use crate::report::headline;
use crate::{Config, Error, Plan, Result, load_data};

/// Stream of random numbers for the rows that are drawn.
const SAMPLE_STREAM: u64 = 17;
/// Rows of a batch whose gradients are summed before they are squared, as Molchanov et al. (2019) take.
const TAYLOR_BATCH: usize = 32;
/// Rows that activations are measured on at once.
const VARIANCE_BATCH: usize = 128;

/// A data set as `compress --model` would train a model on it, with some of its training rows drawn.
pub struct ModelData {
    pub(super) job: Job,
    /// Training rows that were drawn.
    sample: Vec<u32>,
}

impl ModelData {
    /// Reads the data that `config` names, looking below `data_dir` too, and draws `rows` of the training rows by its seed, all of
    /// them if there are fewer. Of the config, what is about data, the seed and the threads counts.
    ///
    /// # Errors
    /// If the data cannot be read or divided, no rows are asked for, or the model is none that can be trained.
    pub fn read(
        file: &ModelFile,
        config: &Config,
        rows: usize,
        data_dir: Option<&Path>,
    ) -> Result<Self> {
        if rows == 0 {
            return Err(Error::usage("no rows are asked for")
                .at("--rows")
                .hint("some hundred rows tell much, all of them the most"));
        }
        let config = Config {
            model: Some(file.name.clone()),
            penalty: Some("none".into()),
            ..config.clone()
        };
        let prepared = Prepared::new(load_data(&config, data_dir)?, &config)?;
        let plan = Plan::new(&config, &prepared.dataset, prepared.split.train.len())?;
        let sample = drawn(&prepared.split.train, rows, plan.settings.seed);
        let job = Job::of_model(plan, prepared, file.clone())?;
        Ok(Self { job, sample })
    }

    /// What a criterion needs, measured on the drawn rows. The loss is cross-entropy of what goes into a softmax at the end, or the
    /// squared distance to numbers; scores by it are [`taylor_scores`].
    ///
    /// # Errors
    /// If the model does not fit the data, has something without a derivative, or its loss is no number.
    pub fn measured_for(&self, by: Criterion, file: &ModelFile) -> Result<Measured> {
        let rows = self.job.rows(&self.sample)?;
        let core = self.core(&file.graph);
        let threads = self.job.plan.settings.threads;
        let place = |e| Error::from(e).in_file(&file.name);
        let mut measured = Measured::default();
        match by.needs() {
            // Covariances take no targets.
            Needs::Nothing | Needs::Covariances => {}
            Needs::Variances => {
                let found =
                    activation_variances(&core, &file.groups, &rows, VARIANCE_BATCH, threads);
                measured.variances = Some(found.map_err(place)?);
            }
            Needs::Gradients => {
                let found = taylor_scores(&core, &file.groups, &rows, TAYLOR_BATCH, threads);
                measured.gradients = Some(found.map_err(place)?);
            }
        }
        Ok(measured)
    }

    /// How good a network with the inputs and outputs of the model is on the validation and test rows.
    ///
    /// # Errors
    /// If it cannot be run or does not fit the data.
    pub fn quality(&self, whole: &Graph) -> Result<Quality> {
        let core = self.core(whole);
        let split = &self.job.prepared.split;
        let scaler = self.job.prepared.target_scaler.as_ref();
        let on = |rows: &[u32]| -> Result<(usize, f64, f64)> {
            let score = score(&core, &self.job.rows(rows)?, self.job.plan.settings.threads);
            let score = score.map_err(|e| Error::from(e).in_file(self.job.given_name()))?;
            let scale = scaler.map_or(&[][..], |s| s.scale());
            Ok((rows.len(), headline(&score, scale), score.loss()))
        };
        Ok(Quality {
            is_classifier: self.job.is_classification(),
            validation: on(&split.validation)?,
            test: on(&split.test)?,
        })
    }

    /// The drawn rows as inputs to repair on.
    ///
    /// # Errors
    /// If they cannot be read, do not fit the model, or are too few.
    pub fn repair_inputs(&self, file: &ModelFile) -> Result<RepairInputs> {
        let rows = self.job.rows(&self.sample)?;
        let shape = [&[rows.len()], rows.shape()].concat();
        let values = rows.features(0, rows.len())?.into_owned();
        let names = self.sample.iter().map(|row| format!("row {}", row + 1));
        let seed = self.job.plan.settings.seed;
        let inputs = file.inputs_of((shape, values), names.collect(), seed);
        inputs.map_err(|e| e.in_file(self.name()))
    }

    /// What of a network the loss is taken of.
    fn core(&self, whole: &Graph) -> Graph {
        trained_part(whole, self.job.is_classification())
    }

    /// What the data set is called.
    pub fn name(&self) -> &str {
        self.job.prepared.dataset.name()
    }

    /// How many training rows were drawn.
    pub fn rows(&self) -> usize {
        self.sample.len()
    }
}

/// So many of some rows, each once, in a random order.
fn drawn(all: &[u32], count: usize, seed: u64) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(SAMPLE_STREAM);
    let mut rows = all.to_vec();
    let count = count.min(rows.len());
    for i in 0..count {
        let left = (rows.len() - i) as u64;
        rows.swap(i, i + (rng.next_u64() % left) as usize);
    }
    rows.truncate(count);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_once_each_and_again_the_same() {
        let all: Vec<u32> = (100..200).collect();
        let rows = drawn(&all, 30, 5);
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((rows.len(), sorted.len()), (30, 30));
        assert!(sorted.iter().all(|r| all.contains(r)) && sorted != rows);
        assert_eq!(drawn(&all, 30, 5), rows);
        assert_ne!(drawn(&all, 30, 6), rows);
        let mut whole = drawn(&all, 1000, 5);
        whole.sort_unstable();
        assert_eq!(whole, all);
    }
}
