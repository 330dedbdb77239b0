//! How far is something that takes long, without training? A bar, or a line now and then.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use secateur::Step;

use super::Manner;
use crate::output::note;

const TEMPLATE: &str = "{msg} [{bar:32}] {pos}/{len}, {elapsed}";
/// What takes less is not told.
const SHORT: Duration = Duration::from_secs(2);
/// From one line to the next.
const BETWEEN: Duration = Duration::from_secs(10);

/// What is shown of steps; dropping it clears the bar.
pub(crate) struct StepDisplay {
    manner: Manner,
    bar: ProgressBar,
    /// What is being done, since when, and when that was told last.
    now: Cell<Option<(&'static str, Instant, Option<Instant>)>>,
}

impl StepDisplay {
    pub(crate) fn new(manner: Manner) -> Self {
        let bar = match manner {
            Manner::Bar => ProgressBar::no_length().with_finish(ProgressFinish::AndClear),
            Manner::Lines | Manner::Silent => ProgressBar::hidden(),
        };
        // The template is a constant that a test draws.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            manner,
            bar,
            now: Cell::new(None),
        }
    }

    /// Shows a step.
    pub(crate) fn show(&self, step: Step) {
        self.bar.set_message(step.doing);
        self.bar.set_length(step.of as u64);
        self.bar.set_position(step.done as u64);
        if let Some(line) = self.line(step, Instant::now()) {
            note(line);
        }
    }

    /// What is told of a step at a time, where lines are.
    fn line(&self, step: Step, time: Instant) -> Option<String> {
        let is_told = self.is_due(step.doing, time) && self.manner == Manner::Lines;
        is_told.then(|| format!("{}: {} of {}", step.doing, step.done, step.of))
    }

    /// Whether a line is to be told of what is done at a time.
    fn is_due(&self, doing: &'static str, time: Instant) -> bool {
        let (began, told) = match self.now.get() {
            Some((before, began, told)) if before == doing => (began, told),
            _ => (time, None),
        };
        let is_due = match told {
            None => time - began >= SHORT,
            Some(told) => time - told >= BETWEEN,
        };
        self.now
            .set(Some((doing, began, if is_due { Some(time) } else { told })));
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_told_now_and_then() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
        let display = StepDisplay::new(Manner::Silent);
        let start = Instant::now();
        let due = |doing, seconds| display.is_due(doing, start + Duration::from_secs(seconds));
        let told = [0, 1, 2, 3, 11, 12, 21, 22].map(|at| due("ranking", at));
        assert_eq!(told, [false, false, true, false, false, true, false, true]);
        let step = Step {
            doing: "looking",
            done: 3,
            of: 8,
        };
        for (manner, wanted) in [
            (Manner::Silent, None),
            (Manner::Lines, Some("looking: 3 of 8")),
        ] {
            let display = StepDisplay::new(manner);
            assert_eq!(display.line(step, start), None);
            let told = display.line(step, start + 2 * SHORT);
            assert_eq!(told.as_deref(), wanted);
        }
        // Another thing is told once it takes long itself.
        let told = [22, 23, 24].map(|at| due("repairing", at));
        assert_eq!(told, [false, false, true]);
    }
}
