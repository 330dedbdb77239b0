//! Keeping a run, and going on with one that was kept.

use secateur_graph::Graph;

use super::{Budget, Run, fit_within, order_of};
use crate::checkpoint::{Checkpoint, Position};
use crate::learner::Learner;
use crate::{Error, ErrorKind, Event, Flow, Result, Rows, Seconds, Settings, Trained};

/// Where a run starts.
#[derive(Debug, Clone)]
pub enum Start {
    /// From a network.
    Anew(Graph),
    /// From where a run rested.
    Rest(Box<Checkpoint>),
}

/// A run at rest: behind an epoch, or where it was stopped within one.
pub struct Rest<'a> {
    pub(super) run: &'a Run,
    pub(super) seconds: Seconds,
}

impl std::fmt::Debug for Rest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("position", &self.run.position)
            .finish_non_exhaustive()
    }
}

impl Rest<'_> {
    /// A copy of all that is needed to go on: about as large as the network, its gradient and the optimiser's state.
    ///
    /// # Errors
    /// If numbers do not fit the network that they came from, which no run does.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let run = self.run;
        Ok(Checkpoint {
            position: run.position,
            network: run.learner.keep()?,
            good: run.good.clone().filter(|_| run.position.batches > 0),
            lambda: run.lambda.now(),
            top_lambda: run.top_lambda,
            budget: run.budget.map(Budget::most),
            penalised_share: run.penalised_share,
            initial_norms: run.initial_norms.clone(),
            removals: run.removals.clone(),
            epochs: run.epochs.clone(),
            seconds: self.seconds,
        })
    }
}

/// Goes on with a run: on the same rows and under the same settings it ends with the same bits as if it had not rested.
///
/// # Errors
/// As [`fit`](crate::fit), and if the checkpoint is of another run.
pub fn resume(
    checkpoint: Checkpoint,
    train: Rows,
    validation: &Rows,
    settings: &Settings,
    observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
) -> Result<Trained> {
    let start = Start::Rest(Box::new(checkpoint));
    fit_within(start, train, validation, settings, None, observer)
}

impl Run {
    pub(super) fn resumed(checkpoint: Checkpoint, train: Rows, settings: Settings) -> Result<Self> {
        let Checkpoint {
            position,
            network,
            good,
            lambda,
            top_lambda,
            budget,
            penalised_share,
            initial_norms,
            removals,
            epochs,
            seconds,
        } = checkpoint;
        let last = network.graph().clone();
        let order = order_of(&train, &settings);
        let learner = Learner::resumed(network, train, &settings)?
            .ok_or_else(|| of_another("its network and what was kept of it do not fit"))?;
        let mut run = Self::around(learner, order, settings)?;
        let layers = run.initial_norms.len();
        let is_whole = epochs.len() == position.epochs
            && epochs.iter().all(|e| e.norms.len() == layers)
            && initial_norms.len() == layers
            && position.epochs <= run.settings.epochs
            && position.batches <= run.batches.count()
            && position.steps <= run.schedule.steps
            && position.steps <= (position.epochs + 1) * run.batches.count();
        if !is_whole {
            return Err(of_another("it tells of other epochs"));
        }
        run.batches
            .skip(position.epochs, position.batches, &mut run.rng);
        run.lambda.resume(lambda);
        if let (Some(own), Some(most)) = (&mut run.budget, budget) {
            own.resume(most);
        }
        run.good = match position {
            Position { batches: 0, .. } => Some(last).filter(|_| position.epochs > 0),
            _ => good,
        };
        Ok(Self {
            position,
            top_lambda,
            penalised_share,
            initial_norms,
            removals,
            epochs,
            before: seconds,
            ..run
        })
    }
}

fn of_another(why: &str) -> Error {
    Error::new(
        ErrorKind::Checkpoint,
        format!("this checkpoint is not one of this run: {why}"),
    )
    .hint("start the run anew")
}
