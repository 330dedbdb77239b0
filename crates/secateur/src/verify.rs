//! Shows that the file to be written computes what was trained; only then can it be written.

use secateur_graph::{Array, Dim, Graph, ModelMeta, cost, evaluate, from_model, to_model};
use secateur_onnx::{Limits, Parts, write};
use serde::{Deserialize, Serialize};

use crate::given_model::DATA_FILE;
use crate::model::{WRITTEN_DATA, needs_plain_form, written};
use crate::runtime::{NAME, Runtime};
use crate::{Error, ErrorKind, Result};

/// Largest relative difference between two ways to compute f32 outputs.
pub(crate) const TOLERANCE: f64 = 1e-4;

/// Multiply-adds that the naive evaluator may spend: it takes about a second for this.
const NAIVE_MACS: u64 = 250_000_000;
/// Largest relative difference of a file that reads back from what was written, in double precision: where shapes were
/// settled, constants are computed in another order.
const SAME: f64 = 1e-12;

/// What a verification measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The independent runtime that ran the file.
    pub runtime: String,
    /// Real rows that were compared, none of them used in training.
    pub rows: usize,
    /// How many of them the naive f64 evaluator ran: the first ones, where all would take long.
    #[serde(default)]
    pub naive_rows: usize,
    /// Largest relative difference of any output: file on the runtime against the naive f64 evaluator.
    pub runtime_difference: f64,
    /// Largest relative difference: engine against the naive f64 evaluator, and against the runtime on other rows.
    pub engine_difference: f64,
    /// Differences above this fail.
    pub tolerance: f64,
}

/// The bytes of a model file that were run elsewhere with the right results.
#[derive(Debug, Clone)]
pub struct Verified {
    parts: Parts,
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
        let parts = Parts {
            model: serialise(graph, meta)?,
            data: vec![],
        };
        Self::of_parts((parts, DATA_FILE), graph, (features, rows), Some(engine))
    }

    /// Reads the parts of a file back, whose data lie in a file of that name, and runs them on an independent runtime; `graph` is
    /// the network that they should hold, and `engine` its outputs where what was trained ends where the file does.
    ///
    /// # Errors
    /// As [`Verified::new`].
    pub(crate) fn of_parts(
        (parts, location): (Parts, &str),
        graph: &Graph,
        (features, rows): (&[f32], usize),
        engine: Option<&[f32]>,
    ) -> Result<Self> {
        let model = parts.read(location, &Limits::default());
        let model = model.map_err(|e| unreadable(&e))?;
        let again = from_model(&model)?;
        let plain = match needs_plain_form(&model) {
            true => Some(written(model)?),
            false => {
                drop(model);
                None
            }
        };
        let batches = Batches::of(graph, features, rows)?;
        let affordable = NAIVE_MACS / cost(graph)?.macs.max(1);
        let (naive, naive_rows) = batches.first(affordable as usize);
        let want = evaluate(graph, std::slice::from_ref(&naive))?;
        let back = evaluate(&again, std::slice::from_ref(&naive))?;
        let mut changed = if want.len() == back.len() {
            0.0
        } else {
            f64::INFINITY
        };
        for (want, back) in want.iter().zip(&back) {
            changed = worse(changed, relative(&want.values, &back.values));
        }
        if changed.is_nan() || changed > SAME {
            return Err(failed(
                "the file read back computes something else than the network",
            ));
        }
        let runtime = match plain {
            Some(plain) => Runtime::load_parts(plain, WRITTEN_DATA)?,
            None => Runtime::load_parts(parts.clone(), location)?,
        };
        let have = batches.run(&runtime)?;
        if have.len() != want.len() {
            return Err(failed(format!(
                "{NAME} gives {} outputs of {}",
                have.len(),
                want.len()
            )));
        }
        let mut runtime_difference = 0.0;
        for (want, have) in want.iter().zip(&have) {
            let same_rows = have.get(..want.values.len()).unwrap_or_default();
            runtime_difference = worse(runtime_difference, relative(&want.values, same_rows));
        }
        let mut engine_difference = 0.0;
        if let Some(engine) = engine {
            let first = engine.get(..want[0].values.len()).unwrap_or(engine);
            engine_difference = relative(&want[0].values, first);
            if naive_rows < rows {
                let runtime: Vec<f64> = have[0].iter().map(|&v| f64::from(v)).collect();
                engine_difference = worse(engine_difference, relative(&runtime, engine));
            }
        }
        let evidence = Evidence {
            runtime: NAME.into(),
            rows,
            naive_rows,
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
        Ok(Self { parts, evidence })
    }

    /// The content of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.parts.model
    }

    /// The content of `small.onnx.data` beside it, where tensors keep their data outside; else empty.
    pub fn data(&self) -> &[u8] {
        &self.parts.data
    }

    /// What was measured.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The file with what lies beside it.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The file, and what was measured.
    pub(crate) fn into_parts(self) -> (Parts, Evidence) {
        (self.parts, self.evidence)
    }
}

