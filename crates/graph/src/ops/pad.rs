//! `Pad`: positions added around the elements.

use serde::{Deserialize, Serialize};

use super::input_shape;
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Result};

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
            let length = *length as i64 + before + behind;
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
    for channels in walk.channels(x).to_vec() {
        if sides[channels.axis] == (0, 0) {
            walk.carry(made, channels);
        } else {
            walk.freeze_axis(x, channels.axis, node, "is padded with further channels");
        }
    }
    Ok(())
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
    for (&length, (before, behind)) in x.shape.iter().zip(&sides) {
        let length = usize::try_from(length as i64 + before + behind);
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
