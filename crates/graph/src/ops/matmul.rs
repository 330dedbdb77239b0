//! `MatMul`: with constant weights a dense layer, whose bias, if any, is an `Add` behind it; of two activations a product over
//! positions, row by row of their leading axes.

use super::broadcast::{self, Side};
use super::{gemm, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
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
    let (Some(rank_a), Some(rank_b)) = (walk.rank(a), walk.rank(b)) else {
        let reason = "is multiplied by a value of unknown shape";
        walk.freeze(a, node, reason);
        walk.freeze(b, node, reason);
        return Ok(());
    };
    // A vector is a matrix of one row or column, which the result lacks.
    let left = Factor {
        id: a,
        outer: rank_a.saturating_sub(2),
        inner: rank_a.saturating_sub(1),
        left: rank_a.checked_sub(2),
    };
    let right = Factor {
        id: b,
        outer: rank_b.saturating_sub(2),
        inner: rank_b.saturating_sub(2),
        left: (rank_b > 1).then_some(rank_b.saturating_sub(1)),
    };
    product(node, walk, &left, &right)
}

/// An operand of a matrix product.
pub(super) struct Factor {
    pub(super) id: ValueId,
    /// How many leading axes count matrices.
    pub(super) outer: usize,
    /// The axis that is summed over.
    pub(super) inner: usize,
    /// The axis that is left.
    pub(super) left: Option<usize>,
}

/// The channel rule of every matrix product.
///
/// What is summed over is read by weights; between activations it is the same units in both, which no weights read. What
/// is left of an activation passes, and of weights it is made.
pub(super) fn product(node: &Node, walk: &mut Walk<'_>, a: &Factor, b: &Factor) -> Result<()> {
    let made = node.output()?;
    match (walk.is_parameter(a.id), walk.is_parameter(b.id)) {
        (true, true) => {
            walk.freeze(a.id, node, "is computed from constants");
            walk.freeze(b.id, node, "is computed from constants");
            return Ok(());
        }
        (false, true) => contracted(node, walk, a, b),
        (true, false) => contracted(node, walk, b, a),
        (false, false) => summed(node, walk, a, b),
    }
    let outer = a.outer.max(b.outer);
    for axis in 0..outer {
        let sides = [a, b].map(|factor| Side {
            id: factor.id,
            axis: (axis + factor.outer).checked_sub(outer),
        });
        broadcast::along(node, (made, axis), &sides, Role::Carries, walk);
    }
    let mut axis = outer;
    for factor in [a, b] {
        let Some(own) = factor.left else { continue };
        if !walk.is_parameter(factor.id) {
            for channels in walk.along(factor.id, own) {
                walk.carry(made, Channels { axis, ..channels });
            }
        } else if let Some(length) = walk.length(factor.id, own) {
            let produced = walk.produce(made, axis, length);
            walk.claim(factor.id, own, Role::Produces, &produced);
        }
        axis += 1;
    }
    Ok(())
}

/// Weights read what is summed over.
fn contracted(node: &Node, walk: &mut Walk<'_>, x: &Factor, weights: &Factor) {
    let read = walk.along(x.id, x.inner);
    if read.is_empty() {
        let reason = "shares weights that read unknown channels";
        walk.pin(weights.id, weights.inner, node, reason);
    }
    walk.claim(weights.id, weights.inner, Role::Reads, &read);
}

/// What is summed over are the same units in both.
fn summed(node: &Node, walk: &mut Walk<'_>, a: &Factor, b: &Factor) {
    let reason = "is summed over in a product of activations, which has no weights";
    let (left, right) = (walk.along(a.id, a.inner), walk.along(b.id, b.inner));
    if !left.is_empty()
        && !right.is_empty()
        && let Some(both) = walk.couple_axes(&left, &right)
    {
        walk.sum_over(&both, node, reason);
        return;
    }
    walk.freeze_axis(a.id, a.inner, node, reason);
    walk.freeze_axis(b.id, b.inner, node, reason);
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
