//! The same network with the units of a layer in another order, which changes nothing of its function.

use crate::groups::{Group, GroupKind};
use crate::ops::Sources;
use crate::reindex::{Cut, reindex};
use crate::shapes::infer_shapes;
use crate::{ChannelGroups, Error, ErrorKind, Graph, GroupId, Result};

/// A reordered network, and how its constants came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Permuted {
    /// The reordered network; ids and shapes are those of the original.
    pub graph: Graph,
    /// The order of each constant that changed, so that what lies beside it can be reordered alike.
    pub cuts: Vec<Cut>,
}

/// Reorders the units of a hidden group in every tensor that holds them: unit `order[i]` becomes unit `i`.
///
/// # Errors
/// If the group is frozen or an input (whose features are not exchangeable), `order` is no permutation of
/// its units, or units do not all have as many positions on each axis.
pub fn permute(
    graph: &Graph,
    groups: &ChannelGroups,
    group: GroupId,
    order: &[usize],
) -> Result<Permuted> {
    let group = groups.group(group);
    check(group, order).map_err(|e| e.at(&group.name))?;
    let mut sources = Sources::new();
    for (value, axis, unit_of) in group.axes() {
        let source = reordered(unit_of, order).ok_or_else(|| {
            Error::unsupported("units that lie on an axis unequally often cannot be reordered")
                .at(&graph.value(value).name)
        })?;
        sources.insert((value, axis), source);
    }
    let (graph, cuts) = reindex(&infer_shapes(graph)?, sources)?;
    Ok(Permuted { graph, cuts })
}

fn check(group: &Group, order: &[usize]) -> Result<()> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..group.units) {
        let message = format!("{order:?} is no order of {} units", group.units);
        return Err(Error::invalid(message));
    }
    if let Some(freeze) = &group.frozen {
        let message = format!("cannot be reordered, as it {freeze}");
        return Err(Error::new(ErrorKind::Keep, message));
    }
    match group.kind {
        GroupKind::Hidden => Ok(()),
        GroupKind::Input(_) => Err(Error::unsupported("input features are not exchangeable")),
    }
}

/// The old position of each new one; `None` if some unit has more positions than another.
fn reordered(unit_of: &[Option<u32>], order: &[usize]) -> Option<Vec<usize>> {
    let mut positions = vec![vec![]; order.len()];
    for (position, unit) in unit_of.iter().enumerate() {
        if let Some(unit) = *unit {
            positions[unit as usize].push(position);
        }
    }
    let mut source: Vec<usize> = (0..unit_of.len()).collect();
    for (own, &from) in positions.iter().zip(order) {
        if own.len() != positions[from].len() {
            return None;
        }
        for (&new, &old) in own.iter().zip(&positions[from]) {
            source[new] = old;
        }
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_move_together_and_strangers_stay() {
        let unit_of = [Some(0), Some(0), None, Some(1), Some(1)];
        assert_eq!(reordered(&unit_of, &[1, 0]).unwrap(), [3, 4, 2, 0, 1]);
        assert_eq!(reordered(&unit_of[..4], &[1, 0]), None);
    }
}
