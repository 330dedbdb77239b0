//! Shows that the file to be written computes what was trained; only then can it be written.

use secateur_graph::{Array, Graph, ModelMeta, evaluate, from_model, to_model};
use secateur_onnx::{Limits, read, write};
use serde::{Deserialize, Serialize};

use crate::runtime::{NAME, Runtime};
use crate::{Error, ErrorKind, Result};

/// Largest relative difference between two ways to compute f32 outputs.
const TOLERANCE: f64 = 1e-4;

/// What a verification measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The independent runtime that ran the file.
    pub runtime: String,
    /// Real rows that were compared, none of them used in training.
    pub rows: usize,
    /// Largest relative difference of any output: file on the runtime against the naive f64 evaluator.
    pub runtime_difference: f64,
    /// Largest relative difference: engine against the naive f64 evaluator.
    pub engine_difference: f64,
    /// Differences above this fail.
    pub tolerance: f64,
}

/// The bytes of a model file that were run elsewhere with the right results.
#[derive(Debug, Clone)]
pub struct Verified {
    bytes: Vec<u8>,
    evidence: Evidence,
}

impl Verified {
    /// Serialises `graph`, reads the bytes back, and runs them on an independent runtime.
    ///
    /// `features` are `rows` real raw rows; `engine` the outputs of the trained network on them, in the
    /// same terms as the first output of `graph`.
    ///
    /// # Errors
    /// If the file does not read back as the same graph, the runtime refuses it, or any output differs.
    pub fn new(
        graph: &Graph,
        meta: &ModelMeta,
        features: &[f32],
        rows: usize,
        engine: &[f32],
    ) -> Result<Self> {
        let bytes = serialise(graph, meta)?;
        let again = from_model(&read(&bytes, &Limits::default()).map_err(|e| unreadable(&e))?)?;
        let width = features.len() / rows.max(1);
        let input = Array::new(
            [rows, width],
            features.iter().map(|&v| f64::from(v)).collect(),
        )?;
        let want = evaluate(graph, std::slice::from_ref(&input))?;
        let back = evaluate(&again, std::slice::from_ref(&input))?;
        if want != back {
            return Err(failed(
                "the file read back computes something else than the network",
            ));
        }
        let have = Runtime::load(bytes.as_slice())?.run(features, rows)?;
        if have.len() != want.len() {
            return Err(failed(format!(
                "{NAME} gives {} outputs of {}",
                have.len(),
                want.len()
            )));
        }
        let mut runtime_difference = 0.0;
        for (want, have) in want.iter().zip(&have) {
            runtime_difference = worse(runtime_difference, relative(&want.values, have));
        }
        let engine_difference = relative(&want[0].values, engine);
        let evidence = Evidence {
            runtime: NAME.into(),
            rows,
            runtime_difference,
            engine_difference,
            tolerance: TOLERANCE,
        };
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
        Ok(Self { bytes, evidence })
    }

    /// The content of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was measured.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// The bytes of a model file; for its size, before any verification.
pub(crate) fn serialise(graph: &Graph, meta: &ModelMeta) -> Result<Vec<u8>> {
    write(&to_model(graph, meta)?).map_err(|e| unreadable(&e))
}

fn unreadable(error: &secateur_onnx::Error) -> Error {
    failed(format!("the file does not read back: {error}"))
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Verification, message)
        .at("small.onnx")
        .hint("nothing was written; this is a defect: please report it with the config")
}

/// The larger of two differences; NaN counts as the largest, whichever comes first.
pub(crate) fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// `max |a - b| / max(max |a|, 1e-6)`; NaN if anything is, infinite if the sizes differ.
pub(crate) fn relative<T: Copy + Into<f64>>(a: &[f64], b: &[T]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let scale = a.iter().fold(1e-6, |m: f64, v| m.max(v.abs()));
    a.iter()
        .zip(b)
        .fold(0.0, |m, (&a, &b)| worse(m, (a - b.into()).abs()))
        / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_to_the_largest_output() {
        assert_eq!(relative(&[100.0, 1.0], &[100.0f32, 2.0]), 0.01);
        assert!(relative(&[1.0], &[f32::NAN]).is_nan());
        assert!(relative(&[1.0, 1.0], &[f32::NAN, 1.0]).is_nan());
        assert_eq!(relative::<f32>(&[1.0], &[]), f64::INFINITY);
    }
}
