//! How far is the run? A bar on a terminal, a line now and then elsewhere.

mod path;
mod steps;

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use secateur::{Epoch, Event, Origin, Plan, Prepared, Progress, Score, Stage};

use crate::output::note;

pub(crate) use steps::StepDisplay;

/// Lines that a stage prints where there is no bar.
const LINES: usize = 10;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A bar that redraws itself.
    Bar,
    /// Plain lines, for logs.
    Lines,
    /// Nothing.
    Silent,
}

impl Manner {
    /// A bar only where both streams are terminals: a redirected stdout means a script.
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        match quiet {
            true => Self::Silent,
            false if !json && io::stdout().is_terminal() && io::stderr().is_terminal() => Self::Bar,
            false => Self::Lines,
        }
    }
}

/// Why a run is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The user interrupted it.
    Asked,
    /// It had the time that it was given.
    Time,
}

/// The state of what is shown; dropping it clears the bar.
pub(crate) struct Display {
    manner: Manner,
    bar: ProgressBar,
    stage: Option<Stage>,
    epoch: usize,
    attempt: usize,
    full_macs: u64,
    stopping: bool,
}

impl Display {
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
            stage: None,
            epoch: 0,
            attempt: 1,
            full_macs: 0,
            stopping: false,
        }
    }

    /// Shows what the run tells.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Loaded {
                plan,
                prepared,
                macs,
            } => self.loaded(plan, prepared, *macs),
            Progress::Train { stage, event } => match event {
                // Controls and other strengths train the same network.
                Event::Note(text) if *stage == Stage::Compress && self.stage.is_none() => {
                    if self.manner != Manner::Silent {
                        self.bar.suspend(|| note(text));
                    }
                }
                Event::Note(_) | Event::Rest(_) => {}
                Event::Step { done, of } => self.step(*done, *of),
                Event::Epoch(epoch) => self.epoch(*stage, epoch),
            },
        }
    }

    /// Says once that the run is being cut short.
    pub(crate) fn stopping(&mut self, why: Stop) {
        if !self.stopping && self.manner != Manner::Silent {
            self.bar.suspend(|| match why {
                Stop::Asked => note(
                    "interrupted: verifying and writing the model so far; a second time gives it up",
                ),
                Stop::Time => note("out of time: verifying and writing the model so far"),
            });
        }
        self.stopping = true;
    }

    fn loaded(&mut self, plan: &Plan, prepared: &Prepared, macs: u64) {
        self.full_macs = macs;
        if self.manner == Manner::Lines {
            let net = match &plan.start {
                Origin::Chain => joined(&widths(plan, prepared)),
                Origin::Named(architecture) => architecture.to_string(),
                Origin::Model(path) => path.display().to_string(),
            };
            let dataset = &prepared.dataset;
            let (name, rows) = (dataset.name(), dataset.rows());
            note(format_args!("{name}: {rows} rows, training {net}"));
        }
    }

    fn epoch(&mut self, stage: Stage, epoch: &Epoch) {
        // A stage that starts again tries another strength.
        self.attempt = match self.stage == Some(stage) {
            true => self.attempt + usize::from(epoch.number <= self.epoch),
            false => 1,
        };
        self.stage = Some(stage);
        let name = name(stage, self.attempt);
        self.tell(name, epoch, is_due(epoch.number, epoch.of));
    }

    /// Shows an epoch of what is called `name`; where there is no bar only if it is due.
    fn tell(&mut self, name: String, epoch: &Epoch, is_due: bool) {
        self.epoch = epoch.number;
        let state = state(epoch, self.full_macs);
        if self.manner == Manner::Lines && is_due {
            note(format_args!("{name}: {state}"));
        }
        self.bar.set_prefix(name);
        self.bar.set_message(state);
    }

    fn step(&self, done: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }
}

/// On two lines, so that the state fits a narrow terminal.
const TEMPLATE: &str = "{prefix} [{bar:32}] {elapsed}, {eta} left\n  {wide_msg}";

