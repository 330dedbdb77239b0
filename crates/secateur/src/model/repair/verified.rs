//! Does a repaired file compute what its network says?

use secateur_engine::Threads;
use secateur_graph::{Array, Element, Graph, at_lengths, evaluate};
use secateur_onnx::{Limits, Parts, write_parts};
use secateur_prune::repair::{Batch, Compiled, Runner};

use super::evidence::RepairEvidence;
use super::inputs::RepairInputs;
use super::rounding::Scaled;
use super::runner::OnRuntime;
use crate::model::check::{NAIVE_MACS, TOLERANCE, finite, read_back};
use crate::model::files::LOCATION;
use crate::model::sample::sampled;
use crate::model::{ModelFile, work, written};
use crate::on_engine::OnEngine;
use crate::runtime::{NAME, Runtime};
use crate::verify::furthest;
use crate::{Error, ErrorKind, Result};

/// Compares a file with the network that it was written of.
///
/// # Errors
/// If they differ, outputs are not finite, or nothing but the runtime can run the model.
pub(super) fn verified(
    file: &ModelFile,
    graph: &Graph,
    parts: &Parts,
    inputs: &RepairInputs,
) -> Result<RepairEvidence> {
    compared(file, graph, parts, inputs, NAIVE_MACS)?.held()
}

impl RepairInputs {
    /// Runs the model as it is in all ways in which the repaired one will be run.
    ///
    /// # Errors
    /// If one of them refuses it, or rounding does so much to it that nothing that is made of it could be verified.
    pub fn verify_beforehand(&self, file: &ModelFile) -> Result<()> {
        let on_runtime = || -> Result<()> {
            let runner = OnRuntime::of(file, &|_| {});
            let network = runner.compile(&file.graph).map_err(Error::from)?;
            let batch = self.first(usize::MAX)?;
            let made = network.run(&batch.iter().collect::<Vec<_>>());
            made.map(drop).map_err(Error::from)
        };
        let own = || -> Result<()> {
            let parts = write_parts(file.as_it_came()?, LOCATION)?;
            compared(file, &file.graph, &parts, self, NAIVE_MACS)?.held_as_given()
        };
        let checked = on_runtime().and_then(|()| own());
        checked.map_err(|e| match e.hint_text() {
            Some(_) => e.or_at(&file.name),
            None => e
                .or_at(&file.name)
                .hint("a repair runs layers on the independent runtime; without --repair the model may be cut nevertheless"),
        })
    }
}

/// How far a file is from a network, whatever that is. The evaluator is given so many multiply-accumulates, or a row where nothing else runs the
/// network.
fn compared(
    file: &ModelFile,
    graph: &Graph,
    parts: &Parts,
    inputs: &RepairInputs,
    naive_macs: u64,
) -> Result<RepairEvidence> {
    let batch = inputs.first(usize::MAX)?;
    let back = read_back(parts)?;
    let written = Written::load(file, &back, parts)?;
    let mut evidence = RepairEvidence {
        runtime: NAME,
        naive_difference: None,
        engine_difference: None,
        engine_sampled: None,
        rounded: None,
        tolerance: TOLERANCE,
    };
    let mut have = written.run(&batch)?;
    let given = arrays(&batch);
    let shapes: Vec<Vec<usize>> = given.iter().map(|a| a.shape.clone()).collect();
    let at = at_lengths(graph, &shapes)?;
    let rows = shapes.first().and_then(|shape| shape.first());
    let rows = rows.map_or(1, |&n| n);
    let mut exact = None;
    if work(&at)?.saturating_mul(rows as u64) <= naive_macs {
        exact = on_evaluator(graph, &given);
        evidence.naive_difference = exact.as_ref().map(|want| furthest(want, &double(&have)));
    }
    // Where the evaluator finds the runtime far off, the engine tells whether rounding is all.
    if !evidence.is_held()
        && let Some((made, sampled)) = on_engine(graph, &at, &given, inputs.seed)?
    {
        let reference = exact.clone().unwrap_or_else(|| double(&made));
        let scaled = Scaled {
            reference: &reference,
            made: &made,
            rows,
        };
        evidence.rounded = scaled.set_apart(&mut have, |row| match &exact {
            Some(all) => Some(all.iter().map(|output| part(output, rows, row)).collect()),
            None => {
                let one = given.iter().map(|input| Array {
                    shape: [&[1], input.shape.get(1..).unwrap_or_default()].concat(),
                    values: part(&input.values, rows, row),
                });
                on_evaluator(graph, &one.collect::<Vec<_>>())
            }
        });
        let difference = Some(furthest(&reference, &double(&have)));
        match &exact {
            Some(_) => evidence.naive_difference = difference,
            None => evidence.engine_difference = difference,
        }
        evidence.engine_sampled = Some(sampled);
    }
    if evidence.legs().next().is_none() {
        // However long it takes.
        let one = inputs.first(1)?;
        let (want, have) = (on_evaluator(graph, &arrays(&one)), written.run(&one)?);
        evidence.naive_difference = want.map(|want| furthest(&want, &double(&have)));
    }
    Ok(evidence)
}

