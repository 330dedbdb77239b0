//! What has no derivative: rounding, comparisons, indices of the largest. It runs forwards, and nothing goes back.

use std::sync::Arc;

use secateur_graph::{Array, Node, evaluate_node};

use super::super::step::{Inputs, Into, Shared, Sums, Work};

/// Where an input of the node comes from.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// Left out.
    Nothing,
    /// The next input of the step, which lies as ONNX counts it.
    Input(Vec<usize>),
    /// Numbers that are always the same.
    Constant(Arc<Array>),
}

/// One output of a node, computed as the graph defines it, row by row in double precision.
#[derive(Debug, Clone)]
pub(crate) struct Still {
    pub(crate) node: Node,
    pub(crate) given: Vec<Given>,
    /// Which output is meant.
    pub(crate) which: usize,
}

impl Still {
    /// The output for a row; nothing if the node cannot be evaluated.
    pub(crate) fn evaluate<'x>(&self, x: impl Fn(usize) -> &'x [f32]) -> Option<Array> {
        let mut next = 0;
        let mut arrays: Vec<Option<Arc<Array>>> = vec![];
        for given in &self.given {
            arrays.push(match given {
                Given::Nothing => None,
                Given::Constant(array) => Some(array.clone()),
                Given::Input(shape) => {
                    let numbers = x(next).iter().map(|&v| f64::from(v)).collect();
                    next += 1;
                    Some(Arc::new(Array::new(shape.clone(), numbers).ok()?))
                }
            });
        }
        let arrays: Vec<Option<&Array>> = arrays.iter().map(Option::as_deref).collect();
        let made = evaluate_node(&self.node, &arrays).ok()?;
        made.into_iter().nth(self.which)
    }
}

impl Work for Still {
    fn differentiates(&self, _k: usize) -> bool {
        false
    }

    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        match self.evaluate(|k| x.get(k)) {
            Some(made) => {
                for (y, v) in y.iter_mut().zip(made.values) {
                    *y = v as f32;
                }
            }
            // It could be evaluated when it was planned, so this is a number out of bounds.
            None => y.fill(f32::NAN),
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        _: &dyn Inputs,
        _: &[f32],
        _: &[f32],
        _: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
    }
}
