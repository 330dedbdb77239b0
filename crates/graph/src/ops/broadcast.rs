//! Which channels meet where operands broadcast against each other?
//!
//! The rule of every element-wise operator of several operands, axis by axis of the result. Units that activations have
//! there are coupled, a constant that varies along the axis goes along with them, and what is one position long is the same
//! for all of them.

use crate::channels::{Channels, Walk};
use crate::groups::Role;
use crate::{Node, Result, ValueId};

/// States to the walk what becomes of the channels of `operands`; slices of constants get the role `of_constants`.
pub(super) fn channels(
    node: &Node,
    operands: &[ValueId],
    of_constants: Role,
    walk: &mut Walk<'_>,
) -> Result<()> {
    let made = node.output()?;
    let freeze_all = |walk: &mut Walk<'_>, reason: &str| {
        for &id in operands {
            walk.freeze(id, node, reason);
        }
    };
    if operands.iter().all(|&id| walk.is_parameter(id)) {
        freeze_all(walk, "is computed from constants");
        return Ok(());
    }
    let ranks: Option<Vec<usize>> = operands.iter().map(|&id| walk.rank(id)).collect();
    let (Some(rank), Some(ranks)) = (walk.rank(made), ranks) else {
        freeze_all(walk, "meets a value of unknown shape");
        return Ok(());
    };
    for axis in 0..rank {
        let own = operands.iter().zip(&ranks);
        let own: Vec<Side> = own
            .map(|(&id, &rank_of)| Side {
                id,
                axis: (axis + rank_of).checked_sub(rank),
            })
            .collect();
        along(node, (made, axis), &own, of_constants, walk);
    }
    Ok(())
}

/// An operand and its axis that meets one of the result; none where it has fewer axes.
pub(super) struct Side {
    pub(super) id: ValueId,
    pub(super) axis: Option<usize>,
}

/// The same along one axis of the result.
pub(super) fn along(
    node: &Node,
    (made, axis): (ValueId, usize),
    sides: &[Side],
    of_constants: Role,
    walk: &mut Walk<'_>,
) {
    let whole = walk.length(made, axis);
    let mut units: Vec<(ValueId, usize, Vec<Channels>)> = vec![];
    let mut constants = vec![];
    let mut is_known = true;
    for &Side { id, axis } in sides {
        let Some(own) = axis else {
            // The same for all positions; of a single one it could be anything.
            is_known &= walk.is_parameter(id) || whole != Some(1);
            continue;
        };
        let length = walk.length(id, own);
        let is_same_for_all = length == Some(1) && whole != Some(1);
        let channels = walk.along(id, own);
        match channels.first() {
            _ if walk.is_parameter(id) => {
                if !is_same_for_all {
                    constants.push((id, own));
                }
            }
            Some(first) if Some(first.atoms.len()) == whole => units.push((id, own, channels)),
            Some(_) => walk.freeze_axis(id, own, node, "is one channel for all that it meets"),
            None => is_known &= is_same_for_all,
        }
    }
    let Some((_, _, first)) = units.first() else {
        for (tensor, own) in constants {
            if walk.length(tensor, own) != Some(1) {
                let reason = "shares a constant that varies along another axis";
                walk.pin(tensor, own, node, reason);
            }
        }
        return;
    };
    let mut reason = "meets an activation whose channels are not known";
    if is_known {
        let mut passed = Some(first.clone());
        for (_, _, own) in &units[1..] {
            passed = passed.and_then(|passed| walk.couple_axes(&passed, own));
        }
        if let Some(passed) = passed {
            for (tensor, own) in constants {
                walk.claim(tensor, own, of_constants, &passed);
            }
            for channels in passed {
                walk.carry(made, Channels { axis, ..channels });
            }
            return;
        }
        reason = "meets channels that are grouped otherwise";
    }
    for (id, own, _) in &units {
        walk.freeze_axis(*id, *own, node, reason);
    }
    for (tensor, own) in constants {
        walk.pin(tensor, own, node, "shares a constant with unknown channels");
    }
}

/// The same for what is added to the result inside a node, whose channels are known: it broadcasts to them.
pub(super) fn added(node: &Node, id: ValueId, role: Role, walk: &mut Walk<'_>) -> Result<()> {
    let made = node.output()?;
    let (Some(rank), Some(rank_made)) = (walk.rank(id), walk.rank(made)) else {
        walk.freeze(id, node, "is added to a value of unknown shape");
        walk.freeze(made, node, "has something of unknown shape added to it");
        return Ok(());
    };
    for axis in 0..rank_made {
        let Some(own) = (axis + rank).checked_sub(rank_made) else {
            continue;
        };
        let (length, whole) = (walk.length(id, own), walk.length(made, axis));
        let (there, here) = (walk.along(made, axis), walk.along(id, own));
        match (walk.is_parameter(id), there.is_empty(), here.is_empty()) {
            (true, false, _) if length == whole => walk.claim(id, own, role, &there),
            (true, ..) if length != Some(1) => {
                walk.pin(
                    id,
                    own,
                    node,
                    "shares a constant that varies along another axis",
                );
            }
            (true, ..) | (false, true, true) => {}
            (false, false, true) if length == Some(1) && whole != Some(1) => {}
            (false, false, false)
                if length == whole && walk.couple_axes(&there, &here).is_some() => {}
            (false, ..) => {
                let reason = "is added to channels that do not line up with its own";
                walk.freeze_axis(id, own, node, reason);
                walk.freeze_axis(made, axis, node, reason);
            }
        }
    }
    Ok(())
}
