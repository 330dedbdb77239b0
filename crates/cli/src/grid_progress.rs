//! How far is a grid? A bar for all of it, one for each running cell, and a line for each that is finished.

use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use secateur::compare::{Cell, GridEvent, Outcome, Unit};

use crate::commands::grid::duration;
use crate::output::note;
use crate::progress::Manner;

const ALL: &str = "{pos}/{len} cells [{bar:32}] {elapsed}, {eta} left";
const JOB: &str = "  [{bar:16}] {wide_msg}";

/// What is shown of a running grid; dropping it clears the bars.
pub(crate) struct GridDisplay {
    manner: Manner,
    bars: MultiProgress,
    all: ProgressBar,
    jobs: Vec<ProgressBar>,
    todo: usize,
    units: usize,
    finished: AtomicUsize,
}

impl GridDisplay {
    pub(crate) fn new(manner: Manner, jobs: usize, todo: usize, units: usize) -> Self {
        Self::on(&MultiProgress::new(), manner, jobs, todo, units)
    }

    fn on(bars: &MultiProgress, manner: Manner, jobs: usize, todo: usize, units: usize) -> Self {
        let bar = |length: usize, template: &str| {
            let bar = match manner {
                Manner::Bar => bars.add(ProgressBar::new(length as u64)),
                Manner::Lines | Manner::Silent => ProgressBar::hidden(),
            };
            // The templates are constants that a test draws.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        };
        Self {
            manner,
            all: bar(todo, ALL),
            jobs: (0..jobs.min(todo)).map(|_| bar(1, JOB)).collect(),
            bars: bars.clone(),
            todo,
            units,
            finished: AtomicUsize::new(0),
        }
    }

    /// Says how much there is to do.
    pub(crate) fn begin(&self, seconds: f64) {
        let before = self.units - self.todo;
        let known = match before {
            0 => String::new(),
            n => format!(", {n} more were finished before"),
        };
        self.line(&format!(
            "{} cells to run, up to {}{known}",
            self.todo,
            duration(seconds)
        ));
        self.all.reset();
    }

    /// Shows what the grid tells.
    pub(crate) fn show(&self, event: &GridEvent<'_>) {
        match *event {
            GridEvent::Loading(name) => self.line(&format!("reading {name}")),
            GridEvent::Begin(worker, unit) => {
                if let Some(bar) = self.jobs.get(worker) {
                    bar.set_position(0);
                    bar.set_message(name(unit));
                }
            }
            GridEvent::Epoch(worker, epoch, of) => {
                if let Some(bar) = self.jobs.get(worker) {
                    bar.set_length(of as u64);
                    bar.set_position(epoch as u64);
                }
            }
            GridEvent::Finished(_, cell) => {
                let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
                self.all.set_position(finished as u64);
                self.line(&format!(
                    "{finished}/{}  {}: {}",
                    self.todo,
                    name(&cell.unit),
                    outcome(cell)
                ));
            }
        }
    }

    fn line(&self, text: &str) {
        match self.manner {
            Manner::Silent => {}
            Manner::Lines => note(text),
            Manner::Bar => self.bars.suspend(|| note(text)),
        }
    }
}

impl Drop for GridDisplay {
    fn drop(&mut self) {
        self.jobs.iter().for_each(ProgressBar::finish_and_clear);
        self.all.finish_and_clear();
    }
}

fn name(unit: &Unit) -> String {
    let at = unit
        .at
        .map_or(String::new(), |at| format!(", {:.1} %", 100.0 * at));
    format!(
        "{}, {}{at}, seed {}",
        unit.data,
        unit.arm.label(),
        unit.seed
    )
}

fn outcome(cell: &Cell) -> String {
    match &cell.result {
        Outcome::Done(m) => {
            let score = match cell.higher_is_better() {
                true => format!("{:.2} %", 100.0 * m.test),
                false => format!("RMSE {:.4}", m.test),
            };
            let ratio = m.macs_before as f64 / m.macs.max(1) as f64;
            format!(
                "{score}, {ratio:.1} times fewer MACs, {:.1} s",
                m.seconds.total
            )
        }
        Outcome::NotReachable { .. } => "not reachable".into(),
        Outcome::NotReached { .. } => "not reached".into(),
        Outcome::Diverged => "diverged".into(),
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, ProgressDrawTarget};
    use secateur::compare::Arm;

    use super::*;

    #[test]
    fn a_grid_has_a_bar_and_so_has_each_running_cell() {
        let terminal = InMemoryTerm::new(8, 100);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 200);
        let display = GridDisplay::on(
            &MultiProgress::with_draw_target(target),
            Manner::Bar,
            2,
            5,
            7,
        );
        let unit = |part: &str, seed| Unit {
            data: "digits".into(),
            arm: Arm::new(
                [
                    ("penalty".into(), "l1".into()),
                    ("part".into(), part.into()),
                ]
                .into(),
            ),
            at: Some(0.25),
            seed,
        };
        let (first, second) = (unit("full", 0), unit("spare-last:8", 3));
        display.show(&GridEvent::Begin(0, &first));
        display.show(&GridEvent::Begin(1, &second));
        display.show(&GridEvent::Epoch(1, 15, 30));
        let cell = Cell {
            unit: first,
            fingerprint: String::new(),
            metric: "accuracy".into(),
            result: Outcome::Diverged,
        };
        display.show(&GridEvent::Finished(0, &cell));
        let shown = terminal.contents();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(
            lines[0].starts_with("1/5 cells [======>") && lines[0].ends_with(" left"),
            "{shown}"
        );
        assert_eq!(
            lines[1],
            format!("  [{}] digits, l1, full, 25.0 %, seed 0", " ".repeat(16))
        );
        assert_eq!(
            lines[2],
            "  [========>       ] digits, l1, spare-last:8, 25.0 %, seed 3"
        );
        drop(display);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn a_finished_cell_tells_its_test_score_and_how_far_it_shrank() {
        let measured: secateur::compare::Measured = serde_json::from_str(
            r#"{
                "test": 0.9123, "validation": 0.9345, "train": 0.9456, "r2": null, "units": [3], "units_before": [5],
                "live_units": [4], "params": 17, "macs": 100, "macs_all_inputs": 222, "macs_before": 730, "weights": 19,
                "zero_weights": 6, "small_weights": 8, "penalised_share": 0.55, "strength": 0.25, "epochs": 9,
                "seconds": {
                    "total": 12.34, "search": 45.6, "forward": 1.1, "backward": 1.2, "update": 1.3, "penalty": 1.4,
                    "shrink": 1.5, "score": 1.6, "load": 1.7, "verify": 1.8
                },
                "alone": true, "threads": 2, "instruction_set": "x", "narrow_test": 0.8765, "right_rows": null, "tries": []
            }"#,
        )
        .unwrap();
        let told = |metric: &str, result| {
            outcome(&Cell {
                unit: Unit {
                    data: "digits".into(),
                    arm: Arm::new([].into()),
                    at: None,
                    seed: 0,
                },
                fingerprint: String::new(),
                metric: metric.into(),
                result,
            })
        };
        let done = || Outcome::Done(Box::new(measured.clone()));
        let wanted = "91.23 %, 7.3 times fewer MACs, 12.3 s";
        assert_eq!(told("accuracy", done()), wanted);
        let wanted = "RMSE 0.9123, 7.3 times fewer MACs, 12.3 s";
        assert_eq!(told("rmse", done()), wanted);
        assert_eq!(told("accuracy", Outcome::Diverged), "diverged");
    }
}
