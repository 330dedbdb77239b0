//! Where does a channel go in an operation that only moves elements?
//!
//! No rule is stated: the operation is run on a tensor that holds, at every element, the channel it
//! belongs to, and the answer is read off the result.

use crate::channels::{Atom, Channels, Walk};
use crate::factors::{distinct, divided};
use crate::{Dim, Node, Result};

/// What is larger is not labelled: labels take eight bytes an element, for however small a file.
const MOST_ELEMENTS: usize = 1 << 26;

/// An unknown length stands in as this, so that an axis that it is folded into shows.
pub(super) const STAND_IN: usize = 2;

/// The channel rule of every data-movement operation; `run` moves labels of a given shape.
pub(super) fn channels(
    node: &Node,
    walk: &mut Walk<'_>,
    run: impl Fn(&[usize], Vec<usize>) -> Result<(Vec<usize>, Vec<usize>)>,
) -> Result<()> {
    channels_that(node, walk, |_| true, run)
}

/// The same for those channels that pass.
pub(super) fn channels_that(
    node: &Node,
    walk: &mut Walk<'_>,
    passes: impl Fn(&Channels) -> bool,
    run: impl Fn(&[usize], Vec<usize>) -> Result<(Vec<usize>, Vec<usize>)>,
) -> Result<()> {
    let shape = walk.graph().value(node.input(0)?).shape.as_deref();
    let shape = shape.unwrap_or_default().iter();
    let lengths: Vec<usize> = shape.map(|d| d.fixed().unwrap_or(STAND_IN)).collect();
    follow(node, walk, &lengths, passes, run)
}

/// The same with these lengths, those that are unknown among them.
pub(super) fn follow(
    node: &Node,
    walk: &mut Walk<'_>,
    lengths: &[usize],
    passes: impl Fn(&Channels) -> bool,
    run: impl Fn(&[usize], Vec<usize>) -> Result<(Vec<usize>, Vec<usize>)>,
) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    let mut all = walk.channels(x).to_vec();
    all.retain(passes);
    if all.is_empty() {
        return Ok(());
    }
    let (graph, shape) = (walk.graph(), walk.graph().value(x).shape.as_deref());
    let (Some(_), Some(after)) = (shape, graph.value(made).shape.as_deref()) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let elements = lengths.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if elements.is_none_or(|n| n > MOST_ELEMENTS) {
        walk.freeze(x, node, "has too many elements for channels to be followed");
        return Ok(());
    }
    let is_fixed = |axis: usize| after.get(axis).and_then(Dim::fixed).is_some();
    let axes: Vec<usize> = all.iter().map(|channels| channels.axis).collect();
    for before in all {
        let factors = axes.iter().filter(|&&axis| axis == before.axis).count();
        if factors > 1 && before.atoms.len() > 1 && distinct(&before) == 1 {
            // The block of queries of an axis that held keys and values beside it lies along every axis alike.
            walk.freeze_atoms(&before.atoms, node, "is all that there is of an axis");
            continue;
        }
        let (moved, labels) = run(lengths, label(lengths, before.axis))?;
        let atoms: Vec<Atom> = labels.iter().map(|&label| before.atoms[label]).collect();
        let order = std::iter::once(before.axis).chain(0..after.len());
        let mut found: Vec<(usize, Vec<Atom>)> = order
            .filter(|&axis| is_fixed(axis))
            .filter_map(|axis| Some((axis, along(&moved, &atoms, axis)?)))
            .collect();
        // A single channel is the same along every axis; it lies where there is one position, as before.
        let is_single = before.atoms.len() == 1;
        let same = found
            .iter()
            .position(|(_, atoms)| is_single && atoms.len() == 1);
        if !found.is_empty() {
            let (axis, atoms) = found.swap_remove(same.unwrap_or(0));
            walk.carry(made, Channels { axis, atoms });
            continue;
        }
        let parts = parts(lengths, &before, &moved);
        if parts.is_some_and(|parts| parts.len() > 1 && walk.factorise(&before, &parts)) {
            continue;
        }
        let axes = split(&moved, &labels).filter(|axes| axes.len() > 1);
        let inner = axes.and_then(|axes| axes.last().copied());
        match inner.filter(|&axis| is_fixed(axis)) {
            Some(axis) => {
                // Channels made in several places, such as halves side by side: equal places in all blocks go together.
                let mut blocks = before.atoms.chunks(moved[axis]).map(|atoms| Channels {
                    axis,
                    atoms: atoms.to_vec(),
                });
                if let Some(first) = blocks.next() {
                    blocks.for_each(|other| walk.couple(&first, &other));
                    walk.carry(made, first);
                }
            }
            None => {
                let reason = "is moved so that its channels lie on no one axis";
                walk.freeze_atoms(&before.atoms, node, reason);
            }
        }
    }
    Ok(())
}

