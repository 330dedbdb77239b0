//! Do a masked and a shrunk model compute the same?

use secateur_graph::{Array, Element, Graph, at_lengths, from_model, settle};
use secateur_onnx::{Limits, Parts};

use super::ModelFile;
use super::engine::{Held, engine};
use super::files::LOCATION;
use super::hint;
use super::loaded::written;
use super::naive::naive;
use super::work::work;
use crate::on_engine::row_shapes;
use crate::runtime::Runtime;
use crate::verify::furthest;
use crate::{Error, ErrorKind, Result};

/// Largest relative difference between the two.
pub(super) const TOLERANCE: f64 = 1e-4;
/// Larger models are run by the naive evaluator only if nothing else can run them: it takes about a second for this.
pub(super) const NAIVE_MACS: u64 = 200_000_000;
/// The most work that it is given for axes that are only tried.
const LONGEST: u64 = 50 * NAIVE_MACS;

/// How a shrunk model was compared with the masked one.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelEvidence {
    /// Largest relative difference of any output on the independent runtime; none where it cannot run the model.
    pub runtime_difference: Option<f64>,
    /// Why it cannot.
    pub runtime_refused: Option<String>,
    /// The same on the naive f64 evaluator, where it can run the model.
    pub naive_difference: Option<f64>,
    /// The same on the engine of this program, which runs the models where the runtime refuses them and the evaluator would take
    /// long.
    pub engine_difference: Option<f64>,
    /// Largest relative difference of the engine from the evaluator, node by node at sampled places of both models; there
    /// where the engine ran.
    pub engine_sampled: Option<f64>,
    /// Nodes that nobody here runs, at which the model was cut for the evaluator: what they make was drawn, and what they read was
    /// compared.
    pub cut_at: Vec<String>,
    /// Largest relative difference between the masked model and the one that it was made of; none where nothing was
    /// masked. Where it is 0, agreement shows nothing.
    pub masking_moved: Option<f64>,
    /// Whether the inputs were given by the user, and not drawn.
    pub inputs_given: bool,
    /// Differences above this fail.
    pub tolerance: f64,
}

/// The models that are compared, each read or written only once it is needed: weights may be most of the memory
/// there is.
pub(super) struct Models<'a> {
    pub(super) file: &'a ModelFile,
    /// The model with the weights of what went set to zero; that of the file where nothing went.
    pub(super) masked: &'a dyn Fn() -> Result<Graph>,
    pub(super) is_masked: bool,
    /// What is written.
    pub(super) small: &'a Parts,
}

impl Models<'_> {
    /// What was written, as it reads back.
    ///
    /// # Errors
    /// If it does not.
    pub(super) fn small_graph(&self) -> Result<Graph> {
        read_back(self.small)
    }

    /// The masked model is settled, which is held to the file as it came.
    pub(super) fn is_settled(&self) -> bool {
        self.is_masked && self.file.is_settled()
    }
}

/// The network that was written.
///
/// # Errors
/// If it does not read back.
pub(super) fn read_back(parts: &Parts) -> Result<Graph> {
    let back = parts.read(LOCATION, &Limits::default()).map_err(|e| {
        let message = format!("the file does not read back: {e}");
        Error::new(ErrorKind::Verification, message)
    })?;
    Ok(settle(&from_model(&back)?)?)
}

/// Compares the small model with the masked one on given or drawn inputs, and the settled one with the file as it came.
///
/// # Errors
/// If outputs differ, or nothing can run the models.
pub(super) fn check(models: &Models<'_>, seed: u64) -> Result<ModelEvidence> {
    check_within(models, seed, NAIVE_MACS)
}

/// The same where the naive evaluator may take so many multiply-accumulates a row.
fn check_within(models: &Models<'_>, seed: u64, naive_macs: u64) -> Result<ModelEvidence> {
    let graph = &models.file.graph;
    let work_of_row = work(models.file.sized())?;
    let given = models.file.given.as_ref();
    let sizes = match given {
        Some(_) => &[0][..],
        None => models.file.lengths_to_draw(),
    };
    // Drawn only once they are needed: they may be large.
    let inputs_of = |size: usize| {
        given
            .cloned()
            .unwrap_or_else(|| models.file.draw(seed, size))
    };
    let mut legs = Legs::default();
    for (turn, &size) in sizes.iter().enumerate() {
        let inputs = inputs_of(size);
        match run_on_runtime(models, &inputs)? {
            Ok(found) => {
                legs.runtime = Some(found);
                legs.runtime_refused = None;
                // Work is that of open axes of one position.
                if work_of_row <= naive_macs && turn == 0 {
                    legs.naive = naive(models, &arrays(inputs), seed, true)?;
                }
                break;
            }
            // Why at the lengths that are tried first.
            Err(refused) => {
                legs.runtime_refused.get_or_insert(refused.to_string());
            }
        }
    }
    for (turn, &size) in sizes.iter().enumerate() {
        if legs.are_enough(models) {
            break;
        }
        let inputs = arrays(inputs_of(size));
        let work = work_at(graph, &inputs);
        if is_for_the_engine(work, naive_macs) {
            legs.engine = engine(models, &inputs, seed)?;
        }
        if legs.engine.is_none() && is_for_the_evaluator(work, turn) {
            legs.naive = naive(models, &inputs, seed, false)?;
        }
    }
    legs.judged(models, given.is_some())
}

/// Whether the evaluator would take too long for so much work, and it can be measured at all.
fn is_for_the_engine(work: u64, naive_macs: u64) -> bool {
    work > naive_macs && work < u64::MAX
}

/// Whether the evaluator should run what nothing else does: longer axes than those of the first turn are only tried, which should
/// not take an hour.
fn is_for_the_evaluator(work: u64, turn: usize) -> bool {
    turn == 0 || work <= LONGEST
}

