//! `MaxUnpool`: numbers put back to where `MaxPool` found them, and zeros between.

use serde::{Deserialize, Serialize};

use super::{CHANNELS, channel_by_channel};
use crate::channels::Walk;
use crate::eval::Array;
use crate::ops::{Sources, expand, input_shape};
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, NodeId, Op, Result, Tensor, ValueId};

/// Attributes of `MaxUnpool`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxUnpool {
    /// Lengths of the window, one a spatial axis.
    pub kernel: Vec<usize>,
    /// Steps from one window to the next.
    pub strides: Vec<usize>,
    /// Positions beyond the borders, before each axis and then behind each.
    pub pads: Vec<usize>,
}

/// The input that states another shape.
const SHAPE: usize = 2;

impl MaxUnpool {
    /// The length of an axis before it was pooled to `length`.
    fn length(&self, axis: usize, length: usize) -> Option<usize> {
        let borders = self.pads[axis].checked_add(self.pads[self.kernel.len() + axis])?;
        let steps = length.checked_sub(1)?.checked_mul(self.strides[axis])?;
        steps.checked_add(self.kernel[axis])?.checked_sub(borders)
    }

    /// The shape that follows from the window.
    fn inferred(&self, x: &[Dim]) -> Result<Vec<Dim>> {
        let [rows, channels, spatial @ ..] = x else {
            return Err(self.misfit(x.len()));
        };
        let axes = self.kernel.len();
        if spatial.len() != axes || self.strides.len() != axes || self.pads.len() != 2 * axes {
            return Err(self.misfit(x.len()));
        }
        let mut shape = vec![rows.clone(), channels.clone()];
        for (axis, dim) in spatial.iter().enumerate() {
            shape.push(match dim.fixed() {
                Some(n) => Dim::Fixed(self.length(axis, n).ok_or_else(|| self.misfit(x.len()))?),
                None => Dim::Named(format!("unpool({dim})")),
            });
        }
        Ok(shape)
    }

    fn misfit(&self, axes: usize) -> Error {
        let spatial = self.kernel.len();
        let message = format!("MaxUnpool over {spatial} axes of a value with {axes} axes");
        Error::invalid(message).hint("its window must fit what is left of its padding")
    }
}

fn states_shape(node: &Node) -> bool {
    matches!(node.inputs.get(SHAPE), Some(Some(_)))
}

pub(super) fn shape(graph: &Graph, node: &Node, unpool: &MaxUnpool) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let inferred = unpool.inferred(x)?;
    if let Some(places) = input_shape(graph, node, 1)? {
        let differ = |(a, b): (&Dim, &Dim)| a.fixed().zip(b.fixed()).is_some_and(|(a, b)| a != b);
        if places.len() != x.len() || x.iter().zip(places).any(differ) {
            return Err(Error::invalid(format!(
                "MaxUnpool of shape {} to places of shape {}",
                text(x),
                text(places)
            )));
        }
    }
    if !states_shape(node) {
        return Ok(Some(inferred));
    }
    let stated = expand::wanted(graph, node, SHAPE)?;
    match stated {
        Some(stated) if stated.len() != x.len() => Err(unpool.misfit(stated.len())),
        stated => Ok(stated),
    }
}

/// Where numbers lie is counted through all rows and channels, so that a channel can go only if it goes from both inputs, and
/// if what comes out has as many places a channel as what was pooled.
pub(super) fn channels(node: &Node, unpool: &MaxUnpool, walk: &mut Walk<'_>) -> Result<()> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    if let Some(reason) = unsound(walk.graph(), node, unpool)? {
        walk.freeze(x, node, reason);
        walk.freeze(indices, node, reason);
        return Ok(());
    }
    for axis in 0..=CHANNELS {
        let (own, other) = (walk.along(x, axis), walk.along(indices, axis));
        let is_known = !own.is_empty() && !other.is_empty();
        if own.is_empty() && other.is_empty()
            || is_known && walk.couple_axes(&own, &other).is_some()
        {
            continue;
        }
        let reason = "is put back by MaxUnpool where others were found";
        walk.freeze_axis(x, axis, node, reason);
        walk.freeze_axis(indices, axis, node, reason);
    }
    for channels in walk.along(x, 0) {
        walk.carry(node.output()?, channels);
    }
    channel_by_channel(node, walk)
}

