//! The networks that a run trains one after the other, each gone on with where it was kept.

use secateur_graph::Graph;
use secateur_train::{Ended, Event, Flow, Start, Trained};

use crate::Result;
use crate::checkpoints::{Checkpoints, Stored};

/// What is told how training goes.
pub(crate) type Tell<'a> = &'a mut (dyn FnMut(Event<'_>) -> Flow + Send);

/// Trains networks, and keeps what is needed to go on.
pub(crate) struct Keeper {
    kept: Option<Checkpoints>,
    /// Networks begun so far.
    count: usize,
}

impl Keeper {
    pub(crate) fn new(kept: Option<Checkpoints>) -> Self {
        Self { kept, count: 0 }
    }

    /// The next network, trained by `fit` from `graph`, or from where it was kept; `tell` hears of it.
    ///
    /// # Errors
    /// Those of `fit`, and if a checkpoint cannot be read or written.
    pub(crate) fn train(
        &mut self,
        graph: &Graph,
        tell: Tell<'_>,
        fit: impl FnOnce(Start, Tell<'_>) -> Result<Trained>,
    ) -> Result<Trained> {
        let number = self.count;
        self.count += 1;
        let kept = &mut self.kept;
        let found = kept.as_ref().map(|k| k.load(number)).transpose()?;
        let (stored, is_elsewhere) = found.flatten().unzip();
        if is_elsewhere == Some(true) {
            tell(Event::Note(
                "the first part ran on a processor with other instructions: the last bits may differ",
            ));
        }
        let (mut failed, mut stops) = (None, false);
        let mut keep = |event: Event<'_>| {
            let (Event::Rest(rest), Some(kept)) = (&event, kept.as_mut()) else {
                let flow = tell(event);
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
        let trained = fit(start, &mut keep)?;
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
