//! A model with what runs it, brought to the point where a call is all that is left to time.

use std::hint::black_box;

use secateur_engine::Threads;
use secateur_graph::{Array, Dim, Element, Graph, at_lengths};

use super::rounds::Call;
use super::{Engine, Model, Settings};
use crate::model::{MOST_ELEMENTS, work};
use crate::on_engine::{OnEngine, Possible};
use crate::runtime::{NAME, Pool, Repeat, Runtime, pool};
use crate::verify::{TOLERANCE, furthest};
use crate::{Error, ErrorKind, ModelFile, Result};

/// Threads of both engines, which all models share: only one is run at a time.
pub(super) struct Pools {
    own: Threads,
    runtime: Pool,
}

impl Pools {
    /// Starts as many threads for each engine.
    ///
    /// # Errors
    /// If the system refuses to start them.
    pub(super) fn new(threads: usize) -> Result<Self> {
        let own = Threads::new(threads).map_err(|e| {
            Error::new(ErrorKind::Environment, e.to_string())
                .at("--threads")
                .hint("use fewer threads")
        })?;
        Ok(Self {
            own,
            runtime: pool(threads),
        })
    }
}

/// A model, loaded by the independent runtime where that takes it.
pub(super) struct Subject<'a> {
    file: &'a ModelFile,
    runtime: Possible<Runtime>,
}

/// A model with the inputs of a batch, run once by each engine.
pub(super) struct Ready<'a> {
    /// In the order of [`Engine::ALL`].
    pub(super) calls: [Possible<Call<'a>>; 2],
    /// Largest relative difference of an output between the two; none where one does not run the model.
    pub(super) difference: Option<f64>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(file: &'a ModelFile) -> Self {
        Self {
            file,
            runtime: file.to_repeat().map_err(|e| e.to_string()),
        }
    }

    pub(super) fn model(&self) -> Model {
        let graph = self.file.graph();
        let firsts = graph.inputs().iter().filter_map(|&id| {
            let shape = graph.value(id).shape.as_deref()?;
            shape.first().map(Dim::fixed)
        });
        let firsts: Vec<Option<usize>> = firsts.collect();
        Model {
            name: self.file.name.clone(),
            macs: self.file.cost().macs,
            params: self.file.cost().params,
            bytes: self.file.bytes(),
            // Inputs without a batch may stand beside one that has it.
            fixed_batch: match firsts.contains(&None) {
                true => None,
                false => Some(firsts.first().copied().flatten().unwrap_or(1)),
            },
        }
    }

    /// Whether an axis beside the batch has no length of its own.
    pub(super) fn has_open_axes(&self) -> bool {
        self.file.has_open_axes()
    }

    /// The shapes that inputs were given.
    pub(super) fn given_shapes(&self) -> Vec<String> {
        self.file.given_shapes()
    }

    /// Draws inputs of `batch` rows and runs them once on each engine that takes the model.
    ///
    /// # Errors
    /// If the outputs of the two differ, or are no numbers, or the batch is too large to be run here.
    pub(super) fn ready(
        &self,
        batch: usize,
        settings: &Settings,
        pools: &Pools,
    ) -> Result<Ready<'_>> {
        let graph = self.file.graph();
        let shapes: Vec<Vec<usize>> = graph
            .inputs()
            .iter()
            .map(|&id| self.file.shape_for(graph, id, batch, settings.length))
            .collect();
        let at_batch = self.affordable(&shapes)?;
        let inputs = self
            .file
            .draw_for(graph, settings.seed, batch, settings.length);
        let own = at_batch.and_then(|at| compiled(graph, &at, &inputs, pools));
        let runtime = match &self.runtime {
            Ok(runtime) => run(runtime, &inputs, pools),
            Err(reason) => Err(reason.clone()),
        };
        let difference = match (&own, &runtime) {
            (Ok((_, have)), Ok((_, want))) => Some(self.agree(want, have, batch)?),
            _ => None,
        };
        let own = own.map(|(mut own, _)| -> Call<'_> {
            Box::new(move || {
                black_box(own.run());
                Ok(())
            })
        });
        let runtime = runtime.map(|(repeat, _)| -> Call<'_> { Box::new(move || repeat.run()) });
        Ok(Ready {
            calls: [own, runtime],
            difference,
        })
    }

    /// The network at the lengths of its inputs, or why its shapes do not follow from them.
    ///
    /// # Errors
    /// If that is too large: a small file can declare any size.
    fn affordable(&self, shapes: &[Vec<usize>]) -> Result<Possible<Graph>> {
        let too_large = |message: String| {
            Error::usage(message)
                .at(&self.file.name)
                .hint("measure at a smaller --batch or --length, or at the lengths of --shape NAME=1x3x64x64")
        };
        let elements = |shape: &Vec<usize>| {
            let lengths = shape.iter();
            lengths.fold(1u64, |n, &length| n.saturating_mul(length as u64))
        };
        if let Some(count) = shapes.iter().map(elements).find(|n| *n > MOST_ELEMENTS) {
            return Err(too_large(format!("an input has {count} numbers")));
        }
        let at = match at_lengths(self.file.graph(), shapes) {
            Ok(at) => at,
            Err(error) => return Ok(Err(format!("the engine cannot run it: {error}"))),
        };
        work(&at).map_err(|e| too_large(e.to_string()))?;
        Ok(Ok(at))
    }

    /// The largest relative difference.
    ///
    /// # Errors
    /// If it is not within tolerance.
    fn agree(&self, want: &[Vec<f32>], have: &[Vec<f32>], batch: usize) -> Result<f64> {
        let failed = |message: String| {
            Error::new(ErrorKind::Verification, message)
                .at(&self.file.name)
                .hint("what computes something wrong has no latency: inspect the model, and report this if it is sound")
        };
        let mut numbers = want.iter().chain(have).flatten();
        if !numbers.all(|v| v.is_finite()) {
            return Err(failed(format!(
                "gives outputs that are no finite numbers on drawn inputs (batch {batch})"
            ))
            .hint(
                "other inputs are drawn with another --seed, --length or --shape NAME=1x3x64x64; secateur shrink --input FILE tells \
                 whether the model is sound on yours",
            ));
        }
        let difference = furthest(want, have);
        match difference <= TOLERANCE {
            true => Ok(difference),
            false => Err(failed(format!(
                "outputs of the engine and of {NAME} differ by {difference:.2e} (relative, batch {batch}), more than {TOLERANCE:.0e}"
            ))),
        }
    }
}

