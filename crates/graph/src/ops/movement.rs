//! Where does a channel go in an operation that only moves elements?
//!
//! No rule is stated: the operation is run on a tensor that holds, at every element, the channel it
//! belongs to, and the answer is read off the result.

use crate::channels::{Channels, Walk};
use crate::{Dim, Node, Result};

/// The channel rule of every data-movement operation; `run` moves labels of a given shape.
pub(super) fn channels(
    node: &Node,
    walk: &mut Walk<'_>,
    run: impl Fn(&[usize], Vec<usize>) -> Result<(Vec<usize>, Vec<usize>)>,
) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    let Some(before) = walk.channels(x).cloned() else {
        return Ok(());
    };
    let Some(shape) = walk.graph().value(x).shape.as_deref() else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let (moved_shape, labels) = {
        // An unknown length stands in as 2, so that an axis that it is folded into shows.
        let lengths: Vec<usize> = shape.iter().map(|d| d.fixed().unwrap_or(2)).collect();
        let labels = label(&lengths, before.axis);
        run(&lengths, labels)?
    };
    let found = walk.graph().value(made).shape.as_deref().and_then(|dims| {
        let order = std::iter::once(before.axis).chain(0..dims.len());
        let fixed = order.filter(|&axis| dims.get(axis).and_then(Dim::fixed).is_some());
        fixed.into_iter().find_map(|axis| {
            let along = along(&moved_shape, &labels, axis)?;
            Some((axis, along))
        })
    });
    match found {
        Some((axis, along)) => {
            let atoms = along.iter().map(|&c| before.atoms[c]).collect();
            walk.carry(made, Channels { axis, atoms });
        }
        None => walk.freeze(x, node, "is moved so that its channels lie on no one axis"),
    }
    Ok(())
}

/// For every element, its position along `axis`.
fn label(shape: &[usize], axis: usize) -> Vec<usize> {
    let inner: usize = shape[axis + 1..].iter().product();
    let elements: usize = shape.iter().product();
    (0..elements).map(|e| e / inner % shape[axis]).collect()
}

/// The label at each position of `axis`, if labels depend on that position alone.
fn along(shape: &[usize], labels: &[usize], axis: usize) -> Option<Vec<usize>> {
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
