//! `Where`: of two operands, the one that a condition names; channels of all three are coupled.

use super::{binary, broadcast, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
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
    let operands = [node.input(0)?, node.input(1)?, node.input(2)?];
    broadcast::channels(node, &operands, Role::Carries, walk)
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
