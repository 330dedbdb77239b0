//! `Gather` on constant indices: picks channels.

use super::{Sources, input_shape, movement};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Result, Tensor, ValueId};

pub(super) fn shape(graph: &Graph, node: &Node, axis: i64) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(indices)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?)
    else {
        return Ok(None);
    };
    let axis = axis_at(axis, x.len())?;
    Ok(Some([&x[..axis], indices, &x[axis + 1..]].concat()))
}

/// Indices of whatever type of whole numbers.
fn whole(indices: &Tensor) -> Result<Vec<i64>> {
    match indices.is_float() {
        true => Err(Error::invalid("Gather takes whole numbers as indices")),
        false => Ok(indices.numbers().iter().map(|&n| n as i64).collect()),
    }
}

/// Whether indices can be rewritten for their one reader without anyone else noticing.
pub(crate) fn is_own(graph: &Graph, indices: ValueId) -> bool {
    graph.readers(indices).len() == 1 && !graph.outputs().contains(&indices)
}

/// The positions that the node picks, if they are constant, along an axis of `length`.
pub(crate) fn positions(graph: &Graph, node: &Node, length: usize) -> Result<Option<Vec<usize>>> {
    let Some(indices) = graph.constant(node.input(1)?) else {
        return Ok(None);
    };
    let indices = whole(indices).map_err(|e| e.at(&node.name))?;
    let all = indices.iter().map(|&i| index_at(i, length));
    all.collect::<Result<Vec<_>>>()
        .map(Some)
        .map_err(|e| e.at_if_nowhere(&node.name))
}

pub(super) fn channels(node: &Node, axis: i64, walk: &mut Walk<'_>) -> Result<()> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    if walk.is_selection(node) {
        return Ok(());
    }
    if walk.is_parameter(x) && !walk.is_parameter(indices) {
        return look_up(node, axis, walk, (x, indices));
    }
    let picked = walk.graph().constant(indices).map(whole).transpose()?;
    let (Some(picked), Some(rank)) = (picked, walk.rank(x)) else {
        let reason = "is gathered at positions that are not constant";
        walk.freeze(x, node, reason);
        walk.freeze(indices, node, reason);
        return Ok(());
    };
    let along = axis_at(axis, rank)?;
    let is_list = walk.rank(indices) == Some(1)
        && is_own(walk.graph(), indices)
        && walk.has_fixed_axis(x, axis);
    if !is_list {
        // Channels on other axes pass; those on this one would be picked by number.
        let reason = "is gathered other than by a constant list of its own";
        walk.freeze_axis(x, along, node, reason);
    }
    let shape_of_indices = walk.graph().constant(indices).map(|t| t.shape().to_vec());
    let shape_of_indices = shape_of_indices.unwrap_or_default();
    let passes = |c: &Channels| is_list || c.axis != along;
    movement::channels_that(node, walk, passes, |shape, labels| {
        let picked = (shape_of_indices.as_slice(), picked.as_slice());
        pick(axis, (shape, &labels), picked)
    })
}

/// Rows of a constant table, such as the embeddings of words: its last axis makes channels.
fn look_up(
    node: &Node,
    axis: i64,
    walk: &mut Walk<'_>,
    (table, indices): (ValueId, ValueId),
) -> Result<()> {
    walk.freeze(indices, node, "is a position in a table");
    let (made, Some(rank)) = (node.output()?, walk.rank(table)) else {
        return Ok(());
    };
    let last = rank.saturating_sub(1);
    match (walk.length(table, last), walk.rank(made)) {
        (Some(length), Some(rank_made)) if length > 0 && axis_at(axis, rank)? < last => {
            let produced = walk.produce(made, rank_made - 1, length);
            walk.claim(table, last, Role::Produces, &produced);
        }
        _ => walk.freeze(table, node, "is a table that is looked up"),
    }
    Ok(())
}

/// New indices after positions moved in what is read and in what is made.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    axis: i64,
    sources: &Sources,
) -> Result<Vec<(usize, Tensor)>> {
    let (x, made) = (node.input(0)?, node.output()?);
    let Some(shape) = &graph.value(x).shape else {
        return Ok(vec![]);
    };
    // Of another rank, indices put other axes where the one was, and positions on it stay.
    let rank = graph.value(node.input(1)?).shape.as_ref().map(Vec::len);
    if rank != Some(1) {
        return Ok(vec![]);
    }
    let axis = axis_at(axis, shape.len())?;
    let (before, after) = (sources.get(&(x, axis)), sources.get(&(made, axis)));
    let Some(length) = shape[axis].fixed().filter(|_| before.or(after).is_some()) else {
        return Ok(vec![]);
    };
    let Some(old) = positions(graph, node, length)? else {
        return Ok(vec![]);
    };
    let moved = |position: usize| match before {
        None => Ok(position),
        Some(source) => source.iter().position(|&s| s == position).ok_or_else(|| {
            Error::invalid(format!("picks channel {position}, which is gone")).at(&node.name)
        }),
    };
    let kept: Vec<usize> = match after {
        None => (0..old.len()).collect(),
        Some(source) => source.clone(),
    };
    let new: Result<Vec<i64>> = kept.iter().map(|&k| Ok(moved(old[k])? as i64)).collect();
    let indices = node
        .inputs
        .get(1)
        .copied()
        .flatten()
        .and_then(|id| graph.constant(id));
    let tensor = Tensor::list_like(indices, new?)?;
    Ok(vec![(1, tensor)])
}

/// The position of an index that may count from the end.
fn index_at(index: i64, length: usize) -> Result<usize> {
    axis_at(index, length).map_err(|_| Error::invalid(format!("picks index {index} of {length}")))
}

fn pick<T: Clone>(
    axis: i64,
    (shape, values): (&[usize], &[T]),
    (indices_shape, indices): (&[usize], &[i64]),
) -> Result<(Vec<usize>, Vec<T>)> {
    let axis = axis_at(axis, shape.len())?;
    let (length, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let outer: usize = shape[..axis].iter().product();
    let mut out = Vec::with_capacity(outer * indices.len() * inner);
    for o in 0..outer {
        for &index in indices {
            let start = (o * length + index_at(index, length)?) * inner;
            out.extend_from_slice(&values[start..start + inner]);
        }
    }
    let shape = [&shape[..axis], indices_shape, &shape[axis + 1..]].concat();
    Ok((shape, out))
}

pub(super) fn evaluate(axis: i64, x: &Array, indices: &Array) -> Result<Array> {
    if let Some(bad) = indices.values.iter().find(|i| i.fract() != 0.0) {
        return Err(Error::invalid(format!("{bad} is no index")));
    }
    let whole: Vec<i64> = indices.values.iter().map(|&i| i as i64).collect();
    let (shape, values) = pick(axis, (&x.shape, &x.values), (&indices.shape, &whole))?;
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_along_an_axis_and_counts_from_the_end() {
        let x = Array::new([2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let at = |indices: Vec<f64>| Array::new([indices.len()], indices).unwrap();
        let y = evaluate(1, &x, &at(vec![-1.0, 0.0])).unwrap();
        assert_eq!((y.shape, y.values), (vec![2, 2], vec![2.0, 0.0, 5.0, 3.0]));
        let y = evaluate(0, &x, &at(vec![1.0])).unwrap();
        assert_eq!(y.values, [3.0, 4.0, 5.0]);
        assert!(evaluate(1, &x, &at(vec![3.0])).is_err());
        assert!(evaluate(1, &x, &at(vec![0.5])).is_err());
    }
}
