//! How long does a row take, so that it can be said to hold a limit?

use super::{Engine, Latencies, Settings, measure};
use crate::{Error, ErrorKind, ModelFile, Result};

/// Models that took turns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OneRows {
    /// Of each model.
    pub(crate) rows: Vec<OneRow>,
    /// What makes them doubtful, a sentence each.
    pub(crate) warnings: Vec<String>,
}

/// The time that 90 % of the runs of one row did not exceed, of one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OneRow {
    /// Seconds, in the order of [`Engine::ALL`].
    pub(crate) by_engine: [f64; 2],
}

impl OneRow {
    /// Seconds on the engine that takes longer; NaN if one of them is.
    pub(crate) fn slower(self) -> f64 {
        let [a, b] = self.by_engine;
        if a.is_nan() || b <= a { a } else { b }
    }
}

/// Measures models in turn, one row a call, for so many seconds in all; open axes get `length` positions.
///
/// # Errors
/// If one of them does not run on one of the engines, or computes something else there.
pub(crate) fn one_row(
    models: &[ModelFile],
    (threads, length): (usize, usize),
    seconds: f64,
) -> Result<OneRows> {
    let settings = Settings {
        batches: vec![1],
        threads: vec![threads],
        seconds,
        length,
        ..Settings::default()
    };
    let latencies = measure(models, &settings, &mut |_| {})?;
    Ok(OneRows {
        rows: of(&latencies)?,
        warnings: latencies.warnings,
    })
}

/// Of latencies at one batch on one number of threads.
fn of(latencies: &Latencies) -> Result<Vec<OneRow>> {
    let count = latencies.models.len();
    let seconds = |model: usize, engine: usize| {
        let latency = latencies.latencies.get(engine * count + model);
        let measured = latency.and_then(|l| l.measured.as_ref());
        measured.map(|m| 1e-3 * m.milliseconds.p90).ok_or_else(|| {
            let reason = latency.and_then(|l| l.reason.as_deref());
            Error::new(
                ErrorKind::Verification,
                format!(
                    "the network has no latency on {}: {}",
                    Engine::ALL[engine],
                    reason.unwrap_or("it was not measured")
                ),
            )
            .hint("a limit on latency holds on both engines: limit macs or params instead")
        })
    };
    let of_model = |model| {
        Ok(OneRow {
            by_engine: [seconds(model, 0)?, seconds(model, 1)?],
        })
    };
    (0..count).map(of_model).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::{Latency, Machine, Measured, Model, Quantiles};

    /// Two models on two engines, with these times in milliseconds at 90 %.
    fn latencies(times: [Option<f64>; 4]) -> Latencies {
        let model = |name: &str| Model {
            name: name.into(),
            macs: 1,
            params: 1,
            bytes: 1,
            fixed_batch: None,
        };
        let places = [(0, "a"), (0, "b"), (1, "a"), (1, "b")];
        let latency = |((engine, name), time): ((usize, &str), Option<f64>)| Latency {
            model: name.into(),
            engine: Engine::ALL[engine],
            batch: 1,
            threads: 1,
            measured: time.map(|time| Measured {
                rounds: 10,
                milliseconds: Quantiles {
                    p90: time,
                    ..Quantiles::of(&[time / 2.0]).unwrap()
                },
                rows_per_second: 1.0,
                ratio: None,
                difference: None,
            }),
            reason: time.is_none().then(|| "it cannot".into()),
        };
        Latencies {
            machine: Machine::now(),
            runtime: "r".into(),
            seconds: 1.0,
            seed: 0,
            length: None,
            shapes: vec![],
            models: vec![model("a"), model("b")],
            latencies: places.into_iter().zip(times).map(latency).collect(),
            warnings: vec![],
        }
    }

    #[test]
    fn the_slower_engine_decides_at_ninety_percent() {
        let both = of(&latencies([Some(1.0), Some(2.0), Some(4.0), Some(0.5)])).unwrap();
        let slower: Vec<f64> = both.iter().map(|m| m.slower()).collect();
        assert_eq!(slower, [4e-3, 2e-3]);
        for by_engine in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
            assert!(OneRow { by_engine }.slower().is_nan());
        }
    }

    #[test]
    fn a_model_that_one_engine_does_not_run_has_no_latency() {
        let error = of(&latencies([Some(1.0), Some(2.0), None, Some(0.5)])).unwrap_err();
        assert!(error.to_string().ends_with(": it cannot"), "{error}");
        assert!(error.to_string().contains("on rten"), "{error}");
    }
}