fn arrays(drawn: Vec<(Element, Array)>) -> Vec<Array> {
    drawn.into_iter().map(|(_, array)| array).collect()
}

/// Multiply-accumulates for a row of these inputs: none where shapes do not fit together, beyond measure where it is too large.
fn work_at(graph: &Graph, inputs: &[Array]) -> u64 {
    let at = at_lengths(graph, &row_shapes(inputs));
    at.map_or(0, |at| work(&at).unwrap_or(u64::MAX))
}

/// What each way to run the models found.
#[derive(Default)]
struct Legs {
    runtime: Option<Found>,
    runtime_refused: Option<String>,
    naive: Option<Found>,
    engine: Option<Held>,
}

impl Legs {
    fn found(&self) -> Vec<&Found> {
        let engine = self.engine.as_ref().map(|held| &held.found);
        let all = [self.runtime.as_ref(), self.naive.as_ref(), engine];
        all.into_iter().flatten().collect()
    }

    /// Whether something ran the models, and something the file as it came, where that is another.
    fn are_enough(&self, models: &Models<'_>) -> bool {
        let all = self.found();
        let mut settled = all.iter().map(|found| found.settled);
        !all.is_empty() && (!models.is_settled() || settled.any(|found| found.is_some()))
    }

    /// The evidence.
    ///
    /// # Errors
    /// If there is none, or any of them found a difference.
    fn judged(self, models: &Models<'_>, is_given: bool) -> Result<ModelEvidence> {
        let all = self.found();
        if !self.are_enough(models) {
            let why = self.runtime_refused.map(|why| format!(": {why}"));
            let why = why.unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Verification,
                format!("nothing here can run this model, so it cannot be verified{why}"),
            )
            .hint(hint::not_run(
                &models.file.graph,
                is_given,
                models.file.has_open_axes(),
            )));
        }
        for found in &all {
            let settled = found.settled.unwrap_or(0.0);
            hold(settled, "the model with its shapes settled", "the file")?;
            hold(found.small, "the small model", "the masked one")?;
        }
        if let Some(Held { sampled, .. }) = &self.engine {
            let which = format!("the engine at '{}'", sampled.node);
            hold(sampled.difference, &which, "the f64 evaluator")?;
        }
        let small = |found: &Option<Found>| found.as_ref().map(|found| found.small);
        Ok(ModelEvidence {
            runtime_difference: small(&self.runtime),
            naive_difference: small(&self.naive),
            engine_difference: self.engine.as_ref().map(|held| held.found.small),
            engine_sampled: self.engine.as_ref().map(|held| held.sampled.difference),
            cut_at: all.iter().flat_map(|found| found.cut_at.clone()).collect(),
            masking_moved: all.iter().find_map(|found| found.moved),
            runtime_refused: self.runtime_refused,
            inputs_given: is_given,
            tolerance: TOLERANCE,
        })
    }
}

/// Largest relative differences.
pub(super) struct Found {
    /// Of the small model from the masked one.
    pub(super) small: f64,
    /// Of the settled model from the file as it came, if it was settled.
    pub(super) settled: Option<f64>,
    /// Of the masked model from the file as it came, if it was masked.
    pub(super) moved: Option<f64>,
    /// Nodes that were not run.
    pub(super) cut_at: Vec<String>,
}

fn hold(difference: f64, which: &str, other: &str) -> Result<()> {
    if difference <= TOLERANCE {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Verification,
        format!(
            "{which} differs from {other} by {difference:.2e} (relative), more than {TOLERANCE:.0e}"
        ),
    )
    .hint("nothing was written; this is a defect: please report it with the model"))
}

/// By the independent runtime; the inner error tells why it cannot run the masked model.
fn run_on_runtime(models: &Models<'_>, drawn: &[(Element, Array)]) -> Result<Result<Found>> {
    let run = |parts: Parts| Runtime::load_parts(parts, LOCATION)?.run_all(drawn);
    let file = models.file;
    let masked = match models.is_masked {
        true => {
            let masked = (models.masked)()?;
            file.patched(&masked)?
        }
        false => file.as_it_came()?,
    };
    let want = match written(masked).and_then(run) {
        Ok(want) => want,
        Err(error) => return Ok(Err(error)),
    };
    finite(&want)?;
    // What runs the masked model must run the others.
    let have = match file.needs_plain_form() {
        true => run(written(models.small.read(LOCATION, &Limits::default())?)?),
        false => run(models.small.clone()),
    };
    let have = have.map_err(|e| e.hint(hint::SMALL_NOT_RUN))?;
    let mut found = Found {
        small: furthest(&want, &have),
        settled: None,
        moved: None,
        cut_at: vec![],
    };
    drop(have);
    if models.is_masked {
        // What was settled may be what the runtime does not know: another way must hold it to the file.
        let Ok(before) = run(written(file.as_it_came()?)?) else {
            return Ok(Ok(found));
        };
        found.moved = Some(furthest(&before, &want));
        if models.is_settled() {
            let settled = run(written(file.patched(&file.graph)?)?)?;
            found.settled = Some(furthest(&before, &settled));
        }
    }
    Ok(Ok(found))
}

/// Outputs that are not finite cannot be compared.
pub(super) fn finite<T: Copy + Into<f64>>(outputs: &[Vec<T>]) -> Result<()> {
    let mut values = outputs.iter().flatten();
    match values.all(|&v| v.into().is_finite()) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Verification,
            "the model gives outputs that are not finite numbers, so it cannot be verified",
        )
        .hint(hint::NOT_FINITE)),
    }
}

#[cfg(test)]
mod injected;
#[cfg(test)]
mod legs;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tolerance;
