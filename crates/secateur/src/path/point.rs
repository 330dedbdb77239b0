//! One point of a path: trained, measured and verified.

use secateur_engine::Chain;
use secateur_graph::{Graph, cost};
use secateur_prox::Share;
use secateur_train::{
    Ended, Event, Flow, Rows, Score, StrengthChoice, fit, fit_within, score, widths,
};

use super::progress::{Leg, PathProgress};
use super::record::PathPoint;
use super::stretch;
use crate::job::Job;
use crate::report::headline;
use crate::stages::Keeper;
use crate::verify::Verified;
use crate::{Error, ErrorKind, Origin, Result};

/// Who is told how a path goes, and may end it.
pub(super) type Observer<'a> = dyn FnMut(PathProgress<'_>) -> Flow + Send + 'a;

/// A point with the network that further ones are cut from.
pub(super) struct Reached {
    pub(super) point: PathPoint,
    pub(super) model: Verified,
    /// Of layers that the penalty shrank as a whole.
    pub(super) warnings: Vec<String>,
    graph: Graph,
}

/// What came of an attempt to cut.
pub(super) enum Cut {
    Reached(Box<Reached>),
    /// The layers keep more than was asked for.
    OutOfReach(String),
    Interrupted,
}

/// What is to be cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The number of the point, from 1.
    pub(super) number: usize,
    /// Multiply-adds a row that the network may keep, fewer than it has.
    pub(super) macs: u64,
    /// Those of the network that the path started from.
    pub(super) whole: u64,
}

/// The lambda of all cuts: as the config says, or that at which the penalty is a quarter of the loss at the first step of the network
/// that the path starts from, before it is trained.
///
/// # Errors
/// If it cannot be trained.
pub(super) fn lambda(job: &Job) -> Result<f64> {
    let full = &job.plan.settings;
    match full.penalty.map(|p| p.strength) {
        Some(StrengthChoice::Fixed(lambda)) => Ok(lambda),
        Some(StrengthChoice::Balance(_)) => {
            let graph = job.start()?;
            let (train, validation) = rows(job, &graph)?;
            let settings = stretch::probe(full);
            Ok(fit(graph, train, &validation, &settings, &mut |_| Flow::Stop)?.lambda)
        }
        None => Ok(0.0),
    }
}

/// The network that a path starts from, trained without a penalty, or as it was given; and whether its training was cut short.
///
/// # Errors
/// If it cannot be trained or verified.
pub(super) fn first(
    job: &Job,
    keeper: &mut Keeper,
    observer: &mut Observer<'_>,
) -> Result<(Reached, bool)> {
    let graph = job.start()?;
    if let Origin::Model(_) = job.plan.start {
        return Ok((Reached::new(job, graph, Made::given())?, false));
    }
    let (train, validation) = rows(job, &graph)?;
    let settings = stretch::dense(&job.plan.settings);
    let tell = &mut |event: Event<'_>| {
        observer(PathProgress::Train {
            leg: Leg::Dense,
            event,
        })
    };
    let trained = keeper.train(&graph, tell, |start, tell| {
        Ok(fit_within(
            start,
            train,
            &validation,
            &settings,
            None,
            tell,
        )?)
    })?;
    if let Ended::Diverged { epoch } = trained.ended {
        return Err(diverged(epoch));
    }
    let made = Made {
        epochs: trained.epochs.len(),
        seconds: trained.seconds.total,
        ..Made::given()
    };
    let reached = Reached::new(job, trained.graph, made)?;
    Ok((reached, trained.ended != Ended::Complete))
}

