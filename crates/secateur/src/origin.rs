//! Which network does a run start from?

use std::fmt;
use std::path::PathBuf;

use secateur_data::{Dataset, Scaling};
use secateur_graph::{Node, Op};
use secateur_train::{Architecture, ImageSize};

use crate::model::{ModelFile, takes_raw};
use crate::spelt::by_channel;
use crate::{Config, Error, Result};

/// The network that a run starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A chain of dense layers with drawn weights, of widths that the plan tells.
    Chain,
    /// A network for images with drawn weights.
    Named(Architecture),
    /// A model file.
    Model(PathBuf),
}

/// What a report calls a network that a user gave.
pub(crate) const GIVEN: &str = "given";

/// Multiply-adds a row of networks whose time in inference engines goes into convolutions.
const LARGE: u64 = 10_000_000;

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Named(architecture) => architecture.name(),
            Self::Model(_) => GIVEN,
        })
    }
}

impl Origin {
    /// What a config asks for.
    ///
    /// # Errors
    /// If it names both a network and a file, or a network that there is not.
    pub fn of(config: &Config) -> Result<Self> {
        match (&config.model, &config.net) {
            (Some(_), Some(_)) => Err(Error::usage("both a network and a model are given")
                .at("--model")
                .hint("give one of --net and --model")),
            (Some(path), None) => Ok(Self::Model(path.into())),
            // `mlp` and widths are chains, which have an engine of their own.
            (None, Some(net)) if is_widths(net) => Ok(Self::Chain),
            (None, Some(net)) => {
                let all = Architecture::ALL.map(|a| (a.name(), a));
                let architecture = crate::choice::choose("--net", net, &all).map_err(|e| {
                    let names = e.hint_text().unwrap_or_default().to_owned();
                    e.hint(format!("{names}; or widths such as 64-32"))
                })?;
                Ok(Self::Named(architecture))
            }
            (None, None) => Ok(Self::Chain),
        }
    }

    /// Whether it is a chain of dense layers on features, with weights of its own.
    pub fn is_chain(&self) -> bool {
        matches!(self, Self::Chain)
    }

    /// Whether it has convolutions and takes ten million multiply-adds a row or more, as a network by name for pictures of this size.
    /// What cannot be built or read is not large: whoever trains it tells why.
    pub(crate) fn is_large(&self, image: Option<ImageSize>, outputs: usize) -> bool {
        match self {
            Self::Chain | Self::Named(Architecture::Mlp | Architecture::LeNet300) => false,
            Self::Named(architecture) => image.is_some_and(|image| {
                let cost = architecture.cost(image, outputs, 1.0);
                cost.is_ok_and(|cost| cost.macs >= LARGE)
            }),
            Self::Model(path) => ModelFile::read(path).is_ok_and(|file| {
                let is_conv = |node: &Node| matches!(node.op, Op::Conv(_));
                file.cost().macs >= LARGE && file.graph().nodes().iter().any(is_conv)
            }),
        }
    }

    /// How training pictures are changed unless the user says otherwise: colour photographs are mirrored and moved, digits are not.
    pub(crate) fn default_augment(&self, dataset: &Dataset) -> &'static str {
        match (self, dataset.image()) {
            (Self::Named(_) | Self::Model(_), Some(image)) if image.channels == 3 => "flip+crop:4",
            _ => "none",
        }
    }

    /// Decoupled weight decay, which keeps the weights of deep networks with normalisation from growing. It is mild: PyTorch's SGD
    /// would call it 5e-5 at a momentum of 0.9, where 5e-4 is usual.
    pub(crate) fn default_decay(&self) -> f64 {
        match self {
            Self::Chain => 0.0,
            Self::Named(_) | Self::Model(_) => 5e-4,
        }
    }

    /// The highest learning rate under SGD with momentum.
    pub(crate) fn default_rate(&self) -> f64 {
        match self {
            // Without normalisation large steps diverge.
            Self::Named(Architecture::LeNet5 | Architecture::LeNet300 | Architecture::Mlp) => 0.02,
            Self::Named(_) | Self::Chain => 0.1,
            Self::Model(_) => 0.01,
        }
    }

    /// How inputs are scaled: as the user says; pictures for a network by name to mean 0 and deviation 1 in each channel. A given
    /// model takes numbers as they are, but that pixels are brought to 0 to 1 where it does not bring its own scaling, as those do
    /// that a run wrote.
    pub(crate) fn scaling(
        &self,
        config: &Config,
        dataset: &Dataset,
        train: &[u32],
    ) -> Result<Scaling> {
        match (&config.mean, &config.std) {
            (None, None) => {}
            (mean, std) => {
                let of = |flag, text: &Option<String>, plain: f32| match text {
                    Some(text) => by_channel(flag, text),
                    None => Ok(vec![plain]),
                };
                return Ok(Scaling::PerChannel {
                    mean: of("--mean", mean, 0.0)?,
                    std: of("--std", std, 1.0)?,
                });
            }
        }
        match (self, dataset.image()) {
            (Self::Named(_), Some(_)) => Ok(Scaling::measure_channels(dataset, train)?),
            (Self::Model(_), None) => Ok(Scaling::None),
            (Self::Model(path), Some(_)) if takes_raw(path) => Ok(Scaling::None),
            _ => Ok(dataset.default_scaling()),
        }
    }
}

/// The size of a data set's pictures; none if its rows are no pictures.
pub(crate) fn image_size(dataset: &Dataset) -> Option<ImageSize> {
    let image = dataset.image()?;
    Some(ImageSize::new(image.channels, image.height, image.width))
}

/// Whether a network is spelt as widths; what is neither a name nor widths is told as widths are.
fn is_widths(net: &str) -> bool {
    net.starts_with(|c: char| c.is_ascii_digit() || c == '-') || net.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(net: Option<&str>, model: Option<&str>) -> Result<Origin> {
        Origin::of(&Config {
            net: net.map(str::to_owned),
            model: model.map(str::to_owned),
            ..Config::default()
        })
    }

    #[test]
    fn widths_names_and_files() {
        assert_eq!(of(Some("400-300"), None).unwrap(), Origin::Chain);
        assert_eq!(of(None, None).unwrap(), Origin::Chain);
        assert_eq!(
            of(Some("resnet20"), None).unwrap(),
            Origin::Named(Architecture::ResNet20)
        );
        assert_eq!(
            of(None, Some("a.onnx")).unwrap(),
            Origin::Model("a.onnx".into())
        );
        assert!(of(Some("64"), Some("a.onnx")).is_err());
        let hint = of(Some("resnet-20"), None).unwrap_err();
        assert!(hint.hint_text().unwrap().contains("`resnet20`"), "{hint:?}");
    }
}
