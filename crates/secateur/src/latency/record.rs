//! What was measured: data without behaviour, for tables, scripts and budgets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Machine, Quantiles};
use crate::runtime::NAME;

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The engine of this program.
    Secateur,
    /// The independent runtime.
    Runtime,
}

impl Engine {
    /// In the order in which they are run.
    pub const ALL: [Self; 2] = [Self::Secateur, Self::Runtime];
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secateur => "secateur",
            Self::Runtime => NAME,
        })
    }
}

/// Latencies of several models side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Where they were measured.
    pub machine: Machine,
    /// The independent runtime, with its version.
    pub runtime: String,
    /// For how long each batch was measured on each number of threads.
    pub seconds: f64,
    /// Of the drawn inputs.
    pub seed: u64,
    /// The length that open axes of inputs had, the batch apart; none where there are none.
    pub length: Option<usize>,
    /// The shapes that inputs were given, such as `x [1, 3, 640, 640]`; those of the first model.
    #[serde(default)]
    pub shapes: Vec<String>,
    /// The models, in the order given.
    pub models: Vec<Model>,
    /// By batch, then threads, engine and model.
    pub latencies: Vec<Latency>,
    /// What makes them doubtful, a sentence each.
    pub warnings: Vec<String>,
}

/// A model that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Where it was read.
    pub name: String,
    /// Multiply-accumulates a row; open axes without a length count as one position.
    pub macs: u64,
    /// Parameters.
    pub params: u64,
    /// Size of the file and of what it keeps in others.
    pub bytes: u64,
    /// The only batch that it takes; none if it takes any.
    pub fixed_batch: Option<usize>,
}

impl Model {
    pub(super) fn takes(&self, batch: usize) -> bool {
        self.fixed_batch.is_none_or(|own| own == batch)
    }
}

/// One model on one engine at one batch and number of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The name of the model.
    pub model: String,
    /// What ran it.
    pub engine: Engine,
    /// Rows a call.
    pub batch: usize,
    /// Threads of the engine.
    pub threads: usize,
    /// What came of it; none where the model could not be run so.
    pub measured: Option<Measured>,
    /// Why it could not.
    pub reason: Option<String>,
}

/// Times of calls that took turns with those of all other models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Calls that were timed.
    pub rounds: usize,
    /// Milliseconds a call.
    pub milliseconds: Quantiles,
    /// Rows a second at the median.
    pub rows_per_second: f64,
    /// Time of a call as a share of that of the first model in the same round; none where the first was not run.
    pub ratio: Option<Quantiles>,
    /// Largest difference of an output between the two engines, relative to the largest output; none where one of them does not
    /// run the model.
    pub difference: Option<f64>,
}

impl Measured {
    /// Of the seconds of each round, and of those of the first model; none of no rounds.
    pub(super) fn of(
        seconds: &[f64],
        first: Option<&[f64]>,
        batch: usize,
        difference: Option<f64>,
    ) -> Option<Self> {
        let milliseconds: Vec<f64> = seconds.iter().map(|s| 1e3 * s).collect();
        let milliseconds = Quantiles::of(&milliseconds)?;
        let ratio = first.and_then(|first| {
            let pairs = seconds.iter().zip(first);
            Quantiles::of(&pairs.map(|(own, first)| own / first).collect::<Vec<_>>())
        });
        Some(Self {
            rounds: seconds.len(),
            milliseconds,
            rows_per_second: 1e3 * batch as f64 / milliseconds.median,
            ratio,
            difference,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_rounds() {
        // The machine is twice as slow in the last two rounds, for both.
        let (first, own) = ([1.0, 1.0, 2.0, 2.0], [0.5, 0.25, 1.0, 1.0]);
        let measured = Measured::of(&own, Some(&first), 8, Some(0.0)).unwrap();
        let ratio = measured.ratio.unwrap();
        assert_eq!((ratio.p25, ratio.median, ratio.p75), (0.25, 0.5, 0.5));
        assert_eq!(measured.rounds, 4);
        assert_eq!(measured.milliseconds.median, 500.0);
        assert_eq!(measured.rows_per_second, 16.0);
        assert_eq!(Measured::of(&own, None, 8, None).unwrap().ratio, None);
        assert_eq!(Measured::of(&[], None, 8, None), None);
    }
}
