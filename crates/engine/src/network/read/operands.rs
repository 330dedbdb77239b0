//! Operands of arithmetic: what each is, how it stretches, and whether it is trained.

use std::sync::Arc;

use secateur_graph::ValueId;

use super::Reader;
use crate::network::layout::Layout;
use crate::network::steps::Operand;
use crate::{Error, Result};

/// An operand as it is met: a place, or a constant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Met {
    Place(usize),
    Constant(ValueId),
    /// One number, which the engine puts in itself.
    Number(f32),
}

/// Which constants among operands are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trained {
    /// Those of more than one number behind trained layers: before them they prepare the input, and single numbers are part
    /// of formulas.
    Many,
    /// All of them.
    All,
    /// None.
    Nothing,
}

/// Operands with the strides of each along the axes of what is made.
pub(super) struct Operands {
    pub(super) x: Vec<usize>,
    pub(super) operands: Vec<Operand>,
    pub(super) strides: Vec<Vec<usize>>,
    /// How the output lies: as an operand of its shape does.
    pub(super) layout: Layout,
    /// Numbers of the parameter among the operands.
    pub(super) parameter_len: usize,
}

impl Reader<'_> {
    /// What an operand of arithmetic is.
    pub(super) fn met(&mut self, id: ValueId) -> Result<Met> {
        Ok(match self.at.get(&id) {
            Some(&place) => Met::Place(place),
            None => Met::Constant(id),
        })
    }

    /// Operands of an operation that makes `shape`.
    pub(super) fn operands(
        &mut self,
        met: &[Met],
        shape: &[usize],
        trained: Trained,
    ) -> Result<Operands> {
        let flowing: Vec<usize> = met
            .iter()
            .filter_map(|m| match m {
                Met::Place(place) => Some(*place),
                _ => None,
            })
            .collect();
        // An operand of the full shape says how the output lies.
        let like = flowing
            .iter()
            .find(|&&p| self.places[p].layout.shape == shape);
        let layout = match like.map(|&p| &self.places[p].layout) {
            Some(layout) => layout.clone(),
            None => Layout::plain(shape),
        };
        let is_trained = match trained {
            Trained::Many => flowing.iter().any(|&p| self.places[p].is_trained),
            Trained::All => true,
            Trained::Nothing => false,
        };
        let fewest = if trained == Trained::All { 1 } else { 2 };
        let mut all = Operands {
            x: vec![],
            operands: vec![],
            strides: vec![],
            layout,
            parameter_len: 0,
        };
        for met in met {
            let mut met = *met;
            if let Met::Constant(id) = met
                && is_trained
                && !self.is_weight(id)
                && let Some(place) = self.unfolded(id)?
            {
                met = Met::Place(place);
            }
            match met {
                Met::Place(place) => {
                    let own = &self.places[place].layout;
                    all.strides.push(aligned(own, shape));
                    all.operands.push(Operand::Input {
                        k: all.x.len(),
                        len: own.len,
                    });
                    all.x.push(place);
                }
                Met::Number(number) => {
                    all.strides.push(vec![0; shape.len()]);
                    all.operands.push(Operand::Constant(Arc::new([number])));
                }
                Met::Constant(id) => {
                    let array = self
                        .array(id)
                        .ok_or_else(|| Error::invalid("an operand has no value"))?;
                    all.strides
                        .push(aligned(&Layout::plain(&array.shape), shape));
                    if is_trained && self.is_weight(id) && array.values.len() >= fewest {
                        all.parameter_len = array.values.len();
                        all.operands
                            .push(Operand::Parameter(self.parameter(id, false)?));
                    } else {
                        let numbers = array.values.iter().map(|&v| v as f32).collect();
                        all.operands.push(Operand::Constant(numbers));
                    }
                }
            }
        }
        Ok(all)
    }
}

/// The shape that two broadcast to.
pub(super) fn common(a: &[usize], b: &[usize]) -> Vec<usize> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut shape = long.to_vec();
    let missing = long.len() - short.len();
    for (axis, &length) in short.iter().enumerate() {
        if shape[missing + axis] == 1 {
            shape[missing + axis] = length;
        }
    }
    shape
}

/// The strides of `own` along the axes of `shape`, 0 where it is repeated.
fn aligned(own: &Layout, shape: &[usize]) -> Vec<usize> {
    let missing = shape.len() - own.shape.len();
    let mut strides = vec![0; shape.len()];
    for (axis, (&length, &stride)) in own.shape.iter().zip(&own.strides).enumerate() {
        if length != 1 {
            strides[missing + axis] = stride;
        }
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_stretch_along_single_axes() {
        assert_eq!(common(&[1, 3, 1], &[4]), [1, 3, 4]);
        assert_eq!(common(&[5], &[2, 1]), [2, 5]);
        let own = Layout::plain(&[3, 1]);
        assert_eq!(aligned(&own, &[2, 3, 4]), [0, 1, 0]);
    }
}
