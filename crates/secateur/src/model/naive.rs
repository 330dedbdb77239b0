//! The masked and the small model on the naive evaluator, whole or in pieces.

use secateur_graph::{Array, Graph, Node, Op, Pieces, evaluate, from_model, pieces, settle};

use super::check::{Found, Models, finite};
use super::draw::ROWS;
use crate::verify::furthest;
use crate::{Error, Result};

/// By the naive evaluator, in pieces where there are nodes that it does not understand; none where that cannot be. What masking
/// moved is found only if nothing else `is_known` to have found it, as it takes another run.
pub(super) fn naive(
    models: &Models<'_>,
    inputs: &[Array],
    seed: u64,
    is_known: bool,
) -> Result<Option<Found>> {
    let file = models.file;
    // The settled file tells more than the one that was read, so that more of it is understood; the small one is such a file.
    let read_back =
        |changed: &Graph| -> Result<Graph> { Ok(settle(&from_model(&file.patched(changed)?)?)?) };
    let is_unknown = |node: &Node| matches!(node.op, Op::Opaque(_));
    let mut masked = (models.masked)()?;
    if masked.nodes().iter().any(is_unknown) {
        masked = read_back(&masked)?;
    }
    let whole = |graph: &Graph| evaluate(graph, inputs).map(values).map_err(Error::from);
    // Told before anything is computed in vain.
    if !masked.nodes().iter().any(is_unknown)
        && let Ok(want) = whole(&masked)
    {
        finite(&want)?;
        let mut found = Found {
            small: furthest(&want, &whole(&models.small_graph()?)?),
            settled: None,
            moved: None,
            cut_at: vec![],
        };
        if models.is_settled() || models.is_masked && !is_known {
            // The file may have a node beside those that make its outputs that is not understood.
            let plain = whole(file.decided()).ok();
            let own = match models.is_settled() || plain.is_none() {
                true => Some(whole(&file.graph)?),
                false => None,
            };
            if let (true, Some(plain), Some(own)) = (models.is_settled(), &plain, &own) {
                found.settled = Some(furthest(plain, own));
            }
            found.moved = plain.or(own).map(|before| furthest(&before, &want));
        }
        return Ok(Some(found));
    }
    let Some(Pieces { graph, cut_at }) = pieces(&masked)? else {
        return Ok(None);
    };
    let rows = file.given_rows().unwrap_or(ROWS);
    let drawn = file.draw_for(&graph, seed, rows, ROWS);
    let drawn = drawn.into_iter().map(|(_, array)| array);
    let mut drawn: Vec<Array> = drawn.collect();
    drawn[..inputs.len()].clone_from_slice(inputs);
    let Ok(want) = evaluate(&graph, &drawn).map(values) else {
        return Ok(None);
    };
    finite(&want)?;
    let others = |other: &Graph| -> Result<Option<Vec<Vec<f64>>>> {
        match pieces(other)? {
            // Nodes without names are numbered, and numbers change; what they make does not.
            Some(own) if names(&own.graph) == names(&graph) => {
                Ok(Some(values(evaluate(&own.graph, &drawn)?)))
            }
            Some(_) | None => Ok(None),
        }
    };
    let (Some(before), Some(have)) = (
        others(&read_back(&file.graph)?)?,
        others(&models.small_graph()?)?,
    ) else {
        return Ok(None);
    };
    let settled = match models.is_settled() {
        true => others(file.decided())?.map(|plain| furthest(&plain, &before)),
        false => None,
    };
    Ok(Some(Found {
        small: furthest(&want, &have),
        settled,
        moved: models.is_masked.then(|| furthest(&before, &want)),
        cut_at,
    }))
}

fn values(outputs: Vec<Array>) -> Vec<Vec<f64>> {
    outputs.into_iter().map(|a| a.values).collect()
}

/// What is given from outside, by name.
fn names(graph: &Graph) -> Vec<&str> {
    let inputs = graph.inputs().iter();
    inputs.map(|&id| graph.value(id).name.as_str()).collect()
}
