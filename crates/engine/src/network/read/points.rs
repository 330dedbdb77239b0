//! Functions of one number, and what has no derivative.

use std::sync::Arc;

use secateur_graph::{Array, Node, Unary};

use super::rows::{axis_at, keeps_to_rows};
use super::{New, Reader};
use crate::kernels::functions;
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::{Function, Given, Still};
use crate::{Activation, Error, Result};

impl Reader<'_> {
    /// A function of one number: in place where its result tells its derivative.
    pub(super) fn unary(&mut self, node: &Node, unary: Unary) -> Result<()> {
        if let Ok(function) = Activation::from_graph(unary) {
            return self.activation(node, function);
        }
        let x = self.place(node.input(0)?)?;
        let layout = self.places[x].layout.clone();
        if !functions::is_known(unary) {
            return self.still(node);
        }
        let y = self.push(
            node.output()?,
            New {
                step: Step::Function(Function { unary }),
                x: vec![x],
                layout,
                is_trained: false,
            },
        );
        if !functions::has_slope(unary) {
            self.note(node, y);
        }
        Ok(())
    }

    /// Remembers that the step that makes `y` has no derivative.
    fn note(&mut self, node: &Node, y: usize) {
        let step = self.steps.iter().rposition(|s| s.y == y);
        let name = format!("{} '{}'", node.op.onnx_name(), node.name);
        self.notes.extend(step.map(|s| (s, name)));
    }

    /// [`Reader::still`] of what looks along an axis, which may not be that of the batch.
    pub(super) fn along(&mut self, node: &Node, axis: i64) -> Result<()> {
        let place = self.place(node.input(0)?)?;
        let shape = &self.places[place].layout.shape;
        keeps_to_rows(node, axis_at(axis, shape.len())?, shape)?;
        self.still(node)
    }

    /// A node that has no derivative, computed as the graph defines it.
    pub(super) fn still(&mut self, node: &Node) -> Result<()> {
        let (mut x, mut given) = (vec![], vec![]);
        for id in &node.inputs {
            given.push(match *id {
                None => Given::Nothing,
                Some(id) => match self.at.get(&id) {
                    Some(&place) => {
                        x.push(self.plain(place)?);
                        Given::Input(self.places[place].layout.shape.clone())
                    }
                    None => {
                        let array = self.array(id);
                        let array =
                            array.ok_or_else(|| Error::invalid("an operand has no value"))?;
                        Given::Constant(Arc::new(array))
                    }
                },
            });
        }
        let zeros: Vec<Vec<f32>> = x
            .iter()
            .map(|&p| vec![0.0; self.places[p].layout.len])
            .collect();
        for (which, &value) in node.outputs.iter().enumerate() {
            if self.graph.readers(value).is_empty() && !self.graph.outputs().contains(&value) {
                continue;
            }
            let step = Still {
                node: node.clone(),
                given: given.clone(),
                which,
            };
            let Some(Array { shape, .. }) = step.evaluate(|k| &zeros[k]) else {
                return Err(Error::unsupported(format!(
                    "{} of these inputs cannot be evaluated",
                    node.op.onnx_name()
                ))
                .hint("secateur shrink removes units of any network without training it"));
            };
            let y = self.push(
                value,
                New {
                    step: Step::Still(step),
                    x: x.clone(),
                    layout: Layout::plain(&shape),
                    is_trained: false,
                },
            );
            self.note(node, y);
        }
        Ok(())
    }
}
