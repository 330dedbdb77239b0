//! The path itself: a network, then smaller and smaller ones, each cut from the one before.

use std::cmp::Reverse;
use std::path::Path;

use secateur_graph::cost;
use secateur_train::Flow;

use super::options::PathOptions;
use super::point::{Asked, Cut, Observer, Reached, cut, first, lambda};
use super::progress::PathProgress;
use super::quality_drop::smallest_within;
use super::record::{PATH_FORMAT, PathEnd, PathReport};
use super::{
    curve::Spot,
    folder::{PathFolder, without_cuts},
    stretch,
};
use crate::job::Job;
use crate::load::load_within;
use crate::prepare::Prepared;
use crate::report::{Machine, peak_memory};
use crate::stages::Keeper;
use crate::verify::Verified;
use crate::{Config, Error, ErrorKind, Plan, Result};

/// Cuts that look for the smallest network within a drop, after the path.
const REFINEMENTS: usize = 3;
/// Neighbours whose MACs differ by less than this factor leave nothing to look for between them.
const SAME_SIZE: f64 = 1.03;

/// A finished path, ready to be written.
#[derive(Debug, Clone)]
pub struct PathOutcome {
    /// The complete config: with the same options, the same path again.
    pub config: Config,
    /// What was measured.
    pub report: PathReport,
    /// The model files, in the order of the report's points.
    pub models: Vec<Verified>,
    /// What ended the path, if a point behind the first one failed.
    pub failure: Option<Error>,
}

