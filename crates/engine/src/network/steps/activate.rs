//! Functions of one number whose derivative their result tells.

use super::super::step::{Inputs, Into, Shared, Sums, Work};
use crate::Activation;
use crate::kernels::pointwise;

/// A function of every number, in place where it may.
#[derive(Debug, Clone)]
pub(crate) struct Activate {
    pub(crate) function: Activation,
}

impl Work for Activate {
    fn needs_output(&self) -> bool {
        true
    }

    fn runs_in_place(&self, _k: usize) -> bool {
        true
    }

    fn passes_gradient(&self, _k: usize) -> bool {
        true
    }

    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        let x = x.get(0);
        if !x.is_empty() {
            y.copy_from_slice(x);
        }
        pointwise::forward(self.function, y, &[], y.len());
    }

    fn through_output(
        &self,
        _: &dyn Inputs,
        y: &[f32],
        dy: &mut [f32],
        _: &mut Sums,
        _: Shared<'_>,
    ) {
        pointwise::backward(self.function, y, dy);
    }

    fn input_gradient(
        &self,
        _: usize,
        _: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        pass_on(dy, dx);
    }
}

/// `dx = dy`, or `dx += dy`.
pub(super) fn pass_on(dy: &[f32], Into { gradient, add }: Into<'_>) {
    if add {
        for (dx, dy) in gradient.iter_mut().zip(dy) {
            *dx += dy;
        }
    } else {
        gradient.copy_from_slice(dy);
    }
}
