//! Latencies in tables, and for scripts.

use serde_json::{Value, json};

use super::{Latencies, Latency, Model};
use crate::compare::Table;
use crate::markdown::grouped;

/// What stands where there is no number.
const NONE: &str = "-";

impl Latencies {
    /// What it was measured on: a line.
    pub fn headline(&self) -> String {
        let machine = &self.machine;
        let load = match machine.load {
            Some(load) => format!("load average {load:.2} at the start"),
            None => "load average not known".to_owned(),
        };
        let set = &machine.instruction_set;
        format!("machine: {} threads, {set}, {load}", machine.threads)
    }

    /// What each model takes.
    pub fn model_table(&self) -> Table {
        let row = |model: &Model| {
            vec![
                model.name.clone(),
                grouped(model.macs),
                grouped(model.params),
                grouped(model.bytes),
                model
                    .fixed_batch
                    .map_or("any".into(), |own| format!("{own} only")),
            ]
        };
        Table {
            title: "models".into(),
            note: self.of_macs(),
            header: ["model", "MACs", "params", "bytes", "batch"]
                .map(str::to_owned)
                .to_vec(),
            rows: self.models.iter().map(row).collect(),
        }
    }

    /// What MACs are, and at which lengths.
    fn of_macs(&self) -> String {
        let mut note = "MACs are multiply-accumulate operations a row".to_owned();
        if !self.shapes.is_empty() {
            note += &format!(", at {}", self.shapes.join(", "));
        }
        if let Some(length) = self.length {
            note += &format!("; open axes count as one position there, and were run with {length}");
        }
        note + "."
    }

    /// A row for each model on each engine at each batch on each number of threads.
    pub fn latency_table(&self) -> Table {
        let row = |latency: &Latency| {
            let mut cells = vec![
                latency.model.clone(),
                latency.engine.to_string(),
                latency.batch.to_string(),
                latency.threads.to_string(),
            ];
            let Some(measured) = &latency.measured else {
                cells.resize(HEADER.len(), NONE.to_owned());
                return cells;
            };
            let times = &measured.milliseconds;
            cells.push(grouped(measured.rounds as u64));
            cells.extend([times.median, times.least, times.p90].map(short));
            cells.push(short(measured.rows_per_second));
            cells.extend(match &measured.ratio {
                Some(ratio) => [
                    short(ratio.median),
                    format!("{} to {}", short(ratio.p25), short(ratio.p75)),
                ],
                None => [NONE, NONE].map(str::to_owned),
            });
            cells
        };
        Table {
            title: "latency, in milliseconds a call".into(),
            note: "Calls take turns; nine of ten rounds took no longer than \"90 %\". Ratio: to the first model in the same round, in the \
                   median and from quartile to quartile."
                .into(),
            header: HEADER.map(str::to_owned).to_vec(),
            rows: self.latencies.iter().map(row).collect(),
        }
    }

    /// Why there are rows without numbers: a line for each reason.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        for model in &self.models {
            if let Some(own) = model.fixed_batch {
                notes.push(format!(
                    "{}: run in batches of {own} only, as its input says",
                    model.name
                ));
            }
        }
        let fixed = |latency: &Latency| {
            let mut models = self.models.iter();
            models.any(|m| m.name == latency.model && !m.takes(latency.batch))
        };
        for latency in self.latencies.iter().filter(|l| !fixed(l)) {
            let Some(reason) = &latency.reason else {
                continue;
            };
            let note = format!("{}, batch {}: {reason}", latency.model, latency.batch);
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// All of it for scripts.
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}

const HEADER: [&str; 11] = [
    "model",
    "engine",
    "batch",
    "threads",
    "rounds",
    "median",
    "least",
    "90 %",
    "rows/s",
    "ratio",
    "quartiles",
];

/// A positive number with at least three digits that say something.
fn short(number: f64) -> String {
    let magnitude = number.abs().log10().floor();
    match magnitude.is_finite() {
        true if magnitude > 2.0 => grouped(number.round() as u64),
        true => format!("{number:.*}", (2.0 - magnitude) as usize),
        false => NONE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Engine, Machine, Measured};
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let all = [
            0.000_512_3,
            0.0123,
            1.0,
            99.94,
            123.4,
            1234.5,
            0.0,
            f64::NAN,
        ];
        let short: Vec<String> = all.into_iter().map(short).collect();
        let wanted = [
            "0.000512", "0.0123", "1.00", "99.9", "123", "1,235", "-", "-",
        ];
        assert_eq!(short, wanted);
    }

    #[test]
    fn what_was_not_run_is_a_dash_and_a_note_once() {
        let latency = |model: &str, batch, threads, measured: Option<Measured>| Latency {
            model: model.into(),
            engine: Engine::Secateur,
            batch,
            threads,
            reason: measured.is_none().then(|| "no".to_owned()),
            measured,
        };
        let measured = Measured::of(&[0.002, 0.001], Some(&[0.004, 0.004]), 8, None);
        let model = |name: &str, fixed_batch| Model {
            name: name.into(),
            macs: 1000,
            params: 10,
            bytes: 100,
            fixed_batch,
        };
        let latencies = Latencies {
            machine: Machine {
                threads: 2,
                instruction_set: "x".into(),
                load: None,
            },
            runtime: "r".into(),
            seconds: 1.0,
            seed: 0,
            length: None,
            shapes: vec![],
            models: vec![model("a", Some(8)), model("b", None)],
            latencies: vec![
                latency("a", 8, 1, measured),
                latency("a", 1, 1, None),
                latency("b", 1, 1, None),
                latency("b", 1, 2, None),
            ],
            warnings: vec![],
        };
        let rows = latencies.latency_table().rows;
        let engine = "secateur";
        assert_eq!(
            rows[0],
            [
                "a",
                engine,
                "8",
                "1",
                "2",
                "1.00",
                "1.00",
                "2.00",
                "8,000",
                "0.250",
                "0.250 to 0.500"
            ]
        );
        assert_eq!(rows[1][..5], ["a", engine, "1", "1", "-"]);
        assert_eq!(
            latencies.notes(),
            [
                "a: run in batches of 8 only, as its input says",
                "b, batch 1: no"
            ]
        );
        assert_eq!(
            latencies.headline(),
            "machine: 2 threads, x, load average not known"
        );
        let back: Latencies = serde_json::from_value(latencies.to_json()).unwrap();
        assert_eq!(back, latencies);
    }
}