/// Real rows in the batches that a model takes.
struct Batches {
    /// Of one batch.
    shape: Vec<usize>,
    values: Vec<f32>,
    /// Numbers of a row.
    width: usize,
    rows: usize,
    /// Whether the model takes any number of rows at once.
    is_open: bool,
}

impl Batches {
    fn of(graph: &Graph, features: &[f32], rows: usize) -> Result<Self> {
        let input = graph.inputs().first().map(|&i| graph.value(i));
        let Some(dims) = input
            .and_then(|v| v.shape.as_ref())
            .filter(|d| !d.is_empty())
        else {
            return Err(failed("the network states no shape for its input"));
        };
        let width = features.len() / rows.max(1);
        let known: usize = dims[1..].iter().filter_map(Dim::fixed).product();
        let mut open = dims[1..].iter().filter(|d| d.fixed().is_none()).count();
        let batch = dims[0].fixed();
        let mut shape = vec![batch.unwrap_or(rows)];
        for dim in &dims[1..] {
            shape.push(match dim.fixed() {
                Some(length) => length,
                // Several open axes are those of square pictures.
                None => {
                    let left = width / known.max(1);
                    let length = if open == 2 { left.isqrt() } else { left };
                    open = open.min(2);
                    length
                }
            });
        }
        if shape[1..].iter().product::<usize>() != width {
            return Err(failed(format!(
                "rows of {width} numbers do not fit {shape:?}"
            )));
        }
        Ok(Self {
            shape,
            values: features.to_vec(),
            width,
            rows,
            is_open: batch.is_none(),
        })
    }

    /// The first batch, of at most so many rows where that is open; and how many real rows it has.
    fn first(&self, most: usize) -> (Array, usize) {
        let count = if self.is_open {
            most.clamp(1, self.rows)
        } else {
            self.shape[0]
        };
        let real = count.min(self.rows);
        let mut shape = self.shape.clone();
        shape[0] = count;
        let mut values: Vec<f64> = self.values[..real * self.width]
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        values.resize(count * self.width, 0.0);
        (Array { shape, values }, real)
    }

    /// Every output for all rows.
    fn run(&self, runtime: &Runtime) -> Result<Vec<Vec<f32>>> {
        let per_batch = self.shape[0] * self.width;
        let mut all: Vec<Vec<f32>> = vec![];
        for values in self.values.chunks(per_batch) {
            let mut batch = values.to_vec();
            batch.resize(per_batch, 0.0);
            let outputs = runtime.run_shaped(&self.shape, batch)?;
            all.resize(outputs.len(), vec![]);
            for (all, output) in all.iter_mut().zip(outputs) {
                let real = output.len() * values.len() / per_batch;
                all.extend_from_slice(&output[..real]);
            }
        }
        Ok(all)
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
