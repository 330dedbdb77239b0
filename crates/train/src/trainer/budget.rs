//! When a budget is looked at: before the first epoch, and in stages up to half-way through the penalised ones.

use std::time::Instant;

use secateur_graph::Graph;
use secateur_prox::{Part, Quantity};

use super::Run;
use crate::budget::search::{foresee, within};
use crate::budget::{count, ranked::Ranked};
use crate::settings::Widths;
use crate::{Error, Event, Flow, Question, Result, Settings};

/// What a run's network may keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    of: Quantity,
    /// So much at most.
    most: u64,
    /// What each layer may be left with.
    widths: Widths,
    /// Epoch before which the limit is met.
    due: usize,
    /// In how many stages it is come to. The epochs before each grow with its square: the first ranking knows enough to find the many
    /// units that no one misses, and what goes early makes all later epochs cheaper.
    stages: usize,
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
        let due = (settings.epochs - settings.settle) / 2 + 1;
        Ok(Some(Self {
            of: limit.of,
            most: limit.most.of(count(limit.of, graph)?),
            widths: p.widths(),
            due,
            // There is an epoch to each, at most.
            stages: p.stages.min(due),
        }))
    }

    /// So much at most.
    pub(super) fn most(self) -> u64 {
        self.most
    }

    /// How many stages come behind the one before epoch `number`; none if there is none.
    fn stages_behind(self, number: usize) -> Option<usize> {
        let epoch = |stage: usize| {
            let share = (stage as f64 / self.stages as f64).powi(2);
            1 + ((self.due - 1) as f64 * share).round() as usize
        };
        // Of those that fall together the last one counts; only the last of all may come before anything is trained.
        let stage = (1..=self.stages).rev().find(|&s| epoch(s) == number)?;
        (number > 1 || stage == self.stages).then_some(self.stages - stage)
    }

    /// The limit of a stage with `behind` others behind it, for a network that has `now`: on the way to the last limit it falls by
    /// the same factor each time.
    fn most_of_stage(self, now: u64, behind: usize) -> u64 {
        if behind == 0 {
            return self.most;
        }
        let factor = now.max(self.most) as f64 / self.most.max(1) as f64;
        let most = self.most as f64 * factor.powf(behind as f64 / (behind + 1) as f64);
        most.round() as u64
    }

    /// The limit of the run's start: a share was taken of that.
    pub(super) fn resume(&mut self, most: u64) {
        self.most = most;
    }
}

impl Run {
    /// Looks ahead before the first epoch, so that nothing is trained for a limit that is out of reach, and takes the surplus
    /// away stage by stage. What only the caller can measure is asked for in the last stage.
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
        // What must be asked for is met at once: on the way there is nothing to count by.
        let stage = budget
            .stages_behind(number)
            .filter(|&behind| behind == 0 || question.is_none());
        if number != 1 && stage.is_none() {
            return Ok(());
        }
        let (start, before) = (Instant::now(), self.forward_seconds());
        let ranked: Ranked = self.learner.ranked(budget.of, budget.widths)?;
        if number == 1
            && let Some(note) = foresee(&ranked, budget.most, question.as_deref_mut())?
        {
            observer(Event::Note(&note));
        }
        if let Some(behind) = stage {
            let most = budget.most_of_stage(ranked.whole()?.count, behind);
            let within = within(&ranked, most, question).map_err(|e| match number {
                1 => e,
                _ => e.once_trained(),
            })?;
            let removal = self.learner.remove_asked(&within.keep, number)?;
            self.removals.extend(removal);
        }
        self.shrink_seconds += start.elapsed().as_secs_f64();
        self.other_forward += self.forward_seconds() - before;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(due: usize, most: u64) -> Budget {
        Budget {
            of: Quantity::Macs,
            most,
            widths: Widths { floor: 1, round: 1 },
            due,
            stages: 3,
        }
    }

    #[test]
    fn stages_come_one_after_the_other_and_the_last_is_due() {
        for due in 1..40 {
            let budget = budget(due, 10);
            let stages: Vec<(usize, usize)> = (1..=40)
                .filter_map(|number| Some((number, budget.stages_behind(number)?)))
                .collect();
            assert_eq!(stages.last(), Some(&(due, 0)), "{stages:?}");
            assert!(stages.windows(2).all(|w| w[0].1 > w[1].1), "{stages:?}");
            assert!(due == 1 || stages[0].0 > 1, "{stages:?}");
        }
        let stages = [2, 5, 11].map(|number| budget(11, 10).stages_behind(number));
        assert_eq!(stages, [Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn limits_fall_by_the_same_factor_to_the_last() {
        let budget = budget(11, 1_000);
        assert_eq!(budget.most_of_stage(8_000, 2), 4_000);
        assert_eq!(budget.most_of_stage(4_000, 1), 2_000);
        assert_eq!(budget.most_of_stage(2_000, 0), 1_000);
        // What has less already loses nothing.
        assert_eq!(budget.most_of_stage(900, 2), 1_000);
        let all = Budget {
            most: u64::MAX,
            ..budget
        };
        assert_eq!(all.most_of_stage(5, 0), u64::MAX);
        assert_eq!(all.most_of_stage(5, 2), u64::MAX);
    }
}