/// A file on the independent runtime.
enum Written {
    /// As it is.
    Plain(Box<Runtime>, Vec<Element>),
    /// The network that reads back, in single precision and in forms that the runtime knows, where it does not take the file.
    Translated(Box<dyn Compiled>),
}

impl Written {
    fn load(file: &ModelFile, back: &Graph, parts: &Parts) -> Result<Self> {
        let own = match file.needs_plain_form() {
            true => written(parts.read(LOCATION, &Limits::default())?)?,
            false => parts.clone(),
        };
        let plain = back.is_single().then(|| Runtime::load_parts(own, LOCATION));
        if let Some(Ok(runtime)) = plain {
            let element = |&id| back.value(id).element.unwrap_or(Element::F32);
            let elements = back.inputs().iter().map(element).collect();
            return Ok(Self::Plain(Box::new(runtime), elements));
        }
        let runner = OnRuntime::of(file, &|_| {});
        Ok(Self::Translated(runner.compile(back).map_err(Error::from)?))
    }

    /// What it makes, all of it finite.
    fn run(&self, batch: &Batch) -> Result<Vec<Vec<f32>>> {
        let have = match self {
            Self::Plain(runtime, elements) => {
                let typed = elements.iter().copied().zip(arrays(batch));
                runtime.run_all(&typed.collect::<Vec<_>>())?
            }
            Self::Translated(network) => {
                let made = network.run(&batch.iter().collect::<Vec<_>>());
                let made = made.map_err(Error::from)?.into_iter();
                made.map(|a| a.values).collect()
            }
        };
        finite(&have)?;
        Ok(have)
    }
}

/// What the naive evaluator makes; none where it cannot run the network.
fn on_evaluator(graph: &Graph, given: &[Array]) -> Option<Vec<Vec<f64>>> {
    let made = evaluate(graph, given).ok()?;
    Some(made.into_iter().map(|a| a.values).collect())
}

/// The numbers of a row.
fn part(of: &[f64], rows: usize, row: usize) -> Vec<f64> {
    let len = of.len() / rows.max(1);
    of[row * len..(row + 1) * len].to_vec()
}

fn double(outputs: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let of = |output: &Vec<f32>| output.iter().map(|&v| f64::from(v)).collect();
    outputs.iter().map(of).collect()
}

fn arrays(batch: &Batch) -> Vec<Array> {
    let of = |x: &secateur_prune::repair::Activation| Array {
        shape: x.shape.clone(),
        values: x.values.iter().map(|&v| f64::from(v)).collect(),
    };
    batch.iter().map(of).collect()
}

