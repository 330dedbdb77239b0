//! Layers with weights, and functions whose result tells their derivative.

use secateur_graph::{Conv, Gemm, Node, Op, ValueId};

use super::windows::{front, inner};
use super::{Mode, New, Reader};
use crate::kernels::conv::{Planes, Shape, lanes};
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::{Activate, Convolve, Dense, Filters};
use crate::{Activation, Error, Result};

impl Reader<'_> {
    pub(super) fn convolution(&mut self, node: &Node, conv: &Conv) -> Result<()> {
        let place = self.place(node.input(0)?)?;
        let x = self.image(place)?;
        let weight = self.parameter_at(node, 1)?;
        let bias = self.optional_at(node, 2)?;
        let mut made = node.output()?;
        let from = self.places[x].layout.clone();
        let to = Layout::image(&self.shape(made)?, lanes());
        let window = self.geometry(&conv.window, &from, &self.parameters[weight].shape[2..])?;
        let shape = Shape {
            inputs: from.channels(),
            outputs: to.channels(),
            groups: conv.conv_groups,
            kernel: inner(&window, |a| a.kernel),
            strides: inner(&window, |a| a.stride),
            dilations: inner(&window, |a| a.dilation),
            before: inner(&window, |a| a.before),
            in_size: from.size(),
            out_size: to.size(),
            in_stride: from.pixel(),
            out_stride: to.pixel(),
        };
        let kernel = Planes::new(shape, &front(&window, [&from, &to]));
        let mut norm = None;
        if self.mode != Mode::Train
            && let Some(id) = self.only_reader(made)
            && let reader = self.graph.node(id)
            && matches!(reader.op, Op::BatchNorm { .. })
            && reader.input(0).is_ok_and(|read| read == made)
        {
            norm = Some(self.running(reader)?);
            self.done[id.index()] = true;
            made = reader.output()?;
        }
        let mut relu = false;
        if let Some((id, Activation::Relu)) = self.following_activation(made) {
            relu = true;
            self.done[id.index()] = true;
            made = self.graph.node(id).output()?;
        }
        let step = Step::Convolve(Convolve {
            kernel,
            filters: Filters { weight, bias },
            norm,
            relu,
            trains: self.mode == Mode::Train,
        });
        self.push(
            made,
            New {
                step,
                x: vec![x],
                layout: to,
                is_trained: true,
            },
        );
        Ok(())
    }

    pub(super) fn gemm(&mut self, node: &Node, gemm: &Gemm) -> Result<()> {
        let weight = node.input(1)?;
        let added = node.inputs.get(2).copied().flatten();
        let units = self.shape(node.output()?)?.last().copied();
        let is_bias = |id: ValueId| {
            let tensor = self.graph.constant(id);
            self.is_weight(id) && tensor.is_some_and(|t| Some(t.len()) == units)
        };
        let is_dense = !gemm.trans_a
            && gemm.alpha == 1.0
            && (gemm.beta == 1.0 || added.is_none())
            && self.at.contains_key(&node.input(0)?)
            && self.is_weight(weight)
            && added.is_none_or(|id| is_bias(id) && self.is_last(id));
        if !is_dense {
            return self.general_gemm(node, gemm);
        }
        let bias = self.optional_at(node, 2)?;
        self.dense(node, gemm.trans_b, bias)
    }

    /// Whether a constant goes along the last axis only.
    fn is_last(&self, id: ValueId) -> bool {
        let shape = self.graph.constant(id).map(secateur_graph::Tensor::shape);
        shape.is_some_and(|s| s.iter().rev().skip(1).all(|&n| n == 1))
    }

    pub(super) fn dense(
        &mut self,
        node: &Node,
        transposed: bool,
        bias: Option<usize>,
    ) -> Result<()> {
        let place = self.place(node.input(0)?).map_err(|_| {
            Error::unsupported("the weights are on the left")
                .hint("multiply rows of data from the left: x W")
        })?;
        let x = self.plain(place)?;
        let weight = self.parameter_at(node, 1)?;
        let &[first, second] = self.parameters[weight].shape() else {
            let shape = self.parameters[weight].shape();
            return Err(Error::unsupported(format!(
                "the weights have shape {shape:?}, not two axes"
            ))
            .hint("only products with matrices of weights can be trained"));
        };
        let (inputs, outputs) = if transposed {
            (second, first)
        } else {
            (first, second)
        };
        if let Some(bias) = bias
            && self.parameters[bias].values.len() != outputs
        {
            let shape = self.parameters[bias].shape();
            return Err(Error::unsupported(format!(
                "a bias of shape {shape:?} behind {outputs} units"
            ))
            .hint("give the layer one bias for each unit"));
        }
        let made = node.output()?;
        let step = Step::Dense(Dense {
            weight,
            bias,
            inputs,
            outputs,
            transposed,
        });
        let layout = Layout::plain(&self.shape(made)?);
        self.push(
            made,
            New {
                step,
                x: vec![x],
                layout,
                is_trained: true,
            },
        );
        Ok(())
    }

    pub(super) fn activation(&mut self, node: &Node, function: Activation) -> Result<()> {
        let x = self.place(node.input(0)?)?;
        let layout = self.places[x].layout.clone();
        self.push(
            node.output()?,
            New {
                step: Step::Activate(Activate { function }),
                x: vec![x],
                layout,
                is_trained: false,
            },
        );
        Ok(())
    }

    /// Bounds may be inputs, which are constants then.
    pub(super) fn clip(&self, node: &Node, min: f32, max: f32) -> Result<Activation> {
        let mut bounds = [min, max];
        for (slot, bound) in bounds.iter_mut().enumerate() {
            let Some(id) = node.inputs.get(slot + 1).copied().flatten() else {
                continue;
            };
            let Some(&[given]) = self.array(id).as_ref().map(|a| a.values.as_slice()) else {
                return Err(Error::unsupported("the bounds of Clip are not constants")
                    .hint("only constant bounds can be trained with"));
            };
            *bound = given as f32;
        }
        let [min, max] = bounds;
        Ok(Activation::Clip { min, max })
    }
}