/// The lengths of the parts of a factor of an axis, outermost first, that come to lie on different axes where the same
/// elements in the same order get another shape; none where an axis begins or ends within a unit.
fn parts(lengths: &[usize], factor: &Channels, moved: &[usize]) -> Option<Vec<usize>> {
    let places: usize = lengths[factor.axis + 1..].iter().product();
    let first = factor.atoms.first()?;
    let inner = factor.atoms.iter().take_while(|a| *a == first).count();
    let count = distinct(factor);
    // How many elements lie behind each axis, and behind the one before it.
    let mut behind = 1;
    let ends = moved.iter().rev().map(|&length| {
        behind *= length;
        behind
    });
    divided(inner * places, count, &ends.collect::<Vec<_>>())
}

/// The axes over which labels count up, if they do so row by row.
fn split(shape: &[usize], labels: &[usize]) -> Option<Vec<usize>> {
    let varies = |axis: usize| {
        let inner: usize = shape[axis + 1..].iter().product();
        let last = shape[axis].checked_sub(1)?;
        Some(labels.get(last * inner)? != labels.first()?)
    };
    let axes: Vec<usize> = (0..shape.len())
        .filter(|&axis| varies(axis) == Some(true))
        .collect();
    let counts_up = labels.iter().enumerate().all(|(element, &label)| {
        let position = |axis: usize| {
            let inner: usize = shape[axis + 1..].iter().product();
            element / inner % shape[axis]
        };
        label
            == axes
                .iter()
                .fold(0, |at, &axis| at * shape[axis] + position(axis))
    });
    counts_up.then_some(axes)
}

/// For every element, its position along `axis`.
fn label(shape: &[usize], axis: usize) -> Vec<usize> {
    let inner: usize = shape[axis + 1..].iter().product();
    let elements: usize = shape.iter().product();
    (0..elements).map(|e| e / inner % shape[axis]).collect()
}

/// The label at each position of `axis`, if labels depend on that position alone.
pub(crate) fn along<L: Copy + PartialEq>(
    shape: &[usize],
    labels: &[L],
    axis: usize,
) -> Option<Vec<L>> {
    let positions = label(shape, axis);
    let mut found = vec![None; shape[axis]];
    for (&position, &label) in positions.iter().zip(labels) {
        if *found[position].get_or_insert(label) != label {
            return None;
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flattened_channel_is_a_block() {
        let labels = label(&[2, 2, 3], 1);
        assert_eq!(along(&[2, 6], &labels, 1).unwrap(), [0, 0, 0, 1, 1, 1]);
        assert_eq!(along(&[2, 6], &labels, 0), None);
    }

    #[test]
    fn channels_that_share_a_position_are_not_along_it() {
        let labels = label(&[2, 2, 3], 1);
        assert_eq!(along(&[4, 3], &labels, 1), None);
        assert_eq!(along(&[4, 3], &labels, 0).unwrap(), [0, 1, 0, 1]);
    }
}
