//! How a run that has results ended, what there is to say of it, and which exit code tells it.

use std::path::Path;

use secateur::{BudgetReport, Ended, Error, ErrorKind};

use super::Exit;
use crate::output::{Paint, error, warning};
use crate::progress::Stop;

/// How a run that has results ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending<'a> {
    /// As asked for.
    Done,
    /// In an epoch whose loss is no number, with the model of the one before.
    Diverged { epoch: usize },
    /// With a network that is not within its budget.
    Missed(&'a BudgetReport),
    /// Before its end, or before what was to come behind it.
    Stopped { why: Stop, is_complete: bool },
}

impl<'a> Ending<'a> {
    /// A run that was stopped may end before units go to meet its budget.
    pub(super) fn of(
        ended: Ended,
        budget: Option<&'a BudgetReport>,
        stopped: Option<Stop>,
    ) -> Self {
        match (ended, stopped, budget) {
            (Ended::Diverged { epoch }, _, _) => Self::Diverged { epoch },
            (_, Some(why), _) => Self::Stopped {
                why,
                is_complete: ended == Ended::Complete,
            },
            (_, None, Some(budget)) if !budget.is_met => Self::Missed(budget),
            (_, None, _) => Self::Done,
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Done => Exit::Done,
            Self::Diverged { .. } | Self::Missed(_) => Exit::Failed,
            Self::Stopped { why, .. } => match why {
                Stop::Asked => Exit::Interrupted,
                Stop::Time => Exit::Done,
            },
        }
    }

    /// Says what went wrong, and how to go on.
    pub(super) fn tell(&self, folder: &Path, paint: Paint) {
        match self {
            Self::Done => {}
            Self::Diverged { epoch } => error(&diverged(*epoch), paint),
            Self::Missed(budget) => error(&missed(budget), paint),
            Self::Stopped { is_complete, .. } => {
                let message = match is_complete {
                    true => "interrupted after a complete run: no other strength and no comparison after it".into(),
                    false => format!("to go on: secateur compress --resume {}", folder.display()),
                };
                warning(&message, paint);
            }
        }
    }
}

fn diverged(epoch: usize) -> Error {
    let kept = epoch - 1;
    let message = format!("the loss is not a finite number; the model of epoch {kept} was kept");
    Error::new(ErrorKind::Diverged, message)
        .at(format!("epoch {epoch}"))
        .hint("lower --learning-rate, or look for extreme values in the data")
}

fn missed(budget: &BudgetReport) -> Error {
    Error::new(ErrorKind::Verification, budget.sentence())
        .at("--budget")
        .hint("the results were written all the same; measure again with `secateur bench`, or ask for less")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(is_met: bool) -> BudgetReport {
        BudgetReport {
            asked: "latency=2ms".into(),
            unit: "ms a row".into(),
            most: 2.0,
            start: 9.0,
            reached: if is_met { 2.0 } else { 2.5 },
            is_met,
            engines: vec![],
            warnings: vec![],
        }
    }

    #[test]
    fn a_limit_that_is_missed_behind_training_is_a_failure() {
        let (met, missed) = (budget(true), budget(false));
        let code = |budget| Ending::of(Ended::Complete, budget, None).exit().code();
        assert_eq!(code(None), 0);
        assert_eq!(code(Some(&met)), 0);
        assert_eq!(code(Some(&missed)), 1);
        let told = super::missed(&missed).to_string();
        let wanted = "--budget: latency=2ms, 2.500 of at most 2 ms a row (not met, 25.0 % above)";
        assert!(told.starts_with(wanted), "{told}");
    }

    /// Units go to meet a budget in the last epochs.
    #[test]
    fn a_run_that_was_stopped_has_missed_nothing() {
        let missed = budget(false);
        let cut_short = Ended::Interrupted { epoch: 3 };
        for ended in [cut_short, Ended::Complete] {
            let code = |why| Ending::of(ended, Some(&missed), Some(why)).exit().code();
            assert_eq!((code(Stop::Asked), code(Stop::Time)), (130, 0), "{ended:?}");
        }
        let is_complete = |ended| match Ending::of(ended, None, Some(Stop::Time)) {
            Ending::Stopped { is_complete, .. } => is_complete,
            other => panic!("{other:?}"),
        };
        assert!(is_complete(Ended::Complete) && !is_complete(cut_short));
    }

    #[test]
    fn a_loss_that_is_no_number_fails_whatever_else_there_was() {
        let diverged = Ended::Diverged { epoch: 7 };
        let met = budget(true);
        for (budget, stopped) in [
            (None, None),
            (Some(&met), None),
            (None, Some(Stop::Time)),
            (None, Some(Stop::Asked)),
        ] {
            assert_eq!(Ending::of(diverged, budget, stopped).exit().code(), 1);
        }
        let told = super::diverged(7).to_string();
        let wanted = "epoch 7: the loss is not a finite number; the model of epoch 6 was kept";
        assert_eq!(told, wanted);
    }
}
