//! Do a masked and a shrunk model compute the same?

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use secateur_graph::{Array, Dim, Element, Graph, Op, ValueId, cost, evaluate};

use crate::runtime::Runtime;
use crate::verify::{relative, worse};
use crate::{Error, ErrorKind, Result};

/// Largest relative difference between the two.
const TOLERANCE: f64 = 1e-4;
/// Larger models are run by the naive evaluator only if nothing else can run them: it takes about a second for this.
const NAIVE_MACS: u64 = 200_000_000;
/// Models that take more are not run at all: a small file can declare any size, and this already takes many minutes.
const MOST_WORK: u64 = 10_000_000_000_000;
/// Values of more elements are not computed, as they would take 2 GiB each.
const MOST_ELEMENTS: u64 = 1 << 28;
/// A batch of unknown length is drawn with as many rows.
const ROWS: usize = 2;

/// How a shrunk model was compared with the masked one.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelEvidence {
    /// Largest relative difference of any output on the independent runtime; none where it cannot run the model.
    pub runtime_difference: Option<f64>,
    /// Why it cannot.
    pub runtime_refused: Option<String>,
    /// The same on the naive f64 evaluator, where it can run the model.
    pub naive_difference: Option<f64>,
    /// Largest relative difference between the masked model and the one that it was made of; none where nothing was
    /// masked. Where it is 0, agreement shows nothing.
    pub masking_moved: Option<f64>,
    /// Differences above this fail.
    pub tolerance: f64,
}

/// Compares the two on drawn inputs, and the masked one with what it was made of, if that is given.
///
/// # Errors
/// If outputs differ, or nothing can run the models.
pub(super) fn check(
    masked: (&Graph, Vec<u8>),
    small: (&Graph, &[u8]),
    unmasked: Option<Vec<u8>>,
    seed: u64,
) -> Result<ModelEvidence> {
    let work = work(masked.0)?;
    let drawn = draw(masked.0, seed);
    let inputs: Vec<Array> = drawn.iter().map(|(_, array)| array.clone()).collect();
    // The runtime gets the only copy of the bytes of the masked model, which are many.
    let want = Runtime::load(masked.1).and_then(|runtime| runtime.run_all(&drawn));
    let mut masking_moved = None;
    let (runtime_difference, runtime_refused) = match want {
        // What runs the masked model must run the small one.
        Ok(want) => {
            finite(&want)?;
            let have = Runtime::load(small.1)?.run_all(&drawn)?;
            if let Some(bytes) = unmasked {
                let before = Runtime::load(bytes)?.run_all(&drawn)?;
                masking_moved = Some(furthest(&before, &want));
            }
            (Some(furthest(&want, &have)), None)
        }
        Err(error) => (None, Some(error.to_string())),
    };
    let is_quick = work <= NAIVE_MACS;
    let naive_difference = match is_quick || runtime_difference.is_none() {
        true => naive(masked.0, small.0, &inputs)?,
        false => None,
    };
    let evidence = ModelEvidence {
        runtime_difference,
        runtime_refused,
        naive_difference,
        masking_moved,
        tolerance: TOLERANCE,
    };
    let found = [runtime_difference, naive_difference];
    let all: Vec<f64> = found.into_iter().flatten().collect();
    if all.is_empty() {
        let why = evidence.runtime_refused.unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Verification,
            format!("nothing here can run this model, so it cannot be verified: {why}"),
        )
        .hint("nothing was written"));
    }
    if let Some(bad) = all.iter().find(|d| d.is_nan() || **d > TOLERANCE) {
        return Err(Error::new(
            ErrorKind::Verification,
            format!("the small model differs from the masked one by {bad:.2e} (relative), more than {TOLERANCE:.0e}"),
        )
        .hint("nothing was written; this is a defect: please report it with the model"));
    }
    Ok(evidence)
}

/// Multiply-accumulates and elements of windows for one row.
///
/// # Errors
/// If that is more than can be run here.
fn work(graph: &Graph) -> Result<u64> {
    let too_large = |what: String| {
        Error::new(
            ErrorKind::Verification,
            format!("{what}, so the model cannot be run here and not be verified"),
        )
        .hint("nothing was written; export the model with smaller inputs")
    };
    let mut work = cost(graph)?.macs;
    for node in graph.nodes() {
        let made = node
            .outputs
            .first()
            .map_or(0, |&made| elements(graph.value(made).shape.as_deref()));
        if let Op::Pool(pool) = &node.op {
            let window = pool
                .kernel
                .iter()
                .fold(1u64, |n, &k| n.saturating_mul(k as u64));
            work = work.saturating_add(made.saturating_mul(window));
        }
    }
    let shapes = graph
        .values()
        .iter()
        .map(|v| (v, elements(v.shape.as_deref())));
    if let Some((value, count)) = shapes.max_by_key(|(_, count)| *count)
        && count > MOST_ELEMENTS
    {
        return Err(too_large(format!("'{}' has {count} elements", value.name)));
    }
    match work > MOST_WORK {
        true => Err(too_large(format!("a row takes {work} steps"))),
        false => Ok(work),
    }
}

/// Elements of a value, for one row.
fn elements(shape: Option<&[Dim]>) -> u64 {
    let lengths = shape.unwrap_or_default().iter().filter_map(Dim::fixed);
    lengths.fold(1, |n, length| n.saturating_mul(length as u64))
}

