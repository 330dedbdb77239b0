//! Sums and means over axes; global pooling is that over all places.

use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, Sums, Work};

/// The sum over some axes times a factor: for means, one over how many there are.
#[derive(Debug, Clone)]
pub(crate) struct Reduce {
    pub(crate) factor: f32,
    /// Over input and output, the latter in place along what is summed over.
    pub(crate) loops: Loops<2>,
    /// Numbers of a row of the input and of the output.
    pub(crate) lengths: [usize; 2],
}

impl Work for Reduce {
    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        let [from, to] = self.lengths;
        for (x, y) in x.get(0).chunks_exact(from).zip(y.chunks_exact_mut(to)) {
            y.fill(0.0);
            self.loops
                .each(|[at_x, at_y], count, [sx, sy]| match (sx, sy) {
                    (1, 1) => {
                        let sums = y[at_y..at_y + count].iter_mut();
                        sums.zip(&x[at_x..]).for_each(|(y, x)| *y += x);
                    }
                    _ => {
                        for i in 0..count {
                            y[at_y + i * sy] += x[at_x + i * sx];
                        }
                    }
                });
            if self.factor != 1.0 {
                y.iter_mut().for_each(|y| *y *= self.factor);
            }
        }
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
        let [from, to] = self.lengths;
        if !dx.add {
            dx.gradient.fill(0.0);
        }
        for (dx, dy) in dx.gradient.chunks_exact_mut(from).zip(dy.chunks_exact(to)) {
            self.loops.each(|[at_x, at_y], count, [sx, sy]| {
                for i in 0..count {
                    dx[at_x + i * sx] += self.factor * dy[at_y + i * sy];
                }
            });
        }
    }
}
