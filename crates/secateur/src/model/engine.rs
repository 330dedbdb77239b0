//! The masked and the small model on the engine of this program, which is held to the naive evaluator.
//!
//! For models that the independent runtime refuses and that the naive evaluator would take long for. The engine compares all
//! outputs on all inputs; that it computes what the models say is shown node by node on a sample, see [`sampled`], for the masked
//! and for the small model each, so that no evidence comes from the engine alone. Where shapes were settled, the file as it came
//! is sampled, too: the engine settles what it runs by the same rules, and could not find them wrong by itself.

use secateur_engine::Threads;
use secateur_graph::{Array, Graph, at_lengths};

use super::check::{Found, Models, finite};
use super::sample::{Worst, sampled};
use crate::on_engine::OnEngine;
use crate::verify::furthest;
use crate::{Error, ErrorKind, Result};

/// What the engine found, and how far it is from the naive evaluator at most.
pub(super) struct Held {
    pub(super) found: Found,
    pub(super) sampled: Worst,
}

/// By the engine; none where it does not run one of the models, or cannot be held to the naive evaluator.
pub(super) fn engine(models: &Models<'_>, inputs: &[Array], seed: u64) -> Result<Option<Held>> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(count).map_err(|e| {
        let error = Error::new(ErrorKind::Environment, e.to_string());
        error.hint("end other programs: the system starts no more threads")
    })?;
    let engine = Engine {
        inputs,
        threads,
        seed,
    };
    let file = models.file;
    let masked = (models.masked)()?;
    let Some(want) = engine.outputs(&masked) else {
        return Ok(None);
    };
    finite(&want)?;
    let Some(mut worst) = engine.sampled(&masked, &want) else {
        return Ok(None);
    };
    drop(masked);
    let small = models.small_graph()?;
    let Some(have) = engine.outputs(&small) else {
        return Ok(None);
    };
    let Some(of_small) = engine.sampled(&small, &have) else {
        return Ok(None);
    };
    worst.take(of_small.difference, &of_small.node);
    drop(small);
    let mut found = Found {
        small: furthest(&want, &have),
        settled: None,
        moved: None,
        cut_at: vec![],
    };
    if models.is_masked {
        let Some(before) = engine.outputs(&file.plain) else {
            return Ok(None);
        };
        found.moved = Some(furthest(&before, &want));
        if models.is_settled() {
            let Some((settled, of_file)) = engine
                .outputs(&file.graph)
                .zip(engine.sampled(&file.plain, &before))
            else {
                return Ok(None);
            };
            found.settled = Some(furthest(&before, &settled));
            worst.take(of_file.difference, &of_file.node);
        }
    }
    Ok(Some(Held {
        found,
        sampled: worst,
    }))
}

struct Engine<'a> {
    inputs: &'a [Array],
    threads: Threads,
    seed: u64,
}

impl Engine<'_> {
    fn outputs(&self, graph: &Graph) -> Option<Vec<Vec<f32>>> {
        let shapes: Vec<Vec<usize>> = self.inputs.iter().map(|i| i.shape.clone()).collect();
        let at = at_lengths(graph, &shapes).ok()?;
        let own = OnEngine::new(graph, &at, self.inputs, self.threads.clone());
        Some(own.ok()?.run().to_vec())
    }

    fn sampled(&self, graph: &Graph, outputs: &[Vec<f32>]) -> Option<Worst> {
        sampled(graph, self.inputs, outputs, self.threads.clone(), self.seed)
    }
}
