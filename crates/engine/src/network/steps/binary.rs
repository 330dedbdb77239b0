//! Arithmetic of two operands, each repeated along the axes that it lacks.

use std::sync::Arc;

use super::super::Parameter;
use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work, add_up};
use super::activate::pass_on;
use crate::aligned::Aligned;

/// What is computed of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

/// Where an operand is.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// An input of the step, with the numbers of a row of it.
    Input { k: usize, len: usize },
    /// A parameter.
    Parameter(usize),
    /// Numbers that are not trained.
    Constant(Arc<[f32]>),
}

/// `y = a op b`.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) op: Arithmetic,
    pub(crate) operands: [Operand; 2],
    /// Over output, first and second operand.
    pub(crate) loops: Loops<3>,
    /// Numbers of a row of the output.
    pub(crate) output: usize,
    /// Whether both operands and the output lie alike, so that padding can be computed along.
    pub(crate) is_even: bool,
    /// Numbers of the parameter among the operands.
    pub(crate) parameter_len: usize,
}

impl Binary {
    /// Whether the gradient of input `k` is that of the output as it is.
    pub(crate) fn passes_gradient(&self, _k: usize) -> bool {
        self.is_even && self.op == Arithmetic::Add
    }

    fn operand<'a>(
        &'a self,
        which: usize,
        row: usize,
        x: &'a dyn Inputs,
        parameters: &'a [Parameter],
    ) -> &'a [f32] {
        match &self.operands[which] {
            Operand::Input { k, len } => {
                let all = x.get(*k);
                all.get(row * len..(row + 1) * len).unwrap_or(&[])
            }
            Operand::Parameter(p) => &parameters[*p].values,
            Operand::Constant(numbers) => numbers,
        }
    }

    /// Adds the gradient of operand `which` of one row to `into`.
    fn gradient(&self, which: usize, [a, b]: [&[f32]; 2], dy: &[f32], into: &mut [f32]) {
        self.loops.each(|[y, at_a, at_b], count, [sy, sa, sb]| {
            let (at, step) = if which == 0 { (at_a, sa) } else { (at_b, sb) };
            for i in 0..count {
                let dy = dy[y + i * sy];
                into[at + i * step] += match (self.op, which) {
                    (Arithmetic::Add, _) | (Arithmetic::Sub, 0) => dy,
                    (Arithmetic::Sub, _) => -dy,
                    (Arithmetic::Mul, 0) => dy * b[at_b + i * sb],
                    (Arithmetic::Mul, _) => dy * a[at_a + i * sa],
                    (Arithmetic::Div, 0) => dy / b[at_b + i * sb],
                    (Arithmetic::Div, _) => {
                        let b = b[at_b + i * sb];
                        -dy * a[at_a + i * sa] / (b * b)
                    }
                };
            }
        });
    }
}

impl Work for Binary {
    fn needs_input(&self, k: usize) -> bool {
        let is_second = matches!(self.operands[1], Operand::Input { k: own, .. } if own == k);
        match self.op {
            Arithmetic::Add | Arithmetic::Sub => false,
            Arithmetic::Mul => true,
            // The gradient of the first operand needs the second one only.
            Arithmetic::Div => is_second || !matches!(self.operands[1], Operand::Constant(_)),
        }
    }

    fn runs_in_place(&self, k: usize) -> bool {
        let is_first = matches!(self.operands[0], Operand::Input { k: own, .. } if own == k);
        is_first && self.is_even && self.op == Arithmetic::Add
    }

    fn parameters(&self) -> Vec<usize> {
        let own = self.operands.iter().filter_map(|o| match o {
            Operand::Parameter(p) => Some(*p),
            _ => None,
        });
        own.collect()
    }

    fn sums(&self) -> Sums {
        Sums {
            gradients: vec![Aligned::zeros(self.parameter_len)],
            channels: vec![],
        }
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        if self.is_even && self.op == Arithmetic::Add {
            let inputs: [&[f32]; 2] = std::array::from_fn(|w| match self.operands[w] {
                Operand::Input { k, .. } => x.get(k),
                _ => &[],
            });
            return sum(inputs, y);
        }
        for (row, y) in y.chunks_exact_mut(self.output).enumerate() {
            let a = self.operand(0, row, x, shared.parameters);
            let b = self.operand(1, row, x, shared.parameters);
            let op = self.op;
            self.loops.each(|[at_y, at_a, at_b], count, [sy, sa, sb]| {
                for i in 0..count {
                    let (a, b) = (a[at_a + i * sa], b[at_b + i * sb]);
                    y[at_y + i * sy] = match op {
                        Arithmetic::Add => a + b,
                        Arithmetic::Sub => a - b,
                        Arithmetic::Mul => a * b,
                        Arithmetic::Div => a / b,
                    };
                }
            });
        }
    }

    fn input_gradient(
        &self,
        k: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        mut dx: Into<'_>,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        if self.is_even && self.op == Arithmetic::Add {
            return pass_on(dy, dx);
        }
        for which in 0..2 {
            let Operand::Input { k: own, len } = self.operands[which] else {
                continue;
            };
            if own != k {
                continue;
            }
            if !dx.add {
                dx.gradient.fill(0.0);
            }
            // Both operands may be the same value.
            dx.add = true;
            for (row, dy) in dy.chunks_exact(self.output).enumerate() {
                let operands = [0, 1].map(|w| self.operand(w, row, x, shared.parameters));
                let into = &mut dx.gradient[row * len..(row + 1) * len];
                self.gradient(which, operands, dy, into);
            }
        }
    }

    fn parameter_gradient(
        &self,
        x: &dyn Inputs,
        dy: &[f32],
        sums: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        for which in 0..2 {
            if let Operand::Parameter(_) = self.operands[which] {
                for (row, dy) in dy.chunks_exact(self.output).enumerate() {
                    let operands = [0, 1].map(|w| self.operand(w, row, x, shared.parameters));
                    self.gradient(which, operands, dy, &mut sums.gradients[0]);
                }
            }
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        for parameter in self.parameters() {
            let parts = sums.iter().map(|s| &*s.gradients[0]);
            add_up(parts, &mut parameters[parameter].gradient);
        }
    }
}

/// `y = a + b`, or `y += b` where `a` is `y` itself.
fn sum([a, b]: [&[f32]; 2], y: &mut [f32]) {
    if a.is_empty() {
        for (y, b) in y.iter_mut().zip(b) {
            *y += b;
        }
    } else {
        for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
            *y = a + b;
        }
    }
}
