//! Groups of incoming weights: columns of a row-major matrix, each with its bias.

use std::ops::Range;

use secateur_engine::Dense;
use secateur_prox::{Penalty, Strength};

/// A subgradient of the penalty on some units of a layer: of its weights, then of its biases.
pub(crate) fn subgradient(
    penalty: Penalty,
    strength: Strength,
    units: Range<usize>,
    dense: &Dense,
) -> (Vec<f32>, Vec<f32>) {
    let width = dense.outputs();
    let mut weight = vec![0.0; dense.weight().len()];
    let mut bias = vec![0.0; dense.bias().len()];
    let (mut group, mut slope) = (vec![], vec![]);
    for unit in units {
        gather(dense.weight(), dense.bias(), unit, width, &mut group);
        slope.clear();
        slope.resize(group.len(), 0.0);
        penalty.subgradient_add(&group, strength, &mut slope);
        for (w, &s) in weight.iter_mut().skip(unit).step_by(width).zip(&slope) {
            *w = s;
        }
        if let (Some(b), Some(&s)) = (bias.get_mut(unit), slope.last()) {
            *b = s;
        }
    }
    (weight, bias)
}

/// Column `unit` of a row-major matrix, then its bias if there is one.
pub(crate) fn gather(matrix: &[f32], bias: &[f32], unit: usize, width: usize, into: &mut Vec<f32>) {
    into.clear();
    into.extend(matrix.iter().skip(unit).step_by(width));
    into.extend(bias.get(unit));
}
