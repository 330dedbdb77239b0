//! Convolutions, and what else is laid as a window.

use secateur_graph::{Conv, Op, Padding, Tensor, Unary, Window};

use super::{Here, Layers};
use crate::network::ImageSize;
use crate::{Error, Result};

/// How a convolution is laid.
#[derive(Debug, Clone, Copy)]
pub(in crate::network) struct Filter {
    /// Rows and columns of the window.
    pub(in crate::network) kernel: usize,
    /// Places from one output to the next.
    pub(in crate::network) stride: usize,
    /// Places beyond each border that count as zeros.
    pub(in crate::network) padding: usize,
    /// Whether each channel is filtered by itself.
    pub(in crate::network) depthwise: bool,
}

impl Filter {
    /// An odd window whose outputs lie where its inputs do, at every `stride`-th of them.
    pub(in crate::network) fn same(kernel: usize, stride: usize) -> Self {
        Self {
            kernel,
            stride,
            padding: kernel / 2,
            depthwise: false,
        }
    }

    pub(super) fn window(self) -> Window {
        let padding = vec![self.padding; 2];
        Window {
            strides: vec![self.stride; 2],
            padding: Padding::By {
                before: padding.clone(),
                behind: padding,
            },
            ..Window::plain(2)
        }
    }
}

impl Layers<'_> {
    /// A convolution with a bias and weights `[outputs, channels, kernel, kernel]`, drawn as of a layer that no rectifier follows.
    pub(in crate::network) fn conv(
        &mut self,
        name: &str,
        x: Here,
        outputs: usize,
        filter: Filter,
    ) -> Result<Here> {
        self.filtered(name, x, outputs, filter, true)
    }

    /// A convolution without a bias, drawn for rectifiers, and a normalisation whose scales are 1 and shifts 0, over running means
    /// of 0 and variances of 1. A bias would be taken away again with the mean.
    pub(in crate::network) fn conv_norm(
        &mut self,
        name: &str,
        x: Here,
        outputs: usize,
        filter: Filter,
    ) -> Result<Here> {
        let x = self.filtered(name, x, outputs, filter, false)?;
        let mut inputs = vec![x.value];
        for (what, number) in [
            ("scale", 1.0),
            ("shift", 0.0),
            ("mean", 0.0),
            ("variance", 1.0),
        ] {
            let tensor = Tensor::f32([outputs], vec![number; outputs])?;
            inputs.push(self.builder.constant(format!("{name}.norm.{what}"), tensor));
        }
        let norm = Op::BatchNorm {
            epsilon: 1e-5,
            momentum: 0.9,
        };
        Ok(self.add(format!("{name}.norm"), norm, &inputs, x.size))
    }

    fn filtered(
        &mut self,
        name: &str,
        x: Here,
        outputs: usize,
        filter: Filter,
        bias: bool,
    ) -> Result<Here> {
        let behind = self.behind(name, x.size, filter)?;
        let (read, groups) = match filter.depthwise {
            true => (1, x.size.channels),
            false => (x.size.channels, 1),
        };
        let (kernel, rectified) = (filter.kernel, (!bias).then_some(Unary::Relu));
        let (weights, bias_of) =
            self.draw((read.saturating_mul(kernel * kernel), outputs), rectified)?;
        let weights = Tensor::f32([outputs, read, kernel, kernel], weights)?;
        let mut inputs = vec![x.value];
        inputs.push(self.builder.constant(format!("{name}.weight"), weights));
        if bias {
            let tensor = Tensor::f32([outputs], vec![bias_of; outputs])?;
            inputs.push(self.builder.constant(format!("{name}.bias"), tensor));
        }
        let conv = Op::Conv(Conv {
            window: filter.window(),
            conv_groups: groups,
        });
        let size = ImageSize::new(outputs, behind.height, behind.width);
        Ok(self.add(name.to_owned(), conv, &inputs, size))
    }

    /// Channels all alike behind a window.
    pub(super) fn behind(&self, name: &str, size: ImageSize, filter: Filter) -> Result<ImageSize> {
        let along = |length: usize| {
            let room = (length.saturating_add(2 * filter.padding)).checked_sub(filter.kernel);
            room.map(|room| room / filter.stride + 1)
        };
        match (along(size.height), along(size.width)) {
            (Some(height), Some(width)) => Ok(ImageSize::new(size.channels, height, width)),
            _ => Err(Error::settings(format!(
                "images of {} are too small: {name} has a window of {kernel}x{kernel}, and {}x{} places are left",
                self.input,
                size.height,
                size.width,
                kernel = filter.kernel
            ))
            .at("input")
            .hint("give larger images, or take a residual network, which fits images of any size")),
        }
    }
}
