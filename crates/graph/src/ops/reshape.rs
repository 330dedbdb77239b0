//! `Reshape` to a constant shape: the same elements in the same order.

use super::{Rewrite, Sources, expand, input_shape, movement};
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
    // Lengths that stand in for open ones may be too many for a count.
    let count = |lengths: &[usize]| lengths.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let entry = |(axis, &length): (usize, &i64)| match length {
        0 if !allow_zero => shape.get(axis).copied(),
        -1 => Some(0),
        length => usize::try_from(length).ok(),
    };
    let entries: Option<Vec<usize>> = wanted.iter().enumerate().map(entry).collect();
    let fail = || Error::invalid(format!("Reshape of {shape:?} to {wanted:?}"));
    let (mut lengths, elements) = (entries.ok_or_else(fail)?, count(shape).ok_or_else(fail)?);
    if let Some(open) = wanted.iter().position(|&n| n == -1) {
        let others = lengths.iter().enumerate().filter(|&(axis, _)| axis != open);
        let mut others = others.map(|(_, n)| n);
        let given = others.try_fold(1usize, |n, &d| n.checked_mul(d));
        let rest = given.and_then(|given| elements.checked_div(given));
        lengths[open] = rest.ok_or_else(fail)?;
    }
    match count(&lengths) == Some(elements) {
        true => Ok(lengths),
        false => Err(fail()),
    }
}

pub(super) fn channels(node: &Node, allow_zero: bool, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    let graph = walk.graph();
    let wanted = match wanted(graph, node)? {
        Some(wanted) => Some(wanted.iter().map(|&n| Entry::Number(n as f64)).collect()),
        None => graph.value(node.input(1)?).entries.clone(),
    };
    let Some(wanted) = wanted else {
        walk.freeze(x, node, "is brought into a shape that is not constant");
        return Ok(());
    };
    let shape = graph.value(x).shape.as_deref();
    let Some(stood_in) = shape.and_then(|x| StandIns::of(x, &wanted, allow_zero)) else {
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
        &stood_in.before,
        |_| true,
        |_, labels| Ok((stood_in.after.clone(), labels)),
    )
}

/// Lengths in place of those that are not known, with which the elements fit into the wanted shape.
struct StandIns {
    before: Vec<usize>,
    after: Vec<usize>,
}

impl StandIns {
    /// A batch of unknown length need not fit into a shape that was written for a known one. Where rows are folded
    /// together, such as the windows of an image, their number is a multiple of what is wanted.
    fn of(x: &[Dim], wanted: &[Entry], allow_zero: bool) -> Option<Self> {
        let mut numbers = wanted.iter().filter_map(|entry| match entry {
            Entry::Number(n) if *n > 0.0 => Some(*n as usize),
            _ => None,
        });
        let product = numbers.try_fold(1usize, usize::checked_mul);
        let few = movement::STAND_IN..=MOST_ROWS;
        let mut all = few.chain([product.unwrap_or(movement::STAND_IN)]);
        let is_new = |entry: &&Entry| match entry {
            Entry::Length(name) => !x
                .iter()
                .any(|d| matches!(d, Dim::Named(own) if own == name)),
            Entry::Number(_) | Entry::Other => false,
        };
        // A length that several were folded into is what these come to.
        let is_wanted = |name: &String| wanted.contains(&Entry::Length(name.clone()));
        let folded = match wanted.iter().any(|entry| is_new(&entry)) {
            true => x
                .iter()
                .position(|d| matches!(d, Dim::Named(name) if !is_wanted(name))),
            false => None,
        };
        all.find_map(|n| Self::with(x, wanted, allow_zero, n, folded))
    }

    /// With `length` for all that are unknown but the folded one.
    fn with(
        x: &[Dim],
        wanted: &[Entry],
        allow_zero: bool,
        length: usize,
        folded: Option<usize>,
    ) -> Option<Self> {
        let mut before: Vec<usize> = x.iter().map(|d| d.fixed().unwrap_or(length)).collect();
        let numbers: Vec<i64> = wanted
            .iter()
            .map(|entry| match entry {
                Entry::Number(n) => *n as i64,
                Entry::Length(_) => length as i64,
                Entry::Other => -1,
            })
            .collect();
        if let Some(axis) = folded {
            before[axis] = 1;
            let others = before.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
            let all = numbers.iter().enumerate().map(|(axis, &n)| match n {
                0 if !allow_zero => before.get(axis).copied(),
                n => usize::try_from(n).ok(),
            });
            let all = all.collect::<Option<Vec<usize>>>()?;
            let all = all.into_iter().try_fold(1usize, usize::checked_mul)?;
            before[axis] = all.checked_div(others).filter(|&n| n * others == all)?;
        }
        let open = numbers.iter().filter(|&&n| n == -1).count();
        let after = lengths(&numbers, allow_zero, &before).ok()?;
        (open <= 1).then_some(Self { before, after })
    }
}

/// The wanted shape after positions went.
pub(super) fn slice(graph: &Graph, node: &Node, sources: &Sources) -> Result<Vec<Rewrite>> {
    let made = node.output()?;
    let Some(old) = wanted(graph, node)? else {
        return expand::slice(graph, node, 1, sources);
    };
    let entry = |(axis, &length): (usize, &i64)| match sources.get(&(made, axis)) {
        Some(kept) if length > 0 => kept.len() as i64,
        _ => length,
    };
    let new: Vec<i64> = old.iter().enumerate().map(entry).collect();
    if new == old {
        return Ok(vec![]);
    }
    Ok(vec![Rewrite {
        reader: None,
        slot: 1,
        tensor: Tensor::i64([new.len()], new)?,
    }])
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
        // More elements than can be counted.
        assert!(lengths(&[-1], false, &[usize::MAX, 3]).is_err());
    }
}
