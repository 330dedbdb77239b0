//! Which channels attention couples: heads of queries, keys and values, and the dimensions that products sum over.

use super::{Attention, Lengths};
use crate::channels::{Channels, Walk};
use crate::groups::Role;
use crate::{Node, Result, ValueId};

const SUMMED: &str = "is summed over in a product of activations, which has no weights";

/// The channels of one operand: what its axes are products of, one atom for each position of a factor.
struct Parts {
    heads: Vec<Channels>,
    repeats: Vec<Channels>,
    dimensions: Vec<Channels>,
}

/// Heads go as a whole with their slices of all that makes queries, keys and values. Dimensions of queries and keys are the
/// same units, which no weights read; those of values are passed on.
pub(in crate::ops) fn channels(
    node: &Node,
    attention: &Attention,
    walk: &mut Walk<'_>,
) -> Result<()> {
    let operands = [node.input(0)?, node.input(1)?, node.input(2)?];
    let Some(lengths) = Lengths::at(walk.graph(), node, attention)? else {
        for value in node.inputs.iter().flatten() {
            walk.freeze(
                *value,
                node,
                "is read by Attention, and has an unknown shape",
            );
        }
        return Ok(());
    };
    rows(node, walk, operands, &lengths)?;
    let [q, k, v] = operands;
    let [Some(of_q), Some(of_k), Some(of_v)] = [
        parts(
            node,
            walk,
            q,
            axes(&lengths, lengths.repeats, lengths.dimensions),
        ),
        parts(node, walk, k, axes(&lengths, 1, lengths.dimensions)),
        parts(node, walk, v, axes(&lengths, 1, lengths.value)),
    ] else {
        let reason = "is read by Attention whose queries, keys and values are not made alike";
        return freeze(node, walk, &lengths, reason);
    };
    let coupled = walk.couple_axes(&of_q.heads, &of_k.heads).is_some()
        && walk.couple_axes(&of_q.heads, &of_v.heads).is_some()
        && walk
            .couple_axes(&of_q.dimensions, &of_k.dimensions)
            .is_some();
    if !coupled {
        let reason = "is read by Attention whose heads do not line up";
        return freeze(node, walk, &lengths, reason);
    }
    walk.sum_over(&of_q.dimensions, node, SUMMED);
    for repeats in &of_q.repeats {
        let reason = "is one of several heads of queries that share keys and values";
        walk.freeze_atoms(&repeats.atoms, node, reason);
    }
    let heads = [of_q.heads, of_q.repeats].concat();
    masked(node, walk, &heads)?;
    let made = node.output()?;
    let (of_heads, of_values) = match lengths.is_flat {
        true => ([heads, of_v.dimensions].concat(), vec![]),
        false => (heads, of_v.dimensions),
    };
    let axis = if lengths.is_flat { 2 } else { 1 };
    for channels in spread(&of_heads, axis)
        .into_iter()
        .chain(spread(&of_values, 3))
    {
        walk.carry(made, channels);
    }
    Ok(())
}

/// The axes of an operand that hold heads and dimensions, with the factors of each.
fn axes(lengths: &Lengths, repeats: usize, each: usize) -> Vec<(usize, Vec<usize>)> {
    match lengths.is_flat {
        true => vec![(2, vec![lengths.heads, repeats, each])],
        false => vec![(1, vec![lengths.heads, repeats]), (3, vec![each])],
    }
}

/// Rows are those of all three; places are mixed.
fn rows(node: &Node, walk: &mut Walk<'_>, operands: [ValueId; 3], lengths: &Lengths) -> Result<()> {
    let [q, k, v] = operands.map(|id| walk.along(id, 0));
    let mask = node.inputs.get(3).copied().flatten();
    let is_same_mask = mask.is_none_or(|id| match walk.rank(id) {
        Some(4) => walk.length(id, 0) == Some(1),
        rank => rank.is_some(),
    });
    let is_known = !q.is_empty() && !k.is_empty() && !v.is_empty() && is_same_mask;
    if is_known && walk.couple_axes(&q, &k).is_some() && walk.couple_axes(&q, &v).is_some() {
        for channels in q {
            walk.carry(node.output()?, channels);
        }
    } else {
        for id in operands {
            walk.freeze_axis(
                id,
                0,
                node,
                "is a row of Attention, and not of all that it reads",
            );
        }
    }
    for id in operands {
        let places = if lengths.is_flat { 1 } else { 2 };
        walk.freeze_axis(id, places, node, "is mixed across places by Attention");
    }
    Ok(())
}

