//! Shows that the file to be written computes what was trained; only then can it be written.

mod batches;
mod difference;
mod ran;

use secateur_graph::{Graph, ModelMeta, cost, from_model, to_model};
use secateur_onnx::{Limits, Parts, write};
use serde::{Deserialize, Serialize};

use self::batches::Batches;
pub(crate) use self::difference::{furthest, relative, worse};
use self::ran::{Ran, hold_read_back};
use crate::given_model::DATA_FILE;
use crate::model::{WRITTEN_DATA, needs_plain_form, written};
use crate::runtime::Runtime;
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
///
/// Nothing makes one but a verification:
///
/// ```compile_fail,E0451
/// fn forged(verified: &secateur::Verified, evidence: secateur::Evidence) -> secateur::Verified {
///     secateur::Verified { evidence, ..verified.clone() }
/// }
/// ```
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
        parts: (Parts, &str),
        graph: &Graph,
        rows: (&[f32], usize),
        engine: Option<&[f32]>,
    ) -> Result<Self> {
        Self::within(NAIVE_MACS, parts, graph, rows, engine)
    }

    /// The same where the naive evaluator may take so many multiply-adds.
    fn within(
        naive_macs: u64,
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
        let affordable = naive_macs / cost(graph)?.macs.max(1);
        let first = batches.first(affordable as usize);
        let naive = first.run(graph)?;
        hold_read_back(&naive, &first.run(&again)?)?;
        let runtime = match plain {
            Some(plain) => Runtime::load_parts(plain, WRITTEN_DATA)?,
            None => Runtime::load_parts(parts.clone(), location)?,
        };
        let ran = Ran {
            naive: &naive,
            naive_rows: first.rows,
            runtime: &batches.run(&runtime)?,
            engine,
            rows,
        };
        let evidence = ran.evidence()?;
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

#[cfg(test)]
mod tests;