type Run<T> = Possible<(T, Vec<Vec<f32>>)>;

/// The network on the engine with its inputs, and its outputs. `at` is `graph` at the lengths of the batch.
fn compiled(
    graph: &Graph,
    at: &Graph,
    inputs: &[(Element, Array)],
    pools: &Pools,
) -> Run<OnEngine> {
    let inputs: Vec<Array> = inputs.iter().map(|(_, array)| array.clone()).collect();
    let mut own = OnEngine::new(graph, at, &inputs, pools.own.clone())?;
    let outputs = own.run().to_vec();
    Ok((own, outputs))
}

/// The model on the independent runtime with its inputs, and its outputs.
fn run<'r>(runtime: &'r Runtime, inputs: &[(Element, Array)], pools: &Pools) -> Run<Repeat<'r>> {
    let repeat = runtime.repeat(inputs, &pools.runtime);
    let outputs = repeat.outputs().map_err(|e| e.to_string())?;
    Ok((repeat, outputs))
}

impl Ready<'_> {
    /// Of a model that does not take the batch.
    pub(super) fn at_another_batch() -> Self {
        let reason = || Err("it takes one batch only".to_owned());
        Self {
            calls: [reason(), reason()],
            difference: None,
        }
    }

    /// Why no engine runs the model; none if one does.
    pub(super) fn refused(&self) -> Option<String> {
        let reasons: Vec<&str> = self
            .calls
            .iter()
            .filter_map(|call| call.as_ref().err().map(String::as_str))
            .collect();
        (reasons.len() == Engine::ALL.len()).then(|| reasons.join("; "))
    }
}

#[cfg(test)]
mod tests;