/// Cuts the network of `from`, and trains it on.
///
/// # Errors
/// If it cannot be trained or verified.
pub(super) fn cut(
    job: &Job,
    from: &Reached,
    asked: Asked,
    keeper: &mut Keeper,
    observer: &mut Observer<'_>,
) -> Result<Cut> {
    let leg = Leg::Cut {
        number: asked.number,
        share: asked.share(),
    };
    // Budgets are shares of the network that a run starts from.
    let share = Share::new(asked.macs as f64 / from.point.macs.max(1) as f64)?;
    let settings = stretch::cut(&job.plan.settings, share)?;
    let (train, validation) = rows(job, &from.graph)?;
    let tell = &mut |event: Event<'_>| observer(PathProgress::Train { leg, event });
    let mut out_of_reach = None;
    let trained = keeper.train(&from.graph, tell, |start, tell| {
        let trained = fit_within(start, train, &validation, &settings, None, tell);
        let refused = trained.as_ref().err().filter(|e| is_out_of_reach(e));
        out_of_reach = refused.map(ToString::to_string);
        Ok(trained?)
    });
    if let Some(message) = out_of_reach {
        return Ok(Cut::OutOfReach(message));
    }
    let trained = trained?;
    match trained.ended {
        Ended::Complete => {}
        Ended::Interrupted { .. } => return Ok(Cut::Interrupted),
        Ended::Diverged { epoch } => return Err(diverged(epoch)),
    }
    let made = Made {
        number: asked.number,
        from: Some(from.point.name.clone()),
        asked_share: asked.share(),
        whole: Some(asked.whole),
        epochs: trained.epochs.len(),
        seconds: trained.seconds.total,
    };
    let mut reached = Reached::new(job, trained.graph, made)?;
    for layer in &trained.layers {
        if let Some(collapse) = &layer.collapse {
            let warning = format!("{}: {}", reached.point.name, collapse.told(&layer.name));
            reached.warnings.push(warning);
        }
    }
    Ok(Cut::Reached(Box::new(reached)))
}

impl Asked {
    fn share(self) -> f64 {
        self.macs as f64 / self.whole.max(1) as f64
    }
}

/// How a network came about.
struct Made {
    number: usize,
    from: Option<String>,
    asked_share: f64,
    /// Multiply-adds that its share is of; its own if none.
    whole: Option<u64>,
    epochs: usize,
    seconds: f64,
}

impl Made {
    fn given() -> Self {
        Self {
            number: 0,
            from: None,
            asked_share: 1.0,
            whole: None,
            epochs: 0,
            seconds: 0.0,
        }
    }
}

impl Reached {
    /// Measures and verifies a network.
    fn new(job: &Job, graph: Graph, made: Made) -> Result<Self> {
        let scaler = job.prepared.target_scaler.as_ref();
        let scale = scaler.map_or(&[][..], |s| s.scale());
        let on = |rows: &[u32]| -> Result<Score> {
            Ok(score(&graph, &job.rows(rows)?, job.plan.settings.threads)?)
        };
        let split = &job.prepared.split;
        let model = job.verified(&graph)?;
        let cost = cost(&graph)?;
        let point = PathPoint {
            name: format!("point-{:02}", made.number),
            from: made.from,
            asked_share: made.asked_share,
            share: cost.macs as f64 / made.whole.unwrap_or(cost.macs).max(1) as f64,
            macs: cost.macs,
            params: cost.params,
            bytes: (model.bytes().len() + model.data().len()) as u64,
            units: widths(&graph)?,
            validation_score: headline(&on(&split.validation)?, scale),
            test_score: headline(&on(&split.test)?, scale),
            epochs: made.epochs,
            seconds: made.seconds,
            is_dominated: false,
            verify: model.evidence().clone(),
        };
        Ok(Self {
            point,
            model,
            warnings: vec![],
            graph,
        })
    }
}

/// Training rows as `graph` reads them, and validation rows.
fn rows(job: &Job, graph: &Graph) -> Result<(Rows, Rows)> {
    let train = job.train_rows()?;
    let chain = Chain::compile(graph, 1, 0, 1).ok();
    let train = match chain.as_ref().and_then(Chain::selected_inputs) {
        Some(columns) => stretch::narrowed(&train, columns)?,
        None => train,
    };
    Ok((train, job.rows(&job.prepared.split.validation)?))
}

/// Whether a budget could not be met.
fn is_out_of_reach(error: &secateur_train::Error) -> bool {
    use secateur_train::ErrorKind::{Limit, Missed};
    matches!(error.kind(), Limit | Missed)
}

fn diverged(epoch: usize) -> Error {
    Error::new(ErrorKind::Diverged, "the loss is not a finite number")
        .at(format!("epoch {epoch}"))
        .hint("lower --learning-rate, or look for extreme values in the data")
}

#[cfg(test)]
mod tests;