fn name(stage: Stage, attempt: usize) -> String {
    let name = match stage {
        Stage::Dense => "dense",
        Stage::Compress => "compress",
        Stage::Narrow => "narrow",
    };
    match (stage, attempt) {
        (_, 1) => name.to_owned(),
        (Stage::Narrow, n) => format!("{name}, weight decay {n}"),
        (Stage::Compress | Stage::Dense, n) => format!("{name}, strength {n}"),
    }
}

/// Every tenth of the epochs, and the last.
fn is_due(number: usize, of: usize) -> bool {
    number == of || number.is_multiple_of(of.div_ceil(LINES).max(1))
}

fn state(epoch: &Epoch, full_macs: u64) -> String {
    let score = match &epoch.validation {
        Score::Classes { accuracy, .. } => format!("accuracy {:.2} %", 100.0 * accuracy),
        Score::Values { .. } => {
            format!("rmse {:.4} (standardised)", -epoch.validation.quality())
        }
    };
    format!(
        "epoch {}/{}, loss {:.4}, {score}, units {}, {:.1} % of MACs",
        epoch.number,
        epoch.of,
        epoch.loss,
        shown(&epoch.units),
        100.0 * epoch.macs as f64 / full_macs.max(1) as f64,
    )
}

/// Inputs, hidden units and outputs of the network that the run starts from.
fn widths(plan: &Plan, prepared: &Prepared) -> Vec<usize> {
    let mut widths = vec![prepared.dataset.inputs()];
    widths.extend(&plan.hidden);
    widths.push(prepared.dataset.outputs());
    widths
}

/// Units of few layers one by one, of many their sum.
fn shown(units: &[usize]) -> String {
    match units.len() <= 5 {
        true => joined(units),
        false => format!("{} in {} groups", units.iter().sum::<usize>(), units.len()),
    }
}

fn joined(widths: &[usize]) -> String {
    let text: Vec<String> = widths.iter().map(ToString::to_string).collect();
    text.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: usize) -> Epoch {
        Epoch {
            number,
            of: 30,
            lambda: 0.0,
            loss: 0.25,
            validation: Score::Classes {
                accuracy: 0.975,
                balanced_accuracy: 0.97,
                loss: 0.1,
            },
            units: vec![64, 20, 9],
            norms: vec![],
            macs: 250,
            seconds: 1.0,
        }
    }

    #[test]
    fn the_template_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn ten_lines_a_stage_or_one_an_epoch() {
        let due = |of: usize| (1..=of).filter(|&n| is_due(n, of)).collect::<Vec<_>>();
        assert_eq!(due(3), [1, 2, 3]);
        assert_eq!(due(25), [3, 6, 9, 12, 15, 18, 21, 24, 25]);
        assert_eq!(due(200).len(), 10);
    }

    #[test]
    fn a_stage_that_starts_again_is_numbered() {
        let mut display = Display::new(Manner::Silent);
        let mut attempts = vec![];
        for (stage, number) in [
            (Stage::Compress, 1),
            (Stage::Compress, 2),
            (Stage::Compress, 1),
            (Stage::Dense, 1),
        ] {
            display.epoch(stage, &epoch(number));
            attempts.push(name(stage, display.attempt));
        }
        assert_eq!(
            attempts,
            ["compress", "compress", "compress, strength 2", "dense"]
        );
    }

    #[test]
    fn an_epoch_tells_loss_score_units_and_macs() {
        let mut epoch = epoch(3);
        assert_eq!(
            state(&epoch, 1000),
            "epoch 3/30, loss 0.2500, accuracy 97.50 %, units 64-20-9, 25.0 % of MACs"
        );
        epoch.validation = Score::Values {
            rmse: vec![0.5, 0.25],
            r2: vec![0.7, 0.9],
            loss: 0.1,
        };
        assert!(state(&epoch, 1000).contains("rmse 0.3750 (standardised)"));
    }
}