/// What the engine makes of inputs, and how far it is from the evaluator, node by node; none where it does not run the network.
fn on_engine(
    graph: &Graph,
    at: &Graph,
    given: &[Array],
    seed: u64,
) -> Result<Option<(Vec<Vec<f32>>, f64)>> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(count).map_err(|e| {
        let error = Error::new(ErrorKind::Environment, e.to_string());
        error.hint("end other programs: the system starts no more threads")
    })?;
    let Ok(mut engine) = OnEngine::new(graph, at, given, threads.clone()) else {
        return Ok(None);
    };
    let made = engine.run().to_vec();
    let worst = sampled(graph, given, &made, threads, seed);
    Ok(worst.map(|worst| (made, worst.difference)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are added and taken away again: of one row in twenty so large that rounding moves the sum.
    #[test]
    fn rows_that_rounding_moves_are_left_out_and_no_others() {
        use secateur_graph::{Binary, Dim, GraphBuilder, ModelMeta, Op, Tensor, to_model};
        let of = |factor: f32| {
            let mut b = GraphBuilder::new("m");
            let x = b.input("x", [Dim::batch(), Dim::Fixed(4)]);
            let first = b.constant(
                "first",
                Tensor::f32([4, 1], vec![factor, 1.0, 0.5, 0.0]).unwrap(),
            );
            let large = b.constant(
                "large",
                Tensor::f32([4, 1], vec![0.0, 0.0, 0.0, 1.0]).unwrap(),
            );
            let sum = b.node("sum", Op::MatMul, &[x, first]);
            let much = b.node("much", Op::MatMul, &[x, large]);
            let both = b.node("both", Op::Binary(Binary::Add), &[sum, much]);
            let y = b.node("y", Op::Binary(Binary::Sub), &[both, much]);
            b.output(y);
            let graph = b.build().unwrap();
            let model = to_model(&graph, &ModelMeta::default()).unwrap();
            ModelFile::of("m".into(), model, graph, 0).unwrap()
        };
        let file = of(1.0);
        const ROUNDED: usize = 13;
        let rows = 200;
        let mut stream = secateur_testkit::Stream::new(3);
        let numbers = (0..4 * rows).map(|i| match (i % 4, i / 4) {
            // One of those that it is verified on.
            (3, ROUNDED) => 3e4,
            (3, _) => 0.0,
            _ => stream.unit() as f32,
        });
        let inputs = file
            .inputs_of((vec![rows, 4], numbers.collect()), vec![], 0)
            .unwrap();
        let parts = |file: &ModelFile| write_parts(file.as_it_came().unwrap(), LOCATION).unwrap();
        for macs in [NAIVE_MACS, 0] {
            let evidence = compared(&file, &file.graph, &parts(&file), &inputs, macs).unwrap();
            assert!(evidence.is_held(), "{evidence:?}");
            let other = compared(&file, &file.graph, &parts(&of(1.001)), &inputs, macs).unwrap();
            assert!(!other.is_held(), "{other:?}");
            if macs > 0 {
                let rounded = evidence.rounded.unwrap();
                assert_eq!(rounded.rows, 1, "{rounded:?}");
                assert!(rounded.rounding > TOLERANCE, "{rounded:?}");
            }
        }
        inputs.verify_beforehand(&file).unwrap();
    }

    #[test]
    fn what_the_engine_does_not_run_the_evaluator_does_however_long_it_takes() {
        use secateur_graph::{Dim, GraphBuilder, ModelMeta, Tensor, to_model};
        let mut b = GraphBuilder::new("recurrent");
        let x = b.input("x", [Dim::Fixed(2), Dim::batch(), Dim::Fixed(3)]);
        let mut stream = secateur_testkit::Stream::new(5);
        let mut draw = |name: &str, shape: [usize; 3]| {
            let numbers = (0..shape.iter().product()).map(|_| stream.unit() as f32);
            let tensor = Tensor::f32(shape, numbers.collect()).unwrap();
            b.constant(name, tensor)
        };
        let (w, r) = (draw("w", [1, 16, 3]), draw("r", [1, 16, 4]));
        let op = secateur_testkit::recurrent("LSTM", (4, "forward"), 3).unwrap();
        let y = b.node("lstm", op, &[x, w, r]);
        b.output(y);
        let graph = b.build().unwrap();
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let file = ModelFile::of("m".into(), model, graph, 0).unwrap();
        let numbers = (0..40 * 6).map(|_| stream.unit() as f32).collect();
        let rows = (vec![40, 2, 1, 3], numbers);
        let inputs = file.inputs_of(rows, vec![], 0).unwrap();
        let parts = secateur_onnx::write_parts(file.as_it_came().unwrap(), LOCATION).unwrap();
        for macs in [NAIVE_MACS, 0] {
            let evidence = compared(&file, &file.graph, &parts, &inputs, macs).unwrap();
            assert!(evidence.naive_difference.unwrap() < 1e-5, "{evidence:?}");
            assert_eq!(evidence.engine_difference, None);
        }
        inputs.verify_beforehand(&file).unwrap();
    }

    #[test]
    fn what_the_runtime_does_not_know_is_told_beforehand_with_a_way_out() {
        use secateur_graph::{ModelMeta, Unary, to_model};
        let graph = secateur_testkit::mlp(&[3, 8, 2], Unary::Mish, 1).unwrap();
        let meta = ModelMeta {
            opset: 18,
            ..ModelMeta::default()
        };
        let model = to_model(&graph, &meta).unwrap();
        let file = ModelFile::of("m".into(), model, graph, 0).unwrap();
        let numbers = (0..120)
            .map(|n| (n % 7) as f32 + n as f32 / 100.0)
            .collect();
        let inputs = file.inputs_of((vec![40, 3], numbers), vec![], 0).unwrap();
        let error = inputs.verify_beforehand(&file).unwrap_err();
        assert!(error.to_string().starts_with("m: "), "{error}");
        let hint = error.hint_text().unwrap();
        assert!(hint.contains("without --repair"), "{hint}");
    }

    #[test]
    fn a_file_of_another_network_is_refused() {
        use secateur_graph::{ModelMeta, Unary, to_model};
        let of = |activation| {
            let graph = secateur_testkit::mlp(&[3, 8, 2], activation, 1).unwrap();
            let model = to_model(&graph, &ModelMeta::default()).unwrap();
            ModelFile::of("m".into(), model, graph, 0).unwrap()
        };
        let (file, other) = (of(Unary::Relu), of(Unary::Tanh));
        let rows = 40;
        let mut stream = secateur_testkit::Stream::new(3);
        let numbers = (0..3 * rows).map(|_| stream.unit() as f32 - 0.5).collect();
        let inputs = file.inputs_of((vec![rows, 3], numbers), vec![], 0).unwrap();
        let parts = |file: &ModelFile| {
            secateur_onnx::write_parts(file.as_it_came().unwrap(), LOCATION).unwrap()
        };
        let evidence = verified(&file, &file.graph, &parts(&file), &inputs).unwrap();
        assert!(evidence.naive_difference.unwrap() < 1e-5, "{evidence:?}");
        let error = verified(&file, &file.graph, &parts(&other), &inputs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        assert!(
            error.to_string().starts_with("the repaired file differs"),
            "{error}"
        );
    }
}