/// Why the channels of a node stay, if so.
fn unsound(graph: &Graph, node: &Node, unpool: &MaxUnpool) -> Result<Option<&'static str>> {
    let Some(pooled) = pooled(graph, node.input(1)?) else {
        return Ok(Some(
            "is put back by MaxUnpool to places that do not come from MaxPool at once",
        ));
    };
    let (Some(x), Some(pooled)) = (input_shape(graph, node, 0)?, &graph.value(pooled).shape) else {
        return Ok(Some("is put back by MaxUnpool into an unknown shape"));
    };
    let inferred = unpool.inferred(x)?;
    if states_shape(node) {
        let Some(stated) = graph.numbers(node.input(SHAPE)?) else {
            return Ok(Some(
                "is put back by MaxUnpool into a shape that is not constant",
            ));
        };
        let same = |(stated, inferred): (&f64, &Dim)| {
            inferred.fixed().is_some_and(|n| n as f64 == *stated)
        };
        if stated.len() != inferred.len() || !stated.iter().zip(&inferred).all(same) {
            return Ok(Some(
                "is put back by MaxUnpool into another shape than its window's",
            ));
        }
    }
    let places = |shape: &[Dim]| -> Option<Vec<usize>> {
        shape.iter().skip(CHANNELS + 1).map(Dim::fixed).collect()
    };
    let same = places(&inferred).is_some() && places(&inferred) == places(pooled);
    Ok((!same).then_some("is put back by MaxUnpool into another shape than was pooled"))
}

/// What was pooled where these places were found.
fn pooled(graph: &Graph, indices: ValueId) -> Option<ValueId> {
    let node = graph.node(graph.producer(indices)?);
    let is_second = node.outputs.get(1) == Some(&indices);
    let is_pool = matches!(node.op, Op::Pool(_)) && is_second;
    is_pool.then(|| node.input(0).ok()).flatten()
}

/// Whether nothing but `MaxUnpool` reads places, so that they may be counted anew.
pub(in crate::ops) fn alone_reads(graph: &Graph, indices: ValueId) -> bool {
    let is_place = |id: NodeId| {
        let node = graph.node(id);
        let inputs = node.inputs.iter().enumerate();
        let mut others = inputs.filter(|(slot, input)| **input == Some(indices) && *slot != 1);
        matches!(&node.op, Op::Sample(super::Sample::Unpool(_))) && others.next().is_none()
    };
    !graph.outputs().contains(&indices) && graph.readers(indices).iter().all(|&id| is_place(id))
}

/// The stated shape after channels went.
pub(super) fn slice(graph: &Graph, node: &Node, sources: &Sources) -> Result<Vec<(usize, Tensor)>> {
    let made = node.output()?;
    let stated = match node.inputs.get(SHAPE) {
        Some(Some(id)) => graph.constant(*id).and_then(Tensor::as_i64),
        _ => None,
    };
    let Some(old) = stated else {
        return Ok(vec![]);
    };
    let entry = |(axis, &length): (usize, &i64)| match sources.get(&(made, axis)) {
        Some(kept) => kept.len() as i64,
        None => length,
    };
    let new: Vec<i64> = old.iter().enumerate().map(entry).collect();
    match new == old {
        true => Ok(vec![]),
        false => Ok(vec![(SHAPE, Tensor::i64([new.len()], new)?)]),
    }
}

pub(super) fn evaluate(unpool: &MaxUnpool, inputs: &[Option<&Array>]) -> Result<Array> {
    let (Some(Some(x)), Some(Some(indices))) = (inputs.first(), inputs.get(1)) else {
        return Err(Error::invalid("MaxUnpool has no input or no places"));
    };
    let dims: Vec<Dim> = x.shape.iter().map(|&n| Dim::Fixed(n)).collect();
    let inferred = unpool.inferred(&dims)?;
    let shape: Vec<usize> = inferred.iter().filter_map(Dim::fixed).collect();
    if let Some(Some(stated)) = inputs.get(SHAPE) {
        let same = stated
            .values
            .iter()
            .zip(&shape)
            .all(|(a, &b)| *a == b as f64);
        if stated.values.len() != shape.len() || !same {
            return Err(Error::unsupported(
                "MaxUnpool into another shape than its window's is read in two ways",
            )
            .hint("verify this network with the runtime that it was made for"));
        }
    }
    if indices.shape != x.shape {
        return Err(Error::invalid(format!(
            "MaxUnpool of shape {:?} to places of shape {:?}",
            x.shape, indices.shape
        )));
    }
    let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let elements = elements.ok_or_else(|| unpool.misfit(shape.len()))?;
    let mut values = vec![0.0; elements];
    for (&value, &at) in x.values.iter().zip(&indices.values) {
        if !(0.0..elements as f64).contains(&at) {
            return Err(Error::invalid(format!(
                "MaxUnpool to place {at} of {elements}"
            )));
        }
        values[at as usize] = value;
    }
    Array::new(shape, values)
}
