//! An operator with what it is given.

use secateur_graph::{Element, Op, Result, Tensor};

/// Which numbers an operand takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Any,
    Positive,
    Truth,
}

/// An operand of an operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A constant or an activation of this shape.
    Drawn(Kind, Vec<usize>),
    /// Always this constant.
    Fixed(Tensor),
    /// Left out.
    Missing,
}

/// An operator with what it is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Applied {
    pub(super) op: Op,
    pub(super) operands: Vec<Operand>,
    pub(super) outputs: usize,
    /// The type of what it makes, if that is not the usual one.
    pub(super) element: Option<Element>,
}

impl Applied {
    pub(super) fn new(op: Op, operands: impl Into<Vec<Operand>>) -> Self {
        Self {
            op,
            operands: operands.into(),
            outputs: 1,
            element: None,
        }
    }

    /// An operator on numbers of these shapes.
    pub(super) fn on(op: Op, shapes: &[&[usize]]) -> Self {
        let operands: Vec<Operand> = shapes.iter().map(|shape| drawn(shape)).collect();
        Self::new(op, operands)
    }

    pub(super) fn making(mut self, element: Element) -> Self {
        self.element = Some(element);
        self
    }

    pub(super) fn with_outputs(mut self, outputs: usize) -> Self {
        self.outputs = outputs;
        self
    }
}

pub(super) fn drawn(shape: &[usize]) -> Operand {
    Operand::Drawn(Kind::Any, shape.to_vec())
}

pub(super) fn positive(shape: &[usize]) -> Operand {
    Operand::Drawn(Kind::Positive, shape.to_vec())
}

pub(super) fn truths(shape: &[usize]) -> Operand {
    Operand::Drawn(Kind::Truth, shape.to_vec())
}

/// A constant list of whole numbers.
pub(super) fn list(values: &[i64]) -> Result<Operand> {
    Tensor::i64([values.len()], values.to_vec()).map(Operand::Fixed)
}

/// A constant of whole numbers.
pub(super) fn whole(shape: &[usize], values: &[i64]) -> Result<Operand> {
    Tensor::i64(shape, values.to_vec()).map(Operand::Fixed)
}

/// Shapes of every rank that elementwise operators take here: lengths that differ, and lengths that are all the same, so that
/// an axis may be mistaken for another.
pub(super) const SHAPES: [&[usize]; 7] = [
    &[3],
    &[3, 4],
    &[3, 3],
    &[3, 4, 2],
    &[3, 3, 3],
    &[2, 3, 4, 2],
    &[2, 2, 2, 2],
];

/// Shapes that broadcast to `shape`: each axis as it is or of one position, and without leading axes.
pub(super) fn broadcasting(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = (0..1usize << shape.len())
        .map(|whole| {
            let axes = shape.iter().enumerate();
            axes.map(|(axis, &length)| if whole >> axis & 1 == 1 { length } else { 1 })
                .collect()
        })
        .collect();
    all.extend((1..=shape.len()).map(|first| shape[first..].to_vec()));
    all
}
