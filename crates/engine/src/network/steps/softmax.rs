//! Softmax along an axis, and its logarithm.

use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, Sums, Work};
use crate::kernels::lines;

/// `exp(x) / sum exp(x)` along an axis, or the logarithm; the output lies like the input.
#[derive(Debug, Clone)]
pub(crate) struct Softmax {
    pub(crate) logarithm: bool,
    /// Numbers along the axis.
    pub(crate) length: usize,
    /// Numbers from one position on the axis to the next.
    pub(crate) stride: usize,
    /// Over where each line begins.
    pub(crate) starts: Loops<1>,
}

impl Softmax {
    fn each(&self, mut work: impl FnMut(usize)) {
        self.starts
            .each(|[at], count, [step]| (0..count).for_each(|i| work(at + i * step)));
    }

    fn gather(&self, from: &[f32], at: usize, line: &mut [f32]) {
        for (i, v) in line.iter_mut().enumerate() {
            *v = from[at + i * self.stride];
        }
    }
}

impl Work for Softmax {
    fn needs_output(&self) -> bool {
        true
    }

    fn scratch(&self) -> usize {
        3 * self.length
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        scratch: &mut [f32],
        _: Shared<'_>,
    ) {
        let x = x.get(0);
        let line = &mut scratch[..self.length];
        self.each(|at| match self.stride {
            1 => {
                let line = &mut y[at..at + self.length];
                line.copy_from_slice(&x[at..at + self.length]);
                lines::softmax(line, self.logarithm);
            }
            stride => {
                self.gather(x, at, line);
                lines::softmax(line, self.logarithm);
                for (i, v) in line.iter().enumerate() {
                    y[at + i * stride] = *v;
                }
            }
        });
    }

    fn input_gradient(
        &self,
        _: usize,
        _: &dyn Inputs,
        y: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        scratch: &mut [f32],
        _: Shared<'_>,
    ) {
        let Into { gradient, add } = dx;
        let (own_y, rest) = scratch.split_at_mut(self.length);
        let (own_dy, rest) = rest.split_at_mut(self.length);
        let own_dx = &mut rest[..self.length];
        self.each(|at| match self.stride {
            1 => {
                let line = at..at + self.length;
                let dx = &mut gradient[line.clone()];
                lines::softmax_back(&y[line.clone()], &dy[line], dx, self.logarithm, add);
            }
            stride => {
                self.gather(y, at, own_y);
                self.gather(dy, at, own_dy);
                self.gather(gradient, at, own_dx);
                lines::softmax_back(own_y, own_dy, own_dx, self.logarithm, add);
                for (i, v) in own_dx.iter().enumerate() {
                    gradient[at + i * stride] = *v;
                }
            }
        });
    }
}
