//! Flags that all commands with a grid of runs share.

use std::path::PathBuf;

use clap::Args;
use secateur::compare::{Choices, DataChoice};
use secateur::{Config, Error, Result};

/// How a grid is run, and where its cells go.
#[derive(Debug, Args)]
pub(crate) struct RunningFlags {
    /// A key of the config file for all cells; may be given several times
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Running")]
    set: Vec<String>,
    /// Run one cell at a time, so that times can be compared
    #[arg(long, conflicts_with = "jobs", help_heading = "Running")]
    pub(crate) alone: bool,
    /// Cells at a time [default: cores over threads]
    #[arg(long, value_name = "COUNT", help_heading = "Running")]
    jobs: Option<usize>,
    /// Worker threads of each cell [default: 1, or one a core with --alone]
    #[arg(long, value_name = "COUNT", help_heading = "Running")]
    threads: Option<usize>,
    /// Minutes that a grid may take without --yes
    #[arg(
        long,
        value_name = "MINUTES",
        default_value_t = 30.0,
        help_heading = "Running"
    )]
    pub(crate) limit: f64,
    /// Start however long it will take
    #[arg(long, help_heading = "Running")]
    pub(crate) yes: bool,
    /// Read choices that all cells share from this TOML file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    config: Option<PathBuf>,
    /// The folder of the comparison; finished cells in it are not run again
    #[arg(
        long,
        value_name = "DIR",
        default_value = "runs/compare",
        help_heading = "Output"
    )]
    pub(crate) out: PathBuf,
    /// No progress and no tables; warnings and errors only
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print the cells on stdout, a line of JSON each, instead of the tables
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

impl RunningFlags {
    /// How many cells run at a time.
    pub(crate) fn jobs(&self) -> usize {
        match (self.alone, self.jobs) {
            (true, _) => 1,
            (false, Some(jobs)) => jobs.max(1),
            (false, None) => (cores() / self.threads()).max(1),
        }
    }

    fn threads(&self) -> usize {
        let default = if self.alone { cores() } else { 1 };
        self.threads.unwrap_or(default).max(1)
    }

    /// What is set for all cells, as typed.
    ///
    /// # Errors
    /// If something is not KEY=VALUE.
    pub(crate) fn set_pairs(&self) -> Result<Choices> {
        self.set.iter().map(|s| pair("--set", s)).collect()
    }

    /// What all cells share.
    ///
    /// # Errors
    /// If the config file cannot be read, or a key or value has no meaning.
    pub(crate) fn shared(&self) -> Result<Config> {
        let file = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        let mut shared = file.with(&self.set_pairs()?)?;
        shared.threads = Some(self.threads());
        Ok(shared)
    }
}

/// The data of a list.
///
/// # Errors
/// If there are none, or one has no name.
pub(crate) fn data_choices(list: &[String]) -> Result<Vec<DataChoice>> {
    if list.is_empty() {
        return Err(Error::usage("no data is given").at("--data").hint(
            "give embedded sets, tables or folders, such as --data digits,wine=wine.csv@quality",
        ));
    }
    list.iter().map(|d| d.parse::<DataChoice>()).collect()
}

/// A key and its value.
///
/// # Errors
/// If there is no `=` between two texts.
pub(crate) fn pair(flag: &str, text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(Error::usage(format!("'{text}' is not KEY=VALUE"))
            .at(flag)
            .hint("the keys are those of a config file, for example epochs=30")),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
