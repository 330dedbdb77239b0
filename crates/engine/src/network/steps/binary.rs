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
    /// `a` to the power of `b`.
    Pow,
    /// The smaller one; of equal ones the first has the gradient.
    Min,
    /// The larger one, likewise.
    Max,
    /// `b a` where `a` is below zero, else `a`.
    Slope,
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
    fn gradient(&self, which: usize, operands: [&[f32]; 2], dy: &[f32], into: &mut [f32]) {
        match (self.op, which) {
            (Arithmetic::Add, _) | (Arithmetic::Sub, 0) => self.pass(which, 1.0, dy, into),
            (Arithmetic::Sub, _) => self.pass(which, -1.0, dy, into),
            (Arithmetic::Mul, 0) => self.beside(which, operands[1], dy, into, |b| b),
            (Arithmetic::Mul, _) => self.beside(which, operands[0], dy, into, |a| a),
            (Arithmetic::Div, 0) => self.beside(which, operands[1], dy, into, |b| 1.0 / b),
            (Arithmetic::Div, _) => self.along(which, operands, dy, into, |a, b| -a / (b * b)),
            (Arithmetic::Pow, 0) => self.along(which, operands, dy, into, |a, b| {
                // A power of 0 is 1 everywhere.
                if b == 0.0 { 0.0 } else { b * power(a, b - 1.0) }
            }),
            (Arithmetic::Pow, _) => self.along(which, operands, dy, into, |a, b| {
                if a == 0.0 { 0.0 } else { power(a, b) * a.ln() }
            }),
            (Arithmetic::Min, 0) => self.along(which, operands, dy, into, |a, b| one(a <= b)),
            (Arithmetic::Min, _) => self.along(which, operands, dy, into, |a, b| one(b < a)),
            (Arithmetic::Max, 0) => self.along(which, operands, dy, into, |a, b| one(a >= b)),
            (Arithmetic::Max, _) => self.along(which, operands, dy, into, |a, b| one(b > a)),
            (Arithmetic::Slope, 0) => {
                self.along(
                    which,
                    operands,
                    dy,
                    into,
                    |a, b| {
                        if a < 0.0 { b } else { 1.0 }
                    },
                );
            }
            (Arithmetic::Slope, _) => {
                self.along(
                    which,
                    operands,
                    dy,
                    into,
                    |a, _| {
                        if a < 0.0 { a } else { 0.0 }
                    },
                );
            }
        }
    }

    /// Adds `sign * dy`, whatever the operands are.
    fn pass(&self, which: usize, sign: f32, dy: &[f32], into: &mut [f32]) {
        self.loops.each(|at, count, steps| {
            for i in 0..count {
                into[at[1 + which] + i * steps[1 + which]] += sign * dy[at[0] + i * steps[0]];
            }
        });
    }

    /// Adds `dy` times a slope that the other operand alone tells; this one need not be there any more.
    #[inline(always)]
    fn beside(
        &self,
        which: usize,
        other: &[f32],
        dy: &[f32],
        into: &mut [f32],
        slope: impl Fn(f32) -> f32,
    ) {
        let (own, beside) = (1 + which, 2 - which);
        self.loops.each(|at, count, steps| {
            for i in 0..count {
                let slope = slope(other[at[beside] + i * steps[beside]]);
                into[at[own] + i * steps[own]] += dy[at[0] + i * steps[0]] * slope;
            }
        });
    }

    /// Adds `dy` times the slope at the two operands.
    #[inline(always)]
    fn along(
        &self,
        which: usize,
        [a, b]: [&[f32]; 2],
        dy: &[f32],
        into: &mut [f32],
        slope: impl Fn(f32, f32) -> f32,
    ) {
        self.loops.each(|[y, at_a, at_b], count, [sy, sa, sb]| {
            let (at, step) = if which == 0 { (at_a, sa) } else { (at_b, sb) };
            for i in 0..count {
                into[at + i * step] += dy[y + i * sy] * slope(a[at_a + i * sa], b[at_b + i * sb]);
            }
        });
    }

    /// Writes a function of both operands.
    #[inline(always)]
    fn apply(&self, [a, b]: [&[f32]; 2], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
        self.loops
            .each(|[at_y, at_a, at_b], count, steps| match steps {
                [1, 1, 1] => {
                    let pairs = a[at_a..at_a + count].iter().zip(&b[at_b..at_b + count]);
                    for (y, (a, b)) in y[at_y..at_y + count].iter_mut().zip(pairs) {
                        *y = f(*a, *b);
                    }
                }
                [1, 1, 0] => {
                    let b = b[at_b];
                    let pairs = y[at_y..at_y + count].iter_mut().zip(&a[at_a..at_a + count]);
                    pairs.for_each(|(y, a)| *y = f(*a, b));
                }
                [sy, sa, sb] => {
                    for i in 0..count {
                        y[at_y + i * sy] = f(a[at_a + i * sa], b[at_b + i * sb]);
                    }
                }
            });
    }
}

/// `a` to the power of `b`; whole powers that formulas use are products.
#[inline(always)]
fn power(a: f32, b: f32) -> f32 {
    if b == 2.0 {
        a * a
    } else if b == 1.0 {
        a
    } else {
        a.powf(b)
    }
}

fn one(holds: bool) -> f32 {
    f32::from(u8::from(holds))
}

impl Work for Binary {
    fn needs_input(&self, k: usize) -> bool {
        let is_second = matches!(self.operands[1], Operand::Input { k: own, .. } if own == k);
        match self.op {
            Arithmetic::Add | Arithmetic::Sub => false,
            Arithmetic::Mul
            | Arithmetic::Pow
            | Arithmetic::Min
            | Arithmetic::Max
            | Arithmetic::Slope => true,
            // The gradient of the first operand needs the second one only.
            Arithmetic::Div => is_second || !matches!(self.operands[1], Operand::Constant(_)),
        }
    }

    fn passes_gradient(&self, _k: usize) -> bool {
        self.is_even && self.op == Arithmetic::Add
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
            let both = [a, b];
            match self.op {
                Arithmetic::Add => self.apply(both, y, |a, b| a + b),
                Arithmetic::Sub => self.apply(both, y, |a, b| a - b),
                Arithmetic::Mul => self.apply(both, y, |a, b| a * b),
                Arithmetic::Div => self.apply(both, y, |a, b| a / b),
                Arithmetic::Pow => self.apply(both, y, power),
                // In these forms a NaN stays one.
                Arithmetic::Min => {
                    self.apply(both, y, |a, b| if a <= b || a.is_nan() { a } else { b });
                }
                Arithmetic::Max => {
                    self.apply(both, y, |a, b| if a >= b || a.is_nan() { a } else { b });
                }
                Arithmetic::Slope => self.apply(both, y, |a, b| if a < 0.0 { b * a } else { a }),
            }
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
