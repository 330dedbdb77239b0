//! Does a repaired file compute what its network says?

use secateur_engine::Threads;
use secateur_graph::{Array, Element, Graph, at_lengths, evaluate};
use secateur_onnx::{Limits, Parts, write_parts};
use secateur_prune::repair::{Batch, Runner};

use super::feeds::RepairInputs;
use super::runner::OnRuntime;
use crate::model::check::{NAIVE_MACS, TOLERANCE, finite, read_back};
use crate::model::files::LOCATION;
use crate::model::sample::sampled;
use crate::model::{ModelFile, work, written};
use crate::on_engine::OnEngine;
use crate::runtime::{NAME, Runtime};
use crate::verify::furthest;
use crate::{Error, ErrorKind, Result};

/// How a repaired file was verified, on inputs that nothing was fitted or chosen on: the file as it reads back on the independent runtime,
/// against its network on what shares nothing with that.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RepairEvidence {
    /// Name and version of the runtime.
    pub runtime: &'static str,
    /// Largest relative difference of any output from the naive f64 evaluator, where that can run the model in short time.
    pub naive_difference: Option<f64>,
    /// The same from the engine of this program, where the evaluator would take long.
    pub engine_difference: Option<f64>,
    /// Largest relative difference of the engine from the evaluator, node by node at sampled places.
    pub engine_sampled: Option<f64>,
    /// Largest relative difference of the given model on the same, where the repaired one differs by more than 1e-4: rounding may be all.
    pub given_difference: Option<f64>,
    /// Differences above this fail: 1e-4, or four times that of the given model, up to 5e-4.
    pub tolerance: f64,
}

/// How much more than the given model the repaired one may differ between runtimes by rounding alone.
const AS_GIVEN: f64 = 4.0;
/// What is never accepted, however much the given model differs.
const MOST: f64 = 5.0 * TOLERANCE;

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
    let Some(batch) = inputs.test.first() else {
        return Err(Error::new(
            ErrorKind::Verification,
            "there are no inputs to verify on",
        ));
    };
    let evidence = compared(file, graph, parts, batch, inputs.seed)?;
    match evidence.is_held() {
        true => Ok(evidence),
        // Networks that subtract what is nearly equal make much of rounding: how much, the given one tells.
        false => {
            let parts = write_parts(file.as_it_came()?, LOCATION)?;
            let given = compared(file, &file.graph, &parts, batch, inputs.seed)?;
            evidence.beside(&given).held()
        }
    }
}

/// How far a file is from a network, whatever that is.
fn compared(
    file: &ModelFile,
    graph: &Graph,
    parts: &Parts,
    batch: &Batch,
    seed: u64,
) -> Result<RepairEvidence> {
    let given = arrays(batch);
    let elements = graph
        .inputs()
        .iter()
        .map(|&id| graph.value(id).element.unwrap_or(Element::F32));
    let typed: Vec<_> = elements.zip(given.iter().cloned()).collect();
    // What is compared is what reads back, on one side, and what was meant, on the other.
    let back = read_back(parts)?;
    let have = if back.is_single() {
        let own = match file.needs_plain_form() {
            true => written(parts.read(LOCATION, &Limits::default())?)?,
            false => parts.clone(),
        };
        Runtime::load_parts(own, LOCATION)?.run_all(&typed)?
    } else {
        // The runtime knows no other floats.
        let runner = OnRuntime::of(file, &|_| {});
        let network = runner.compile(&back).map_err(Error::from)?;
        let made = network.run(&batch.iter().collect::<Vec<_>>());
        made.map_err(Error::from)?
            .into_iter()
            .map(|a| a.values)
            .collect()
    };
    finite(&have)?;
    let shapes: Vec<Vec<usize>> = given.iter().map(|a| a.shape.clone()).collect();
    let at = at_lengths(graph, &shapes)?;
    let mut evidence = RepairEvidence {
        runtime: NAME,
        naive_difference: None,
        engine_difference: None,
        engine_sampled: None,
        given_difference: None,
        tolerance: TOLERANCE,
    };
    let macs = work(&at)?.saturating_mul(
        shapes
            .first()
            .and_then(|s| s.first())
            .map_or(1, |&n| n as u64),
    );
    if macs <= NAIVE_MACS {
        let made = evaluate(graph, &given);
        let want = made
            .ok()
            .map(|made| made.into_iter().map(|a| a.values).collect::<Vec<_>>());
        evidence.naive_difference = want.map(|want| furthest(&want, &double(&have)));
    }
    if evidence.naive_difference.is_none()
        && let Some((difference, sampled)) = on_engine(graph, &at, &given, &have, seed)?
    {
        evidence.engine_difference = Some(difference);
        evidence.engine_sampled = Some(sampled);
    }
    Ok(evidence)
}

