//! Carries out one unit of a grid.

use std::sync::Arc;

use secateur_data::Dataset;
use secateur_prox::Part;

use super::arm::{Arm, Role};
use super::cell::{Cell, Measured, Outcome, Run};
use super::floor::{floor_macs, macs};
use super::grid::{Grid, Unit};
use super::matched::Search;
use super::probe::probe;
use crate::auto::Try;
use crate::compress::decays;
use crate::job::Job;
use crate::prepare::Prepared;
use crate::{
    Config, Ended, Error, ErrorKind, Flow, Plan, Progress, Report, Result, compress_loaded,
};

/// A budget leaves part of the work to its ranking, and so needs less than full does for the same MACs.
const BUDGET_STRENGTH: f64 = 0.5;

/// A unit with all it needs.
pub(crate) struct Task<'a> {
    pub(crate) grid: &'a Grid,
    pub(crate) unit: &'a Unit,
    pub(crate) dataset: &'a Arc<Dataset>,
    /// Whether nothing else runs meanwhile.
    pub(crate) alone: bool,
    /// The strength at which the full part met the same share, for budgets: what a search for it would
    /// find, if its cell is finished.
    pub(crate) full_strength: Option<f64>,
}

/// The observer of a run.
pub(crate) type Observer<'a> = &'a mut (dyn FnMut(Progress<'_>) -> Flow + Send);

impl Task<'_> {
    /// The finished cell; none only if the observer stopped it.
    ///
    /// # Errors
    /// Whatever is wrong with the choices or the data. A run that diverges is a result.
    pub(crate) fn run(&self, observer: Observer<'_>) -> Result<Option<Cell>> {
        let result = match (self.unit.arm.role, self.unit.at) {
            (Role::Narrow, at) => self.narrow(at.unwrap_or(1.0), observer),
            (Role::Penalised, Some(at)) => self.matched(at, observer),
            (Role::Penalised, None) => self.at_strength(observer),
            (Role::Dense, _) => self.train(&self.config()?, observer).map(|r| self.done(r)),
        };
        let result = match result {
            Err(error) if error.kind() == ErrorKind::Diverged => Some(Outcome::Diverged),
            other => other?,
        };
        Ok(result.map(|result| self.cell(result)))
    }

    fn cell(&self, result: Outcome) -> Cell {
        let classes = self.dataset.labels().is_some();
        Cell {
            unit: self.unit.clone(),
            fingerprint: self.dataset.fingerprint().to_string(),
            metric: if classes { "accuracy" } else { "rmse" }.into(),
            result,
        }
    }

    /// Every choice of this unit.
    pub(crate) fn config(&self) -> Result<Config> {
        config(self.grid, self.unit)
    }

    fn train(&self, config: &Config, observer: Observer<'_>) -> Result<Option<Run>> {
        let outcome = compress_loaded(config, Arc::clone(self.dataset), observer)?;
        match outcome.trained.ended {
            Ended::Complete => Ok(Some(Run {
                report: outcome.report,
                right_rows: outcome.right_rows,
            })),
            Ended::Interrupted { .. } => Ok(None),
            // `compress` keeps the last good network; a comparison has no use for half a run.
            Ended::Diverged { epoch } => Err(Error::new(
                ErrorKind::Diverged,
                format!("the loss became no finite number in epoch {epoch}"),
            )),
        }
    }

    fn done(&self, run: Option<Run>) -> Option<Outcome> {
        run.map(|r| Outcome::Done(Box::new(Measured::of(&r, self.alone))))
    }

    fn at_strength(&self, observer: Observer<'_>) -> Result<Option<Outcome>> {
        let mut config = self.config()?;
        if config.strength.is_none() {
            // One strength for all starting widths: a wider network must not change the objective.
            let reference = Config {
                net: self.grid.shared.net.clone(),
                ..config.clone()
            };
            config.strength = Some(probe(&reference, self.dataset)?.lambda.to_string());
        }
        if config.control.is_none() && self.unit.arm.removes_units() {
            config.control = Some("narrow".into());
        }
        self.train(&config, observer).map(|r| self.done(r))
    }

    /// The dense network of a share of the MACs, under the weight decay that is best on validation rows.
    fn narrow(&self, at: f64, observer: Observer<'_>) -> Result<Option<Outcome>> {
        let config = self.config()?;
        let job = self.job(&config)?;
        let macs = (at * self.dense_macs(&job) as f64) as u64;
        let widths: Vec<String> = job.narrowed(macs).iter().map(ToString::to_string).collect();
        let mut best: Option<Run> = None;
        let mut tries = vec![];
        for settings in decays(&job.plan.settings) {
            let tuned = Config {
                net: Some(widths.join("-")),
                weight_decay: Some(settings.weight_decay),
                optimizer: match config.optimizer.as_deref().or(job
                    .plan
                    .config
                    .optimizer
                    .as_deref())
                {
                    Some("adam") => Some("adamw".into()),
                    other => other.map(str::to_owned),
                },
                ..config.clone()
            };
            let Some(run) = self.train(&tuned, observer)? else {
                return Ok(None);
            };
            tries.push(attempt(&run.report));
            let score = |run: &Run| run.report.after.validation_score;
            let better = |b: &Run| match run.report.higher_is_better() {
                true => score(&run) > score(b),
                false => score(&run) < score(b),
            };
            if best.as_ref().is_none_or(better) {
                best = Some(run);
            }
        }
        Ok(best.map(|mut run| {
            run.report.tries = tries;
            Outcome::Done(Box::new(Measured {
                units_before: whole(&job)[..=job.plan.hidden.len()].to_vec(),
                macs_before: self.dense_macs(&job),
                ..Measured::of(&run, self.alone)
            }))
        }))
    }

    /// The arm at the strength that leaves it with a share of the MACs.
    fn matched(&self, at: f64, observer: Observer<'_>) -> Result<Option<Outcome>> {
        let mut config = self.config()?;
        config.control = Some("none".into());
        let job = self.job(&config)?;
        let wanted = (at * self.dense_macs(&job) as f64) as u64;
        let part = self.unit.arm.part().unwrap_or(Part::Full);
        if let Part::Budget { .. } = part {
            return self.budget(config, observer);
        }
        let least = config.floor.unwrap_or(1);
        let floor = floor_macs(&part, least, &whole(&job));
        if floor > wanted {
            return Ok(Some(Outcome::NotReachable { floor }));
        }
        let mut search = Search::new(wanted);
        let mut runs: Vec<Run> = vec![];
        // Not from other cells: a cell must not depend on which of them are finished.
        let mut lambda = Some(probe(&config, self.dataset)?.lambda);
        while let Some(next) = lambda {
            config.strength = Some(next.to_string());
            let Some(run) = self.train(&config, observer)? else {
                return Ok(None);
            };
            search.note(next, run.report.after.macs);
            runs.push(run);
            lambda = search.next();
        }
        let tries = runs.iter().map(|r| attempt(&r.report)).collect();
        let Some(nearest) = search.nearest() else {
            return Ok(None);
        };
        let mut run = runs.swap_remove(nearest);
        run.report.tries = tries;
        Ok(Some(match search.has_match() {
            true => Outcome::Done(Box::new(Measured::of(&run, self.alone))),
            false => Outcome::NotReached {
                nearest: run.report.after.macs,
            },
        }))
    }

    /// The budget part of that share, at half the strength that the full part needs.
    fn budget(&self, mut config: Config, observer: Observer<'_>) -> Result<Option<Outcome>> {
        let full = match self.full_strength {
            Some(lambda) => lambda,
            None => match self.full_by_search(observer)? {
                Some(Outcome::Done(measured)) => measured.strength,
                // The full part does not come to this share, or not without diverging: a mild strength.
                Some(_) => probe(&config, self.dataset)?.lambda,
                None => return Ok(None),
            },
        };
        config.strength = Some((BUDGET_STRENGTH * full).to_string());
        self.train(&config, observer).map(|r| self.done(r))
    }

    /// What the full part comes to, where its own cell is in another shard or no match.
    fn full_by_search(&self, observer: Observer<'_>) -> Result<Option<Outcome>> {
        let full = Task {
            unit: &full_of(self.unit),
            full_strength: None,
            ..*self
        };
        match full.matched(self.unit.at.unwrap_or(1.0), observer) {
            Err(error) if error.kind() == ErrorKind::Diverged => Ok(Some(Outcome::Diverged)),
            other => other,
        }
    }

    fn job(&self, config: &Config) -> Result<Job> {
        let prepared = Prepared::new(Arc::clone(self.dataset), config)?;
        let plan = Plan::new(config, &prepared.dataset, prepared.split.train.len())?;
        Job::new(plan, prepared)
    }

    fn dense_macs(&self, job: &Job) -> u64 {
        macs(&whole(job))
    }
}

/// The same unit under the full part.
pub(crate) fn full_of(unit: &Unit) -> Unit {
    let mut choices = unit.arm.choices.clone();
    choices.insert("part".into(), "full".into());
    Unit {
        arm: Arm {
            choices,
            ..unit.arm.clone()
        },
        ..unit.clone()
    }
}

/// Every choice of a unit.
pub(crate) fn config(grid: &Grid, unit: &Unit) -> Result<Config> {
    let data = grid.data.iter().find(|d| d.name == unit.data);
    let mut config = grid.shared.with(&unit.arm.choices)?;
    config.data = Some(data.map_or(&unit.data, |d| &d.path).clone());
    config.target = data
        .filter(|d| !d.target.is_empty())
        .map(|d| d.target.clone());
    config.seed = Some(unit.seed);
    if unit.arm.role == Role::Dense {
        // It would be as wide as the network itself.
        config.control = None;
    }
    if config.part.as_deref() == Some("budget") {
        config.part = unit.at.map(|share| format!("budget:{share}"));
    }
    // Here `auto` is one strength for all parts; what `compress` calls auto, a search on validation rows, is `search`.
    config.strength = match config.strength.as_deref() {
        Some("auto") => None,
        Some("search") => Some("auto".into()),
        _ => config.strength,
    };
    Ok(config)
}

fn attempt(report: &Report) -> Try {
    Try {
        strength: report.strength,
        validation_quality: report.after.validation_score,
        macs: report.after.macs,
        seconds: report.seconds.total,
    }
}

/// Inputs, hidden units and outputs of the network that a run starts from.
fn whole(job: &Job) -> Vec<usize> {
    let mut widths = vec![job.prepared.dataset.inputs()];
    widths.extend(&job.plan.hidden);
    widths.push(job.prepared.dataset.outputs());
    widths
}
