//! Convolutions backwards.

use secateur_graph::{ConvTranspose, Node, Padding};

use super::windows::{Along, front, inner};
use super::{New, Reader};
use crate::kernels::conv::{Planes, Shape, lanes};
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::{Filters, Spread};
use crate::{Error, Result};

impl Reader<'_> {
    pub(super) fn conv_transpose(&mut self, node: &Node, conv: &ConvTranspose) -> Result<()> {
        let place = self.place(node.input(0)?)?;
        let mut x = self.image(place)?;
        let whole = Layout::image(&self.places[x].layout.shape, lanes());
        if self.places[x].layout != whole {
            // It is the output of the convolution, whose pixels are whole vectors, whether it has a gradient or not.
            x = self.relaid(x, whole);
        }
        let weight = self.parameter_at(node, 1)?;
        let bias = self.optional_at(node, 2)?;
        let made = node.output()?;
        let from = self.places[x].layout.clone();
        let to = Layout::image(&self.shape(made)?, lanes());
        let kernel = &self.parameters[weight].shape[2..];
        let Padding::By { before, .. } = &conv.window.padding else {
            return Err(Error::unsupported(
                "ConvTranspose with automatic padding cannot be trained",
            )
            .hint("state the padding in numbers"));
        };
        // Of the convolution that reads what is made here; how far it reaches behind follows from the lengths.
        let mut window = vec![Along::ONE; 2usize.saturating_sub(kernel.len())];
        window.extend(kernel.iter().enumerate().map(|(axis, &kernel)| Along {
            kernel,
            stride: conv.window.strides[axis],
            dilation: conv.window.dilations[axis],
            before: before[axis],
            behind: 0,
        }));
        let shape = Shape {
            inputs: to.channels(),
            outputs: from.channels(),
            groups: conv.conv_groups,
            kernel: inner(&window, |a| a.kernel),
            strides: inner(&window, |a| a.stride),
            dilations: inner(&window, |a| a.dilation),
            before: inner(&window, |a| a.before),
            in_size: to.size(),
            out_size: from.size(),
            in_stride: to.pixel(),
            out_stride: from.pixel(),
        };
        let kernel = Planes::new(shape, &front(&window, [&to, &from]));
        let step = Step::Spread(Spread {
            kernel,
            filters: Filters { weight, bias },
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
}
