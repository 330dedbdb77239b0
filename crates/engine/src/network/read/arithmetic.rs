//! Arithmetic of several operands, each repeated along the axes that it lacks.

use secateur_graph::{Binary as GraphBinary, Node, Variadic};

use super::operands::{Met, Trained, common};
use super::{New, Reader};
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Arithmetic, Binary, Choose, Operand};
use crate::{Error, Result};

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
}
