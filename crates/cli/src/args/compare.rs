//! Flags of `secateur compare`, and the grid that they mean.

use std::path::PathBuf;

use clap::Args;
use secateur::Result;
use secateur::compare::{Arm, Grid, Shard};

use super::grid::{RunningFlags, data_choices, pair};

/// Flags of `secateur compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareFlags {
    /// Data sets as NAME, NAME=PATH or PATH, each with @TARGET or @TARGET+TARGET behind it if not the
    /// last column is predicted
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        help_heading = "Grid"
    )]
    data: Vec<String>,
    /// Penalties, as for compress
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "group-lasso",
        help_heading = "Grid"
    )]
    penalties: Vec<String>,
    /// Parts, as for compress; budget alone is the share of --at, or 25 %
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "full,spare-last:8",
        help_heading = "Grid"
    )]
    parts: Vec<String>,
    /// Strengths; auto takes for all parts the one at which the full penalty is a quarter of the loss at
    /// the first step, search finds each run's own on validation rows, as compress does
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "auto",
        conflicts_with = "at",
        help_heading = "Grid"
    )]
    strengths: Vec<String>,
    /// Compare at equal MACs: shares of those of the dense network, such as 25%,10%; each arm's strength
    /// is searched for
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        help_heading = "Grid"
    )]
    at: Vec<String>,
    /// Another key of the config file, with the values to compare; may be given several times
    #[arg(long, value_name = "KEY=LIST", help_heading = "Grid")]
    vary: Vec<String>,
    /// Seeds, from 0
    #[arg(long, value_name = "COUNT", default_value_t = 5, help_heading = "Grid")]
    seeds: u64,
    /// The published script with all its quirks, beside the corrected method: without a penalty, full and
    /// spare-last:8
    #[arg(long, conflicts_with_all = ["penalties", "parts", "strengths", "at"], help_heading = "Grid")]
    author_mode: bool,
    /// With --author-mode: also the script without each of its quirks in turn
    #[arg(long, requires = "author_mode", help_heading = "Grid")]
    each_quirk: bool,
    /// Run a share of the grid, such as 3/16, in a folder of its own
    #[arg(long, value_name = "I/N", help_heading = "Running")]
    pub(crate) shard: Option<Shard>,
    /// Run nothing; join the folders of shards and show the results
    #[arg(long, num_args = 1.., value_name = "DIR", conflicts_with_all = ["data", "shard"], help_heading = "Running")]
    pub(crate) merge: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) running: RunningFlags,
}

impl CompareFlags {
    /// The grid, its names checked.
    ///
    /// # Errors
    /// If a name in a list is unknown, or the config file cannot be read.
    pub(crate) fn grid(&self) -> Result<Grid> {
        Ok(Grid {
            shared: self.running.shared()?,
            data: data_choices(&self.data)?,
            arms: match self.author_mode {
                true => self.author_arms()?,
                false => self.arms()?,
            },
            seeds: self.seeds,
            at: self
                .at
                .iter()
                .map(|share| secateur::compare::share("--at", share))
                .collect::<Result<_>>()?,
        })
    }

    /// The arms of the script; what is set for all cells holds for them too.
    fn author_arms(&self) -> Result<Vec<Arm>> {
        let mut arms = secateur::compare::author_arms(self.each_quirk);
        for (key, value) in self.running.set_pairs()? {
            for arm in &mut arms {
                arm.choices.insert(key.clone(), value.clone());
            }
        }
        Ok(arms)
    }

    fn arms(&self) -> Result<Vec<Arm>> {
        let budget = |part: &String| match (part.as_str(), self.at.is_empty()) {
            ("budget", true) => "budget:25%".to_owned(),
            _ => part.clone(),
        };
        let mut axes = vec![
            ("penalty".to_owned(), self.penalties.clone()),
            ("part".to_owned(), self.parts.iter().map(budget).collect()),
        ];
        if self.at.is_empty() && self.strengths != ["auto"] {
            axes.push(("strength".to_owned(), self.strengths.clone()));
        }
        for text in &self.vary {
            let (key, values) = pair("--vary", text)?;
            axes.push((key, values.split(',').map(str::to_owned).collect()));
        }
        let arms = Grid::arms(&axes);
        arms.iter().try_for_each(Arm::check)?;
        Ok(arms.into_iter().filter(Arm::is_possible).collect())
    }
}
