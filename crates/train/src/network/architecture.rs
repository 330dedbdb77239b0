//! Networks by name.

use std::fmt;
use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use secateur_graph::{Cost, Graph, cost};

use super::layers::{Layers, Numbers};
use super::{ImageSize, Init, lenet, mobilenet, resnet, vgg};
use crate::{Error, Result};

/// A network for images that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Dense layers of 256 and 128 units.
    Mlp,
    /// Dense layers of 300 and 100 units (LeCun et al. 1998).
    LeNet300,
    /// Two convolutions and two dense layers, 20-50-500, as in Caffe.
    LeNet5,
    /// Six convolutions in the manner of Simonyan & Zisserman (2015).
    VggSmall,
    /// The residual network of 20 layers of He et al. (2016), section 4.2, with projections as shortcuts.
    ResNet20,
    /// That of 32 layers.
    ResNet32,
    /// That of 56 layers.
    ResNet56,
    /// A short MobileNetV2 (Sandler et al. 2018).
    MobileNetSmall,
}

/// What a network takes and gives, and how wide it is between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) classes: usize,
    factor: f64,
}

impl Sizes {
    /// That many channels or units, times the factor: rounded, and at least 1.
    pub(super) fn width(self, units: usize) -> usize {
        // What is too large for the type saturates, and is refused as it is drawn.
        ((units as f64 * self.factor).round() as usize).max(1)
    }
}

impl Architecture {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Mlp,
        Self::LeNet300,
        Self::LeNet5,
        Self::VggSmall,
        Self::ResNet20,
        Self::ResNet32,
        Self::ResNet56,
        Self::MobileNetSmall,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::LeNet300 => "lenet300",
            Self::LeNet5 => "lenet5",
            Self::VggSmall => "vgg-small",
            Self::ResNet20 => "resnet20",
            Self::ResNet32 => "resnet32",
            Self::ResNet56 => "resnet56",
            Self::MobileNetSmall => "mobilenet-small",
        }
    }

    /// The images that it was thought out for.
    pub fn usual_input(self) -> ImageSize {
        match self {
            Self::LeNet300 | Self::LeNet5 => ImageSize::new(1, 28, 28),
            _ => ImageSize::new(3, 32, 32),
        }
    }

    /// A graph from `image` `[batch, channels, height, width]` to `logits` `[batch, classes]`, with weights drawn from `rng`. Every
    /// hidden width is multiplied by `width_factor` and rounded, and is at least 1.
    ///
    /// # Errors
    /// If there are no classes, the factor is not a positive number, the images are too small, the network would be too large, or
    /// the law draws nothing useful.
    pub fn build(
        self,
        input: ImageSize,
        classes: usize,
        width_factor: f64,
        init: Init,
        rng: &mut ChaCha8Rng,
    ) -> Result<Graph> {
        self.with(input, classes, width_factor, Numbers::Drawn(init, rng))
    }

    /// What such a network costs: for batches of one image, running means and variances counted among the parameters.
    ///
    /// # Errors
    /// As for [`Architecture::build`].
    pub fn cost(self, input: ImageSize, classes: usize, width_factor: f64) -> Result<Cost> {
        let graph = self.with(input, classes, width_factor, Numbers::Zeros)?;
        Ok(cost(&graph)?)
    }

    fn with(
        self,
        input: ImageSize,
        classes: usize,
        factor: f64,
        numbers: Numbers<'_>,
    ) -> Result<Graph> {
        if !(factor.is_finite() && factor > 0.0) {
            return Err(
                Error::settings(format!("{factor} is not a factor of widths"))
                    .at("width")
                    .hint("give a positive number: 0.5 halves all hidden widths"),
            );
        }
        if classes == 0 {
            return Err(Error::settings("a network without classes says nothing")
                .at("classes")
                .hint("give at least 1"));
        }
        if input.numbers() == 0 {
            return Err(Error::settings(format!("an image of {input} is empty"))
                .at("input")
                .hint("give channels, rows and columns, each at least 1"));
        }
        let sizes = Sizes { classes, factor };
        let (mut l, image) = Layers::new(self.name(), input, numbers);
        let logits = match self {
            Self::Mlp => lenet::dense(&mut l, image, sizes, &[256, 128]),
            Self::LeNet300 => lenet::dense(&mut l, image, sizes, &[300, 100]),
            Self::LeNet5 => lenet::lenet5(&mut l, image, sizes),
            Self::VggSmall => vgg::vgg(&mut l, image, sizes),
            Self::ResNet20 => resnet::resnet(&mut l, image, sizes, 3),
            Self::ResNet32 => resnet::resnet(&mut l, image, sizes, 5),
            Self::ResNet56 => resnet::resnet(&mut l, image, sizes, 9),
            Self::MobileNetSmall => mobilenet::mobilenet(&mut l, image, sizes),
        }?;
        l.finish(logits)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|a| a.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::settings(format!("there is no network '{text}'"))
                .at("network")
                .hint(format!("use one of: {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.to_string().parse(), Ok(architecture));
        }
        let error = "resnet18".parse::<Architecture>().unwrap_err();
        assert!(error.hint_text().unwrap().contains("resnet20, resnet32"));
    }

    #[test]
    fn what_makes_no_network_is_refused() {
        let of = |architecture: Architecture, input: &str, classes, factor| {
            let input = input.parse().unwrap();
            architecture.cost(input, classes, factor).unwrap_err()
        };
        let resnet = Architecture::ResNet20;
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(of(resnet, "3x32x32", 10, factor).place(), Some("width"));
        }
        assert_eq!(of(resnet, "3x32x32", 0, 1.0).place(), Some("classes"));
        let empty = ImageSize::new(3, 0, 32);
        assert!(resnet.cost(empty, 10, 1.0).is_err());
        let error = of(Architecture::LeNet5, "1x15x28", 10, 1.0);
        assert_eq!(
            error.to_string(),
            "input: images of 1x15x28 are too small: pool2 has a window of 2x2, and 1x8 places are left"
        );
        // No weight hangs on the size of these, but values would be too large.
        let error = of(resnet, "3x4000000000x4000000000", 10, 1.0);
        assert!(error.to_string().ends_with("is too large"), "{error}");
        assert!(
            of(Architecture::VggSmall, "3x7x7", 10, 1.0)
                .hint_text()
                .is_some()
        );
        let mlp = Architecture::Mlp;
        for (architecture, input, classes, factor) in [
            (mlp, "3x32x32", 10, 1e9),
            (mlp, "3x32x32", usize::MAX, 1.0),
            (mlp, "3x4000000000x4000000000", 10, 1.0),
            (resnet, "18446744073709551615x1x1", 10, 1.0),
        ] {
            let error = of(architecture, input, classes, factor);
            assert!(
                error.to_string().contains("more than 268435456 weights"),
                "{error}"
            );
        }
    }
}
