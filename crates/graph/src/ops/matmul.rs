//! `MatMul`: with constant weights on the right a dense layer, whose bias, if any, is an `Add` behind it; of two activations a
//! product over positions, row by row of their leading axes.

use super::{gemm, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result, ValueId, shapes};

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let (Some(a), Some(b)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?) else {
        return Ok(None);
    };
    let ([outer_a @ .., rows, inner], [outer_b @ .., inner_b, columns]) = (a, b) else {
        return match (a, b) {
            ([inner], [outer @ .., inner_b, columns]) => {
                gemm::contract(inner, inner_b)?;
                Ok(Some([outer, std::slice::from_ref(columns)].concat()))
            }
            ([outer @ .., inner], [inner_b]) => {
                gemm::contract(inner, inner_b)?;
                Ok(Some(outer.to_vec()))
            }
            _ => Err(Error::invalid("MatMul of a single number")),
        };
    };
    gemm::contract(inner, inner_b)?;
    let mut shape = shapes::broadcast(outer_a, outer_b)?;
    shape.extend([rows.clone(), columns.clone()]);
    Ok(Some(shape))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    let ranks = (walk.rank(a), walk.rank(b));
    match (walk.is_parameter(a), walk.is_parameter(b), ranks) {
        (false, true, (_, Some(2))) => {
            gemm::dense(node, walk, (a, b), 0, 1);
            Ok(())
        }
        (true, false, (Some(2), Some(rank))) if rank >= 2 => {
            from_the_left(node, walk, (a, b), rank)
        }
        (false, false, (Some(rank_a), Some(rank_b))) if rank_a >= 2 && rank_b >= 2 => {
            of_activations(node, walk, (a, rank_a), (b, rank_b))
        }
        _ => {
            let reason = "is multiplied by something other than a matrix of weights or activations";
            walk.freeze(a, node, reason);
            walk.freeze(b, node, reason);
            Ok(())
        }
    }
}

/// Constant weights on the left mix the last axis but one; the last passes.
fn from_the_left(
    node: &Node,
    walk: &mut Walk<'_>,
    (weights, x): (ValueId, ValueId),
    rank: usize,
) -> Result<()> {
    let made = node.output()?;
    let read = walk.along(x, rank - 2);
    if read.is_empty() {
        walk.pin(
            weights,
            1,
            node,
            "shares weights that read unknown channels",
        );
    }
    walk.claim(weights, 1, crate::Role::Reads, &read);
    for channels in walk.channels(x).to_vec() {
        if channels.axis != rank - 2 {
            walk.carry(made, channels);
        }
    }
    if let Some(rows) = walk.length(weights, 0) {
        let produced = walk.produce(made, rank - 2, rows);
        walk.claim(weights, 0, crate::Role::Produces, &produced);
    }
    Ok(())
}

/// Leading axes are rows of both; what is summed over are the same units in both, which no weights read.
fn of_activations(
    node: &Node,
    walk: &mut Walk<'_>,
    (a, rank_a): (ValueId, usize),
    (b, rank_b): (ValueId, usize),
) -> Result<()> {
    let made = node.output()?;
    let rank = rank_a.max(rank_b);
    let reason = "is summed over in a product of activations, which has no weights";
    let (left, right) = (walk.along(a, rank_a - 1), walk.along(b, rank_b - 2));
    if !left.is_empty() && !right.is_empty() && walk.couple_axes(&left, &right) {
        walk.sum_over(&left, node, reason);
    } else {
        walk.freeze_axis(a, rank_a - 1, node, reason);
        walk.freeze_axis(b, rank_b - 2, node, reason);
    }
    for axis in 0..rank - 2 {
        let own = |rank_of: usize| (axis + rank_of).checked_sub(rank);
        let left = own(rank_a).map_or(vec![], |axis| walk.along(a, axis));
        let right = own(rank_b).map_or(vec![], |axis| walk.along(b, axis));
        let is_one = |id: ValueId, own: Option<usize>| {
            own.is_none_or(|axis| walk.length(id, axis) == Some(1))
        };
        let alone = (is_one(a, own(rank_a)), is_one(b, own(rank_b)));
        let passed = match (left.is_empty(), right.is_empty()) {
            (true, true) => continue,
            (false, false)
                if left[0].atoms.len() == right[0].atoms.len()
                    && walk.couple_axes(&left, &right) =>
            {
                left
            }
            (false, true) if alone.1 => left,
            (true, false) if alone.0 => right,
            _ => {
                for (id, channels) in [(a, left), (b, right)] {
                    let reason = "meets an activation whose channels do not line up with its own";
                    channels
                        .iter()
                        .for_each(|c| walk.freeze_axis(id, c.axis, node, reason));
                }
                continue;
            }
        };
        for channels in passed {
            walk.carry(made, Channels { axis, ..channels });
        }
    }
    for channels in walk.along(a, rank_a - 2) {
        walk.carry(
            made,
            Channels {
                axis: rank - 2,
                ..channels
            },
        );
    }
    for channels in walk.along(b, rank_b - 1) {
        walk.carry(
            made,
            Channels {
                axis: rank - 1,
                ..channels
            },
        );
    }
    Ok(())
}

