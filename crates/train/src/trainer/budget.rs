//! When a budget is looked at: before the first epoch, and half-way through the penalised ones.

use std::time::Instant;

use secateur_graph::Graph;
use secateur_prox::{Part, Quantity};

use super::Run;
use crate::budget::search::{foresee, within};
use crate::budget::{count, ranked::Ranked};
use crate::{Error, Event, Flow, Question, Result, Settings};

/// What a run's network may keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    of: Quantity,
    /// So much at most.
    most: u64,
    /// Units that each layer keeps.
    floor: usize,
    /// Epoch before which the units go.
    due: usize,
}

impl Budget {
    /// What the settings allow a network; none if its part is no budget.
    pub(super) fn of(settings: &Settings, graph: &Graph) -> Result<Option<Self>> {
        let Some((p, limit)) = settings.penalty.and_then(|p| match p.part {
            Part::Budget { limit } => Some((p, limit)),
            _ => None,
        }) else {
            return Ok(None);
        };
        Ok(Some(Self {
            of: limit.of,
            most: limit.most.of(count(limit.of, graph)?),
            floor: p.floor,
            due: (settings.epochs - settings.settle) / 2 + 1,
        }))
    }

    /// So much at most.
    pub(super) fn most(self) -> u64 {
        self.most
    }

    /// The limit of the run's start: a share was taken of that.
    pub(super) fn resume(&mut self, most: u64) {
        self.most = most;
    }
}

impl Run {
    /// Looks ahead before the first epoch, so that nothing is trained for a limit that is out of reach, and takes the surplus
    /// away half-way through the penalised epochs.
    pub(super) fn before_epoch(
        &mut self,
        number: usize,
        mut question: Option<&mut Question<'_>>,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<()> {
        let Some(budget) = self.budget else {
            return match question {
                None => Ok(()),
                Some(_) => Err(Error::settings("a limit needs a part that is a budget")
                    .at("part")
                    .hint("use budget:100% to rank units by their MACs")),
            };
        };
        if number != 1 && number != budget.due {
            return Ok(());
        }
        let (start, before) = (Instant::now(), self.forward_seconds());
        let ranked: Ranked = self.learner.ranked(budget.of, budget.floor)?;
        if number == 1
            && let Some(note) = foresee(&ranked, budget.most, question.as_deref_mut())?
        {
            observer(Event::Note(&note));
        }
        if number == budget.due {
            let within = within(&ranked, budget.most, question)?;
            let removal = self.learner.remove_asked(&within.keep, number)?;
            self.removals.extend(removal);
        }
        self.shrink_seconds += start.elapsed().as_secs_f64();
        self.other_forward += self.forward_seconds() - before;
        Ok(())
    }
}
