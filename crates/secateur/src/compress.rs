//! The whole run: data in, a small verified network out.

use std::path::Path;
use std::time::Instant;

use secateur_data::load;
use secateur_graph::{Graph, cost};
use secateur_train::{Ended, Event, Flow, Settings, Trained, fit};

use crate::auto::search;
use crate::job::Job;
use crate::measure::removals;
use crate::plan::load_options;
use crate::prepare::Prepared;
use crate::report::{Machine, Report, Seconds, ended_name, peak_memory};
use crate::verify::Verified;
use crate::{Config, ErrorKind, Plan, Result};

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
    let name = config.data.as_deref().unwrap_or("digits");
    let config = Config {
        data: Some(name.to_owned()),
        ..config.clone()
    };
    let dataset = load(name, &load_options(&config, data_dir)?)?;
    let prepared = Prepared::new(dataset, config.seed.unwrap_or(0))?;
    let plan = Plan::new(&config, &prepared.dataset, prepared.split.train.len())?;
    let load_seconds = start.elapsed().as_secs_f64();
    observer(Progress::Loaded {
        plan: &plan,
        prepared: &prepared,
    });
    let job = Job { plan, prepared };
    Runner { job, load_seconds }.go(observer)
}

struct Runner {
    job: Job,
    load_seconds: f64,
}

impl Runner {
    fn go(self, observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send)) -> Result<Outcome> {
        let hidden = self.job.plan.hidden.clone();
        let before = self.job.network(&hidden)?;
        let mut compress =
            |settings: &Settings| self.train(before.clone(), settings, Stage::Compress, observer);
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
            true => self.control(before.clone(), Stage::Dense, observer)?,
            false => None,
        };
        let narrow = match self.job.plan.narrow && complete {
            true => {
                let graph = self
                    .job
                    .network(&self.job.narrowed(cost(&trained.graph)?.macs))?;
                self.control(graph, Stage::Narrow, observer)?
            }
            false => None,
        };
        let verify_start = Instant::now();
        let model = self.job.verified(&trained.graph)?;
        let verify_seconds = verify_start.elapsed().as_secs_f64();
        let report = Report {
            secateur: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.job.config_hash()?,
            ended: ended_name(trained.ended).into(),
            epochs: trained.epochs.len(),
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
            removals: removals(&trained),
            verify: model.evidence().clone(),
            machine: Machine {
                threads: self.job.plan.settings.threads,
                instruction_set: secateur_engine::instruction_set().into(),
                peak_memory_bytes: peak_memory(),
            },
        };
        Ok(Outcome {
            plan: self.job.plan,
            report,
            model,
            trained,
        })
    }

    /// A network to compare with, trained without a penalty; none if the user stops it half-way or it
    /// diverges, which must not take the compressed network along.
    fn control(
        &self,
        graph: Graph,
        stage: Stage,
        observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
    ) -> Result<Option<Trained>> {
        let settings = Settings {
            penalty: None,
            settle: 0,
            ..self.job.plan.settings.clone()
        };
        let trained = match self.train(graph, &settings, stage, observer) {
            Err(error) if error.kind() == ErrorKind::Diverged => return Ok(None),
            trained => trained?,
        };
        let stopped = matches!(trained.ended, Ended::Interrupted { .. });
        Ok((!stopped).then_some(trained))
    }

    fn train(
        &self,
        graph: Graph,
        settings: &Settings,
        stage: Stage,
        observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send),
    ) -> Result<Trained> {
        let split = &self.job.prepared.split;
        let train = self.job.rows(&split.train)?;
        let validation = self.job.rows(&split.validation)?;
        let tell = &mut |event: Event<'_>| observer(Progress::Train { stage, event });
        Ok(fit(graph, train, &validation, settings, tell)?)
    }
}
