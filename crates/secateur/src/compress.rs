//! The whole run: data in, a small verified network out.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use secateur_data::Dataset;
use secateur_graph::{Graph, cost};
use secateur_train::{Ended, Event, Flow, Optimizer, Settings, Start, Trained, fit_within};

use crate::auto::search;
use crate::history::{InputsRecord, Predictions};
use crate::job::Job;
use crate::layers::LayerReport;
use crate::load::{DEFAULT_DATA, load_data, load_within};
use crate::measure::removals;
use crate::plan::Decay;
use crate::prepare::Prepared;
use crate::report::{FORMAT, Machine, Report, Seconds, ended_name, peak_memory};
use crate::stages::{Keeper, Tell};
use crate::verify::Verified;
use crate::{Config, Error, ErrorKind, Plan, Result, RightRows, RunFolder};

/// Which network is being trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The network that is compressed.
    Compress,
    /// The same network without a penalty.
    Dense,
    /// The narrowed network of equal MACs.
    Narrow,
}

/// What a run tells while it goes.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The data is read; nothing is trained yet.
    Loaded {
        /// The plan that is about to be carried out.
        plan: &'a Plan,
        /// The data with its split.
        prepared: &'a Prepared,
        /// Multiply-adds of a row in the network that the run starts from.
        macs: u64,
    },
    /// Training goes on.
    Train {
        /// Which network.
        stage: Stage,
        /// Where it is.
        event: Event<'a>,
    },
}

/// A finished run, ready to be written.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The plan that was carried out.
    pub plan: Plan,
    /// What was measured.
    pub report: Report,
    /// The model file.
    pub model: Verified,
    /// The compressing run, epoch by epoch.
    pub trained: Trained,
    /// The features that the small network still reads.
    pub inputs: InputsRecord,
    /// What it predicts for test rows, where numbers are predicted.
    pub predictions: Option<Predictions>,
    /// Which test rows it gets right, where classes are predicted.
    pub right_rows: Option<RightRows>,
}

/// Reads the data, trains and shrinks, and verifies the result; writes nothing.
///
/// # Errors
/// Whatever is wrong with the config, the data, or the result, by its kind.
pub fn compress(
    config: &Config,
    data_dir: Option<&Path>,
    observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
) -> Result<Outcome> {
    let start = Instant::now();
    let dataset = load_data(config, data_dir)?;
    let load_seconds = start.elapsed().as_secs_f64();
    let mut outcome = carry_out(config, dataset, None, observer)?;
    outcome.report.seconds.load += load_seconds;
    Ok(outcome)
}

/// [`compress`] that keeps checkpoints in the folder of the run, and goes on with those of a folder that is resumed.
///
/// # Errors
/// As [`compress`]; if a checkpoint cannot be written, or is of other data or another model; and if data and training would
/// take more than `memory` bytes, before they take them.
pub fn compress_in(
    folder: &RunFolder,
    memory: Option<u64>,
    config: &Config,
    data_dir: Option<&Path>,
    observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
) -> Result<Outcome> {
    let start = Instant::now();
    let dataset = load_within(memory, config, data_dir)?;
    let load_seconds = start.elapsed().as_secs_f64();
    let mut outcome = carry_out(config, dataset, Some((folder, memory)), observer)?;
    outcome.report.seconds.load += load_seconds;
    Ok(outcome)
}

/// [`compress`] on data that is in memory already, for callers with many runs on it.
///
/// # Errors
/// As [`compress`].
pub fn compress_loaded(
    config: &Config,
    dataset: Arc<Dataset>,
    observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
) -> Result<Outcome> {
    carry_out(config, dataset, None, observer)
}

