//! A limit on the time of a row: what is measured, and when.

use std::time::Duration;

use secateur_graph::{Graph, from_model, lighten};
use secateur_onnx::{Limits, Parts};
use secateur_train::{Question, Rows, Start, Trained, fit_within};

use super::run::{Observer, told};
use super::{BudgetReport, EngineTime};
use crate::job::Job;
use crate::latency::{Engine, OneRow, OneRows, Settings, one_row};
use crate::{Error, ErrorKind, ModelFile, Result};

/// Seconds for a look at one candidate, beside the network of the start and on both engines together.
const PROBE_SECONDS: f64 = 0.5;
/// Seconds for the two files at the end.
const LAST_SECONDS: f64 = 3.0;
/// Where the search ends, as a share of the limit: from one measurement to the next, ratios to the network of the start vary by some
/// per cent.
const AIM: f64 = 0.97;
/// How far below that, as a share of it, it may end.
const NEAR: f64 = 0.04;

/// Measures models for so many seconds.
pub(super) type Watch<'a> = &'a (dyn Fn(&[ModelFile], f64) -> Result<OneRows> + Sync);

impl Job {
    /// What measures on this machine, on the threads of the run.
    pub(super) fn watch(&self) -> impl Fn(&[ModelFile], f64) -> Result<OneRows> + Sync + use<> {
        let dataset = &self.prepared.dataset;
        let side = dataset.image().map(|image| image.height);
        let length = side.or_else(|| dataset.shape().first().copied());
        let length = length.unwrap_or(Settings::default().length).max(1);
        let threads = self.plan.settings.threads;
        move |models, seconds| one_row(models, (threads, length), seconds)
    }