/// By the naive evaluator; none if there is a node of the masked model that it does not understand.
fn naive(masked: &Graph, small: &Graph, inputs: &[Array]) -> Result<Option<f64>> {
    let values = |outputs: Vec<Array>| outputs.into_iter().map(|a| a.values).collect::<Vec<_>>();
    let Ok(want) = evaluate(masked, inputs) else {
        return Ok(None);
    };
    let want = values(want);
    finite(&want)?;
    let have = evaluate(small, inputs)?;
    Ok(Some(furthest(&want, &values(have))))
}

/// Outputs that are not finite cannot be compared.
fn finite<T: Copy + Into<f64>>(outputs: &[Vec<T>]) -> Result<()> {
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
fn furthest<T: Copy + Into<f64>>(want: &[Vec<T>], have: &[Vec<T>]) -> f64 {
    if want.len() != have.len() {
        return f64::INFINITY;
    }
    want.iter().zip(have).fold(0.0, |most, (want, have)| {
        let want: Vec<f64> = want.iter().map(|&v| v.into()).collect();
        worse(most, relative(&want, have))
    })
}

/// Normal numbers for every input of floats, positions for one of whole numbers.
fn draw(graph: &Graph, seed: u64) -> Vec<(Element, Array)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let inputs = graph.inputs().iter();
    inputs
        .map(|&input| {
            let dims = graph.value(input).shape.as_deref().unwrap_or_default();
            let shape: Vec<usize> = dims.iter().map(|d| d.fixed().unwrap_or(ROWS)).collect();
            let element = graph.value(input).element.unwrap_or(Element::F32);
            let below = positions(graph, input) as u64;
            let mut number = || match element.is_float() {
                // Through f32, so that every runtime sees the same numbers.
                true => {
                    let drawn: f64 = StandardNormal.sample(&mut rng);
                    f64::from(drawn as f32)
                }
                false => (rng.next_u64() % below) as f64,
            };
            let values = (0..shape.iter().product()).map(|_| number()).collect();
            (element, Array { shape, values })
        })
        .collect()
}

/// How many rows the tables have that an input, or that input in another type, is looked up in; 2 if there are none.
fn positions(graph: &Graph, value: ValueId) -> usize {
    let readers = graph.readers(value).iter().map(|&id| graph.node(id));
    let rows = readers.filter_map(|node| match (&node.op, node.inputs.first()) {
        (Op::Cast { .. } | Op::Identity, _) => Some(positions(graph, *node.outputs.first()?)),
        (Op::Gather { axis: 0 }, Some(Some(table))) => {
            graph.constant(*table)?.shape().first().copied()
        }
        _ => None,
    });
    rows.min().unwrap_or(2).max(1)
}

#[cfg(test)]
mod tests {
    use secateur_graph::{GraphBuilder, ModelMeta, Tensor, Unary, to_model};
    use secateur_testkit::mlp;

    use super::*;

    fn file(graph: &Graph) -> Vec<u8> {
        let model = to_model(graph, &ModelMeta::default()).unwrap();
        secateur_onnx::write(&model).unwrap()
    }

    #[test]
    fn other_outputs_and_files_that_no_longer_run_are_refused() {
        let (graph, other) = (
            mlp(&[3, 4, 2], Unary::Relu, 1).unwrap(),
            mlp(&[3, 4, 2], Unary::Relu, 2).unwrap(),
        );
        let (bytes, different) = (file(&graph), file(&other));
        let masked = (&graph, bytes.clone());
        let found = check(masked, (&graph, &bytes), Some(different.clone()), 0).unwrap();
        assert_eq!(
            (found.runtime_difference, found.naive_difference),
            (Some(0.0), Some(0.0))
        );
        assert!(found.masking_moved.unwrap() > 0.1, "{found:?}");
        for (small, bytes) in [
            (&other, different.as_slice()),
            (&graph, different.as_slice()),
            (&other, bytes.as_slice()),
            // The masked model runs, this does not.
            (&graph, &bytes[..bytes.len() / 2]),
        ] {
            let error = check((&graph, file(&graph)), (small, bytes), None, 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        }
    }

    #[test]
    fn whole_numbers_are_drawn_within_the_tables_that_they_name() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(50)]);
        b.of_type(x, Element::I64);
        let table = b.constant("table", Tensor::f32([7, 2], vec![0.0; 14]).unwrap());
        let y = b.node("y", Op::Gather { axis: 0 }, &[table, x]);
        b.output(y);
        let graph = b.build().unwrap();
        let (element, array) = draw(&graph, 0).remove(0);
        assert_eq!((element, array.shape), (Element::I64, vec![2, 50]));
        let known = |v: &f64| v.fract() == 0.0 && (0.0..7.0).contains(v);
        assert!(array.values.iter().all(known) && array.values.contains(&6.0));
    }

    #[test]
    fn outputs_that_are_missing_or_longer_are_infinitely_far() {
        assert_eq!(furthest::<f64>(&[vec![1.0]], &[]), f64::INFINITY);
        assert_eq!(furthest(&[vec![1.0]], &[vec![1.0, 2.0]]), f64::INFINITY);
        assert!(furthest(&[vec![1.0], vec![1.0]], &[vec![f64::NAN], vec![1.0]]).is_nan());
    }
}