fn carry_out(
    config: &Config,
    dataset: Arc<Dataset>,
    kept: Option<(&RunFolder, Option<u64>)>,
    observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
) -> Result<Outcome> {
    let start = Instant::now();
    let name = config.data.as_deref().unwrap_or(DEFAULT_DATA);
    let config = Config {
        data: Some(name.to_owned()),
        ..config.clone()
    };
    let prepared = Prepared::new(dataset, &config)?;
    let plan = Plan::new(&config, &prepared.dataset, prepared.split.train.len())?;
    let load_seconds = start.elapsed().as_secs_f64();
    let job = Job::new(plan, prepared)?;
    let planned_bytes = job.planned_within(kept.and_then(|(_, memory)| memory))?;
    job.verify_beforehand()?;
    observer(Progress::Loaded {
        plan: &job.plan,
        prepared: &job.prepared,
        macs: cost(&job.start()?)?.macs,
    });
    let kept = match kept {
        Some((folder, _)) => Some(folder.checkpoints(job.identity()?, job.plan.config.to_toml()?)),
        None => None,
    };
    let mut trainer = Trainer {
        keeper: Keeper::new(kept),
        observer,
    };
    let runner = Runner {
        job,
        load_seconds,
        planned_bytes,
    };
    runner.go(&mut trainer)
}

/// Trains the networks of a run one after the other, keeps them, and tells of them.
struct Trainer<'a> {
    keeper: Keeper,
    observer: &'a mut (dyn FnMut(Progress<'_>) -> Flow + Send),
}

impl Trainer<'_> {
    fn train(
        &mut self,
        stage: Stage,
        graph: &Graph,
        fit: impl FnOnce(Start, Tell<'_>) -> Result<Trained>,
    ) -> Result<Trained> {
        let Self { keeper, observer } = self;
        let tell = &mut |event: Event<'_>| observer(Progress::Train { stage, event });
        keeper.train(graph, tell, fit)
    }
}

struct Runner {
    job: Job,
    load_seconds: f64,
    planned_bytes: u64,
}

impl Runner {
    fn go(self, trainer: &mut Trainer<'_>) -> Result<Outcome> {
        let before = self.job.start()?;
        let start = self.job.sorted(&before)?;
        let mut compress =
            |settings: &Settings| self.train(&start, settings, Stage::Compress, trainer);
        let (trained, tries) = match self.job.plan.auto {
            true => search(
                &self.job.plan.settings,
                self.job.prepared.split.validation.len(),
                compress,
            )?,
            false => (compress(&self.job.plan.settings)?, vec![]),
        };
        let complete = trained.is_complete();
        let dense = match self.job.plan.baseline && complete {
            true => self.control(&before, &self.unpenalised(), Stage::Dense, trainer)?,
            false => None,
        };
        let narrow = match self.job.plan.narrow.filter(|_| complete) {
            Some(decay) => self.narrow(cost(&trained.graph)?.macs, decay, trainer)?,
            None => None,
        };
        let verify_start = Instant::now();
        let model = match (self.job.verified(&trained.graph), trained.ended) {
            // Numbers near overflow come out differently in every order of summation.
            (Err(_), Ended::Diverged { epoch }) => {
                return Err(Error::new(
                    ErrorKind::Diverged,
                    "the loss is not a finite number, and the network before it is too far gone to be verified",
                )
                .at(format!("epoch {epoch}"))
                .hint("lower --learning-rate, or raise --warm-up"));
            }
            (model, _) => model?,
        };
        let verify_seconds = verify_start.elapsed().as_secs_f64();
        let report = Report {
            format: FORMAT,
            secateur: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.job.config_hash()?,
            ended: ended_name(trained.ended).into(),
            epochs: trained.epochs.len(),
            start: self.job.plan.start.to_string(),
            data: self.job.data_report(),
            metric: if self.job.is_classification() {
                "accuracy"
            } else {
                "rmse"
            }
            .into(),
            dense: dense
                .map(|d| self.job.arm(&d.graph, d.seconds.total))
                .transpose()?,
            before: self.job.arm(&before, 0.0)?,
            after: self.job.arm(&trained.graph, trained.seconds.total)?,
            narrow: narrow
                .map(|n| self.job.arm(&n.graph, n.seconds.total))
                .transpose()?,
            seconds: Seconds {
                total: trained.seconds.total,
                search: tries
                    .iter()
                    .map(|t| t.seconds)
                    .sum::<f64>()
                    .max(trained.seconds.total),
                forward: trained.seconds.forward,
                backward: trained.seconds.backward,
                update: trained.seconds.update,
                penalty: trained.seconds.penalty,
                shrink: trained.seconds.shrink,
                score: trained.seconds.score,
                load: self.load_seconds,
                verify: verify_seconds,
            },
            strength: trained.lambda,
            tries: tries.clone(),
            penalised_share: trained.penalised_share,
            budget: self.job.budget_report(&before, &trained, &model)?,
            removals: removals(&trained),
            layers: trained.layers.iter().map(LayerReport::from).collect(),
            verify: model.evidence().clone(),
            machine: Machine {
                threads: self.job.plan.settings.threads,
                instruction_set: secateur_engine::instruction_set().into(),
                peak_memory_bytes: peak_memory(),
                planned_memory_bytes: self.planned_bytes,
            },
        };
        Ok(Outcome {
            inputs: self.job.inputs_record(&trained.graph)?,
            predictions: self.job.predictions(&trained.graph)?,
            right_rows: self.job.right_rows(&trained.graph)?,
            plan: self.job.plan,
            report,
            model,
            trained,
        })
    }

