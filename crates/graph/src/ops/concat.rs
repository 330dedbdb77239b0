//! `Concat`: channels stand side by side; along the other axes they are the same.

use super::input_shape;
use crate::channels::{Atom, Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::{axis_at, text};
use crate::{Dim, Error, Graph, Node, Result, ValueId};

pub(super) fn shape(graph: &Graph, node: &Node, axis: i64) -> Result<Option<Vec<Dim>>> {
    let mut shape: Option<Vec<Dim>> = None;
    let mut length = Some(0);
    for index in 0..node.inputs.len() {
        let Some(x) = input_shape(graph, node, index)? else {
            return Ok(None);
        };
        let axis = axis_at(axis, x.len())?;
        length = length.zip(x[axis].fixed()).map(|(sum, own)| sum + own);
        let whole = shape.get_or_insert_with(|| x.to_vec());
        let same = |(a, (mine, other)): (usize, (&Dim, &Dim))| {
            let lengths = mine.fixed().zip(other.fixed());
            a == axis || lengths.is_none_or(|(m, n)| m == n)
        };
        if whole.len() != x.len() || !whole.iter().zip(x).enumerate().all(same) {
            return Err(Error::invalid(format!(
                "Concat of {} and {}",
                text(whole),
                text(x)
            )));
        }
    }
    let Some(mut shape) = shape else {
        return Err(Error::invalid("Concat takes at least one input"));
    };
    let axis = axis_at(axis, shape.len())?;
    shape[axis] = match length {
        Some(length) => Dim::Fixed(length),
        None => Dim::Named(format!("{}:{axis}", node.name)),
    };
    Ok(Some(shape))
}

pub(super) fn channels(node: &Node, axis: i64, walk: &mut Walk<'_>) -> Result<()> {
    let made = node.output()?;
    let Some(rank) = walk.rank(made) else {
        for &value in node.inputs.iter().flatten() {
            walk.freeze(value, node, "has an unknown shape");
        }
        return Ok(());
    };
    let along = axis_at(axis, rank)?;
    for axis in 0..rank {
        match axis == along {
            true => side_by_side(node, axis, walk)?,
            false => together(node, axis, walk)?,
        }
    }
    Ok(())
}

/// Along the axis of concatenation. Positions of a constant are units that it makes; what is not known as channels stands
/// among them as it is.
fn side_by_side(node: &Node, axis: usize, walk: &mut Walk<'_>) -> Result<()> {
    let inputs: Vec<_> = node.inputs.iter().flatten().copied().collect();
    let known: Vec<Vec<Channels>> = inputs.iter().map(|&x| walk.along(x, axis)).collect();
    let factors = known.iter().map(Vec::len).max().unwrap_or(0);
    let pin_constants = |walk: &mut Walk<'_>| {
        for &x in inputs
            .iter()
            .filter(|&&x| walk.is_parameter(x))
            .collect::<Vec<_>>()
        {
            walk.pin(x, axis, node, "stands beside what is not known as channels");
        }
    };
    if factors == 0 {
        pin_constants(walk);
        return Ok(());
    }
    let lengths: Option<Vec<usize>> = inputs.iter().map(|&x| walk.length(x, axis)).collect();
    let same = known.iter().all(|k| k.is_empty() || k.len() == factors);
    let (Some(lengths), true) = (lengths, same) else {
        for &x in &inputs {
            let reason = "stands beside channels that are grouped otherwise";
            walk.freeze_axis(x, axis, node, reason);
        }
        pin_constants(walk);
        return Ok(());
    };
    for factor in 0..factors {
        let mut atoms: Vec<Atom> = vec![];
        for ((own, &length), &x) in known.iter().zip(&lengths).zip(&inputs) {
            match own.get(factor) {
                Some(channels) => atoms.extend(&channels.atoms),
                None if factors == 1 && walk.is_parameter(x) => {
                    let made = walk.fill(length);
                    let own = Channels {
                        axis,
                        atoms: made.clone(),
                    };
                    walk.claim(x, axis, Role::Produces, &[own]);
                    atoms.extend(made);
                }
                None => atoms.extend(walk.fixed(length, node, "is not known as channels")),
            }
        }
        walk.carry(node.output()?, Channels { axis, atoms });
    }
    if factors > 1 {
        pin_constants(walk);
    }
    Ok(())
}

/// Along every other axis all inputs have the same channels, and those of constants go along with them.
fn together(node: &Node, axis: usize, walk: &mut Walk<'_>) -> Result<()> {
    let inputs: Vec<_> = node.inputs.iter().flatten().copied().collect();
    let (constants, activations): (Vec<ValueId>, Vec<ValueId>) =
        inputs.iter().partition(|&&x| walk.is_parameter(x));
    let mut all = activations.iter().map(|&x| walk.along(x, axis));
    let mut passed = all.next().filter(|first| !first.is_empty());
    for own in all.collect::<Vec<_>>() {
        passed = passed.filter(|_| !own.is_empty());
        passed = passed.and_then(|passed| walk.couple_axes(&passed, &own));
    }
    let Some(passed) = passed else {
        for &x in &activations {
            let reason = "meets an activation whose channels do not line up with its own";
            walk.freeze_axis(x, axis, node, reason);
        }
        for x in constants {
            walk.pin(x, axis, node, "stands beside what is not known as channels");
        }
        return Ok(());
    };
    for x in constants {
        walk.claim(x, axis, Role::Carries, &passed);
    }
    for channels in passed {
        walk.carry(node.output()?, channels);
    }
    Ok(())
}

pub(super) fn evaluate(axis: i64, inputs: &[&Array]) -> Result<Array> {
    let Some(first) = inputs.first() else {
        return Err(Error::invalid("Concat takes at least one input"));
    };
    let axis = axis_at(axis, first.shape.len())?;
    let outer: usize = first.shape[..axis].iter().product();
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    let mut blocks = vec![];
    for input in inputs {
        let mut rest = input.shape.clone();
        let length = rest.get(axis).copied().unwrap_or_default();
        shape[axis] += length;
        if rest.len() == shape.len() {
            rest[axis] = shape[axis];
        }
        if rest != shape {
            return Err(Error::invalid(format!(
                "Concat of shapes {:?} and {:?}",
                first.shape, input.shape
            )));
        }
        let block: usize = input.shape[axis..].iter().product();
        blocks.push((block, &input.values));
    }
    let mut values = Vec::with_capacity(shape.iter().product());
    for o in 0..outer {
        for (block, all) in &blocks {
            values.extend_from_slice(&all[o * block..(o + 1) * block]);
        }
    }
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_side_by_side() {
        let a = Array::new([2, 1], vec![1.0, 2.0]).unwrap();
        let b = Array::new([2, 2], vec![3.0, 4.0, 5.0, 6.0]).unwrap();
        let y = evaluate(1, &[&a, &b]).unwrap();
        assert_eq!(y.shape, [2, 3]);
        assert_eq!(y.values, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
        assert!(evaluate(0, &[&a, &b]).is_err());
    }
}
