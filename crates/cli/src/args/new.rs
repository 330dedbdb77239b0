//! Flags of `secateur new`.

use std::path::PathBuf;

use clap::Args;
use secateur::{Result, Start};

/// Flags of `secateur new`.
#[derive(Debug, Args)]
pub(crate) struct NewFlags {
    /// mlp, lenet300, lenet5, vgg-small, resnet20, resnet32, resnet56 or mobilenet-small
    name: String,
    /// Channels, rows and columns of an image [default: 1x28x28 for lenet300 and lenet5, 3x32x32 for others]
    #[arg(long, value_name = "CxHxW", help_heading = "Network")]
    input: Option<String>,
    /// How many logits come out
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10,
        help_heading = "Network"
    )]
    classes: usize,
    /// Multiply all hidden widths by this, and round them
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Network"
    )]
    width: f64,
    /// Decides the initial weights
    #[arg(long, default_value_t = 0, help_heading = "Network")]
    seed: u64,
    /// The file to write
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: PathBuf,
    /// Replace the file if it exists
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,
}

impl NewFlags {
    /// The network that is asked for.
    ///
    /// # Errors
    /// If there is none of that name, or the size is none.
    pub(crate) fn start(&self) -> Result<Start> {
        let start = Start::named(&self.name)?;
        let start = match &self.input {
            Some(size) => start.for_images(size)?,
            None => start,
        };
        Ok(Start {
            classes: self.classes,
            width: self.width,
            seed: self.seed,
            ..start
        })
    }
}
