//! `Split`: parts of an axis, one an output.

use serde::{Deserialize, Serialize};

use super::{Sources, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Op, Result, Tensor};

/// Attributes of [`Op::Split`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The axis that is divided.
    pub axis: i64,
    /// The length of each part; empty for equal parts, the last of which may be shorter.
    pub parts: Vec<usize>,
    /// Whether the lengths are an attribute, as in operator sets before 13, and not a second input.
    pub attribute: bool,
}

impl Split {
    /// The lengths of the parts of an axis of `length`.
    fn lengths(&self, length: usize, count: usize) -> Result<Vec<usize>> {
        if self.parts.is_empty() {
            let part = length.div_ceil(count.max(1));
            let equal = (0..count).map(|i| part.min(length.saturating_sub(i * part)));
            return Ok(equal.collect());
        }
        match self.parts.len() == count && self.parts.iter().sum::<usize>() == length {
            true => Ok(self.parts.clone()),
            false => Err(Error::invalid(format!(
                "Split of {length} positions into {:?} for {count} outputs",
                self.parts
            ))),
        }
    }
}

pub(super) fn shapes(graph: &Graph, node: &Node, split: &Split) -> Result<Vec<Option<Vec<Dim>>>> {
    let count = node.outputs.len();
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(vec![None; count]);
    };
    let axis = axis_at(split.axis, x.len())?;
    let lengths: Vec<Dim> = match x[axis].fixed() {
        Some(length) => {
            let lengths = split.lengths(length, count)?;
            lengths.into_iter().map(Dim::Fixed).collect()
        }
        None => (0..count)
            .map(|i| Dim::Named(format!("{}:{i}", node.name)))
            .collect(),
    };
    let part = |length: Dim| {
        let mut shape = x.to_vec();
        shape[axis] = length;
        Some(shape)
    };
    Ok(lengths.into_iter().map(part).collect())
}

pub(super) fn channels(node: &Node, split: &Split, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let along = axis_at(split.axis, rank)?;
    for channels in walk.channels(x).to_vec() {
        let axis = channels.axis;
        let mut rest = channels.atoms.as_slice();
        let lengths = match axis == along {
            true => split.lengths(rest.len(), node.outputs.len())?,
            false => vec![],
        };
        for (index, &made) in node.outputs.iter().enumerate() {
            let atoms = match lengths.get(index) {
                Some(&length) => {
                    let (own, others) = rest.split_at(length.min(rest.len()));
                    rest = others;
                    own.to_vec()
                }
                None => channels.atoms.clone(),
            };
            if !atoms.is_empty() {
                walk.carry(made, Channels { axis, atoms });
            }
        }
    }
    Ok(())
}

/// The lengths that are left; none where the parts are equal still.
fn left(graph: &Graph, node: &Node, split: &Split, sources: &Sources) -> Option<Vec<usize>> {
    let x = node.input(0).ok()?;
    let shape = graph.value(x).shape.as_deref()?;
    let axis = axis_at(split.axis, shape.len()).ok()?;
    let length = sources.get(&(x, axis))?.len();
    let count = node.outputs.len();
    let old = split.lengths(shape[axis].fixed()?, count).ok()?;
    let left =
        |(&made, old): (&crate::ValueId, usize)| sources.get(&(made, axis)).map_or(old, Vec::len);
    let parts: Vec<usize> = node.outputs.iter().zip(old).map(left).collect();
    let equal =
        split.parts.is_empty() && split.lengths(length, count).ok().as_ref() == Some(&parts);
    (!equal).then_some(parts)
}

/// The operation with the lengths that are left.
pub(super) fn rewritten(
    graph: &Graph,
    node: &Node,
    split: &Split,
    sources: &Sources,
) -> Option<Op> {
    let parts = left(graph, node, split, sources)?;
    Some(Op::Split(Split {
        parts,
        ..split.clone()
    }))
}

/// The second input that says the same.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    split: &Split,
    sources: &Sources,
) -> Result<Vec<(usize, Tensor)>> {
    let Some(parts) = left(graph, node, split, sources).filter(|_| !split.attribute) else {
        return Ok(vec![]);
    };
    let lengths = parts.iter().map(|&n| n as i64).collect();
    Ok(vec![(1, Tensor::i64([parts.len()], lengths)?)])
}

pub(super) fn evaluate(split: &Split, x: &Array, count: usize) -> Result<Vec<Array>> {
    let axis = axis_at(split.axis, x.shape.len())?;
    let inner: usize = x.shape[axis + 1..].iter().product();
    let length = x.shape[axis];
    let mut start = 0;
    let mut parts = vec![];
    for part in split.lengths(length, count)? {
        let mut shape = x.shape.clone();
        shape[axis] = part;
        let blocks = x.values.chunks((length * inner).max(1));
        let own = blocks.flat_map(|block| &block[start * inner..(start + part) * inner]);
        parts.push(Array::new(shape, own.copied().collect())?);
        start += part;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_or_as_told() {
        let split = |parts: &[usize]| Split {
            axis: -1,
            parts: parts.to_vec(),
            attribute: false,
        };
        assert_eq!(split(&[]).lengths(5, 2).unwrap(), [3, 2]);
        assert_eq!(split(&[1, 4]).lengths(5, 2).unwrap(), [1, 4]);
        assert!(split(&[1, 3]).lengths(5, 2).is_err());
        let x = Array::new([2, 3], (0..6).map(f64::from).collect()).unwrap();
        let parts = evaluate(&split(&[1, 2]), &x, 2).unwrap();
        assert_eq!(parts[0].values, [0.0, 3.0]);
        assert_eq!(
            (parts[1].shape.clone(), parts[1].values.clone()),
            (vec![2, 2], vec![1.0, 2.0, 4.0, 5.0])
        );
    }
}
