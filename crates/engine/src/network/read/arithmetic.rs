//! Arithmetic of several operands, each repeated along the axes that it lacks.

use std::sync::Arc;

use secateur_graph::{Binary as GraphBinary, Node, ValueId, Variadic};

use super::{New, Reader};
use crate::network::layout::Layout;
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Arithmetic, Binary, Choose, Operand};
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
    pub(super) fn binary(&mut self, node: &Node, binary: GraphBinary) -> Result<()> {
        let (op, trained) = match binary {
            GraphBinary::Add => (Arithmetic::Add, Trained::Many),
            GraphBinary::Sub => (Arithmetic::Sub, Trained::Many),
            GraphBinary::Mul => (Arithmetic::Mul, Trained::Many),
            GraphBinary::Div => (Arithmetic::Div, Trained::Many),
            GraphBinary::Pow => (Arithmetic::Pow, Trained::Nothing),
            GraphBinary::Min => (Arithmetic::Min, Trained::Nothing),
            GraphBinary::Max => (Arithmetic::Max, Trained::Nothing),
            _ => return self.still(node),
        };
        let met = [self.met(node.input(0)?)?, self.met(node.input(1)?)?];
        let made = node.output()?;
        let shape = self.shape(made)?;
        let y = self.combine(op, met, &shape, trained)?;
        self.at.insert(made, y);
        Ok(())
    }

    /// Slopes below zero; they are trained as weights are.
    pub(super) fn slopes(&mut self, node: &Node) -> Result<()> {
        let met = [self.met(node.input(0)?)?, self.met(node.input(1)?)?];
        let made = node.output()?;
        let shape = self.shape(made)?;
        let y = self.combine(Arithmetic::Slope, met, &shape, Trained::All)?;
        self.at.insert(made, y);
        Ok(())
    }

    /// One operand after the other.
    pub(super) fn variadic(&mut self, node: &Node, variadic: Variadic) -> Result<()> {
        let (op, trained) = match variadic {
            Variadic::Sum | Variadic::Mean => (Arithmetic::Add, Trained::Many),
            Variadic::Min => (Arithmetic::Min, Trained::Nothing),
            Variadic::Max => (Arithmetic::Max, Trained::Nothing),
        };
        let mut operands = vec![];
        for &id in node.inputs.iter().flatten() {
            operands.push((self.met(id)?, self.shape(id)?));
        }
        // Something that flows comes first, but of equal numbers the first is meant.
        if op == Arithmetic::Add {
            operands.sort_by_key(|(met, _)| !matches!(met, Met::Place(_)));
        }
        let made = node.output()?;
        let count = operands.len();
        let mut all: Option<(Met, Vec<usize>)> = None;
        let mut held: Vec<(Met, Vec<usize>)> = vec![];
        for (met, shape) in operands {
            all = Some(match all {
                None => (met, shape),
                Some((before, so_far)) => {
                    let shape = common(&so_far, &shape);
                    if let (Met::Place(_), _) | (_, Met::Place(_)) = (before, met) {
                        let y = self.combine(op, [before, met], &shape, trained)?;
                        (Met::Place(y), shape)
                    } else {
                        // Two constants meet something that flows one by one.
                        held.push((met, shape));
                        (before, so_far)
                    }
                }
            });
        }
        let Some((mut all, mut so_far)) = all else {
            return Err(Error::invalid("has no operand"));
        };
        for (met, shape) in held {
            so_far = common(&so_far, &shape);
            all = Met::Place(self.combine(op, [all, met], &so_far, trained)?);
        }
        if variadic == Variadic::Mean {
            let share = Met::Number(1.0 / count as f32);
            all = Met::Place(self.combine(
                Arithmetic::Mul,
                [all, share],
                &so_far,
                Trained::Nothing,
            )?);
        }
        let Met::Place(y) = all else {
            return Err(Error::invalid("has no operand that depends on the input"));
        };
        self.at.insert(made, y);
        Ok(())
    }

    /// What a condition names of two operands.
    pub(super) fn choice(&mut self, node: &Node) -> Result<()> {
        let ids = [node.input(0)?, node.input(1)?, node.input(2)?];
        let met = [self.met(ids[0])?, self.met(ids[1])?, self.met(ids[2])?];
        let made = node.output()?;
        let shape = self.shape(made)?;
        let all = self.operands(&met, &shape, Trained::Nothing)?;
        let (Ok(operands), [condition, a, b]) =
            (<[Operand; 3]>::try_from(all.operands), &all.strides[..])
        else {
            return Err(Error::invalid("a choice of three operands has others"));
        };
        let step = Step::Choose(Choose {
            operands,
            loops: Loops::new(&shape, [&all.layout.strides, condition, a, b]),
        });
        self.push(
            made,
            New {
                step,
                x: all.x,
                layout: all.layout,
                is_trained: false,
            },
        );
        Ok(())
    }

    /// What an operand of arithmetic is.
    pub(super) fn met(&mut self, id: ValueId) -> Result<Met> {
        Ok(match self.at.get(&id) {
            Some(&place) => Met::Place(place),
            None => Met::Constant(id),
        })
    }

    /// A place for the result of two operands.
    pub(super) fn combine(
        &mut self,
        op: Arithmetic,
        met: [Met; 2],
        shape: &[usize],
        trained: Trained,
    ) -> Result<usize> {
        let all = self.operands(&met, shape, trained)?;
        let even = all.x.len() == 2 && all.x.iter().all(|&p| self.places[p].layout == all.layout);
        let is_parameter = all
            .operands
            .iter()
            .any(|o| matches!(o, Operand::Parameter(_)));
        let (Ok(operands), [a, b]) = (<[Operand; 2]>::try_from(all.operands), &all.strides[..])
        else {
            return Err(Error::invalid("an operation of two operands has others"));
        };
        let step = Step::Binary(Binary {
            op,
            operands,
            loops: Loops::new(shape, [&all.layout.strides, a, b]),
            output: all.layout.len,
            is_even: even,
            parameter_len: all.parameter_len,
        });
        Ok(self.add(New {
            step,
            x: all.x,
            layout: all.layout,
            is_trained: is_parameter,
        }))
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
