//! Batch normalisation, with the sum and the function behind it in the same pass.

use secateur_graph::{Binary, Node, Op};

use super::{Mode, New, Planned, Reader};
use crate::network::step::Step;
use crate::network::steps::{Normalise, Running, Statistics};
use crate::{Activation, Error, Result};

impl Reader<'_> {
    /// The parameters of a `BatchNormalization`.
    pub(super) fn running(&mut self, node: &Node) -> Result<Running> {
        let Op::BatchNorm { epsilon, momentum } = node.op else {
            return Err(Error::invalid("is no BatchNormalization"));
        };
        let (mean, variance) = (node.input(3)?, node.input(4)?);
        Ok(Running {
            scale: self.parameter_at(node, 1)?,
            shift: self.parameter_at(node, 2)?,
            mean: self.parameter(mean, true)?,
            variance: self.parameter(variance, true)?,
            epsilon,
            momentum,
        })
    }

    pub(super) fn batch_norm(&mut self, node: &Node) -> Result<()> {
        let place = self.place(node.input(0)?)?;
        let x = match self.places[place].layout.shape.len() {
            2 => place,
            _ => self.image(place)?,
        };
        let norm = self.running(node)?;
        let layout = self.places[x].layout.clone();
        let (channels, pixel) = (layout.channels(), layout.pixel());
        let places = layout.len / pixel.max(1);
        let mut made = node.output()?;
        let mut inputs = vec![x];
        if let Some(id) = self.only_reader(made)
            && let sum = self.graph.node(id)
            && sum.op == Op::Binary(Binary::Add)
        {
            let other = sum.inputs.iter().flatten().find(|&&i| i != made);
            let other = other.and_then(|id| self.at.get(id).copied());
            if let Some(other) = other.filter(|&p| self.places[p].layout == layout) {
                inputs.push(other);
                self.done[id.index()] = true;
                made = sum.output()?;
            }
        }
        let mut function = Activation::Identity;
        if let Some((id, following)) = self.following_activation(made) {
            function = following;
            self.done[id.index()] = true;
            made = self.graph.node(id).output()?;
        }
        let trains = self.mode == Mode::Train;
        if trains {
            self.steps.push(Planned {
                step: Step::Statistics(Statistics {
                    norm,
                    channels,
                    pixel,
                    places,
                }),
                gradients: vec![None],
                x: vec![x],
                // Known when the step behind is.
                y: self.places.len(),
                makes: false,
                // That of the step behind.
                state: self.states,
                is_trained: true,
            });
        }
        let step = Step::Normalise(Normalise {
            norm,
            function,
            has_residual: inputs.len() == 2,
            channels,
            pixel,
            places,
            trains,
        });
        self.push(
            made,
            New {
                step,
                x: inputs,
                layout,
                is_trained: true,
            },
        );
        Ok(())
    }
}
