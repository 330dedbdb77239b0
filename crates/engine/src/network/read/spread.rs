//! Convolutions backwards.

use secateur_graph::{ConvTranspose, Node, Padding};

use super::{New, Reader};
use crate::kernels::conv::{Kernel, Shape, lanes};
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
        if !matches!(kernel.len(), 1 | 2) {
            return Err(Error::unsupported(format!(
                "a window over {} axes cannot be trained",
                kernel.len()
            ))
            .hint("windows over one or two axes can"));
        }
        let kernel = Kernel::new(Shape {
            inputs: to.channels(),
            outputs: from.channels(),
            groups: conv.conv_groups,
            kernel: wide(kernel, 1),
            strides: wide(&conv.window.strides, 1),
            dilations: wide(&conv.window.dilations, 1),
            before: wide(before, 0),
            in_size: to.size(),
            out_size: from.size(),
            in_stride: to.pixel(),
            out_stride: from.pixel(),
        });
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

/// Height and width; a missing height is `fill`.
fn wide(values: &[usize], fill: usize) -> [usize; 2] {
    match *values {
        [height, width] => [height, width],
        [width] => [fill, width],
        _ => [fill, fill],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_height_is_filled() {
        assert_eq!(wide(&[3], 1), [1, 3]);
        assert_eq!(wide(&[3, 4], 1), [3, 4]);
    }
}
