//! `Flatten`: folds axes; a channel becomes a block of positions.

use super::{input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result};

pub(super) fn shape(graph: &Graph, node: &Node, axis: i64) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let (before, after) = x.split_at(split(axis, x.len())?);
    Ok(Some(vec![product(before), product(after)]))
}

fn product(dims: &[Dim]) -> Dim {
    let length: usize = dims.iter().filter_map(Dim::fixed).product();
    let names: Vec<String> = dims
        .iter()
        .filter(|d| d.fixed().is_none())
        .map(Dim::to_string)
        .collect();
    match (names.is_empty(), length) {
        (true, _) => Dim::Fixed(length),
        (false, 1) => Dim::Named(names.join("*")),
        (false, _) => Dim::Named(format!("{}*{length}", names.join("*"))),
    }
}

/// The fold may lie behind the last axis, unlike any other axis attribute.
fn split(axis: i64, rank: usize) -> Result<usize> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(from_start)
        .ok()
        .filter(|&a| a <= rank)
        .ok_or_else(|| Error::invalid(format!("Flatten at axis {axis} of {rank}")))
}

pub(super) fn channels(node: &Node, axis: i64, walk: &mut Walk<'_>) -> Result<()> {
    movement::channels(node, walk, |shape, labels| Ok((fold(axis, shape)?, labels)))
}

fn fold(axis: i64, shape: &[usize]) -> Result<Vec<usize>> {
    let (before, after) = shape.split_at(split(axis, shape.len())?);
    Ok(vec![before.iter().product(), after.iter().product()])
}

pub(super) fn evaluate(axis: i64, x: &Array) -> Result<Array> {
    Array::new(fold(axis, &x.shape)?, x.values.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_at_the_axis() {
        let x = Array::new([2, 3, 4], vec![0.0; 24]).unwrap();
        for (axis, shape) in [(1, [2, 12]), (0, [1, 24]), (-1, [6, 4]), (3, [24, 1])] {
            assert_eq!(evaluate(axis, &x).unwrap().shape, shape);
        }
        assert!(evaluate(4, &x).is_err());
    }

    #[test]
    fn an_unknown_length_is_named_after_its_factors() {
        let dims = [Dim::batch(), Dim::Fixed(3)];
        assert_eq!(product(&dims), Dim::Named("batch*3".into()));
        assert_eq!(product(&dims[..1]), Dim::batch());
    }
}
