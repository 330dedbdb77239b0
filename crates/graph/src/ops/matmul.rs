//! `MatMul` with constant weights on the right: a dense layer whose bias, if any, is an `Add` behind it.

use super::{gemm, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result, shapes};

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let (Some(a), Some(b)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?) else {
        return Ok(None);
    };
    let (Some((inner, outer)), [inner_b, columns]) = (a.split_last(), b) else {
        return Ok(None);
    };
    gemm::contract(inner, inner_b)?;
    let mut shape = outer.to_vec();
    shape.push(columns.clone());
    Ok(Some(shape))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (x, weights) = (node.input(0)?, node.input(1)?);
    if walk.is_parameter(x) || !walk.is_parameter(weights) || walk.rank(weights) != Some(2) {
        let reason = "is multiplied by something other than a constant matrix";
        walk.freeze(x, node, reason);
        walk.freeze(weights, node, reason);
    } else {
        gemm::dense(node, walk, (x, weights), 0, 1);
    }
    Ok(())
}

pub(super) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    let a = input_shape(graph, node, 0).ok()??;
    let b = input_shape(graph, node, 1).ok()??;
    let (_, outer) = a.split_last()?;
    let rows: usize = outer.iter().map(|d| d.fixed().unwrap_or(1)).product();
    let columns = b.last()?.fixed()?;
    let inner = b.first()?.fixed()?;
    (b.len() == 2).then_some((rows * inner * columns) as u64)
}

pub(super) fn evaluate(a: &Array, b: &Array) -> Result<Array> {
    let (Some((&inner, outer)), &[inner_b, columns]) = (a.shape.split_last(), b.shape.as_slice())
    else {
        let dims = |array: &Array| {
            array
                .shape
                .iter()
                .map(|&n| Dim::Fixed(n))
                .collect::<Vec<_>>()
        };
        return Err(Error::unsupported(format!(
            "MatMul of {} and {}: the second operand must be a matrix",
            shapes::text(&dims(a)),
            shapes::text(&dims(b))
        )));
    };
    let rows = outer.iter().product();
    let flat = Array::new([rows, inner], a.values.clone())?;
    let right = Array::new([inner_b, columns], b.values.clone())?;
    let product = gemm::evaluate(&gemm::Gemm::default(), &flat, &right, None)?;
    let mut shape = outer.to_vec();
    shape.push(columns);
    Array::new(shape, product.values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_axes_are_rows() {
        let a = Array::new([1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Array::new([2, 1], vec![1.0, 10.0]).unwrap();
        let y = evaluate(&a, &b).unwrap();
        assert_eq!((y.shape, y.values), (vec![1, 2, 1], vec![21.0, 43.0]));
        assert!(evaluate(&b, &a).is_err());
    }
}
