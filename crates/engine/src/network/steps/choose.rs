//! Of two operands, element by element, the one that a condition names.

use super::super::loops::Loops;
use super::super::step::{Inputs, Into, Shared, Sums, Work};
use super::Operand;

/// `y = a` where the condition is not 0, else `b`.
#[derive(Debug, Clone)]
pub(crate) struct Choose {
    /// Condition, `a` and `b`.
    pub(crate) operands: [Operand; 3],
    /// Over output and operands.
    pub(crate) loops: Loops<4>,
}

impl Choose {
    fn operand<'a>(&'a self, which: usize, x: &'a dyn Inputs) -> &'a [f32] {
        match &self.operands[which] {
            Operand::Input { k, .. } => x.get(*k),
            Operand::Constant(numbers) => numbers,
            // Constants of a choice are not trained.
            Operand::Parameter(_) => &[],
        }
    }

    fn is(&self, which: usize, input: usize) -> bool {
        matches!(self.operands[which], Operand::Input { k, .. } if k == input)
    }
}

impl Work for Choose {
    fn differentiates(&self, k: usize) -> bool {
        !self.is(0, k)
    }

    fn needs_input(&self, k: usize) -> bool {
        self.is(0, k)
    }

    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        let [condition, a, b] = [0, 1, 2].map(|which| self.operand(which, x));
        self.loops.each(|[at, c, at_a, at_b], count, steps| {
            for i in 0..count {
                y[at + i * steps[0]] = if condition[c + i * steps[1]] != 0.0 {
                    a[at_a + i * steps[2]]
                } else {
                    b[at_b + i * steps[3]]
                };
            }
        });
    }

    fn input_gradient(
        &self,
        k: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        if !dx.add {
            dx.gradient.fill(0.0);
        }
        let condition = self.operand(0, x);
        for which in (1..3).filter(|&which| self.is(which, k)) {
            self.loops.each(|at, count, steps| {
                for i in 0..count {
                    let holds = condition[at[1] + i * steps[1]] != 0.0;
                    if holds == (which == 1) {
                        dx.gradient[at[1 + which] + i * steps[1 + which]] +=
                            dy[at[0] + i * steps[0]];
                    }
                }
            });
        }
    }
}