    /// Trains a network whose rows take at most so long.
    ///
    /// Candidates take turns with `before`, as the files do at the end: by itself a network of a megabyte stays in the caches, and
    /// takes two thirds of the time. A machine is faster at one time than at another; so what counts is by how much a candidate is
    /// faster than the start at the same time, and how long the start takes is measured once, for longer.
    pub(super) fn fit_in_time(
        &self,
        before: &Graph,
        start: Start,
        (train, validation): (Rows, &Rows),
        settings: &secateur_train::Settings,
        (most, watch): (Duration, Watch<'_>),
        observer: Observer<'_>,
    ) -> Result<Trained> {
        let mut files = vec![self.file("before", before)?];
        let mut reference = None;
        let mut doubts: Vec<String> = vec![];
        let mut seconds = |candidate: &Graph| -> Result<f64> {
            let mut beside = |other: ModelFile, seconds| {
                files.truncate(1);
                files.push(other);
                let seen = watch(&files, seconds)?;
                doubts.clone_from(&seen.warnings);
                Ok::<_, Error>(seen)
            };
            let of_start = match reference {
                Some(row) => row,
                None => first_of(&beside(self.file("before", before)?, LAST_SECONDS)?),
            };
            reference = Some(of_start);
            let rows = beside(self.file("candidate", candidate)?, PROBE_SECONDS)?;
            let now = first_of(&rows);
            let candidate = rows.rows.last().copied().unwrap_or(NOTHING);
            let taken =
                |i: usize| of_start.by_engine[i] * candidate.by_engine[i] / now.by_engine[i];
            Ok(OneRow {
                by_engine: [taken(0), taken(1)],
            }
            .slower())
        };
        let mut ask = |candidate: &Graph| seconds(candidate).map_err(|e| told(&e));
        let question = Question {
            ask: &mut ask,
            most: most.as_secs_f64(),
            aim: AIM,
            near: NEAR,
            words: |seconds| format!("{:.4} ms a row", 1e3 * seconds),
        };
        let question = Some(question);
        let trained = fit_within(start, train, validation, settings, question, observer);
        trained.map_err(|e| doubted(e.into(), &doubts))
    }

    /// What became of a limit on time: the file of the network at the start and the one to be written, in turn.
    pub(super) fn time_report(
        &self,
        before: &Graph,
        written: &Parts,
        (most, watch): (Duration, Watch<'_>),
    ) -> Result<BudgetReport> {
        let files = [
            self.file("before", before)?,
            of_parts("small.onnx", written)?,
        ];
        let OneRows { rows, warnings } = watch(&files, LAST_SECONDS)?;
        let of = |i: usize| rows.get(i).copied().unwrap_or(NOTHING);
        let (start, reached) = (of(0), of(1));
        let engines = Engine::ALL.into_iter().zip(start.by_engine);
        let engines = engines.zip(reached.by_engine);
        let of_engine = |((engine, start), reached): ((Engine, f64), f64)| EngineTime {
            engine: engine.to_string(),
            start: 1e3 * start,
            reached: 1e3 * reached,
        };
        Ok(BudgetReport {
            asked: super::Budget::Latency(most).to_string(),
            unit: "ms a row".into(),
            most: 1e3 * most.as_secs_f64(),
            start: 1e3 * start.slower(),
            reached: 1e3 * reached.slower(),
            is_met: reached.slower() <= most.as_secs_f64(),
            engines: engines.map(of_engine).collect(),
            warnings,
        })
    }

    /// The file that a network would be written as.
    fn file(&self, name: &str, core: &Graph) -> Result<ModelFile> {
        of_parts(name, &self.written(core)?)
    }
}

/// What a time that is out of reach may have come from, before what else to do.
fn doubted(error: Error, doubts: &[String]) -> Error {
    let is_doubtful = error.kind() == ErrorKind::OutOfReach && !doubts.is_empty();
    match error.hint_text().filter(|_| is_doubtful) {
        Some(hint) => {
            let hint = format!("measure again, as {}; or {hint}", doubts.join(", and as "));
            error.hint(hint)
        }
        None => error,
    }
}

const NOTHING: OneRow = OneRow {
    by_engine: [f64::NAN; 2],
};

fn first_of(measured: &OneRows) -> OneRow {
    measured.rows.first().copied().unwrap_or(NOTHING)
}

/// A written model as it reads back.
fn of_parts(name: &str, parts: &Parts) -> Result<ModelFile> {
    let mut model = parts.read(crate::given_model::DATA_FILE, &Limits::default())?;
    let graph = from_model(&model)?;
    lighten(&mut model, &graph);
    ModelFile::of(name.to_owned(), model, graph, parts.size())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use secateur_train::{Event, Flow};

    use super::*;
    use crate::prepare::Prepared;
    use crate::{Config, ErrorKind, Plan, load_data};

    /// A run on digits within a budget.
    fn job(budget: &str) -> Job {
        let config = Config {
            data: Some("digits".into()),
            net: Some("32-16".into()),
            budget: Some(budget.into()),
            strength: Some("1e-6".into()),
            epochs: Some(4),
            threads: Some(1),
            ..Config::default()
        };
        let dataset = load_data(&config, None).unwrap();
        let prepared = Prepared::new(dataset, &config).unwrap();
        let rows = prepared.split.train.len();
        let plan = Plan::new(&config, &prepared.dataset, rows).unwrap();
        Job::new(plan, prepared).unwrap()
    }

    /// A machine on which a call takes half a millisecond and a microsecond for each multiply-add, and half as long again on the
    /// independent runtime.
    fn machine(models: &[ModelFile]) -> OneRows {
        let row = |model: &ModelFile| {
            let seconds = 5e-4 + 1e-6 * model.cost().macs as f64;
            OneRow {
                by_engine: [seconds, 1.5 * seconds],
            }
        };
        OneRows {
            rows: models.iter().map(row).collect(),
            warnings: vec!["busy".into()],
        }
    }

    fn trained(job: &Job, most: f64, watch: Watch<'_>) -> (Result<Trained>, Vec<String>, usize) {
        let split = &job.prepared.split;
        let validation = job.rows(&split.validation).unwrap();
        let rows = (job.train_rows().unwrap(), &validation);
        let (mut notes, mut epochs) = (vec![], 0);
        let observer = &mut |event: Event<'_>| {
            match event {
                Event::Note(note) => notes.push(note.to_owned()),
                Event::Epoch(_) => epochs += 1,
                Event::Step { .. } | Event::Rest(_) => {}
            }
            Flow::Continue
        };
        let limit = (Duration::from_secs_f64(most), watch);
        let before = job.start().unwrap();
        let start = Start::Anew(before.clone());
        let trained = job.fit_in_time(&before, start, rows, &job.plan.settings, limit, observer);
        (trained, notes, epochs)
    }

    #[test]
    fn the_slower_engine_is_brought_near_the_limit_with_room_for_noise() {
        let job = job("latency=3ms");
        let asked = Mutex::new(vec![]);
        let watch = |models: &[ModelFile], seconds: f64| {
            asked.lock().unwrap().push((models.len(), seconds));
            Ok(machine(models))
        };
        // 1.5 * (500 + 2720) us at the start.
        let trained = trained(&job, 3e-3, &watch).0.unwrap();
        let written = job.written(&trained.graph).unwrap();
        let before = job.start().unwrap();
        let limit = (Duration::from_millis(3), &watch as Watch<'_>);
        let report = job.time_report(&before, &written, limit).unwrap();
        assert!(report.is_met && report.asked == "latency=3ms");
        assert_eq!(report.warnings, ["busy"]);
        assert!(
            (0.93 * 3.0..=0.97 * 3.0).contains(&report.reached),
            "{report:?}"
        );
        assert!((report.start - 4.83).abs() < 1e-9, "{report:?}");
        let [own, other] = &report.engines[..] else {
            panic!("two engines: {report:?}");
        };
        assert_eq!(
            (own.engine.as_str(), other.reached),
            ("secateur", report.reached)
        );
        assert!((1.5 * own.reached - other.reached).abs() < 1e-9);
        // One candidate at a time beside the start, as the file at the end; the start by itself before.
        let asked = asked.into_inner().unwrap();
        let (last, probes) = asked.split_last().unwrap();
        let (first, probes) = probes.split_first().unwrap();
        assert_eq!([*first, *last], [(2, LAST_SECONDS); 2]);
        assert!(probes.iter().all(|p| *p == (2, PROBE_SECONDS)));
        assert!(probes.len() < 10, "{}", probes.len());
    }

    #[test]
    fn a_machine_that_is_faster_at_times_chooses_no_larger_network() {
        let job = job("latency=3ms");
        let calls = Mutex::new(0);
        let drifting = |models: &[ModelFile], seconds: f64| {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            let factor = match seconds == LAST_SECONDS {
                true => 1.0,
                false => [0.7, 1.0, 1.4][*calls % 3],
            };
            let mut seen = machine(models);
            for row in &mut seen.rows {
                row.by_engine = row.by_engine.map(|s| factor * s);
            }
            Ok(seen)
        };
        let trained_by = |watch: Watch<'_>| trained(&job, 3e-3, watch).0.unwrap().graph;
        let steady = trained_by(&|models: &[ModelFile], _: f64| Ok(machine(models)));
        let cost = |graph: &Graph| secateur_graph::cost(graph).unwrap().macs;
        assert_eq!(cost(&trained_by(&drifting)), cost(&steady));
    }

    #[test]
    fn a_limit_out_of_reach_is_told_before_anything_is_trained() {
        let watch = |models: &[ModelFile], _: f64| Ok(machine(models));
        let (trained, _, epochs) = trained(&job("latency=0.6ms"), 6e-4, &watch);
        let error = trained.unwrap_err();
        assert_eq!((error.kind(), epochs), (ErrorKind::OutOfReach, 0));
        // One input, one unit in each layer and ten outputs: 1.5 * (500 + 12) us.
        assert_eq!(
            error.to_string(),
            "budget: 0.6000 ms a row cannot be reached: it is 0.7680 ms a row when every layer keeps its least"
        );
        let hint = error.hint_text().unwrap_or_default();
        assert!(
            hint.starts_with("measure again, as busy; or allow a larger budget"),
            "{hint}"
        );
        let plain = |error: Error, doubts: &[String]| doubted(error.hint("wait"), doubts);
        assert_eq!(plain(error.clone(), &[]).hint_text(), Some("wait"));
        let other = Error::new(ErrorKind::Verification, "missed");
        assert_eq!(plain(other, &["busy".into()]).hint_text(), Some("wait"));
    }

    #[test]
    fn a_limit_that_is_met_already_is_noted_and_one_that_is_missed_at_the_end_is_told() {
        let watch = |models: &[ModelFile], _: f64| Ok(machine(models));
        let job = job("latency=5ms");
        let (trained, notes, _) = trained(&job, 5e-3, &watch);
        assert!(trained.as_ref().unwrap().removals.iter().all(|r| !r.asked));
        assert!(
            notes[0].contains("(4.8300 ms a row, at most 5.0000 ms a row)"),
            "{notes:?}"
        );
        // Another machine than that of the search.
        let written = job.written(&trained.unwrap().graph).unwrap();
        let slow = |models: &[ModelFile], _: f64| {
            let slowed = |row: OneRow| OneRow {
                by_engine: row.by_engine.map(|s| 2.0 * s),
            };
            let mut seen = machine(models);
            seen.rows = seen.rows.into_iter().map(slowed).collect();
            Ok(seen)
        };
        let limit = (Duration::from_millis(5), &slow as Watch<'_>);
        let before = job.start().unwrap();
        let report = job.time_report(&before, &written, limit).unwrap();
        assert!(!report.is_met && report.reached > 5.0, "{report:?}");
        assert!(
            report.sentence().contains("not met, "),
            "{}",
            report.sentence()
        );
    }

    #[test]
    fn the_slower_engine_meets_a_limit_of_its_own_time_and_misses_one_below() {
        let job = job("latency=5ms");
        let before = job.start().unwrap();
        let written = job.written(&before).unwrap();
        // Whichever of the two it is.
        for by_engine in [[1e-3, 2e-3], [2e-3, 1e-3]] {
            let watch = |models: &[ModelFile], _: f64| {
                let start = [7e-3, 9e-3];
                let rows = [start, by_engine].map(|by_engine| OneRow { by_engine });
                assert_eq!(models.len(), rows.len());
                Ok(OneRows {
                    rows: rows.to_vec(),
                    warnings: vec![],
                })
            };
            let report = |most: f64| {
                let limit = (Duration::from_secs_f64(most), &watch as Watch<'_>);
                job.time_report(&before, &written, limit).unwrap()
            };
            let (met, missed) = (report(2e-3), report(2e-3 - 1e-9));
            assert!(met.is_met && !missed.is_met, "{met:?} {missed:?}");
            let told = (met.most, met.start, met.reached, met.unit.as_str());
            assert_eq!(told, (2.0, 9.0, 2.0, "ms a row"));
            let engines: Vec<_> = met.engines.iter().map(|e| (e.start, e.reached)).collect();
            assert_eq!(
                engines,
                [(7.0, 1e3 * by_engine[0]), (9.0, 1e3 * by_engine[1])]
            );
        }
    }

    #[test]
    fn what_cannot_be_measured_ends_the_run() {
        let watch = |_: &[ModelFile], _: f64| Err(crate::Error::usage("no clock").hint("buy one"));
        let error = trained(&job("latency=5ms"), 5e-3, &watch).0.unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint_text()),
            ("no clock", Some("buy one"))
        );
    }
}
