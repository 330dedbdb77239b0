//! Products of matrices that are more than rows times weights.

use secateur_graph::{Gemm, Node, ValueId};

use super::operands::{Met, Trained, common};
use super::{New, Reader};
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::{Arithmetic, Operand, Product};
use crate::{Error, Result};

/// Two operands as matrices: `count` products of `rows` by `inner` and `inner` by `columns`.
pub(super) struct Matrices {
    pub(super) starts: Vec<[usize; 3]>,
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) columns: usize,
}

impl Matrices {
    /// Of two shapes of two axes or more, whose axes before the last two stretch to each other.
    pub(super) fn of(a: &[usize], b: &[usize], transposed: [bool; 2]) -> Result<Self> {
        let ([outer_a @ .., a0, a1], [outer_b @ .., b0, b1]) = (a, b) else {
            return Err(Error::invalid(
                "a product of something with fewer than two axes",
            ));
        };
        let (rows, inner) = if transposed[0] {
            (*a1, *a0)
        } else {
            (*a0, *a1)
        };
        let (second, columns) = if transposed[1] {
            (*b1, *b0)
        } else {
            (*b0, *b1)
        };
        if inner != second {
            return Err(Error::invalid(format!(
                "a product of shapes {a:?} and {b:?}"
            )));
        }
        let outer = common(outer_a, outer_b);
        let count: usize = outer.iter().product();
        let start = |own: &[usize], element: usize| {
            let (mut rest, mut at, mut stride) = (element, 0, 1);
            for (axis, &length) in outer.iter().enumerate().rev() {
                let missing = outer.len() - own.len();
                if let Some(&n) = axis.checked_sub(missing).and_then(|a| own.get(a)) {
                    at += if n == 1 { 0 } else { rest % length * stride };
                    stride *= n;
                }
                rest /= length;
            }
            at
        };
        let starts = (0..count).map(|e| {
            [
                e * rows * columns,
                start(outer_a, e) * rows * inner,
                start(outer_b, e) * inner * columns,
            ]
        });
        Ok(Self {
            starts: starts.collect(),
            rows,
            inner,
            columns,
        })
    }
}

