//! `Transpose`: axes change places.

use super::{input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result};

pub(super) fn shape(graph: &Graph, node: &Node, order: &[usize]) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    check(order, x.len())?;
    Ok(Some(order.iter().map(|&axis| x[axis].clone()).collect()))
}

fn check(order: &[usize], rank: usize) -> Result<()> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    match sorted.into_iter().eq(0..rank) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{order:?} is no order of {rank} axes"
        ))),
    }
}

pub(super) fn channels(node: &Node, order: &[usize], walk: &mut Walk<'_>) -> Result<()> {
    movement::channels(node, walk, |shape, labels| turn(order, shape, &labels))
}

fn turn<T: Copy>(order: &[usize], shape: &[usize], values: &[T]) -> Result<(Vec<usize>, Vec<T>)> {
    check(order, shape.len())?;
    let turned: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let strides: Vec<usize> = order.iter().map(|&axis| stride(axis)).collect();
    let moved = super::window::indices(&turned).map(|index| {
        let from: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        values[from]
    });
    Ok((turned.clone(), moved.collect()))
}

pub(super) fn evaluate(order: &[usize], x: &Array) -> Result<Array> {
    let (shape, values) = turn(order, &x.shape, &x.values)?;
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_change_places() {
        let x = Array::new([1, 2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let y = evaluate(&[2, 0, 1], &x).unwrap();
        assert_eq!(y.shape, [3, 1, 2]);
        assert_eq!(y.values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert!(evaluate(&[0, 0, 1], &x).is_err());
    }
}
