//! `Identity`: channels pass through.

use super::input_shape;
use crate::channels::Walk;
use crate::{Dim, Graph, Node, Result};

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    Ok(input_shape(graph, node, 0)?.map(<[Dim]>::to_vec))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    for channels in walk.channels(x).to_vec() {
        walk.carry(node.output()?, channels);
    }
    Ok(())
}