impl Reader<'_> {
    /// A product, by rows with weights where it is that.
    pub(super) fn matmul(&mut self, node: &Node) -> Result<()> {
        let ids = [node.input(0)?, node.input(1)?];
        let mut shapes = [self.shape(ids[0])?, self.shape(ids[1])?];
        if self.at.contains_key(&ids[0]) && shapes[1].len() == 2 && self.is_weight(ids[1]) {
            return self.dense(node, false, None);
        }
        // A vector is a matrix of one row or column.
        if shapes[0].len() == 1 {
            shapes[0].insert(0, 1);
        }
        if shapes[1].len() == 1 {
            shapes[1].push(1);
        }
        let matrices = Matrices::of(&shapes[0], &shapes[1], [false; 2])?;
        self.keeps_rows_apart(node, ids, &shapes, &matrices)?;
        let made = node.output()?;
        let shape = self.shape(made)?;
        let met = [self.met(ids[0])?, self.met(ids[1])?];
        let y = self.product(met, matrices, [false; 2], &shape)?;
        self.at.insert(made, y);
        Ok(())
    }

    /// `alpha A B + beta C`, as `beta (alpha / beta A B + C)`.
    pub(super) fn general_gemm(&mut self, node: &Node, gemm: &Gemm) -> Result<()> {
        let ids = [node.input(0)?, node.input(1)?];
        let shapes = [self.shape(ids[0])?, self.shape(ids[1])?];
        if gemm.trans_a && self.at.contains_key(&ids[0]) && shapes[0].first() == Some(&1) {
            return Err(Error::unsupported(
                "Gemm with a transposed input mixes the rows of a batch",
            )
            .hint("multiply rows of data from the left: x W"));
        }
        let transposed = [gemm.trans_a, gemm.trans_b];
        let matrices = Matrices::of(&shapes[0], &shapes[1], transposed)?;
        self.keeps_rows_apart(node, ids, &shapes, &matrices)?;
        let made = node.output()?;
        let shape = self.shape(made)?;
        let met = [self.met(ids[0])?, self.met(ids[1])?];
        let mut y = self.product(met, matrices, transposed, &shape)?;
        let added = node.inputs.get(2).copied().flatten();
        let beta = if added.is_some() { gemm.beta } else { 0.0 };
        let (first, last) = match beta {
            0.0 => (gemm.alpha, 1.0),
            beta => (gemm.alpha / beta, beta),
        };
        y = self.scaled(y, first, &shape)?;
        if let Some(added) = added.filter(|_| beta != 0.0) {
            let met = [Met::Place(y), self.met(added)?];
            y = self.combine(Arithmetic::Add, met, &shape, Trained::All)?;
        }
        y = self.scaled(y, last, &shape)?;
        self.at.insert(made, y);
        Ok(())
    }

    /// Refuses `X Y'` and `X' Y` of values that have one row each of `X` and `Y`: for a batch these are numbers of every pair
    /// of rows, or sums over rows, while steps see one row at a time.
    fn keeps_rows_apart(
        &self,
        node: &Node,
        ids: [ValueId; 2],
        shapes: &[Vec<usize>; 2],
        matrices: &Matrices,
    ) -> Result<()> {
        let both_flow = ids.iter().all(|id| self.at.contains_key(id));
        let is_flat = shapes.iter().all(|shape| shape.len() == 2);
        let pairs = matrices.rows == 1 && matrices.columns == 1;
        if both_flow && is_flat && (pairs || matrices.inner == 1) {
            return Err(Error::unsupported(format!(
                "{} of two values of one row each mixes the rows of a batch",
                node.op.onnx_name()
            ))
            .hint("keep an axis for the batch before those of the matrices"));
        }
        Ok(())
    }

    /// A place times a number.
    fn scaled(&mut self, place: usize, factor: f32, shape: &[usize]) -> Result<usize> {
        match factor {
            1.0 => Ok(place),
            factor => {
                let met = [Met::Place(place), Met::Number(factor)];
                self.combine(Arithmetic::Mul, met, shape, Trained::Nothing)
            }
        }
    }

    /// A place for products of matrices, which lies as ONNX counts it.
    pub(super) fn product(
        &mut self,
        met: [Met; 2],
        matrices: Matrices,
        transposed: [bool; 2],
        shape: &[usize],
    ) -> Result<usize> {
        let mut x = vec![];
        let mut operands = vec![];
        let mut parameter_len = [0; 2];
        for (which, mut met) in met.into_iter().enumerate() {
            if let Met::Constant(id) = met
                && !self.is_weight(id)
                && let Some(place) = self.unfolded(id)?
            {
                met = Met::Place(place);
            }
            operands.push(match met {
                Met::Place(place) => {
                    let place = self.plain(place)?;
                    x.push(place);
                    Operand::Input {
                        k: x.len() - 1,
                        len: self.places[place].layout.len,
                    }
                }
                Met::Constant(id) if self.is_weight(id) => {
                    let parameter = self.parameter(id, false)?;
                    parameter_len[which] = self.parameters[parameter].values.len();
                    Operand::Parameter(parameter)
                }
                Met::Constant(id) => {
                    let array = self
                        .array(id)
                        .ok_or_else(|| Error::invalid("an operand has no value"))?;
                    Operand::Constant(array.values.iter().map(|&v| v as f32).collect())
                }
                Met::Number(_) => return Err(Error::invalid("a product with a number")),
            });
        }
        let Ok(operands) = <[Operand; 2]>::try_from(operands) else {
            return Err(Error::invalid("a product of two operands has others"));
        };
        let step = Step::Product(Product {
            operands,
            starts: matrices.starts,
            rows: matrices.rows,
            inner: matrices.inner,
            columns: matrices.columns,
            transposed,
            parameter_len,
        });
        Ok(self.add(New {
            step,
            x,
            layout: Layout::plain(shape),
            is_trained: parameter_len != [0; 2],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outer_axes_stretch_to_each_other() {
        let m = Matrices::of(&[2, 1, 3, 4], &[5, 4, 6], [false; 2]).unwrap();
        assert_eq!((m.rows, m.inner, m.columns, m.starts.len()), (3, 4, 6, 10));
        assert_eq!(m.starts[0], [0, 0, 0]);
        assert_eq!(m.starts[4], [72, 0, 96]);
        assert_eq!(m.starts[6], [108, 12, 24]);
        let m = Matrices::of(&[4, 3], &[6, 4], [true; 2]).unwrap();
        assert_eq!((m.rows, m.inner, m.columns), (3, 4, 6));
        assert!(Matrices::of(&[2, 3], &[2, 3], [false; 2]).is_err());
    }
}
