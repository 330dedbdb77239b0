//! `Gemm`: the dense layer.

use serde::{Deserialize, Serialize};

use super::matmul::{Factor, product};
use super::{broadcast, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::{Dim, Error, Graph, Node, Result, shapes};

/// Attributes of [`Op::Gemm`](crate::Op::Gemm).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of the added constant.
    pub beta: f32,
    /// Whether the first operand is transposed.
    pub trans_a: bool,
    /// Whether the second operand is transposed; `false` means weights are `[in, out]`.
    pub trans_b: bool,
}

impl Default for Gemm {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            beta: 1.0,
            trans_a: false,
            trans_b: false,
        }
    }
}

impl Gemm {
    /// The axis of the weights that is contracted.
    pub(crate) fn axis_in(&self) -> usize {
        usize::from(self.trans_b)
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, gemm: &Gemm) -> Result<Option<Vec<Dim>>> {
    // A matrix even where nothing more is known of it.
    let unknown =
        |slot: usize| [0, 1].map(|axis| Dim::Named(format!("{}.{slot}:{axis}", node.name)));
    let (unknown_a, unknown_b) = (unknown(0), unknown(1));
    let a = input_shape(graph, node, 0)?.unwrap_or(&unknown_a);
    let b = input_shape(graph, node, 1)?.unwrap_or(&unknown_b);
    let ([a0, a1], [b0, b1]) = (a, b) else {
        return Err(Error::invalid(format!(
            "Gemm takes two matrices, not {} and {}",
            shapes::text(a),
            shapes::text(b)
        )));
    };
    let (rows, inner) = if gemm.trans_a { (a1, a0) } else { (a0, a1) };
    let (inner_b, columns) = if gemm.trans_b { (b1, b0) } else { (b0, b1) };
    contract(inner, inner_b)?;
    Ok(Some(vec![rows.clone(), columns.clone()]))
}

/// Checks that two contracted lengths can be equal.
pub(super) fn contract(a: &Dim, b: &Dim) -> Result<()> {
    match (a.fixed(), b.fixed()) {
        (Some(m), Some(n)) if m != n => Err(Error::invalid(format!(
            "the input has {m} features but the weights expect {n}"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn channels(node: &Node, gemm: &Gemm, walk: &mut Walk<'_>) -> Result<()> {
    let matrix = |slot: usize, inner: usize| -> Result<Factor> {
        Ok(Factor {
            id: node.input(slot)?,
            outer: 0,
            inner,
            left: Some(1 - inner),
        })
    };
    let left = matrix(0, usize::from(!gemm.trans_a))?;
    product(node, walk, &left, &matrix(1, gemm.axis_in())?)?;
    match node.inputs.get(2).copied().flatten() {
        Some(bias) => broadcast::added(node, bias, Role::Produces, walk),
        None => Ok(()),
    }
}

pub(super) fn macs(graph: &Graph, node: &Node, gemm: &Gemm) -> Option<u64> {
    let a = input_shape(graph, node, 0).ok()??;
    let b = input_shape(graph, node, 1).ok()??;
    let rows = a.get(usize::from(gemm.trans_a))?.fixed().unwrap_or(1);
    let weights: Option<u64> = b.iter().map(|d| d.fixed().map(|n| n as u64)).product();
    Some(rows as u64 * weights?)
}

pub(super) fn evaluate(gemm: &Gemm, a: &Array, b: &Array, c: Option<&Array>) -> Result<Array> {
    let (&[a0, a1], &[b0, b1]) = (a.shape.as_slice(), b.shape.as_slice()) else {
        return Err(Error::invalid("Gemm takes two matrices"));
    };
    let (rows, inner) = if gemm.trans_a { (a1, a0) } else { (a0, a1) };
    let (inner_b, columns) = if gemm.trans_b { (b1, b0) } else { (b0, b1) };
    contract(&Dim::Fixed(inner), &Dim::Fixed(inner_b))?;
    let shape = vec![rows, columns];
    let added = match c {
        Some(c) => Some(c.broadcast_to(&shape)?),
        None => None,
    };
    let mut values = vec![0.0; rows * columns];
    for i in 0..rows {
        for k in 0..inner {
            let left = a.values[if gemm.trans_a {
                k * rows + i
            } else {
                i * inner + k
            }];
            for j in 0..columns {
                let right = b.values[if gemm.trans_b {
                    j * inner + k
                } else {
                    k * columns + j
                }];
                values[i * columns + j] += left * right;
            }
        }
        for j in 0..columns {
            let at = i * columns + j;
            values[at] *= f64::from(gemm.alpha);
            if let Some(added) = &added {
                values[at] += f64::from(gemm.beta) * added.values[at];
            }
        }
    }
    Ok(Array { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: [usize; 2], values: &[f64]) -> Array {
        Array::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn transposes_and_factors_follow_the_definition() {
        let a = array([1, 2], &[1.0, 2.0]);
        let b = array([2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let c = Array::new([3], vec![1.0, 0.0, -1.0]).unwrap();
        let plain = evaluate(&Gemm::default(), &a, &b, Some(&c)).unwrap();
        assert_eq!(plain.values, [10.0, 12.0, 14.0]);

        let turned = Gemm {
            alpha: 2.0,
            beta: 3.0,
            trans_a: true,
            trans_b: true,
        };
        let a = array([2, 1], &[1.0, 2.0]);
        let b = array([3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let y = evaluate(&turned, &a, &b, Some(&c)).unwrap();
        assert_eq!(y.values, [21.0, 24.0, 27.0]);
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() {
        let a = array([1, 2], &[1.0, 2.0]);
        let b = array([1, 2], &[1.0, 2.0]);
        let error = evaluate(&Gemm::default(), &a, &b, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the input has 2 features but the weights expect 1"
        );
    }
}
