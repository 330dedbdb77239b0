//! Linear interpolation along one axis: every position of the output is a mixture of two of the input.

use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, Sums, Work};

/// What a position of the output is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mixture {
    /// Where the two positions of the input begin, and that of the output.
    pub(crate) from: [usize; 2],
    pub(crate) to: usize,
    /// Shares of the two.
    pub(crate) shares: [f32; 2],
}

/// Another length of one axis.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) mixtures: Vec<Mixture>,
    /// Over the other axes of output and input.
    pub(crate) others: Loops<2>,
}

impl Work for Stretch {
    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        let x = x.get(0);
        for mixture in &self.mixtures {
            let ([a, b], [p, q]) = (mixture.from, mixture.shares);
            self.others.each(|[to, from], count, steps| match steps {
                [1, 1] => {
                    let y = &mut y[to + mixture.to..][..count];
                    let pairs = x[from + a..][..count].iter().zip(&x[from + b..][..count]);
                    for (y, (a, b)) in y.iter_mut().zip(pairs) {
                        *y = p * a + q * b;
                    }
                }
                [sy, sx] => {
                    for i in 0..count {
                        let (a, b) = (x[from + a + i * sx], x[from + b + i * sx]);
                        y[to + mixture.to + i * sy] = p * a + q * b;
                    }
                }
            });
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
        let Into { gradient: dx, add } = dx;
        if !add {
            dx.fill(0.0);
        }
        for mixture in &self.mixtures {
            self.others.each(|[to, from], count, [sy, sx]| {
                for (start, share) in mixture.from.into_iter().zip(mixture.shares) {
                    let dx = &mut dx[from + start..];
                    let dy = &dy[to + mixture.to..];
                    for i in 0..count {
                        dx[i * sx] += share * dy[i * sy];
                    }
                }
            });
        }
    }
}
