//! What stands around the operator: constants, layers that make units, and layers that read what it makes.

use secateur_graph::{Binary, Dim, Element, Gemm, Op, Result, Tensor, Unary, ValueId};

use super::Reader;
use super::applied::Kind;
use crate::building::Building;

/// A layer that makes units on the last of two axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    made: ValueId,
    units: usize,
    rows: usize,
}

impl Building {
    pub(super) fn tensor(&mut self, tensor: Tensor) -> ValueId {
        let name = self.name("fixed");
        self.builder.constant(name, tensor)
    }

    /// A constant; numbers differ, so that no wrong order of theirs is as good.
    pub(super) fn number(&mut self, kind: Kind, shape: &[usize]) -> Result<ValueId> {
        match kind {
            Kind::Any => self.drawn(shape, |s| s.unit() as f32),
            Kind::Positive => self.drawn(shape, |s| 1.5 + s.unit() as f32),
            Kind::Truth => {
                let numbers = self.drawn(shape, |s| s.unit() as f32)?;
                self.of_kind(kind, numbers)
            }
        }
    }

    pub(super) fn of_kind(&mut self, kind: Kind, x: ValueId) -> Result<ValueId> {
        Ok(match kind {
            Kind::Any => x,
            Kind::Positive => self.node(Op::Unary(Unary::Sigmoid), &[x]),
            Kind::Truth => {
                let bound = self.tensor(Tensor::f32([], vec![0.125])?);
                let above = self.node(Op::Binary(Binary::Greater), &[x, bound]);
                self.builder.of_type(above, Element::Bool);
                above
            }
        })
    }

    /// Units of a layer on one axis of a value; the layer is made where there is none of so many units yet.
    pub(super) fn units(
        &mut self,
        layer: &mut Option<Layer>,
        shape: &[usize],
        axis: usize,
    ) -> Result<ValueId> {
        let units = shape[axis];
        let others: Vec<usize> = (0..shape.len()).filter(|&a| a != axis).collect();
        let lengths: Vec<usize> = others.iter().map(|&a| shape[a]).collect();
        let count = lengths.iter().product();
        let made = match *layer {
            Some(Layer {
                made,
                units: own,
                rows,
            }) if (own, rows) == (units, count) => made,
            _ => {
                let name = self.name("x");
                let dims = [Dim::Fixed(count), Dim::Fixed(3)];
                let x = self.builder.input(name, dims);
                let weights = self.number(Kind::Any, &[3, units])?;
                let made = self.node(Op::MatMul, &[x, weights]);
                *layer = Some(Layer {
                    made,
                    units,
                    rows: count,
                });
                made
            }
        };
        let wanted: Vec<i64> = lengths.iter().map(|&n| n as i64).collect();
        let wanted = [wanted, vec![units as i64]].concat();
        let wanted = self.tensor(Tensor::i64([wanted.len()], wanted)?);
        let folded = self.node(Op::Reshape { allow_zero: false }, &[made, wanted]);
        let last = others.len();
        let order = (0..shape.len()).map(|a| match a.cmp(&axis) {
            std::cmp::Ordering::Less => a,
            std::cmp::Ordering::Equal => last,
            std::cmp::Ordering::Greater => a - 1,
        });
        let order: Vec<usize> = order.collect();
        Ok(match axis == last {
            true => folded,
            false => self.node(Op::Transpose { order }, &[folded]),
        })
    }

    pub(super) fn read(
        &mut self,
        made: ValueId,
        reader: Reader,
        lengths: Option<&Vec<usize>>,
    ) -> Result<ValueId> {
        let lengths = lengths.map(Vec::as_slice).unwrap_or_default();
        match reader {
            Reader::Along(axis) if axis < lengths.len() => {
                let order = (0..lengths.len()).filter(|&a| a != axis).chain([axis]);
                let order = order.collect();
                let turned = self.node(Op::Transpose { order }, &[made]);
                let weights = self.number(Kind::Any, &[lengths[axis], 2])?;
                Ok(self.node(Op::MatMul, &[turned, weights]))
            }
            Reader::Flat => {
                let flat = self.node(Op::Flatten { axis: 0 }, &[made]);
                let weights = self.number(Kind::Any, &[lengths.iter().product(), 2])?;
                Ok(self.node(Op::Gemm(Gemm::default()), &[flat, weights]))
            }
            Reader::Along(_) | Reader::Nothing => Ok(made),
        }
    }
}
