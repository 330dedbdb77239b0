//! `Expand` and `Tile`: elements repeated along axes.

use super::{Rewrite, Sources, input_shape, movement};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::known::Entry;
use crate::{Dim, Error, Graph, Node, Op, Result, Tensor, ValueId, shapes};

/// The wanted lengths, as far as they are known.
pub(super) fn wanted(graph: &Graph, node: &Node, slot: usize) -> Result<Option<Vec<Dim>>> {
    let id = node.input(slot)?;
    let numbers = match (graph.numbers(id), &graph.value(id).entries) {
        (Some(numbers), _) => numbers.into_iter().map(Entry::Number).collect(),
        (None, Some(entries)) => entries.clone(),
        (None, None) => return Ok(None),
    };
    let dim = |(axis, entry): (usize, Entry)| match entry {
        Entry::Number(n) if n >= 0.0 && n.fract() == 0.0 => Ok(Dim::Fixed(n as usize)),
        Entry::Number(n) => Err(Error::invalid(format!(
            "{} to a length of {n}",
            node.op.onnx_name()
        ))),
        Entry::Length(name) => Ok(Dim::Named(name)),
        Entry::Other => Ok(Dim::Named(format!("{}:{axis}", node.name))),
    };
    numbers
        .into_iter()
        .enumerate()
        .map(dim)
        .collect::<Result<_>>()
        .map(Some)
}

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    match (input_shape(graph, node, 0)?, wanted(graph, node, 1)?) {
        (Some(x), Some(wanted)) => shapes::broadcast(x, &wanted).map(Some),
        _ => Ok(None),
    }
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    let (Some(rank), Some(rank_made)) = (walk.rank(x), walk.rank(made)) else {
        walk.freeze(x, node, "is repeated to a shape that is not known");
        return Ok(());
    };
    if walk.is_parameter(x) {
        // A row of its own for every row, such as a class token: its elements are made here.
        for axis in 0..rank {
            let (Some(length), made_axis) = (walk.length(x, axis), axis + rank_made - rank) else {
                continue;
            };
            let is_features =
                axis + 1 == rank && walk.length(made, made_axis) == Some(length) && length > 1;
            if is_features {
                let produced = walk.produce(made, made_axis, length);
                walk.claim(x, axis, crate::Role::Produces, &produced);
            } else if length > 1 {
                walk.pin(x, axis, node, "is repeated");
            } else {
                fill(made, made_axis, walk);
            }
        }
        // Axes that the constant lacks.
        (0..rank_made - rank).for_each(|axis| fill(made, axis, walk));
        return Ok(());
    }
    for channels in walk.channels(x).to_vec() {
        let axis = channels.axis + rank_made - rank;
        match walk.length(made, axis) == Some(channels.atoms.len()) && channels.atoms.len() > 1 {
            true => walk.carry(made, Channels { axis, ..channels }),
            false => walk.freeze_axis(x, channels.axis, node, "is repeated along its channels"),
        }
    }
    Ok(())
}

/// Positions along an axis that all hold the same number are units that go wherever those that they meet go.
pub(super) fn fill(made: ValueId, axis: usize, walk: &mut Walk<'_>) {
    if let Some(length) = walk.length(made, axis).filter(|&n| n > 1) {
        let atoms = walk.fill(length);
        walk.carry(made, Channels { axis, atoms });
    }
}