/// Reads the data and walks down the path; writes nothing.
///
/// The first point is the network that a config names, trained without a penalty, or the model that was given, as it is. Each
/// further one starts from the network of the point before, loses units by a budget's ranking, and is trained on for a part of the
/// epochs. With a drop, a few more points are cut between the smallest within it and the next smaller one.
///
/// The path ends early where no layer can lose more units, where a point fails, or where `observer` wants it to; the points so far
/// are its outcome then, and a point that was being cut is not among them.
///
/// # Errors
/// Whatever is wrong with config, options or data, or keeps the first point from being trained and verified.
pub fn path(
    config: &Config,
    options: &PathOptions,
    data_dir: Option<&Path>,
    observer: &mut (dyn FnMut(PathProgress<'_>) -> Flow + Send),
) -> Result<PathOutcome> {
    carry_out(config, options, data_dir, None, None, observer)
}

/// [`path`] that keeps checkpoints in its folder, and goes on with those of a folder that is resumed.
///
/// # Errors
/// As [`path`]; if a checkpoint cannot be written, or is of other data or another model; and if data and training would take more
/// than `memory` bytes, before they take them.
pub fn path_in(
    folder: &PathFolder,
    memory: Option<u64>,
    config: &Config,
    options: &PathOptions,
    data_dir: Option<&Path>,
    observer: &mut (dyn FnMut(PathProgress<'_>) -> Flow + Send),
) -> Result<PathOutcome> {
    carry_out(config, options, data_dir, Some(folder), memory, observer)
}

fn carry_out(
    config: &Config,
    options: &PathOptions,
    data_dir: Option<&Path>,
    folder: Option<&PathFolder>,
    memory: Option<u64>,
    observer: &mut Observer<'_>,
) -> Result<PathOutcome> {
    let config = options.config(config)?;
    let prepared = Prepared::new(load_within(memory, &config, data_dir)?, &config)?;
    let plan = Plan::new(&config, &prepared.dataset, prepared.split.train.len())?;
    // Tells before training whether cuts can be made.
    stretch::cut(&plan.settings, options.least)?;
    let job = Job::new(plan, prepared)?;
    if let Some(drop) = options.drop {
        drop.checked(job.is_classification())?;
    }
    let planned_bytes = job.planned_within(memory)?;
    job.verify_beforehand()?;
    let macs = cost(&job.start()?)?.macs;
    let kept = folder.map(|folder| folder.checkpoints(&job, options));
    observer(PathProgress::Loaded {
        plan: &job.plan,
        prepared: &job.prepared,
        macs,
    });
    let mut walk = Walk {
        keeper: Keeper::new(kept.transpose()?),
        job,
        options: *options,
        macs,
        planned_bytes,
        reached: vec![],
        lambda: 0.0,
        notes: vec![],
        failure: None,
    };
    let end = walk.go(observer)?;
    walk.outcome(end)
}

struct Walk {
    job: Job,
    keeper: Keeper,
    options: PathOptions,
    /// Of the network that the path starts from.
    macs: u64,
    planned_bytes: u64,
    /// Of the penalty in every cut.
    lambda: f64,
    /// In the order of training; the first is the network that the path starts from.
    reached: Vec<Reached>,
    notes: Vec<String>,
    failure: Option<Error>,
}

/// Whether a path goes on behind a point that was to be cut.
enum Next {
    On,
    End(PathEnd),
}

impl Walk {
    fn go(&mut self, observer: &mut Observer<'_>) -> Result<PathEnd> {
        self.lambda = lambda(&self.job)?;
        self.job.plan.settings = stretch::with_lambda(&self.job.plan.settings, self.lambda);
        let (start, is_cut_short) = first(&self.job, &mut self.keeper, observer)?;
        if is_cut_short {
            self.notes.push(format!(
                "interrupted while the dense network was trained: it is that of epoch {}, and nothing was cut from it",
                start.point.epochs
            ));
        }
        let told = observer(PathProgress::Reached(&start.point));
        self.reached.push(start);
        if is_cut_short || told == Flow::Stop {
            return Ok(PathEnd::Interrupted);
        }
        let end = self.down(observer)?;
        let is_sound = matches!(end, PathEnd::Complete | PathEnd::OutOfReach);
        match self.options.drop.is_some() && is_sound {
            true => Ok(self.refine(observer)?.unwrap_or(end)),
            false => Ok(end),
        }
    }

    /// Cuts to each share in turn, from the point before.
    fn down(&mut self, observer: &mut Observer<'_>) -> Result<PathEnd> {
        let mut skipped = vec![];
        let mut end = PathEnd::Complete;
        for share in self.options.shares() {
            let macs = ((share * self.macs as f64) as u64).max(1);
            let from = self.reached.len() - 1;
            if self.reached[from].point.macs <= macs {
                skipped.push(format!("{:.1} %", 100.0 * share));
                continue;
            }
            if let Next::End(other) = self.cut(from, macs, observer)? {
                end = other;
                break;
            }
        }
        if !skipped.is_empty() {
            self.notes.push(format!(
                "no point at {}: the one before had fewer MACs already",
                skipped.join(", ")
            ));
        }
        Ok(end)
    }

    /// Halves the distance in log MACs between the smallest point within the drop and the next smaller one, a few times. How the
    /// path ended, if that was before.
    fn refine(&mut self, observer: &mut Observer<'_>) -> Result<Option<PathEnd>> {
        let Some(drop) = self.options.drop else {
            return Ok(None);
        };
        for _ in 0..REFINEMENTS {
            let spots = self.spots();
            let within = smallest_within(&spots, drop).unwrap_or(0);
            let most = spots[within].macs;
            let Some(least) = spots.iter().map(|s| s.macs).filter(|&m| m < most).max() else {
                self.notes.push(
                    "the smallest point of the path is within the drop: a lower --to may find a smaller one".into(),
                );
                return Ok(None);
            };
            if (most as f64) < SAME_SIZE * least as f64 {
                return Ok(None);
            }
            let middle = (most as f64 * least as f64).sqrt() as u64;
            match self.cut(within, middle, observer)? {
                Next::On => {}
                // What lies between points of the path is no end of it.
                Next::End(PathEnd::OutOfReach) => return Ok(None),
                Next::End(end) => return Ok(Some(end)),
            }
        }
        Ok(None)
    }

    /// Cuts a point from that at `from`; failures of its own end the path, but do not lose it.
    ///
    /// # Errors
    /// If something around it fails: the path can go on once that is mended.
    fn cut(&mut self, from: usize, macs: u64, observer: &mut Observer<'_>) -> Result<Next> {
        let asked = Asked {
            number: self.reached.len(),
            macs,
            whole: self.macs,
        };
        let share = 100.0 * macs as f64 / self.macs.max(1) as f64;
        let next = match cut(
            &self.job,
            &self.reached[from],
            asked,
            &mut self.keeper,
            observer,
        ) {
            Ok(Cut::Reached(reached)) => {
                let told = observer(PathProgress::Reached(&reached.point));
                self.notes.extend_from_slice(&reached.warnings);
                self.reached.push(*reached);
                match told {
                    Flow::Continue => Next::On,
                    Flow::Stop => Next::End(PathEnd::Interrupted),
                }
            }
            Ok(Cut::OutOfReach(message)) => {
                self.notes
                    .push(format!("no point of {share:.1} % was cut: {message}"));
                Next::End(PathEnd::OutOfReach)
            }
            Ok(Cut::Interrupted) => {
                self.notes.push(format!(
                    "interrupted while a point of {share:.1} % was cut, which was left out"
                ));
                Next::End(PathEnd::Interrupted)
            }
            Err(error) if error.kind() == ErrorKind::Environment => return Err(error),
            Err(error) => {
                self.notes
                    .push(format!("no point of {share:.1} % was cut: {error}"));
                self.failure = Some(error);
                Next::End(PathEnd::Failed)
            }
        };
        Ok(next)
    }

    fn spots(&self) -> Vec<Spot> {
        let higher = self.job.is_classification();
        let points = self.reached.iter();
        points.map(|r| r.point.spot(higher)).collect()
    }

    fn outcome(mut self, ended: PathEnd) -> Result<PathOutcome> {
        // The one that the path starts from stays first, whatever it costs.
        self.reached[1..].sort_by_key(|r| Reverse(r.point.macs));
        let (points, models): (Vec<_>, _) =
            self.reached.into_iter().map(|r| (r.point, r.model)).unzip();
        let mut report = PathReport {
            format: PATH_FORMAT,
            secateur: env!("CARGO_PKG_VERSION").into(),
            config_hash: self.job.config_hash()?,
            ended,
            start: self.job.plan.start.to_string(),
            data: self.job.data_report(),
            metric: if self.job.is_classification() {
                "accuracy"
            } else {
                "rmse"
            }
            .into(),
            points_asked: self.options.points,
            least_share: self.options.least.get(),
            strength: self.lambda,
            seconds: points.iter().map(|p| p.seconds).sum(),
            points,
            knee: None,
            chosen: None,
            notes: self.notes,
            machine: Machine {
                threads: self.job.plan.settings.threads,
                instruction_set: secateur_engine::instruction_set().into(),
                peak_memory_bytes: peak_memory(),
                planned_memory_bytes: self.planned_bytes,
            },
        };
        report.judge(self.options.drop);
        Ok(PathOutcome {
            config: without_cuts(&self.job.plan.config),
            report,
            models,
            failure: self.failure,
        })
    }
}
