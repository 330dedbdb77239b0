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

    /// Of two models on both engines, no two numbers equal.
    #[test]
    fn each_number_stands_under_its_own_heading() {
        use super::super::Quantiles;

        let model = |name: &str, [macs, params, bytes]: [u64; 3], fixed_batch| Model {
            name: name.into(),
            macs,
            params,
            bytes,
            fixed_batch,
        };
        let quantiles = |[least, p25, median, p75, p90]: [f64; 5]| Quantiles {
            least,
            p25,
            median,
            p75,
            p90,
        };
        let latency = |model: &str, engine, [batch, threads, rounds]: [usize; 3], ratio| Latency {
            model: model.into(),
            engine,
            batch,
            threads,
            measured: Some(Measured {
                rounds,
                milliseconds: quantiles([1.1, 2.2, 3.3, 4.4, 5.5].map(|t| t + rounds as f64)),
                rows_per_second: 10.0 * rounds as f64 + 0.5,
                ratio,
                difference: Some(1e-6),
            }),
            reason: None,
        };
        let ratio = Some(quantiles([0.11, 0.22, 0.33, 0.44, 0.55]));
        let told = Latencies {
            machine: Machine {
                threads: 6,
                instruction_set: "avx9".into(),
                load: Some(0.75),
            },
            runtime: "r".into(),
            seconds: 1.0,
            seed: 0,
            length: Some(29),
            shapes: vec!["x [1, 3]".into()],
            models: vec![
                model("a", [8000, 1234, 5678], None),
                model("b", [3000, 432, 987], Some(8)),
            ],
            latencies: vec![
                latency("a", Engine::Secateur, [8, 2, 17], None),
                latency("b", Engine::Runtime, [9, 3, 13], ratio),
            ],
            warnings: vec![],
        };
        assert_eq!(
            told.headline(),
            "machine: 6 threads, avx9, load average 0.75 at the start"
        );
        let models = told.model_table();
        let note = "MACs are multiply-accumulate operations a row, at x [1, 3]; open axes count as one position there, and were \
                    run with 29.";
        assert_eq!(models.note, note);
        assert_eq!(models.header, ["model", "MACs", "params", "bytes", "batch"]);
        let wanted = [
            ["a", "8,000", "1,234", "5,678", "any"],
            ["b", "3,000", "432", "987", "8 only"],
        ];
        assert_eq!(models.rows, wanted);
        let latencies = told.latency_table();
        assert_eq!(latencies.header, HEADER);
        let wanted = [
            [
                "a", "secateur", "8", "2", "17", "20.3", "18.1", "22.5", "170", "-", "-",
            ],
            [
                "b",
                "rten",
                "9",
                "3",
                "13",
                "16.3",
                "14.1",
                "18.5",
                "130",
                "0.330",
                "0.220 to 0.440",
            ],
        ];
        let mut rows = latencies.rows;
        rows[1][1].truncate(4);
        assert_eq!(rows, wanted);
        let notes = ["b: run in batches of 8 only, as its input says"];
        assert_eq!(told.notes(), notes);
        // Scripts get the same by name.
        let json = told.to_json();
        assert_eq!(json["models"][1]["params"], 432);
        assert_eq!(json["latencies"][1]["measured"]["ratio"]["median"], 0.33);
        assert_eq!(
            json["latencies"][1]["measured"]["milliseconds"]["p90"],
            18.5
        );
    }
}
