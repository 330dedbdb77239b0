//! Means and variances of batch normalizations, measured anew in a network that lost units.

use secateur_graph::{Element, Graph, NodeId, Op, Tensor};

use super::front::Front;
use super::lockstep::{Batch, Runner, Step};
use super::samples::Spread;
use crate::{Error, ErrorKind, Result};

/// Operands of a normalization.
const READ: usize = 0;
const MEAN: usize = 3;
const VARIANCE: usize = 4;
/// Where the channels of what is read lie.
const CHANNELS: usize = 1;

/// The same network with the statistics of all batch normalizations as they are on `fit`, each behind those before it, and how many there
/// are. At most `memory` bytes of activations are held at once.
///
/// # Errors
/// If a part of the network cannot be run, or what a normalization reads is not finite.
pub fn re_estimated(
    graph: &Graph,
    fit: &[Batch],
    memory: u64,
    runner: &dyn Runner,
) -> Result<(Graph, usize)> {
    let all: Vec<&Batch> = fit.iter().collect();
    let mut front = Front::new(graph, &all, memory);
    let mut measured = graph.clone();
    let norms: Vec<NodeId> = graph
        .node_ids()
        .filter(|&id| is_measured(graph, id))
        .collect();
    for (done, &id) in norms.iter().enumerate() {
        runner.at(Step {
            doing: "measuring normalizations",
            done,
            of: norms.len(),
        });
        let Some(read) = graph.node(id).inputs.get(READ).copied().flatten() else {
            continue;
        };
        let mut spread = Spread::default();
        front.visit(&measured, read, runner, &mut |_, value| {
            spread.add(value, CHANNELS);
            Ok(())
        })?;
        let (means, variances) = spread.of();
        if !means.iter().chain(&variances).all(|v| v.is_finite()) {
            let message = format!(
                "what '{}' reads is not a finite number",
                graph.node(id).name
            );
            return Err(Error::new(ErrorKind::Inputs, message)
                .hint("scale inputs as the network was trained on them"));
        }
        for (slot, numbers) in [(MEAN, means), (VARIANCE, variances)] {
            let old = graph.node(id).inputs.get(slot).copied().flatten();
            let element = old.and_then(|id| graph.constant(id)).map(Tensor::element);
            let element = element.unwrap_or(Element::F32);
            let new = Tensor::of_floats(element, [numbers.len()], numbers)?;
            measured.give_constant(id, slot, new)?;
        }
    }
    Ok((measured, norms.len()))
}

/// Whether a node is a normalization whose statistics are constants.
fn is_measured(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let is_constant = |slot: usize| {
        let own = node.inputs.get(slot).copied().flatten();
        own.and_then(|id| graph.constant(id))
            .is_some_and(Tensor::is_float)
    };
    matches!(node.op, Op::BatchNorm { .. }) && is_constant(MEAN) && is_constant(VARIANCE)
}
