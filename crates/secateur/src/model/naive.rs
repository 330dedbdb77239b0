//! The masked and the small model on the naive evaluator, whole or in pieces.

use secateur_graph::{Array, Graph, Node, Op, Pieces, evaluate, pieces};

use super::check::{Found, Models, finite, furthest};
use super::draw::draw;
use crate::{Error, Result};

/// By the naive evaluator, in pieces where there are nodes that it does not understand; none where that cannot be.
pub(super) fn naive(models: &Models<'_>, inputs: &[Array], seed: u64) -> Result<Option<Found>> {
    let file = models.file;
    let masked = (models.masked)()?;
    let whole = |graph: &Graph| evaluate(graph, inputs).map(values).map_err(Error::from);
    // Told before anything is computed in vain.
    let is_unknown = |node: &Node| matches!(node.op, Op::Opaque(_));
    if !masked.nodes().iter().any(is_unknown)
        && let Ok(want) = whole(&masked)
    {
        finite(&want)?;
        // The file may have a node beside those that make its outputs that is not understood.
        let before = models.is_settled().then(|| whole(&file.plain));
        let settled = match before {
            Some(Ok(before)) => Some(furthest(&before, &whole(&file.graph)?)),
            Some(Err(_)) | None => None,
        };
        return Ok(Some(Found {
            small: furthest(&want, &whole(&models.small_graph()?)?),
            settled,
            moved: None,
            cut_at: vec![],
        }));
    }
    let Some(Pieces { graph, cut_at }) = pieces(&masked)? else {
        return Ok(None);
    };
    let drawn = draw(&graph, seed).into_iter().map(|(_, array)| array);
    let drawn: Vec<Array> = drawn.collect();
    let Ok(want) = evaluate(&graph, &drawn).map(values) else {
        return Ok(None);
    };
    finite(&want)?;
    let others = |graph: &Graph| -> Result<Vec<Vec<f64>>> {
        match pieces(graph)? {
            Some(own) if own.cut_at == cut_at => Ok(values(evaluate(&own.graph, &drawn)?)),
            // Outputs that are not there are infinitely far.
            Some(_) | None => Ok(vec![]),
        }
    };
    let before = others(&file.graph)?;
    let settled = match models.is_settled() {
        true => Some(furthest(&others(&file.plain)?, &before)),
        false => None,
    };
    Ok(Some(Found {
        small: furthest(&want, &others(&models.small_graph()?)?),
        settled,
        moved: models.is_masked.then(|| furthest(&before, &want)),
        cut_at,
    }))
}

fn values(outputs: Vec<Array>) -> Vec<Vec<f64>> {
    outputs.into_iter().map(|a| a.values).collect()
}
