//! When units are ranked anew, and when dead ones go.

use std::time::Instant;

use super::Run;
use crate::removal::Due;
use crate::{PenaltyStep, RemovalTime, Result};

impl Run {
    /// Removals and rankings that are due by the number of steps.
    pub(super) fn between_steps(&mut self, epoch: usize) -> Result<()> {
        let Some(p) = self.settings.penalty else {
            return Ok(());
        };
        if let RemovalTime::Steps(every) = p.removal
            && p.step == PenaltyStep::Proximal
            && self.position.steps.is_multiple_of(every)
        {
            self.remove(epoch, false)?;
        }
        if let Some(every) = p.part.rank_every()
            && self.position.steps.is_multiple_of(every.get())
        {
            let start = Instant::now();
            self.learner.rank_by_norm()?;
            self.shrink_seconds += start.elapsed().as_secs_f64();
        }
        Ok(())
    }

    /// Removals that are due at the end of an epoch.
    pub(super) fn after_epoch(&mut self, number: usize) -> Result<()> {
        let Some(p) = self.settings.penalty else {
            return Ok(());
        };
        let last = number == self.settings.epochs - self.settings.settle;
        if p.step == PenaltyStep::Proximal
            && self.penalised_epoch(number)
            && (last || p.removal == RemovalTime::Epoch)
        {
            self.remove(number, last)?;
        }
        Ok(())
    }

    fn remove(&mut self, epoch: usize, last: bool) -> Result<()> {
        let (start, before) = (Instant::now(), self.forward_seconds());
        if let Some(p) = &self.settings.penalty {
            let widths = p.widths();
            let due = Due {
                epoch,
                widths,
                last,
            };
            self.removals.extend(self.learner.remove_dead(due)?);
        }
        self.shrink_seconds += start.elapsed().as_secs_f64();
        self.other_forward += self.forward_seconds() - before;
        Ok(())
    }
}
