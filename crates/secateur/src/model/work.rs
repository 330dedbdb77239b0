//! How much would it take to run a model?

use secateur_graph::{Dim, Graph, Op, cost};

use super::hint;
use crate::{Error, ErrorKind, Result};

/// Models that take more are not run at all: a small file can declare any size, and this already takes many minutes.
const MOST_WORK: u64 = 10_000_000_000_000;
/// Values of more elements are not computed, as they would take 2 GiB each.
pub(crate) const MOST_ELEMENTS: u64 = 1 << 28;

/// Multiply-accumulates and elements of windows for one row.
///
/// # Errors
/// If that is more than can be run here.
pub(crate) fn work(graph: &Graph) -> Result<u64> {
    let too_large = |what: String| {
        Error::new(
            ErrorKind::Verification,
            format!("{what}, so the model cannot be run here and not be verified"),
        )
        .hint(hint::TOO_LARGE)
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
