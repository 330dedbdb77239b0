//! Flags of `secateur structure`, and the grid that they mean.

use clap::Args;
use secateur::compare::{Arm, Grid};
use secateur::{Error, Origin, Result};

use super::grid::{RunningFlags, data_choices};

/// Flags of `secateur structure`.
#[derive(Debug, Args)]
pub(crate) struct StructureFlags {
    /// Data sets as NAME, NAME=PATH or PATH, each with @TARGET or @TARGET+TARGET behind it if not the
    /// last column is predicted
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        help_heading = "Grid"
    )]
    data: Vec<String>,
    /// Starting widths of the same depth; the first one decides the strength
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "64-32,256-128,512-256",
        help_heading = "Grid"
    )]
    widths: Vec<String>,
    /// The penalty
    #[arg(
        long,
        value_name = "NAME",
        default_value = "group-lasso",
        help_heading = "Grid"
    )]
    penalty: String,
    /// Lambda; auto takes for all starts the one at which the penalty is a quarter of the loss at the first
    /// step of the first of the widths
    #[arg(
        long,
        value_name = "LAMBDA",
        default_value = "auto",
        help_heading = "Grid"
    )]
    strength: String,
    /// Seeds, from 0
    #[arg(long, value_name = "COUNT", default_value_t = 3, help_heading = "Grid")]
    seeds: u64,
    #[command(flatten)]
    pub(crate) running: RunningFlags,
}

impl StructureFlags {
    /// The grid of starts.
    ///
    /// # Errors
    /// If a name is unknown, or the config file cannot be read.
    pub(crate) fn grid(&self) -> Result<Grid> {
        let one = |value: &str| vec![value.to_owned()];
        let mut axes = vec![
            ("penalty".to_owned(), one(&self.penalty)),
            ("part".to_owned(), one("full")),
            ("net".to_owned(), self.widths.clone()),
        ];
        if self.strength != "auto" {
            axes.push(("strength".to_owned(), one(&self.strength)));
        }
        let arms = Grid::arms(&axes);
        arms.iter().try_for_each(Arm::check)?;
        let mut shared = self.running.shared()?;
        for net in &self.widths {
            shared.net = Some(net.clone());
            if !Origin::of(&shared)?.is_chain() {
                return Err(Error::usage(format!("'{net}' are no widths"))
                    .at("--widths")
                    .hint("starts are chains of dense layers, such as 256-128; compare takes networks by name"));
            }
        }
        shared.net = self.widths.first().cloned();
        // The retrained networks are the control here.
        shared.control = Some("none".into());
        Ok(Grid {
            shared,
            data: data_choices(&self.data)?,
            arms,
            seeds: self.seeds,
            at: vec![],
        })
    }
}
