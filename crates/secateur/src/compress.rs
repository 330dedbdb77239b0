//! The whole run: data in, a small verified network out.

use std::path::Path;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_data::{Target, load};
use secateur_graph::{Graph, ModelMeta, cost};
use secateur_train::{
    Ended, Event, Flow, Mlp, Rows, Score, Settings, Trained, fit, outputs, score,
};
use sha2::{Digest, Sha256};

use crate::assemble::{Wrapping, assemble};
use crate::auto::search;
use crate::plan::load_options;
use crate::prepare::Prepared;
use crate::report::{
    Arm, DataReport, Machine, RemovalReport, Report, Seconds, ended_name, headline, peak_memory,
    rmse_by_column,
};
use crate::verify::{Verified, serialise};
use crate::{Config, ErrorKind, Plan, Result};

/// Stream of random numbers for initial weights.
const WEIGHT_STREAM: u64 = 1;
/// Real rows on which the written file is checked.
const VERIFY_ROWS: usize = 256;

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
    Runner {
        plan,
        prepared,
        load_seconds,
    }
    .go(observer)
}

struct Runner {
    plan: Plan,
    prepared: Prepared,
    load_seconds: f64,
}

impl Runner {
    fn go(self, observer: &mut (dyn FnMut(Progress<'_>) -> Flow + Send)) -> Result<Outcome> {
        let hidden = self.plan.hidden.clone();
        let before = self.network(&hidden)?;
        let mut compress =
            |settings: &Settings| self.train(before.clone(), settings, Stage::Compress, observer);
        let (trained, tries) = match self.plan.auto {
            true => search(
                &self.plan.settings,
                self.prepared.split.validation.len(),
                compress,
            )?,
            false => (compress(&self.plan.settings)?, vec![]),
        };
        let complete = trained.is_complete();
        let dense = match self.plan.baseline && complete {
            true => self.control(before.clone(), Stage::Dense, observer)?,
            false => None,
        };
        let narrow = match self.plan.narrow && complete {
            true => {
                let graph = self.network(&self.narrowed(cost(&trained.graph)?.macs))?;
                self.control(graph, Stage::Narrow, observer)?
            }
            false => None,
        };
        let verify_start = Instant::now();
        let model = self.verified(&trained.graph)?;
        let verify_seconds = verify_start.elapsed().as_secs_f64();
        let report = Report {
            secateur: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.config_hash()?,
            ended: ended_name(trained.ended).into(),
            epochs: trained.epochs.len(),
            data: self.data_report(),
            metric: if self.is_classification() {
                "accuracy"
            } else {
                "rmse"
            }
            .into(),
            dense: dense
                .map(|d| self.arm(&d.graph, d.seconds.total))
                .transpose()?,
            before: self.arm(&before, 0.0)?,
            after: self.arm(&trained.graph, trained.seconds.total)?,
            narrow: narrow
                .map(|n| self.arm(&n.graph, n.seconds.total))
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
                threads: self.plan.settings.threads,
                instruction_set: secateur_engine::instruction_set().into(),
                peak_memory_bytes: peak_memory(),
            },
        };
        Ok(Outcome {
            plan: self.plan,
            report,
            model,
            trained,
        })
    }

    fn is_classification(&self) -> bool {
        matches!(self.prepared.dataset.target(), Target::Classes { .. })
    }

    fn network(&self, hidden: &[usize]) -> Result<Graph> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.settings.seed);
        rng.set_stream(WEIGHT_STREAM);
        let mlp = Mlp {
            inputs: self.prepared.dataset.inputs(),
            hidden: hidden.to_vec(),
            outputs: self.prepared.dataset.outputs(),
            activation: self.plan.activation,
        };
        Ok(mlp.build(&mut rng)?)
    }

    /// The hidden widths scaled alike so that the MACs come as near to `macs` as they can.
    fn narrowed(&self, macs: u64) -> Vec<usize> {
        let (inputs, outputs) = (
            self.prepared.dataset.inputs(),
            self.prepared.dataset.outputs(),
        );
        let scaled = |factor: f64| -> Vec<usize> {
            let width = |&w: &usize| ((w as f64 * factor).round() as usize).max(1);
            self.plan.hidden.iter().map(width).collect()
        };
        let cost = |hidden: &[usize]| {
            let mut widths = vec![inputs];
            widths.extend(hidden);
            widths.push(outputs);
            widths.windows(2).map(|w| (w[0] * w[1]) as u64).sum::<u64>()
        };
        (1..=2000)
            .map(|i| scaled(f64::from(i) / 2000.0))
            .min_by_key(|hidden| cost(hidden).abs_diff(macs))
            .unwrap_or_else(|| self.plan.hidden.clone())
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
            ..self.plan.settings.clone()
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
        let split = &self.prepared.split;
        let train = self.rows(&split.train)?;
        let validation = self.rows(&split.validation)?;
        let tell = &mut |event: Event<'_>| observer(Progress::Train { stage, event });
        Ok(fit(graph, train, &validation, settings, tell)?)
    }

    fn rows(&self, rows: &[u32]) -> Result<Rows> {
        self.prepared
            .rows(rows, self.plan.regression_loss, self.plan.balanced)
    }

    fn wrapping(&self) -> Wrapping<'_> {
        Wrapping {
            standardiser: &self.prepared.standardiser,
            target_scaler: self.prepared.target_scaler.as_ref(),
            softmax: self.plan.softmax,
        }
    }

    fn verified(&self, core: &Graph) -> Result<Verified> {
        let graph = assemble(core, self.wrapping())?;
        let test = &self.prepared.split.test;
        let sample = &test[..VERIFY_ROWS.min(test.len())];
        let rows = self.rows(sample)?;
        let mut engine = outputs(core, &rows, self.plan.settings.threads)?;
        if let Some(scaler) = &self.prepared.target_scaler {
            scaler.invert(&mut engine);
        }
        Verified::new(
            &graph,
            &self.meta()?,
            &self.prepared.raw(sample),
            sample.len(),
            &engine,
        )
    }

    fn meta(&self) -> Result<ModelMeta> {
        let dataset = &self.prepared.dataset;
        let json = |names: &[String]| serde_json::json!(names).to_string();
        let mut properties = vec![
            ("secateur.config_hash".to_owned(), self.config_hash()?),
            ("secateur.data".to_owned(), dataset.name().to_owned()),
        ];
        if dataset.image().is_none() {
            properties.push(("feature_names".to_owned(), json(dataset.feature_names())));
        }
        match dataset.target() {
            Target::Classes { names, .. } => {
                properties.push(("class_names".to_owned(), json(names)));
            }
            Target::Values { columns, .. } => {
                properties.push(("target_names".to_owned(), json(columns)));
            }
        }
        Ok(ModelMeta {
            producer_name: "secateur".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            properties,
            ..ModelMeta::default()
        })
    }

    fn config_hash(&self) -> Result<String> {
        let digest = Sha256::digest(self.plan.config.to_toml()?.as_bytes());
        Ok(digest.iter().take(8).map(|b| format!("{b:02x}")).collect())
    }

    fn data_report(&self) -> DataReport {
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

    fn arm(&self, graph: &Graph, train_seconds: f64) -> Result<Arm> {
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
        let unread = (self.prepared.dataset.inputs() - units[0]) as u64;
        let first = *units.get(1).unwrap_or(&self.prepared.dataset.outputs()) as u64;
        let file = serialise(&assemble(graph, self.wrapping())?, &self.meta()?)?;
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
            macs_all_inputs: cost.macs + unread * first,
            bytes: file.len() as u64,
            units,
            train_seconds,
        })
    }
}

fn removals(trained: &Trained) -> Vec<RemovalReport> {
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