impl RepairEvidence {
    /// Each difference with what it is from, and what it may be.
    fn legs(&self) -> impl Iterator<Item = (f64, &'static str, f64)> {
        let sampled = "the f64 evaluator, by the engine";
        let all = [
            (self.naive_difference, "the f64 evaluator", self.tolerance),
            (self.engine_difference, "the engine", self.tolerance),
            // Node by node nothing adds up.
            (self.engine_sampled, sampled, TOLERANCE),
        ];
        all.into_iter()
            .filter_map(|(difference, of, most)| Some((difference?, of, most)))
    }

    /// Whether there is a difference, and all of them are within what they may be.
    fn is_held(&self) -> bool {
        self.legs().next().is_some() && self.legs().all(|(found, _, most)| found <= most)
    }

    /// The same, held to what is found of the given model too.
    fn beside(self, given: &Self) -> Self {
        let found = given.naive_difference.or(given.engine_difference);
        let most = found.map_or(TOLERANCE, |found| AS_GIVEN * found);
        Self {
            given_difference: found,
            // No number is above none.
            tolerance: if most > TOLERANCE {
                most.min(MOST)
            } else {
                TOLERANCE
            },
            ..self
        }
    }

    /// The same, if every difference is within what it may be and there is one.
    fn held(self) -> Result<Self> {
        if self.is_held() {
            return Ok(self);
        }
        let far = self
            .legs()
            .find(|(found, _, most)| found.is_nan() || found > most);
        let Some((difference, of, most)) = far else {
            return Err(Error::new(ErrorKind::Verification, "nothing but the independent runtime can run the repaired model, so it cannot be verified")
                .hint("leave out --repair"));
        };
        let given = self.given_difference;
        let given = given.map_or_else(String::new, |d| format!("; the given model by {d:.2e}"));
        Err(Error::new(
            ErrorKind::Verification,
            format!("the repaired file differs from its network on {of} by {difference:.2e} (relative), more than {most:.0e}{given}"),
        )
        .hint("nothing was written; this is a defect: please report it with the model"))
    }
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

/// How far the runtime is from the engine, and that from the evaluator; none where the engine does not run it.
fn on_engine(
    graph: &Graph,
    at: &Graph,
    given: &[Array],
    have: &[Vec<f32>],
    seed: u64,
) -> Result<Option<(f64, f64)>> {
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
    Ok(worst.map(|worst| (furthest(&made, have), worst.difference)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_tells_how_far_the_runtime_is() {
        let graph = secateur_testkit::mlp(&[3, 4, 2], secateur_graph::Unary::Relu, 1).unwrap();
        let given = [Array {
            shape: vec![2, 3],
            values: vec![0.5, -1.0, 2.0, 1.5, 0.25, -0.5],
        }];
        let at = at_lengths(&graph, &[vec![2, 3]]).unwrap();
        let made = evaluate(&graph, &given).unwrap();
        let mut have = vec![
            made[0]
                .values
                .iter()
                .map(|&v| v as f32)
                .collect::<Vec<f32>>(),
        ];
        let (near, sampled) = on_engine(&graph, &at, &given, &have, 1).unwrap().unwrap();
        assert!(near < TOLERANCE && sampled < TOLERANCE, "{near} {sampled}");
        have[0][0] += 1.0;
        let (far, _) = on_engine(&graph, &at, &given, &have, 1).unwrap().unwrap();
        assert!(far > TOLERANCE, "{far}");
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

    #[test]
    fn every_leg_refuses_alone() {
        let with = |naive, engine, sampled| RepairEvidence {
            runtime: NAME,
            naive_difference: naive,
            engine_difference: engine,
            engine_sampled: sampled,
            given_difference: None,
            tolerance: TOLERANCE,
        };
        let (good, bad) = (Some(1e-6), Some(1e-3));
        with(good, None, None).held().unwrap();
        with(None, good, good).held().unwrap();
        for (naive, engine, sampled) in [
            (bad, None, None),
            (None, bad, good),
            (None, good, bad),
            (Some(f64::NAN), None, None),
            (None, None, None),
        ] {
            let evidence = with(naive, engine, sampled);
            let error = evidence.clone().held().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification);
            // Whatever is found of the given model.
            for given in [
                None,
                Some(1e-5),
                Some(1.0),
                Some(f64::NAN),
                Some(f64::INFINITY),
            ] {
                let beside = evidence.clone().beside(&with(given, None, None));
                assert!(beside.held().is_err(), "{given:?}");
            }
        }
        // What rounding does to the given model it may do to the repaired one.
        for (found, given, is_held) in [
            (1.4e-4, 1.2e-4, true),
            (4.7e-4, 1.2e-4, true),
            (4.9e-4, 1.2e-4, false),
            (1.4e-4, 3e-5, false),
            (4.9e-4, 2e-4, true),
            (5.1e-4, 2e-4, false),
        ] {
            let given = [with(Some(given), None, None), with(None, Some(given), good)];
            for given in given {
                let held = with(None, Some(found), good).beside(&given).held();
                assert_eq!(held.is_ok(), is_held, "{found} {given:?}");
            }
        }
        // Node by node it does nothing.
        let bad = with(None, good, Some(1.4e-4)).beside(&with(Some(1.2e-4), None, None));
        assert!(bad.held().is_err());
    }
}
