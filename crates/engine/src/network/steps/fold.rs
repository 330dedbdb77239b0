//! What many numbers along some axes are folded to, where that is no sum: extremes, norms, products, logarithms.

use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, Sums, Work};

/// What is taken of numbers `x`, with its derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// The largest; the first that is met has the gradient.
    Max,
    /// The smallest, likewise.
    Min,
    /// `sum |x|`, with derivative 0 at 0.
    L1,
    /// `sqrt(sum x x)`, with derivative 0 where all are 0.
    L2,
    /// `sum x x`
    SumSquare,
    /// `log sum x`
    LogSum,
    /// `log sum exp(x)`
    LogSumExp,
    /// The product.
    Product,
}

/// Folds numbers along some axes.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    pub(crate) kind: Folded,
    /// Over input and output, the latter in place along what is folded.
    pub(crate) loops: Loops<2>,
    /// Numbers of a row of the output.
    pub(crate) output: usize,
}

impl Fold {
    /// Calls `work` with the positions of every number and of what it is folded to.
    #[inline(always)]
    fn each(&self, mut work: impl FnMut(usize, usize)) {
        self.loops.each(|[at_x, at_y], count, [sx, sy]| {
            for i in 0..count {
                work(at_x + i * sx, at_y + i * sy);
            }
        });
    }

    /// `y` becomes the largest (or smallest) number; a NaN stays.
    fn extreme(&self, x: &[f32], y: &mut [f32], sign: f32) {
        y.fill(-sign * f32::INFINITY);
        self.each(|from, to| {
            let (v, so_far) = (x[from], y[to]);
            if v * sign > so_far * sign || v.is_nan() {
                y[to] = v;
            }
        });
    }

    fn add_up(&self, x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32) {
        y.fill(0.0);
        self.each(|from, to| y[to] += f(x[from]));
    }
}

impl Work for Fold {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn needs_output(&self) -> bool {
        true
    }

    fn scratch(&self) -> usize {
        2 * self.output
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
        match self.kind {
            Folded::Max => self.extreme(x, y, 1.0),
            Folded::Min => self.extreme(x, y, -1.0),
            Folded::L1 => self.add_up(x, y, f32::abs),
            Folded::SumSquare => self.add_up(x, y, |v| v * v),
            Folded::L2 => {
                self.add_up(x, y, |v| v * v);
                y.iter_mut().for_each(|v| *v = v.sqrt());
            }
            Folded::LogSum => {
                self.add_up(x, y, |v| v);
                y.iter_mut().for_each(|v| *v = v.ln());
            }
            Folded::LogSumExp => {
                // Exponentials are taken of what is below the largest number, so that none overflows.
                let highest = &mut scratch[..self.output];
                self.extreme(x, highest, 1.0);
                for v in highest.iter_mut().filter(|v| v.is_infinite()) {
                    *v = 0.0;
                }
                y.fill(0.0);
                self.each(|from, to| y[to] += (x[from] - highest[to]).exp());
                y.iter_mut()
                    .zip(highest)
                    .for_each(|(y, high)| *y = y.ln() + *high);
            }
            Folded::Product => {
                y.fill(1.0);
                self.each(|from, to| y[to] *= x[from]);
            }
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        x: &dyn Inputs,
        y: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        scratch: &mut [f32],
        _: Shared<'_>,
    ) {
        let x = x.get(0);
        let Into { gradient: dx, add } = dx;
        if !add {
            dx.fill(0.0);
        }
        let (first, second) = scratch[..2 * self.output].split_at_mut(self.output);
        match self.kind {
            Folded::Max | Folded::Min => {
                let is_given = first;
                is_given.fill(0.0);
                self.each(|from, to| {
                    if x[from] == y[to] && is_given[to] == 0.0 {
                        is_given[to] = 1.0;
                        dx[from] += dy[to];
                    }
                });
            }
            Folded::L1 => self.each(|from, to| {
                let x = x[from];
                dx[from] += if x == 0.0 { 0.0 } else { dy[to] * x.signum() };
            }),
            Folded::L2 => self.each(|from, to| {
                dx[from] += if y[to] == 0.0 {
                    0.0
                } else {
                    dy[to] * x[from] / y[to]
                };
            }),
            Folded::SumSquare => self.each(|from, to| dx[from] += 2.0 * dy[to] * x[from]),
            Folded::LogSum => self.each(|from, to| dx[from] += dy[to] / y[to].exp()),
            Folded::LogSumExp => {
                self.each(|from, to| dx[from] += dy[to] * (x[from] - y[to]).exp());
            }
            Folded::Product => {
                // The product of all others: of those that are not 0, if no other one is.
                let (product, zeros) = (first, second);
                product.fill(1.0);
                zeros.fill(0.0);
                self.each(|from, to| match x[from] {
                    0.0 => zeros[to] += 1.0,
                    x => product[to] *= x,
                });
                self.each(|from, to| {
                    let others = match (zeros[to], x[from]) {
                        (0.0, x) => product[to] / x,
                        (1.0, 0.0) => product[to],
                        _ => 0.0,
                    };
                    dx[from] += dy[to] * others;
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::step::State;

    struct Only<'a>(&'a [f32]);

    impl Inputs for Only<'_> {
        fn get(&self, _: usize) -> &[f32] {
            self.0
        }
    }

    fn gradient(kind: Folded, x: &[f32]) -> Vec<f32> {
        let fold = Fold {
            kind,
            loops: Loops::new(&[x.len()], [&[1], &[0]]),
            output: 1,
        };
        let state = State::default();
        let shared = Shared {
            parameters: &[],
            state: &state,
        };
        let (mut y, mut dx, mut scratch) = ([0.0], vec![9.0; x.len()], [0.0; 2]);
        let mut sums = Sums::default();
        fold.forward(&Only(x), &mut y, &mut sums, &mut scratch, shared);
        let into = Into {
            gradient: &mut dx,
            add: false,
        };
        fold.input_gradient(0, &Only(x), &y, &[2.0], into, &mut scratch, shared);
        dx
    }

    #[test]
    fn zeros_and_ties_have_gradients_too() {
        assert_eq!(
            gradient(Folded::Product, &[2.0, 0.0, 3.0]),
            [0.0, 12.0, 0.0]
        );
        assert_eq!(gradient(Folded::Product, &[0.0, 0.0, 3.0]), [0.0; 3]);
        assert_eq!(gradient(Folded::Max, &[1.0, 4.0, 4.0]), [0.0, 2.0, 0.0]);
        assert_eq!(gradient(Folded::L2, &[0.0, 0.0]), [0.0; 2]);
        assert_eq!(gradient(Folded::L1, &[0.0, -3.0]), [0.0, -2.0]);
    }
}
