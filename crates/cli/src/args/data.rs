//! Flags that say which data there are and how they are read.

use clap::Args;
use secateur::Config;

/// Data, as every command reads them that takes a model or a network to them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataFlags {
    /// An embedded set (digits, diabetes, sine, steps, sinc, ripple or peaks), a text table, a folder
    /// of IDX files, or a name below the folder in SECATEUR_DATA
    #[arg(long)]
    data: Option<String>,
    /// idx, csv, cifar10, cifar100, npz, npy, image-folder or embedded [default: found from the data]
    #[arg(long)]
    format: Option<String>,
    /// Bring the pictures of a folder to this height and width, such as 64x64 [default: as they are]
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// Read the pictures of a folder without their colours
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    gray: Option<bool>,
    /// What is subtracted of pixels from 0 to 1: a number, or one for each channel, joined by commas
    /// [default: measured for networks by name, 0 for others]
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    mean: Option<String>,
    /// What pixels are divided by then [default: measured for networks by name, 1 for others]
    #[arg(long, value_name = "NUMBERS")]
    std: Option<String>,
    /// Target column by name or by number from 1; may be given several times [default: the last]
    #[arg(long, value_name = "COLUMN")]
    target: Option<Vec<String>>,
    /// classification or regression [default: found from the target]
    #[arg(long)]
    task: Option<String>,
    /// Missing values: error, or the mean of the training rows [default: error]
    #[arg(long, value_name = "error|mean")]
    missing: Option<String>,
}

impl DataFlags {
    /// What the data are called, if that was said.
    pub(crate) fn name(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// What was typed, and nothing about other things.
    pub(crate) fn config(&self) -> Config {
        let Self {
            data,
            format,
            size,
            gray,
            mean,
            std,
            target,
            task,
            missing,
        } = self.clone();
        Config {
            data,
            format,
            size,
            gray,
            mean,
            std,
            target,
            task,
            missing,
            ..Config::default()
        }
    }
}
