//! Functions of one number whose derivative needs that number.

use secateur_graph::Unary;

use super::super::step::{Inputs, Into, Shared, Sums, Work};
use crate::kernels::functions;

/// A function of every number.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) unary: Unary,
}

impl Work for Function {
    fn differentiates(&self, _k: usize) -> bool {
        functions::has_slope(self.unary)
    }

    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        functions::forward(self.unary, x.get(0), y);
    }

    fn input_gradient(
        &self,
        _: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        functions::backward(self.unary, x.get(0), dy, dx.gradient, dx.add);
    }
}