    /// The settings of a run without a penalty.
    fn unpenalised(&self) -> Settings {
        Settings {
            penalty: None,
            settle: 0,
            ..self.job.plan.settings.clone()
        }
    }

    /// The narrowed dense network of `macs`.
    fn narrow(
        &self,
        macs: u64,
        decay: Decay,
        trainer: &mut Trainer<'_>,
    ) -> Result<Option<Trained>> {
        let graph = self.job.narrow(macs)?;
        let mut best: Option<Trained> = None;
        let tried = match decay {
            Decay::Best => decays(&self.unpenalised()).to_vec(),
            Decay::AsSet => vec![self.unpenalised()],
        };
        for settings in tried {
            let Some(trained) = self.control(&graph, &settings, Stage::Narrow, trainer)? else {
                continue;
            };
            if best.as_ref().is_none_or(|b| quality(&trained) > quality(b)) {
                best = Some(trained);
            }
        }
        Ok(best)
    }

    /// A network to compare with, trained without a penalty; none if the user stops it half-way or it
    /// diverges, which must not take the compressed network along.
    fn control(
        &self,
        graph: &Graph,
        settings: &Settings,
        stage: Stage,
        trainer: &mut Trainer<'_>,
    ) -> Result<Option<Trained>> {
        let trained = match self.train(graph, settings, stage, trainer) {
            Err(error) if error.kind() == ErrorKind::Diverged => return Ok(None),
            trained => trained?,
        };
        let stopped = matches!(trained.ended, Ended::Interrupted { .. });
        Ok((!stopped).then_some(trained))
    }

    fn train(
        &self,
        graph: &Graph,
        settings: &Settings,
        stage: Stage,
        trainer: &mut Trainer<'_>,
    ) -> Result<Trained> {
        let split = &self.job.prepared.split;
        let train = self.job.train_rows()?;
        let validation = self.job.rows(&split.validation)?;
        let job = &self.job;
        trainer.train(stage, graph, |start, tell| match stage {
            Stage::Compress => {
                job.fit_in_budget(graph, start, (train, &validation), settings, tell)
            }
            Stage::Dense | Stage::Narrow => {
                Ok(fit_within(start, train, &validation, settings, None, tell)?)
            }
        })
    }
}

/// Shares of a weight that decay takes away in a step at the highest rate: none, and two common ones.
const DECAYS: [f64; 3] = [0.0, 1e-4, 5e-4];

/// The settings with each weight decay that a control may use.
pub(crate) fn decays(settings: &Settings) -> [Settings; 3] {
    DECAYS.map(|share| Settings {
        weight_decay: share / settings.rate,
        // Plain Adam has no decay.
        optimizer: match settings.optimizer {
            Optimizer::Adam => Optimizer::AdamW,
            other => other,
        },
        ..settings.clone()
    })
}

/// On the validation rows at the end; higher is better.
fn quality(trained: &Trained) -> f64 {
    let last = trained.epochs.last();
    last.map_or(f64::NEG_INFINITY, |e| e.validation.quality())
}
