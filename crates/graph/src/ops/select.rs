//! `Where`: of two operands, the one that a condition names; channels of all three are coupled.

use super::{binary, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Graph, Node, Result, shapes};

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let mut shape: Option<Vec<Dim>> = None;
    for slot in 0..3 {
        let Some(own) = input_shape(graph, node, slot)? else {
            return Ok(None);
        };
        shape = Some(match shape {
            None => own.to_vec(),
            Some(others) => shapes::broadcast(&others, own)?,
        });
    }
    Ok(shape)
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let made = node.output()?;
    let inputs = [node.input(0)?, node.input(1)?, node.input(2)?];
    let rank_made = walk.rank(made);
    let with_channels: Vec<_> = inputs
        .into_iter()
        .filter(|&id| !walk.channels(id).is_empty())
        .collect();
    let is_plain = |id: &crate::ValueId| walk.is_parameter(*id) || walk.channels(*id).is_empty();
    match with_channels[..] {
        // What chooses, and what is chosen instead, is the same for all channels.
        [only] if walk.rank(only) == rank_made => {
            let own = walk.channels(only).to_vec();
            let others: Vec<_> = inputs
                .into_iter()
                .filter(|id| *id != only && is_plain(id))
                .collect();
            for channels in own {
                let passes = others.iter().all(|&id| {
                    let shape = walk.graph().value(id).shape.as_deref().unwrap_or_default();
                    let at = (channels.axis + shape.len()).checked_sub(rank_made.unwrap_or(0));
                    at.is_none_or(|axis| shape.get(axis).and_then(Dim::fixed) == Some(1))
                });
                match passes {
                    true => walk.carry(made, channels),
                    false => walk.freeze_axis(only, channels.axis, node, "is chosen by channel"),
                }
            }
        }
        _ => {
            for id in inputs {
                walk.freeze(id, node, "is chosen from several activations");
            }
        }
    }
    Ok(())
}

pub(super) fn evaluate(condition: &Array, a: &Array, b: &Array) -> Result<Array> {
    let shape = binary::common_shape(&[condition, a, b])?;
    let [condition, a, b] = [condition, a, b].map(|array| array.broadcast_to(&shape));
    let (condition, a, b) = (condition?, a?, b?);
    let pairs = a.values.iter().zip(&b.values);
    let chosen = condition.values.iter().zip(pairs);
    let values = chosen.map(|(&c, (&a, &b))| if c != 0.0 { a } else { b });
    Array::new(shape, values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_chosen() {
        let condition = Array::new([2, 1], vec![1.0, 0.0]).unwrap();
        let a = Array::new([2], vec![1.0, 2.0]).unwrap();
        let b = Array::new([], vec![9.0]).unwrap();
        let y = evaluate(&condition, &a, &b).unwrap();
        assert_eq!((y.shape, y.values), (vec![2, 2], vec![1.0, 2.0, 9.0, 9.0]));
    }
}
