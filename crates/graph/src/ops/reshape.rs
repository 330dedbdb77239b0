//! `Reshape` to a constant shape: the same elements in the same order.

use super::{Sources, input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, Result, Tensor, ValueId};

/// The entries of the wanted shape, if they are constant.
fn wanted(graph: &Graph, node: &Node) -> Result<Option<Vec<i64>>> {
    let Some(tensor) = graph.constant(node.input(1)?) else {
        return Ok(None);
    };
    match tensor.as_i64() {
        Some(entries) => Ok(Some(entries.to_vec())),
        None => Err(Error::invalid("the shape of Reshape holds whole numbers")),
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, allow_zero: bool) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(wanted)) = (input_shape(graph, node, 0)?, wanted(graph, node)?) else {
        return Ok(None);
    };
    let copies = |axis: usize| wanted.get(axis) == Some(&0) && !allow_zero;
    let left = |axis: &usize| !copies(*axis);
    let (mut names, mut fixed) = (vec![], 1usize);
    for axis in (0..x.len()).filter(left) {
        match &x[axis] {
            Dim::Fixed(length) => fixed *= length,
            Dim::Named(name) => names.push(name.clone()),
        }
    }
    let mut entries = wanted.iter().filter(|&&n| n > 0);
    let given = entries.try_fold(1usize, |n, &d| n.checked_mul(usize::try_from(d).ok()?));
    let open = wanted.iter().filter(|&&n| n == -1).count();
    // Without names, all elements are counted.
    let fits = match (given, open) {
        (Some(given), 0) => fixed == given || wanted.contains(&0) && fixed == 0,
        (Some(given), 1) => fixed.is_multiple_of(given),
        _ => false,
    };
    let (Some(given), true) = (given, fits || open < 2 && !names.is_empty()) else {
        return Err(Error::invalid(format!(
            "Reshape of {} to {wanted:?}",
            text(x)
        )));
    };
    let rest = || match (names.as_slice(), fixed.checked_div(given)) {
        ([], Some(length)) => Dim::Fixed(length),
        ([name], Some(1)) if given == fixed => Dim::Named(name.clone()),
        _ => Dim::Named(format!("{}/{given}", names.join("*"))),
    };
    let dims = wanted
        .iter()
        .enumerate()
        .map(|(axis, &length)| match length {
            0 if !allow_zero => x.get(axis).cloned().ok_or_else(|| {
                Error::invalid(format!("Reshape copies axis {axis}, which there is not"))
            }),
            -1 => Ok(rest()),
            length => match usize::try_from(length) {
                Ok(length) => Ok(Dim::Fixed(length)),
                Err(_) => Err(Error::invalid(format!("Reshape to a length of {length}"))),
            },
        });
    dims.collect::<Result<_>>().map(Some)
}

/// The lengths that the wanted entries mean for elements of a known shape.
fn lengths(wanted: &[i64], allow_zero: bool, shape: &[usize]) -> Result<Vec<usize>> {
    let elements: usize = shape.iter().product();
    let entry = |(axis, &length): (usize, &i64)| match length {
        0 if !allow_zero => shape.get(axis).copied(),
        -1 => Some(0),
        length => usize::try_from(length).ok(),
    };
    let entries: Option<Vec<usize>> = wanted.iter().enumerate().map(entry).collect();
    let fail = || Error::invalid(format!("Reshape of {shape:?} to {wanted:?}"));
    let mut lengths = entries.ok_or_else(fail)?;
    if let Some(open) = wanted.iter().position(|&n| n == -1) {
        let others = lengths.iter().enumerate().filter(|&(axis, _)| axis != open);
        let mut others = others.map(|(_, n)| n);
        let given = others.try_fold(1usize, |n, &d| n.checked_mul(d));
        let rest = given.and_then(|given| elements.checked_div(given));
        lengths[open] = rest.ok_or_else(fail)?;
    }
    let product = lengths.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    match product == Some(elements) {
        true => Ok(lengths),
        false => Err(fail()),
    }
}

pub(super) fn channels(node: &Node, allow_zero: bool, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    let Some(wanted) = wanted(walk.graph(), node)? else {
        walk.freeze(x, node, "is brought into a shape that is not constant");
        return Ok(());
    };
    // A batch of unknown length need not fit into a shape that was written for a known one.
    let known = walk.graph().value(x).shape.as_deref().is_some_and(|shape| {
        let stand_in: Vec<usize> = shape.iter().map(|d| d.fixed().unwrap_or(2)).collect();
        lengths(&wanted, allow_zero, &stand_in).is_ok()
    });
    if !known {
        walk.freeze(
            x,
            node,
            "is brought into a shape that does not hold for every batch",
        );
        return Ok(());
    }
    movement::channels(node, walk, |shape, labels| {
        Ok((lengths(&wanted, allow_zero, shape)?, labels))
    })
}

/// The wanted shape after positions went.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    sources: &Sources,
) -> Result<Option<(ValueId, Tensor)>> {
    let (shape, made) = (node.input(1)?, node.output()?);
    let Some(old) = wanted(graph, node)? else {
        return Ok(None);
    };
    let entry = |(axis, &length): (usize, &i64)| match sources.get(&(made, axis)) {
        Some(kept) if length > 0 => kept.len() as i64,
        _ => length,
    };
    let new: Vec<i64> = old.iter().enumerate().map(entry).collect();
    if new == old {
        return Ok(None);
    }
    Ok(Some((shape, Tensor::i64([new.len()], new)?)))
}

pub(super) fn evaluate(allow_zero: bool, x: &Array, shape: &Array) -> Result<Array> {
    let wanted: Vec<i64> = shape.values.iter().map(|&n| n as i64).collect();
    Array::new(lengths(&wanted, allow_zero, &x.shape)?, x.values.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_copy_and_one_entry_is_left_open() {
        assert_eq!(lengths(&[0, -1], false, &[2, 3, 4]).unwrap(), [2, 12]);
        assert_eq!(lengths(&[-1], false, &[2, 3]).unwrap(), [6]);
        assert!(lengths(&[4, -1], false, &[2, 3]).is_err());
        assert!(lengths(&[0, 0, 0], false, &[2, 3]).is_err());
        assert!(lengths(&[0, -1], true, &[2, 3]).is_err());
    }
}
