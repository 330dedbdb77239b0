//! `Pad`: positions added around the elements.

use serde::{Deserialize, Serialize};

use super::{Sources, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Op, Result, Tensor};

/// What stands in the added positions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum PadMode {
    /// A number: that of the attribute, or of the third input.
    Constant(f32),
    /// The elements mirrored at the edge, which is not repeated.
    Reflect,
    /// The element at the edge.
    Edge,
    /// The elements from the other side.
    Wrap,
}

/// Attributes of [`Op::Pad`](crate::Op::Pad).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// What is added.
    pub mode: PadMode,
    /// How many positions, before every axis and then behind every axis; an input in operator sets from 11 on.
    pub pads: Option<Vec<i64>>,
}

/// Positions before and behind each axis.
type Sides = Vec<(i64, i64)>;

fn sides(pads: &[i64], axes: Option<&[i64]>, rank: usize) -> Result<Sides> {
    let mut sides = vec![(0, 0); rank];
    let axes: Vec<usize> = match axes {
        Some(axes) => axes
            .iter()
            .map(|&a| axis_at(a, rank))
            .collect::<Result<_>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(Error::invalid(format!(
            "Pad of {} axes by {} numbers",
            axes.len(),
            pads.len()
        )));
    }
    for (i, &axis) in axes.iter().enumerate() {
        sides[axis] = (pads[i], pads[i + axes.len()]);
    }
    Ok(sides)
}

fn constant_sides(graph: &Graph, node: &Node, pad: &Pad, rank: usize) -> Result<Option<Sides>> {
    let list = |slot: usize| -> Option<Option<Vec<i64>>> {
        let Some(Some(id)) = node.inputs.get(slot) else {
            return Some(None);
        };
        let numbers = graph.numbers(*id)?;
        Some(Some(numbers.iter().map(|&n| n as i64).collect()))
    };
    let pads = match &pad.pads {
        Some(pads) => pads.clone(),
        None => match list(1) {
            Some(Some(pads)) => pads,
            Some(None) => return Err(Error::invalid("Pad without numbers")),
            None => return Ok(None),
        },
    };
    let Some(axes) = list(3) else { return Ok(None) };
    sides(&pads, axes.as_deref(), rank).map(Some)
}

pub(super) fn shape(graph: &Graph, node: &Node, pad: &Pad) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let unknown = |axis: usize| Dim::Named(format!("{}:{axis}", node.name));
    let Some(sides) = constant_sides(graph, node, pad, x.len())? else {
        return Ok(Some((0..x.len()).map(unknown).collect()));
    };
    let dim = |(axis, (dim, (before, behind))): (usize, (&Dim, (i64, i64)))| match dim {
        dim if (before, behind) == (0, 0) => Ok(dim.clone()),
        Dim::Fixed(length) => {
            let length = (*length as i64)
                .saturating_add(before)
                .saturating_add(behind);
            let length = usize::try_from(length);
            length
                .map(Dim::Fixed)
                .map_err(|_| Error::invalid("Pad takes away more than there is"))
        }
        Dim::Named(_) => Ok(unknown(axis)),
    };
    x.iter()
        .zip(sides)
        .enumerate()
        .map(dim)
        .collect::<Result<_>>()
        .map(Some)
}

/// Channels that are added are units that nothing but the number in them makes: as many are added as are left.
pub(super) fn channels(node: &Node, pad: &Pad, walk: &mut Walk<'_>) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let Some(sides) = constant_sides(walk.graph(), node, pad, rank)? else {
        walk.freeze(x, node, "is padded by numbers that are not constant");
        return Ok(());
    };
    for (axis, side) in sides.into_iter().enumerate() {
        let own = walk.along(x, axis);
        let added = (usize::try_from(side.0), usize::try_from(side.1));
        match (&own[..], pad.mode, added) {
            (all, _, _) if side == (0, 0) => {
                all.iter().for_each(|c| walk.carry(made, c.clone()));
            }
            ([whole], PadMode::Constant(_), (Ok(before), Ok(behind))) => {
                let mut atoms = walk.fill(before);
                atoms.extend(&whole.atoms);
                atoms.extend(walk.fill(behind));
                walk.carry(made, Channels { axis, atoms });
            }
            _ => walk.freeze_axis(x, axis, node, "is padded with further channels"),
        }
    }
    Ok(())
}

/// How many positions are still added, where channels went; none where that is as before.
fn left(graph: &Graph, node: &Node, pad: &Pad, sources: &Sources) -> Result<Option<Sides>> {
    let (x, made) = (node.input(0)?, node.output()?);
    let Some(shape) = graph.value(x).shape.as_deref() else {
        return Ok(None);
    };
    let Some(sides) = constant_sides(graph, node, pad, shape.len())? else {
        return Ok(None);
    };
    let mut left = sides.clone();
    for (axis, (before, behind)) in left.iter_mut().enumerate() {
        let (Some(kept), Some(length)) = (sources.get(&(made, axis)), shape[axis].fixed()) else {
            continue;
        };
        let first = usize::try_from(*before).unwrap_or_default();
        *before = kept.iter().filter(|&&k| k < first).count() as i64;
        *behind = kept.iter().filter(|&&k| k >= first + length).count() as i64;
    }
    Ok((left != sides).then_some(left))
}

