//! How long what is picked by position comes out.

use super::super::input_shape;
use crate::shapes::axis_at;
use crate::{Dim, Graph, Node, Result};

/// The shape of slices of `x` at positions; none if it is open how many numbers tell one.
pub(super) fn gathered(x: Option<&[Dim]>, indices: Option<&[Dim]>) -> Option<Vec<Dim>> {
    let (depth, outer) = indices?.split_last()?;
    let inner = x?.get(depth.fixed()?..)?;
    Some([outer, inner].concat())
}

/// The shape of the input with another length along an axis, or without it.
pub(super) fn along(
    graph: &Graph,
    node: &Node,
    axis: i64,
    length: impl Fn(usize) -> Option<Dim>,
) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let axis = axis_at(axis, x.len())?;
    let (before, behind) = (&x[..axis], &x[axis + 1..]);
    Ok(Some([before, length(axis).as_slice(), behind].concat()))
}

pub(super) fn one_hot_shape(graph: &Graph, node: &Node, axis: i64) -> Result<Option<Vec<Dim>>> {
    let Some(indices) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let axis = axis_at(axis, indices.len() + 1)?;
    let depth = graph.numbers(node.input(1)?);
    let depth = match depth.and_then(|numbers| numbers.first().copied()) {
        Some(depth) => Dim::Fixed(depth.max(0.0) as usize),
        None => Dim::Named(format!("{}:{axis}", node.name)),
    };
    let (before, behind) = indices.split_at(axis);
    Ok(Some([before, &[depth], behind].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_slices_at_positions() {
        let (x, at) = (
            [Dim::Fixed(4), Dim::Fixed(5)],
            [Dim::batch(), Dim::Fixed(1)],
        );
        let want = vec![Dim::batch(), Dim::Fixed(5)];
        assert_eq!(gathered(Some(&x), Some(&at)), Some(want));
        let whole = gathered(Some(&x), Some(&[Dim::Fixed(3), Dim::Fixed(2)]));
        assert_eq!(whole, Some(vec![Dim::Fixed(3)]));
        assert_eq!(gathered(Some(&x), Some(&[Dim::Fixed(3)])), None);
        assert_eq!(gathered(Some(&x), Some(&[Dim::batch()])), None);
        assert_eq!(gathered(None, Some(&at)), None);
    }
}
