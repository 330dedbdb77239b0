//! How long does a model take? Measured side by side, and not estimated.
//!
//! [`measure`] runs models on the engine of this program and on an independent runtime, at several batches and on several
//! numbers of threads. Calls take turns, so that a machine that is slower for a while is so for all models, and the
//! [ratio](Measured::ratio) of two models is taken within each round. A [quantile](Quantiles) is a time that a call really
//! took: what is said to hold in 90 % of the rounds held there.

mod machine;
mod one_row;
mod quantiles;
mod record;
mod rounds;
mod settings;
mod subject;
mod table;

use std::time::Instant;

pub use machine::Machine;
pub(crate) use one_row::{OneRow, OneRows, one_row};
pub use quantiles::Quantiles;
pub use record::{Engine, Latencies, Latency, Measured, Model};
pub use settings::Settings;

use self::rounds::{Call, take_turns};
use self::subject::{Pools, Ready, Subject};
use crate::runtime::NAME;
use crate::{Error, ErrorKind, ModelFile, Result};

/// How far a measurement is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Rows a call.
    pub batch: usize,
    /// Threads of each engine.
    pub threads: usize,
    /// Share of all time that is over, from 0 to 1.
    pub share: f64,
}

/// Measures models side by side; the first is what the others are compared with. `observer` is told between rounds.
///
/// # Errors
/// If settings make no sense or a model does not take the batch, nothing runs a model, or its outputs differ between the engine
/// and the independent runtime: then there is no number for it.
pub fn measure(
    models: &[ModelFile],
    settings: &Settings,
    observer: &mut dyn FnMut(&Progress),
) -> Result<Latencies> {
    settings.check()?;
    let machine = Machine::now();
    let subjects: Vec<Subject<'_>> = models.iter().map(Subject::of).collect();
    let models: Vec<Model> = subjects.iter().map(Subject::model).collect();
    let batches = settings.batches(&models)?;
    let threads = settings.threads();
    let bench = Bench {
        subjects: &subjects,
        models: &models,
        settings,
    };
    let pools: Vec<(usize, Pools)> = threads
        .iter()
        .map(|&count| Ok((count, Pools::new(count)?)))
        .collect::<Result<_>>()?;
    // What cannot be run, or computes something wrong, is told before any time is spent.
    if let Some((_, pools)) = pools.first() {
        bench.probe(&batches, pools)?;
    }
    let all = (batches.len() * pools.len()) as f64;
    let mut latencies = vec![];
    let mut done = 0.0;
    for &batch in &batches {
        for (threads, pools) in &pools {
            let mut tell = |share: f64| {
                observer(&Progress {
                    batch,
                    threads: *threads,
                    share: (done + share) / all,
                });
            };
            latencies.extend(bench.at(batch, *threads, pools, &mut tell)?);
            done += 1.0;
        }
    }
    let mut warnings = machine.warnings(&threads);
    if cfg!(debug_assertions) {
        warnings.push(
            "this program was built for debugging, and its engine is many times slower so: cargo build --release"
                .to_owned(),
        );
    }
    let is_open = subjects.iter().any(Subject::has_open_axes);
    Ok(Latencies {
        warnings,
        machine,
        runtime: NAME.to_owned(),
        seconds: settings.seconds,
        seed: settings.seed,
        length: is_open.then_some(settings.length),
        shapes: subjects.first().map_or(vec![], Subject::given_shapes),
        models,
        latencies,
    })
}

/// What is measured, but for batch and threads.
struct Bench<'a> {
    subjects: &'a [Subject<'a>],
    models: &'a [Model],
    settings: &'a Settings,
}

impl Bench<'_> {
    /// Runs every model once at every batch that it takes.
    ///
    /// # Errors
    /// If a model runs nowhere at any of them, or its outputs differ.
    fn probe(&self, batches: &[usize], pools: &Pools) -> Result<()> {
        for (subject, model) in self.subjects.iter().zip(self.models) {
            let mut refused = vec![];
            let own = batches.iter().filter(|b| model.takes(**b));
            let own: Vec<usize> = own.copied().collect();
            for &batch in &own {
                refused.extend(subject.ready(batch, self.settings, pools)?.refused());
            }
            if refused.len() == own.len() {
                let why = refused.first().map_or("", String::as_str);
                return Err(Error::new(
                    ErrorKind::Verification,
                    format!("nothing here can run this model: {why}"),
                )
                .at(&model.name)
                .hint("secateur inspect tells what is in it; open axes other than the batch get the length of --length, or those of --shape NAME=1x3x64x64"));
            }
        }
        Ok(())
    }

    /// Latencies of all models at one batch on one number of threads, by engine.
    fn at(
        &self,
        batch: usize,
        threads: usize,
        pools: &Pools,
        tell: &mut dyn FnMut(f64),
    ) -> Result<Vec<Latency>> {
        let mut lanes: [Lane<'_>; 2] = Default::default();
        let mut differences = vec![];
        for (subject, model) in self.subjects.iter().zip(self.models) {
            let ready = match model.takes(batch) {
                true => subject.ready(batch, self.settings, pools)?,
                false => Ready::at_another_batch(),
            };
            differences.push(ready.difference);
            for (lane, call) in lanes.iter_mut().zip(ready.calls) {
                lane.add(call);
            }
        }
        let mut calls: Vec<Vec<Call<'_>>> = lanes
            .iter_mut()
            .map(|l| std::mem::take(&mut l.calls))
            .collect();
        let start = Instant::now();
        let now = || start.elapsed().as_secs_f64();
        let seconds = take_turns(&mut calls, self.settings.seconds, &now, tell)?;
        let mut latencies = vec![];
        for ((engine, lane), seconds) in Engine::ALL.into_iter().zip(&lanes).zip(&seconds) {
            let of = |place: &Result<usize, String>| {
                let index = place.as_ref().ok()?;
                seconds.get(*index).map(Vec::as_slice)
            };
            let first = lane.places.first().and_then(of);
            for ((model, place), &difference) in
                self.models.iter().zip(&lane.places).zip(&differences)
            {
                let measured =
                    of(place).and_then(|own| Measured::of(own, first, batch, difference));
                latencies.push(Latency {
                    model: model.name.clone(),
                    engine,
                    batch,
                    threads,
                    measured,
                    reason: place.as_ref().err().cloned(),
                });
            }
        }
        Ok(latencies)
    }
}

/// The calls of one engine.
#[derive(Default)]
struct Lane<'a> {
    calls: Vec<Call<'a>>,
    /// For each model its call, or why it has none.
    places: Vec<Result<usize, String>>,
}

impl<'a> Lane<'a> {
    fn add(&mut self, call: Result<Call<'a>, String>) {
        self.places.push(call.map(|call| {
            self.calls.push(call);
            self.calls.len() - 1
        }));
    }
}

#[cfg(test)]
mod tests;
