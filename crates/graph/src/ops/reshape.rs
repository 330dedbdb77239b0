//! `Reshape` to a constant shape: the same elements in the same order.

use super::{Sources, input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::known::Entry;
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, Result, Tensor};

/// Numbers of rows that are tried in place of an unknown one.
const MOST_ROWS: usize = 512;

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
    let entries = match wanted(graph, node)? {
        Some(wanted) => wanted.iter().map(|&n| Entry::Number(n as f64)).collect(),
        None => match &graph.value(node.input(1)?).entries {
            Some(entries) => entries.clone(),
            None => return Ok(None),
        },
    };
    let x = input_shape(graph, node, 0)?;
    if let (Some(x), Some(wanted)) = (x, wanted(graph, node)?) {
        check(x, &wanted, allow_zero)?;
    }
    let open = |axis: usize| Dim::Named(format!("{}:{axis}", node.name));
    let dims = entries.iter().enumerate().map(|(axis, entry)| match entry {
        Entry::Number(n) if *n == 0.0 && !allow_zero => match x {
            Some(x) => x.get(axis).cloned().ok_or_else(|| {
                Error::invalid(format!("Reshape copies axis {axis}, which there is not"))
            }),
            None => Ok(open(axis)),
        },
        Entry::Number(n) if *n == -1.0 => match x {
            Some(x) => Ok(rest(x, &entries, allow_zero)),
            None => Ok(open(axis)),
        },
        Entry::Number(n) if *n >= 0.0 => Ok(Dim::Fixed(*n as usize)),
        Entry::Number(n) => Err(Error::invalid(format!("Reshape to a length of {n}"))),
        Entry::Length(name) => Ok(Dim::Named(name.clone())),
        Entry::Other => Ok(open(axis)),
    });
    dims.collect::<Result<_>>().map(Some)
}

/// Checks that elements of a shape can be brought into the wanted one: those that can be counted.
fn check(x: &[Dim], wanted: &[i64], allow_zero: bool) -> Result<()> {
    let fail = || Error::invalid(format!("Reshape of {} to {wanted:?}", text(x)));
    let fixed: Option<Vec<usize>> = x.iter().map(Dim::fixed).collect();
    let open = wanted.iter().filter(|&&n| n == -1).count();
    let mut given = wanted.iter().filter(|&&n| n > 0);
    let product = given.try_fold(1usize, |n, &d| n.checked_mul(usize::try_from(d).ok()?));
    match (fixed, product) {
        _ if open > 1 => Err(fail()),
        (_, None) => Err(fail()),
        (Some(fixed), Some(_)) => lengths(wanted, allow_zero, &fixed).map(drop),
        (None, Some(_)) => Ok(()),
    }
}

/// The length that an entry of -1 comes to.
fn rest(x: &[Dim], wanted: &[Entry], allow_zero: bool) -> Dim {
    let mut left: Vec<Dim> = vec![];
    let mut given = 1;
    let mut others: Vec<String> = vec![];
    for (axis, dim) in x.iter().enumerate() {
        if wanted.get(axis) != Some(&Entry::Number(0.0)) || allow_zero {
            left.push(dim.clone());
        }
    }
    for entry in wanted {
        match entry {
            Entry::Number(n) if *n > 0.0 => given *= *n as usize,
            Entry::Length(name) => {
                let same = Dim::Named(name.clone());
                match left.iter().position(|d| *d == same) {
                    Some(at) => drop(left.remove(at)),
                    None => others.push(name.clone()),
                }
            }
            Entry::Other => others.push("?".into()),
            Entry::Number(_) => {}
        }
    }
    let fixed: usize = left.iter().filter_map(Dim::fixed).product();
    let names: Vec<String> = left
        .iter()
        .filter(|d| d.fixed().is_none())
        .map(Dim::to_string)
        .collect();
    match (
        names.as_slice(),
        others.as_slice(),
        fixed.checked_div(given),
    ) {
        ([], [], Some(length)) => Dim::Fixed(length),
        ([name], [], Some(1)) if given == fixed => Dim::Named(name.clone()),
        _ => Dim::Named(
            [names, others, vec![format!("{fixed}/{given}")]]
                .concat()
                .join("*"),
        ),
    }
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
    // Where rows are folded together, such as the windows of an image, their number is a multiple of what is wanted.
    let mut fixed = wanted.iter().filter(|&&n| n > 0);
    let product = fixed.try_fold(1usize, |n, &d| n.checked_mul(usize::try_from(d).ok()?));
    let multiple = product.unwrap_or(movement::STAND_IN);
    let shape = walk.graph().value(x).shape.as_deref();
    let few = movement::STAND_IN..=MOST_ROWS;
    let stand_in = few.chain([multiple]).find(|&n| {
        let stand_in = shape.map(|s| s.iter().map(|d| d.fixed().unwrap_or(n)).collect::<Vec<_>>());
        stand_in.is_some_and(|s| lengths(&wanted, allow_zero, &s).is_ok())
    });
    let Some(stand_in) = stand_in else {
        walk.freeze(
            x,
            node,
            "is brought into a shape that does not hold for every batch",
        );
        return Ok(());
    };
    movement::follow(
        node,
        walk,
        stand_in,
        |_| true,
        |shape, labels| Ok((lengths(&wanted, allow_zero, shape)?, labels)),
    )
}

/// The wanted shape after positions went.
pub(super) fn slice(graph: &Graph, node: &Node, sources: &Sources) -> Result<Vec<(usize, Tensor)>> {
    let made = node.output()?;
    let Some(old) = wanted(graph, node)? else {
        return Ok(vec![]);
    };
    let entry = |(axis, &length): (usize, &i64)| match sources.get(&(made, axis)) {
        Some(kept) if length > 0 => kept.len() as i64,
        _ => length,
    };
    let new: Vec<i64> = old.iter().enumerate().map(entry).collect();
    if new == old {
        return Ok(vec![]);
    }
    Ok(vec![(1, Tensor::i64([new.len()], new)?)])
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
