//! Products of matrices, either of which may flow, or be trained, or stay as it is; many at once where there are more axes.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work, add_up};
use super::Operand;
use crate::aligned::Aligned;
use crate::matrix::{View, multiply};

/// `Y = A B` for each of several pairs of matrices.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) operands: [Operand; 2],
    /// Where the matrices of each product begin, in the output and in both operands.
    pub(crate) starts: Vec<[usize; 3]>,
    /// `Y` is `rows` by `columns`.
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
    /// Whether an operand lies with its rows and columns exchanged.
    pub(crate) transposed: [bool; 2],
    /// Numbers of each operand that is a parameter, else 0.
    pub(crate) parameter_len: [usize; 2],
}

impl Product {
    fn operand<'a>(
        &'a self,
        which: usize,
        x: &'a dyn Inputs,
        parameters: &'a [Parameter],
    ) -> &'a [f32] {
        match &self.operands[which] {
            Operand::Input { k, .. } => x.get(*k),
            Operand::Parameter(p) => &parameters[*p].values,
            Operand::Constant(numbers) => numbers,
        }
    }

    /// The matrix of an operand that begins at `start`, as the product reads it.
    fn view<'n>(&self, which: usize, numbers: &'n [f32], start: usize) -> View<'n> {
        let (rows, columns) = match which {
            0 => (self.rows, self.inner),
            _ => (self.inner, self.columns),
        };
        let numbers = &numbers[start..start + rows * columns];
        match self.transposed[which] {
            true => View::new(numbers, columns, rows).transposed(),
            false => View::new(numbers, rows, columns),
        }
    }

    /// Whether every product reads a matrix of its own.
    fn reads_once(&self, which: usize) -> bool {
        let starts = self.starts.windows(2);
        starts
            .into_iter()
            .all(|pair| pair[0][1 + which] < pair[1][1 + which])
    }

    /// The gradient of an operand: `dA = dY B'` and `dB = A' dY`, or the transpose of that.
    fn gradient(&self, which: usize, other: &[f32], dy: &[f32], into: &mut [f32], add: bool) {
        let once = self.reads_once(which);
        if !add && !once {
            into.fill(0.0);
        }
        let keep = if add || !once { 1.0 } else { 0.0 };
        let size = self.inner * if which == 0 { self.rows } else { self.columns };
        for starts in &self.starts {
            let dy = &dy[starts[0]..starts[0] + self.rows * self.columns];
            let dy = View::new(dy, self.rows, self.columns);
            let other = self.view(1 - which, other, starts[2 - which]);
            let into = &mut into[starts[1 + which]..starts[1 + which] + size];
            match (which, self.transposed[which]) {
                (0, false) => multiply(into, keep, dy, other.transposed()),
                (0, true) => multiply(into, keep, other, dy.transposed()),
                (_, false) => multiply(into, keep, other.transposed(), dy),
                (_, true) => multiply(into, keep, dy.transposed(), other),
            }
        }
    }
}

impl Work for Product {
    fn needs_input(&self, k: usize) -> bool {
        // The gradient of the other operand needs it, if that has one.
        let is = |which: usize| matches!(self.operands[which], Operand::Input { k: own, .. } if own == k);
        let has = |which: usize| !matches!(self.operands[which], Operand::Constant(_));
        is(0) && has(1) || is(1) && has(0)
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
            gradients: self
                .parameter_len
                .iter()
                .map(|&n| Aligned::zeros(n))
                .collect(),
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
        let [a, b] = [0, 1].map(|which| self.operand(which, x, shared.parameters));
        for starts in &self.starts {
            let y = &mut y[starts[0]..starts[0] + self.rows * self.columns];
            multiply(
                y,
                0.0,
                self.view(0, a, starts[1]),
                self.view(1, b, starts[2]),
            );
        }
    }

    fn input_gradient(
        &self,
        k: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        for which in 0..2 {
            if matches!(self.operands[which], Operand::Input { k: own, .. } if own == k) {
                let other = self.operand(1 - which, x, shared.parameters);
                self.gradient(which, other, dy, dx.gradient, dx.add);
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
                let other = self.operand(1 - which, x, shared.parameters);
                self.gradient(which, other, dy, &mut sums.gradients[which], true);
            }
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        for which in 0..2 {
            if let Operand::Parameter(p) = self.operands[which] {
                let parts = sums.iter().map(|s| &s.gradients[which][..]);
                add_up(parts, &mut parameters[p].gradient);
            }
        }
    }
}