/// The wanted lengths after positions went; entries that are 1 stay, as they ask for nothing.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    slot: usize,
    sources: &Sources,
) -> Result<Vec<Rewrite>> {
    let (wanted, made) = (node.input(slot)?, node.output()?);
    // A constant, or numbers that stand beside lengths which are computed.
    let pieces = match graph.producer(wanted) {
        None => vec![(None, slot, wanted)],
        Some(id) => {
            let inputs = graph.node(id).inputs.iter().enumerate();
            let pieces = inputs.filter_map(|(slot, input)| Some((Some(id), slot, (*input)?)));
            match graph.node(id).op {
                Op::Concat { .. } => pieces.collect(),
                _ => return Ok(vec![]),
            }
        }
    };
    let count = |id: ValueId| match graph.value(id).shape.as_deref() {
        Some([length]) => length.fixed(),
        _ => None,
    };
    let lengths: Option<Vec<usize>> = pieces.iter().map(|(_, _, id)| count(*id)).collect();
    let (Some(lengths), Some(shape)) = (lengths, &graph.value(made).shape) else {
        return Ok(vec![]);
    };
    let mut axis = shape.len().saturating_sub(lengths.iter().sum());
    let mut rewrites = vec![];
    for ((reader, slot, id), length) in pieces.into_iter().zip(lengths) {
        let old = graph.constant(id).map(Tensor::numbers);
        let old: Vec<i64> = old.iter().flatten().map(|&n| n as i64).collect();
        let entry = |(i, &length): (usize, &i64)| match sources.get(&(made, axis + i)) {
            Some(kept) if length > 1 => kept.len() as i64,
            _ => length,
        };
        let new: Vec<i64> = old.iter().enumerate().map(entry).collect();
        if new != old {
            rewrites.push(Rewrite {
                reader,
                slot,
                tensor: Tensor::i64([new.len()], new)?,
            });
        }
        axis += length;
    }
    Ok(rewrites)
}

pub(super) fn evaluate(x: &Array, wanted: &Array) -> Result<Array> {
    let dims =
        |lengths: &mut dyn Iterator<Item = usize>| lengths.map(Dim::Fixed).collect::<Vec<_>>();
    let a = dims(&mut x.shape.iter().copied());
    let b = dims(&mut wanted.values.iter().map(|&n| n as usize));
    let shape = shapes::broadcast(&a, &b)?;
    x.broadcast_to(&shape.iter().filter_map(Dim::fixed).collect::<Vec<_>>())
}

pub(super) fn tile_shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(times)) = (input_shape(graph, node, 0)?, wanted(graph, node, 1)?) else {
        return Ok(None);
    };
    if x.len() != times.len() {
        return Err(Error::invalid(format!(
            "Tile of {} axes by {} numbers",
            x.len(),
            times.len()
        )));
    }
    let pairs = x.iter().zip(times).enumerate();
    Ok(Some(
        pairs
            .map(|(axis, pair)| match pair {
                (own, Dim::Fixed(1)) => own.clone(),
                (Dim::Fixed(1), times) => times,
                (Dim::Fixed(n), Dim::Fixed(times)) => Dim::Fixed(n.saturating_mul(times)),
                _ => Dim::Named(format!("{}:{axis}", node.name)),
            })
            .collect(),
    ))
}

/// Several copies of a channel are one unit.
pub(super) fn tile_channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (x, times) = (node.input(0)?, node.input(1)?);
    let Some(times) = walk.graph().numbers(times) else {
        walk.freeze(x, node, "is repeated so often as is not constant");
        return Ok(());
    };
    movement::channels(node, walk, |shape, labels| tile(shape, &labels, &times))
}

fn tile<T: Copy>(shape: &[usize], values: &[T], times: &[f64]) -> Result<(Vec<usize>, Vec<T>)> {
    if shape.len() != times.len() {
        return Err(Error::invalid("Tile takes a number for every axis"));
    }
    let (mut shape, mut values) = (shape.to_vec(), values.to_vec());
    for (axis, &times) in times.iter().enumerate() {
        let block: usize = shape[axis..].iter().product();
        let blocks = values.chunks(block.max(1));
        values = blocks.flat_map(|b| b.repeat(times as usize)).collect();
        shape[axis] *= times as usize;
    }
    Ok((shape, values))
}

pub(super) fn tile_evaluate(x: &Array, times: &Array) -> Result<Array> {
    let (shape, values) = tile(&x.shape, &x.values, &times.values)?;
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_repeated() {
        let x = Array::new([2, 1], vec![1.0, 2.0]).unwrap();
        let two = |a: f64, b: f64| Array::new([2], vec![a, b]).unwrap();
        assert_eq!(
            evaluate(&x, &two(1.0, 2.0)).unwrap().values,
            [1.0, 1.0, 2.0, 2.0]
        );
        let y = tile_evaluate(&x, &two(2.0, 2.0)).unwrap();
        assert_eq!(
            (y.shape, y.values),
            (vec![4, 2], vec![1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0])
        );
        assert!(evaluate(&x, &two(3.0, 1.0)).is_err());
    }
}
