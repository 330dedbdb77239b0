//! `Shape`: the lengths of the axes as numbers, which follow by themselves when channels go.

use super::input_shape;
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Graph, Node, Op, Result, Tensor, ValueId};

/// The part of the axes that is asked for.
fn range(start: i64, end: Option<i64>, rank: usize) -> std::ops::Range<usize> {
    let length = rank as i64;
    let at = |i: i64| (if i < 0 { i + length } else { i }).clamp(0, length) as usize;
    let (start, end) = (at(start), at(end.unwrap_or(length)));
    start..end.max(start)
}

pub(super) fn shape(
    graph: &Graph,
    node: &Node,
    start: i64,
    end: Option<i64>,
) -> Result<Option<Vec<Dim>>> {
    let x = input_shape(graph, node, 0)?;
    Ok(x.map(|x| vec![Dim::Fixed(range(start, end, x.len()).len())]))
}

pub(super) fn channels(
    node: &Node,
    start: i64,
    end: Option<i64>,
    walk: &mut Walk<'_>,
) -> Result<()> {
    let x = node.input(0)?;
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let asked = range(start, end, rank);
    let read = entries_read(walk.graph(), node.output()?, asked.len());
    for entry in read {
        walk.freeze_axis(
            x,
            asked.start + entry,
            node,
            "is counted by a computation of shapes",
        );
    }
    Ok(())
}

/// Which entries of a shape anyone looks at.
fn entries_read(graph: &Graph, made: ValueId, count: usize) -> Vec<usize> {
    let mut read = vec![false; count];
    if graph.outputs().contains(&made) {
        read.fill(true);
    }
    for &reader in graph.readers(made) {
        let node = graph.node(reader);
        let indices = match (&node.op, node.inputs.get(1)) {
            (Op::Gather { .. }, Some(Some(id))) => graph.constant(*id).and_then(Tensor::as_i64),
            _ => None,
        };
        let at = |&i: &i64| axis_at(i, count).ok();
        match indices.map(|all| all.iter().map(at).collect::<Option<Vec<usize>>>()) {
            Some(Some(all)) => all.into_iter().for_each(|i| read[i] = true),
            _ => read.fill(true),
        }
    }
    (0..count).filter(|&i| read[i]).collect()
}

/// The entries that are asked for, of all.
pub(crate) fn part(start: i64, end: Option<i64>, whole: &Array) -> Array {
    let range = range(start, end, whole.values.len());
    Array {
        shape: vec![range.len()],
        values: whole.values[range].to_vec(),
    }
}

pub(super) fn evaluate(start: i64, end: Option<i64>, x: &Array) -> Array {
    let values = x.shape.iter().map(|&n| n as f64).collect();
    let shape = vec![x.shape.len()];
    part(start, end, &Array { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_shapes_count_from_either_end() {
        let x = Array::new([2, 3, 1], vec![0.0; 6]).unwrap();
        assert_eq!(evaluate(0, None, &x).values, [2.0, 3.0, 1.0]);
        assert_eq!(evaluate(1, Some(-1), &x).values, [3.0]);
        assert_eq!(evaluate(-1, None, &x).values, [1.0]);
        assert_eq!(evaluate(2, Some(1), &x).shape, [0]);
    }
}