fn freeze(node: &Node, walk: &mut Walk<'_>, lengths: &Lengths, reason: &str) -> Result<()> {
    for id in [node.input(0)?, node.input(1)?, node.input(2)?] {
        if walk.is_parameter(id) {
            walk.freeze(id, node, reason);
        }
        for (axis, _) in axes(lengths, 1, 1) {
            walk.freeze_axis(id, axis, node, reason);
        }
    }
    for mask in node.inputs.iter().skip(3).flatten() {
        walk.freeze(*mask, node, "is added to products of Attention");
    }
    Ok(())
}

/// The factors of an operand; none where they are not known, or were asked for just now.
fn parts(
    node: &Node,
    walk: &mut Walk<'_>,
    id: ValueId,
    axes: Vec<(usize, Vec<usize>)>,
) -> Option<Parts> {
    let mut found = vec![];
    for (axis, factors) in axes {
        found.extend(factors_along(node, walk, (id, axis), &factors)?);
    }
    let mut found = found.into_iter();
    Some(Parts {
        heads: found.next()?,
        repeats: found.next()?,
        dimensions: found.next()?,
    })
}

/// The channels of an axis, sorted by the factors that it is a product of. A factor of 1 has none.
fn factors_along(
    node: &Node,
    walk: &mut Walk<'_>,
    (id, axis): (ValueId, usize),
    factors: &[usize],
) -> Option<Vec<Vec<Channels>>> {
    let whole = walk.along(id, axis);
    if factors.iter().all(|&n| n == 1) {
        // The only position of an axis is no choice.
        for channels in whole {
            walk.freeze_atoms(
                &channels.atoms,
                node,
                "is all that Attention has along an axis",
            );
        }
        return Some(vec![vec![]; factors.len()]);
    }
    let mut left = whole.iter();
    let mut found = vec![];
    for (at, &factor) in factors.iter().enumerate() {
        let mut open = factor;
        let mut own = vec![];
        while open > 1 {
            let next = left.next()?;
            let distinct = distinct(next);
            let count = distinct.atoms.len();
            if count > 1 && open.is_multiple_of(count) {
                open /= count;
                own.push(distinct);
                continue;
            }
            // It belongs to this factor and others behind it.
            let mut wanted = vec![open];
            wanted.extend(&factors[at + 1..]);
            while wanted.len() > 1 && wanted.iter().product::<usize>() > count {
                wanted.pop();
            }
            walk.factorise(next, &wanted);
            return None;
        }
        found.push(own);
    }
    let is_product = spread(&found.concat(), axis) == whole;
    is_product.then_some(found)
}

/// One atom for each position of a factor, in order.
fn distinct(channels: &Channels) -> Channels {
    let mut seen = std::collections::HashSet::new();
    let mut atoms = channels.atoms.clone();
    atoms.retain(|atom| seen.insert(atom.0));
    Channels {
        axis: channels.axis,
        atoms,
    }
}

/// The channels of an axis that is the product of such factors.
fn spread(factors: &[Channels], axis: usize) -> Vec<Channels> {
    let counts: Vec<usize> = factors.iter().map(|f| f.atoms.len()).collect();
    let length: usize = counts.iter().product();
    let over = |(at, factor): (usize, &Channels)| {
        let inner: usize = counts[at + 1..].iter().product();
        let atoms = (0..length).map(|p| factor.atoms[p / inner % counts[at]]);
        Channels {
            axis,
            atoms: atoms.collect(),
        }
    };
    factors.iter().enumerate().map(over).collect()
}

/// A mask that is a constant of its own for every head is cut with them; any other leaves them where it varies by head.
fn masked(node: &Node, walk: &mut Walk<'_>, heads: &[Channels]) -> Result<()> {
    let Some(mask) = node.inputs.get(3).copied().flatten() else {
        return Ok(());
    };
    let rank = walk.rank(mask);
    let axis = rank.map(|rank| rank.checked_sub(3));
    let own = match axis {
        None => None,
        Some(None) => Some(1),
        Some(Some(axis)) => walk.length(mask, axis),
    };
    let count: usize = heads.iter().map(|h| h.atoms.len()).product();
    let reason = "is added to products of Attention";
    match (axis.flatten(), walk.is_parameter(mask)) {
        (Some(axis), true) if own == Some(count) && count > 1 => {
            walk.claim(mask, axis, Role::Carries, &spread(heads, axis));
            for other in (0..rank.unwrap_or_default()).filter(|&other| other != axis) {
                walk.pin(mask, other, node, reason);
            }
        }
        _ => {
            walk.freeze(mask, node, reason);
            if own != Some(1) {
                for channels in heads {
                    let reason = "is a head of Attention under a mask that varies by head";
                    walk.freeze_atoms(&channels.atoms, node, reason);
                }
            }
        }
    }
    Ok(())
}