/// The numbers for all axes, those before them first.
fn listed(sides: &Sides) -> Vec<i64> {
    let before = sides.iter().map(|side| side.0);
    before.chain(sides.iter().map(|side| side.1)).collect()
}

/// The operation with fewer added positions, where they are an attribute.
pub(super) fn rewritten(graph: &Graph, node: &Node, pad: &Pad, sources: &Sources) -> Option<Op> {
    pad.pads.as_ref()?;
    let left = left(graph, node, pad, sources).ok()??;
    Some(Op::Pad(Pad {
        pads: Some(listed(&left)),
        ..pad.clone()
    }))
}

/// The same where they are an input: as many for each axis that is named, if some are.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    pad: &Pad,
    sources: &Sources,
) -> Result<Vec<(usize, Tensor)>> {
    let left = left(graph, node, pad, sources)?.filter(|_| pad.pads.is_none());
    let Some(mut left) = left else {
        return Ok(vec![]);
    };
    if let Some(axes) = node.inputs.get(3).copied().flatten() {
        let axes = graph.numbers(axes).unwrap_or_default();
        let named = axes.iter().map(|&a| axis_at(a as i64, left.len()));
        let named: Vec<usize> = named.collect::<Result<_>>()?;
        left = named.into_iter().map(|axis| left[axis]).collect();
    }
    let numbers = listed(&left);
    Ok(vec![(1, Tensor::i64([numbers.len()], numbers)?)])
}

pub(super) fn evaluate(pad: &Pad, inputs: &[Option<&Array>]) -> Result<Array> {
    let input = |slot: usize| inputs.get(slot).copied().flatten();
    let Some(x) = input(0) else {
        return Err(Error::invalid("Pad has no input"));
    };
    let whole = |a: &Array| a.values.iter().map(|&n| n as i64).collect::<Vec<_>>();
    let pads = match (&pad.pads, input(1)) {
        (Some(pads), _) => pads.clone(),
        (None, Some(pads)) => whole(pads),
        (None, None) => return Err(Error::invalid("Pad without numbers")),
    };
    let sides = sides(&pads, input(3).map(whole).as_deref(), x.shape.len())?;
    let mut shape = vec![];
    for (&length, &(before, behind)) in x.shape.iter().zip(&sides) {
        let length = (length as i64)
            .saturating_add(before)
            .saturating_add(behind);
        let length = usize::try_from(length);
        shape.push(length.map_err(|_| Error::invalid("Pad takes away more than there is"))?);
    }
    let fill = match (pad.mode, input(2).and_then(|a| a.values.first())) {
        (PadMode::Constant(_), Some(&number)) => number,
        (PadMode::Constant(number), None) => f64::from(number),
        _ => 0.0,
    };
    let values = super::window::indices(&shape).map(|place| {
        let mut from = Some(0);
        for ((&at, &length), (before, _)) in place.iter().zip(&x.shape).zip(&sides) {
            let own = source(pad.mode, at as i64 - before, length as i64);
            from = from.zip(own).map(|(from, own)| from * length + own);
        }
        from.map_or(fill, |from| x.values[from])
    });
    Array::new(shape.clone(), values.collect())
}

/// The position that an added one repeats; none where a number stands.
fn source(mode: PadMode, at: i64, length: i64) -> Option<usize> {
    let at = match mode {
        _ if (0..length).contains(&at) => at,
        PadMode::Constant(_) => return None,
        _ if length == 0 => return None,
        PadMode::Edge => at.clamp(0, length - 1),
        PadMode::Wrap => at.rem_euclid(length),
        PadMode::Reflect if length == 1 => 0,
        PadMode::Reflect => {
            let there_and_back = 2 * (length - 1);
            let at = at.rem_euclid(there_and_back);
            at.min(there_and_back - at)
        }
    };
    usize::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_fills_in_its_way() {
        let x = Array::new([3], vec![1.0, 2.0, 3.0]).unwrap();
        let padded = |mode| {
            let pad = Pad {
                mode,
                pads: Some(vec![2, 1]),
            };
            evaluate(&pad, &[Some(&x)]).unwrap().values
        };
        assert_eq!(
            padded(PadMode::Constant(9.0)),
            [9.0, 9.0, 1.0, 2.0, 3.0, 9.0]
        );
        assert_eq!(padded(PadMode::Reflect), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
        assert_eq!(padded(PadMode::Edge), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
        assert_eq!(padded(PadMode::Wrap), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
    }

    #[test]
    fn negative_pads_crop_and_axes_choose() {
        let x = Array::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let list = |v: &[f64]| Array::new([v.len()], v.to_vec()).unwrap();
        let pad = Pad {
            mode: PadMode::Constant(0.0),
            pads: None,
        };
        let (pads, axes) = (list(&[-1.0, 0.0]), list(&[-1.0]));
        let y = evaluate(&pad, &[Some(&x), Some(&pads), None, Some(&axes)]).unwrap();
        assert_eq!((y.shape, y.values), (vec![2, 1], vec![2.0, 4.0]));
    }
}