pub(super) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    let a = input_shape(graph, node, 0).ok()??;
    let made = graph.value(node.output().ok()?).shape.as_deref()?;
    let places: u64 = made.iter().map(|d| d.fixed().unwrap_or(1) as u64).product();
    Some(places * a.last()?.fixed()? as u64)
}

pub(super) fn evaluate(a: &Array, b: &Array) -> Result<Array> {
    // A vector is a matrix of one row or column, which the result lacks.
    let (mut left, mut right) = (a.clone(), b.clone());
    if a.shape.len() == 1 {
        left.shape.insert(0, 1);
    }
    if b.shape.len() == 1 {
        right.shape.push(1);
    }
    let (&[ref outer_a @ .., rows, inner], &[ref outer_b @ .., inner_b, columns]) =
        (left.shape.as_slice(), right.shape.as_slice())
    else {
        return Err(Error::invalid("MatMul of a single number"));
    };
    let dims = |shape: &[usize]| shape.iter().map(|&n| Dim::Fixed(n)).collect::<Vec<_>>();
    let outer = shapes::broadcast(&dims(outer_a), &dims(outer_b))?;
    let outer: Vec<usize> = outer.iter().filter_map(Dim::fixed).collect();
    let wide_a = left.broadcast_to(&[outer.as_slice(), &[rows, inner]].concat())?;
    let wide_b = right.broadcast_to(&[outer.as_slice(), &[inner_b, columns]].concat())?;
    let mut values = vec![];
    for matrix in 0..outer.iter().product() {
        let part = |all: &Array, (rows, columns): (usize, usize)| {
            let size = rows * columns;
            Array::new(
                [rows, columns],
                all.values[matrix * size..(matrix + 1) * size].to_vec(),
            )
        };
        let (a, b) = (
            part(&wide_a, (rows, inner))?,
            part(&wide_b, (inner_b, columns))?,
        );
        values.extend(gemm::evaluate(&gemm::Gemm::default(), &a, &b, None)?.values);
    }
    let mut shape = outer;
    shape.extend((a.shape.len() > 1).then_some(rows));
    shape.extend((b.shape.len() > 1).then_some(columns));
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_axes_are_rows() {
        let a = Array::new([1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Array::new([2, 1], vec![1.0, 10.0]).unwrap();
        let y = evaluate(&a, &b).unwrap();
        assert_eq!((y.shape, y.values), (vec![1, 2, 1], vec![21.0, 43.0]));
        let vector = Array::new([2], vec![1.0, 10.0]).unwrap();
        assert_eq!(
            evaluate(&a, &vector).unwrap(),
            Array::new([1, 2], vec![21.0, 43.0]).unwrap()
        );
        assert_eq!(
            evaluate(&vector, &b).unwrap(),
            Array::new([1], vec![101.0]).unwrap()
        );
        assert!(evaluate(&b, &a).is_err());
    }

    #[test]
    fn matrices_are_multiplied_one_by_one() {
        let a = Array::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Array::new([2, 2, 1], vec![1.0, 10.0, 100.0, 1.0]).unwrap();
        let y = evaluate(&a, &b).unwrap();
        assert_eq!((y.shape, y.values), (vec![2, 1, 1], vec![21.0, 304.0]));
    }
}
