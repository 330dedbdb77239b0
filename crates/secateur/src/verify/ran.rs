//! What each way to run a file gave, and whether that is the same.

use super::{Evidence, SAME, TOLERANCE, failed, furthest, relative, worse};
use crate::Result;
use crate::runtime::NAME;

/// Every output of one file on real rows, by all that ran it.
pub(super) struct Ran<'a> {
    /// Of the naive evaluator, for the first rows.
    pub(super) naive: &'a [Vec<f64>],
    /// How many those are.
    pub(super) naive_rows: usize,
    /// Of the independent runtime, for all rows.
    pub(super) runtime: &'a [Vec<f32>],
    /// The first output of the engine for all rows, where that was run.
    pub(super) engine: Option<&'a [f32]>,
    /// How many rows there are.
    pub(super) rows: usize,
}

impl Ran<'_> {
    /// What was measured.
    ///
    /// # Errors
    /// If any output differs, is missing or is not of these rows.
    pub(super) fn evidence(&self) -> Result<Evidence> {
        if self.runtime.len() != self.naive.len() {
            return Err(failed(format!(
                "{NAME} gives {} outputs of {}",
                self.runtime.len(),
                self.naive.len()
            )));
        }
        let (Some(naive), Some(runtime)) = (self.naive.first(), self.runtime.first()) else {
            return Err(failed("the network has no output to compare"));
        };
        let outputs = self.naive.iter().zip(self.runtime);
        let runtime_difference = outputs.fold(0.0, |most, (naive, runtime)| {
            worse(most, self.difference(naive, runtime))
        });
        let mut engine_difference = 0.0;
        if let Some(engine) = self.engine {
            engine_difference = self.difference(naive, engine);
            if self.naive_rows < self.rows {
                let runtime: Vec<f64> = runtime.iter().map(|&v| f64::from(v)).collect();
                engine_difference = worse(engine_difference, relative(&runtime, engine));
            }
        }
        for (by, difference) in [
            (NAME, runtime_difference),
            ("the engine", engine_difference),
        ] {
            if difference.is_nan() || difference > TOLERANCE {
                return Err(failed(format!(
                    "outputs of {by} differ by {difference:.2e} (relative), more than {TOLERANCE:.0e}"
                )));
            }
        }
        Ok(Evidence {
            runtime: NAME.into(),
            rows: self.rows,
            naive_rows: self.naive_rows,
            runtime_difference,
            engine_difference,
            tolerance: TOLERANCE,
        })
    }

    /// How far an output for all rows is from what the naive evaluator gave for the first ones; infinitely, if it has not as many
    /// numbers for each row.
    fn difference(&self, naive: &[f64], all: &[f32]) -> f64 {
        match all.get(..naive.len()) {
            Some(first) if all.len() * self.naive_rows == naive.len() * self.rows => {
                relative(naive, first)
            }
            Some(_) | None => f64::INFINITY,
        }
    }
}

/// Holds what was read back to what was written, both by the naive evaluator.
///
/// # Errors
/// If any output differs by more than the rounding of double precision.
pub(super) fn hold_read_back(want: &[Vec<f64>], back: &[Vec<f64>]) -> Result<()> {
    let changed = furthest(want, back);
    if changed.is_nan() || changed > SAME {
        return Err(failed(
            "the file read back computes something else than the network",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
