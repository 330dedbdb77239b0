//! `Softmax` and its logarithm: mix what lies along their axis without weights.

use super::{identity, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Graph, Node, Result};

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    Ok(input_shape(graph, node, 0)?.map(<[Dim]>::to_vec))
}

pub(super) fn channels(node: &Node, axis: i64, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if let Some(rank) = walk.rank(x) {
        let axis = axis_at(axis, rank)?;
        let reason = format!("is mixed across channels by {}", node.op.onnx_name());
        walk.freeze_axis(x, axis, node, &reason);
    }
    identity::channels(node, walk)
}

pub(super) fn evaluate(axis: i64, x: &Array, logarithm: bool) -> Result<Array> {
    let axis = axis_at(axis, x.shape.len())?;
    let length = x.shape[axis];
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let mut values = x.values.clone();
    for o in 0..outer {
        for i in 0..inner {
            let at = |k: usize| (o * length + k) * inner + i;
            let highest = (0..length).map(|k| values[at(k)]).fold(f64::MIN, f64::max);
            let sum: f64 = (0..length).map(|k| (values[at(k)] - highest).exp()).sum();
            for k in 0..length {
                let above = values[at(k)] - highest;
                values[at(k)] = match logarithm {
                    true => above - sum.ln(),
                    false => above.exp() / sum,
                };
            }
        }
    }
    Ok(Array {
        shape: x.shape.clone(),
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_to_one_along_its_axis_without_overflow() {
        let x = Array::new([2, 2], vec![1000.0, 1000.0, 0.0, 3f64.ln()]).unwrap();
        let y = evaluate(-1, &x, false).unwrap();
        assert_eq!(y.values[..2], [0.5, 0.5]);
        assert!((y.values[3] - 0.75).abs() < 1e-15);
        let down = evaluate(0, &x, false).unwrap();
        assert_eq!(down.values[0] + down.values[2], 1.0);
        let log = evaluate(-1, &x, true).unwrap();
        assert!((log.values[3] - 0.75f64.ln()).abs() < 1e-15);
        assert_eq!(log.values[0], 0.5f64.ln());
    }
}
