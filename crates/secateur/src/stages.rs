//! The networks that a run trains one after the other, each gone on with where it was kept.

use secateur_graph::Graph;
use secateur_train::{Ended, Event, Flow, Start, Trained};

use crate::checkpoints::{Checkpoints, Stored};
use crate::compress::Stage;
use crate::{Progress, Result};

/// What is told how training goes.
pub(crate) type Tell<'a> = &'a mut (dyn FnMut(Event<'_>) -> Flow + Send);

/// Trains networks, tells an observer, and keeps what is needed to go on.
pub(crate) struct Trainer<'a> {
    kept: Option<Checkpoints>,
    observer: &'a mut (dyn FnMut(Progress<'_>) -> Flow + Send),
    /// Networks begun so far.
    count: usize,
}

impl<'a> Trainer<'a> {
    pub(crate) fn new(
        kept: Option<Checkpoints>,
        observer: &'a mut (dyn FnMut(Progress<'_>) -> Flow + Send),
    ) -> Self {
        Self {
            kept,
            observer,
            count: 0,
        }
    }

    /// The next network of the run, trained by `fit` from `graph`, or from where it was kept.
    ///
    /// # Errors
    /// Those of `fit`, and if a checkpoint cannot be read or written.
    pub(crate) fn train(
        &mut self,
        stage: Stage,
        graph: &Graph,
        fit: impl FnOnce(Start, Tell<'_>) -> Result<Trained>,
    ) -> Result<Trained> {
        let number = self.count;
        self.count += 1;
        let Self { kept, observer, .. } = self;
        let found = kept.as_ref().map(|k| k.load(number)).transpose()?;
        let (stored, is_elsewhere) = found.flatten().unzip();
        if is_elsewhere == Some(true) {
            let note = "the first part ran on a processor with other instructions: the last bits may differ";
            let event = Event::Note(note);
            observer(Progress::Train { stage, event });
        }
        let (mut failed, mut stops) = (None, false);
        let mut tell = |event: Event<'_>| {
            let (Event::Rest(rest), Some(kept)) = (&event, kept.as_mut()) else {
                let flow = observer(Progress::Train { stage, event });
                stops |= flow == Flow::Stop;
                return flow;
            };
            match kept.rest(number, rest, stops) {
                Ok(()) => Flow::Continue,
                Err(error) => {
                    failed = Some(error);
                    Flow::Stop
                }
            }
        };
        let start = match stored {
            Some(Stored::Done(trained)) => return Ok(*trained),
            Some(Stored::Running(checkpoint)) => Start::Rest(checkpoint),
            None => Start::Anew(graph.clone()),
        };
        let trained = fit(start, &mut tell)?;
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(kept) = kept
            && !matches!(trained.ended, Ended::Interrupted { .. })
        {
            kept.done(number, &trained)?;
        }
        Ok(trained)
    }
}
