//! Do a masked and a shrunk model compute the same?

use secateur_graph::{Array, Element, Graph, Op, from_model, settle};
use secateur_onnx::{Limits, Parts};

use super::ModelFile;
use super::draw::{draw, lengths};
use super::files::LOCATION;
use super::loaded::written;
use super::naive::naive;
use super::work::work;
use crate::runtime::Runtime;
use crate::verify::{relative, worse};
use crate::{Error, ErrorKind, Result};

/// Largest relative difference between the two.
pub(super) const TOLERANCE: f64 = 1e-4;
/// Larger models are run by the naive evaluator only if nothing else can run them: it takes about a second for this.
pub(super) const NAIVE_MACS: u64 = 200_000_000;

/// How a shrunk model was compared with the masked one.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelEvidence {
    /// Largest relative difference of any output on the independent runtime; none where it cannot run the model.
    pub runtime_difference: Option<f64>,
    /// Why it cannot.
    pub runtime_refused: Option<String>,
    /// The same on the naive f64 evaluator, where it can run the model.
    pub naive_difference: Option<f64>,
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
    let graph = &models.file.graph;
    let work = work(graph)?;
    let given = models.file.given.clone();
    let is_given = given.is_some();
    let sizes = lengths(graph);
    let mut drawn = given.unwrap_or_else(|| draw(graph, seed, sizes[0]));
    let mut on_runtime = run_on_runtime(models, &drawn)?;
    let mut is_small = true;
    for &length in sizes.iter().skip(1).filter(|_| !is_given) {
        if on_runtime.is_ok() {
            break;
        }
        let larger = draw(graph, seed, length);
        let found = run_on_runtime(models, &larger)?;
        if found.is_ok() {
            (drawn, on_runtime, is_small) = (larger, found, false);
        }
    }
    let (on_runtime, runtime_refused) = match on_runtime {
        Ok(found) => (Some(found), None),
        Err(refused) => (None, Some(refused.to_string())),
    };
    let inputs: Vec<Array> = drawn.into_iter().map(|(_, array)| array).collect();
    // Work is that of open axes of one position.
    let naive = match work <= NAIVE_MACS && is_small || on_runtime.is_none() {
        true => naive(models, &inputs, seed)?,
        false => None,
    };
    let evidence = ModelEvidence {
        runtime_difference: on_runtime.as_ref().map(|found| found.small),
        runtime_refused,
        naive_difference: naive.as_ref().map(|found| found.small),
        cut_at: naive.as_ref().map_or(vec![], |found| found.cut_at.clone()),
        masking_moved: on_runtime
            .as_ref()
            .or(naive.as_ref())
            .and_then(|found| found.moved),
        inputs_given: is_given,
        tolerance: TOLERANCE,
    };
    let all: Vec<Found> = [on_runtime, naive].into_iter().flatten().collect();
    // The masked model is one thing to run, the file that it came from may be another.
    let is_held = !models.is_settled() || all.iter().any(|found| found.settled.is_some());
    if all.is_empty() || !is_held {
        let why = evidence.runtime_refused.unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Verification,
            format!("nothing here can run this model, so it cannot be verified: {why}"),
        )
        .hint(match draws(graph) {
            true => "nothing was written; Dropout that draws makes other outputs every time: export the model for inference",
            false => "nothing was written",
        }));
    }
    for found in &all {
        let settled = found.settled.unwrap_or(0.0);
        hold(settled, "the model with its shapes settled", "the file")?;
        hold(found.small, "the small model", "the masked one")?;
    }
    Ok(evidence)
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
    let have = match file.is_sparse() {
        true => run(written(models.small.read(LOCATION, &Limits::default())?)?)?,
        false => run(models.small.clone())?,
    };
    let mut found = Found {
        small: furthest(&want, &have),
        settled: None,
        moved: None,
        cut_at: vec![],
    };
    drop(have);
    if models.is_masked {
        let before = run(written(file.as_it_came()?)?)?;
        found.moved = Some(furthest(&before, &want));
        if models.is_settled() {
            found.settled = Some(furthest(
                &before,
                &run(written(file.patched(&file.graph)?)?)?,
            ));
        }
    }
    Ok(Ok(found))
}

/// Whether a `Dropout` is left, which is one that drops; others are passed through.
fn draws(graph: &Graph) -> bool {
    let mut ops = graph.nodes().iter().map(|node| &node.op);
    ops.any(|op| matches!(op, Op::Opaque(opaque) if opaque.op_type == "Dropout"))
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
        .hint("nothing was written; does the model hold infinite weights, or divide by 0?")),
    }
}

/// The largest relative difference of any output; infinite if one has another length or is not there.
pub(crate) fn furthest<T: Copy + Into<f64>>(want: &[Vec<T>], have: &[Vec<T>]) -> f64 {
    if want.len() != have.len() {
        return f64::INFINITY;
    }
    want.iter().zip(have).fold(0.0, |most, (want, have)| {
        let want: Vec<f64> = want.iter().map(|&v| v.into()).collect();
        worse(most, relative(&want, have))
    })
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, GraphBuilder, ModelMeta, Tensor, Unary, to_model};
    use secateur_onnx::write_apart;
    use secateur_testkit::mlp;

    use super::*;

    fn parts(graph: &Graph) -> Parts {
        let model = to_model(graph, &ModelMeta::default()).unwrap();
        write_apart(model, LOCATION).unwrap()
    }

    #[test]
    fn other_outputs_and_files_that_no_longer_run_are_refused() {
        let (graph, other) = (
            mlp(&[3, 4, 2], Unary::Relu, 1).unwrap(),
            mlp(&[3, 4, 2], Unary::Relu, 2).unwrap(),
        );
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let file = ModelFile::of("m".into(), model, graph.clone(), 0).unwrap();
        let checked = |masked: &Graph, small: &Parts| {
            let models = Models {
                file: &file,
                masked: &|| Ok(masked.clone()),
                is_masked: true,
                small,
            };
            check(&models, 0)
        };
        let found = checked(&other, &parts(&other)).unwrap();
        assert_eq!(
            (found.runtime_difference, found.naive_difference),
            (Some(0.0), Some(0.0))
        );
        assert!(found.masking_moved.unwrap() > 0.1, "{found:?}");
        let mut cut = parts(&graph);
        // The masked model runs, this does not.
        cut.model.truncate(cut.model.len() / 2);
        for small in [parts(&other), cut] {
            let error = checked(&graph, &small).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        }
    }

    #[test]
    fn dropout_that_draws_is_told_from_other_operators() {
        let opaque = |op_type: &str| {
            let mut b = GraphBuilder::new("g");
            let x = b.input("x", [Dim::Fixed(2), Dim::Fixed(2)]);
            let squared = b.node("squared", Op::MatMul, &[x, x]);
            let op = Op::Opaque(secateur_graph::Opaque {
                domain: String::new(),
                op_type: op_type.into(),
                opset: 17,
                message: vec![],
            });
            let y = b.node("y", op, &[squared]);
            b.output(y);
            b.build().unwrap()
        };
        let (drops, other) = (opaque("Dropout"), opaque("Other"));
        assert!(draws(&drops) && !draws(&other));
    }

    /// A file whose settled network is another one.
    #[test]
    fn a_model_that_was_settled_wrongly_is_refused() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let shape = b.node(
            "s",
            Op::Shape {
                start: 0,
                end: None,
            },
            &[x],
        );
        let y = b.node("y", Op::Reshape { allow_zero: false }, &[x, shape]);
        let w = b.constant("w", Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap());
        let z = b.node("z", Op::MatMul, &[y, w]);
        b.output(z);
        let graph = b.build().unwrap();
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let mut file = ModelFile::of("m".into(), model, graph, 0).unwrap();
        assert!(file.is_settled());
        let checked = |file: &ModelFile| {
            let small = file.patched(&file.graph).unwrap();
            let models = Models {
                file,
                masked: &|| Ok(file.graph.clone()),
                is_masked: true,
                small: &write_apart(small, LOCATION).unwrap(),
            };
            check(&models, 0)
        };
        checked(&file).unwrap();
        let other = Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 5.0]).unwrap();
        let w = file.graph.value_named("w").unwrap();
        file.graph.set_constant(w, other).unwrap();
        let error = checked(&file).unwrap_err().to_string();
        assert!(
            error.starts_with("the model with its shapes settled differs from the file"),
            "{error}"
        );
    }

    #[test]
    fn outputs_that_are_missing_or_longer_are_infinitely_far() {
        assert_eq!(furthest::<f64>(&[vec![1.0]], &[]), f64::INFINITY);
        assert_eq!(furthest(&[vec![1.0]], &[vec![1.0, 2.0]]), f64::INFINITY);
        assert!(furthest(&[vec![1.0], vec![1.0]], &[vec![f64::NAN], vec![1.0]]).is_nan());
    }
}
