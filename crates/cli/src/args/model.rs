//! Flags of the commands on models of others.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use regex::Regex;
use secateur::{Amount, Choice, Config, Error, ModelFile, Result, UnitScore};

use super::dropped;
use crate::args::data::DataFlags;

/// Lengths of open axes of inputs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Size")]
pub(crate) struct SizeFlags {
    /// Lengths of an input's open axes, which MACs are counted at and inputs are drawn with, such as x=1x3x640x640; NAME= may be left
    /// out where the model has one input; once for each input. What is written stays open
    #[arg(long, value_name = "[NAME=]LENGTHS")]
    shape: Vec<String>,
    /// Length of all other open axes of inputs, the batch apart
    #[arg(long, value_name = "POSITIONS")]
    length: Option<usize>,
}

impl SizeFlags {
    /// Gives a model the lengths that were typed.
    ///
    /// # Errors
    /// If they do not fit its inputs.
    pub(crate) fn apply(&self, file: &mut ModelFile) -> Result<()> {
        file.at_shapes(&self.shape, self.length)
    }
}

/// Flags of `secateur inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectFlags {
    /// An ONNX file
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) size: SizeFlags,
    /// Print everything as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print a picture of the network and its groups for Graphviz: secateur inspect model.onnx --dot | dot -Tsvg > model.svg
    #[arg(long, help_heading = "Output", conflicts_with = "json")]
    pub(crate) dot: bool,
}

/// Flags of `secateur shrink`.
#[derive(Debug, Args)]
pub(crate) struct ShrinkFlags {
    /// An ONNX file
    pub(crate) model: PathBuf,
    /// Share of the units of each group that stays, such as 50%; rounded up
    #[arg(
        long,
        value_name = "SHARE",
        help_heading = "Choice",
        group = "amount",
        required = true
    )]
    keep: Option<String>,
    /// Keep as large a share of the units of each group as leaves this share of the MACs, and the best of the others that still fit
    #[arg(long, value_name = "SHARE", help_heading = "Choice", group = "amount")]
    macs: Option<String>,
    /// Remove just the units that this JSON file lists: {"group": [0, 3], ...}
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Choice",
        group = "amount",
        conflicts_with_all = ["by", "round", "min", "only", "except"]
    )]
    drop: Option<PathBuf>,
    /// With --keep: rank the units of all groups together, by their scores as multiples of their group's mean, and
    /// keep that share of all
    #[arg(long, help_heading = "Choice", conflicts_with_all = ["macs", "drop"])]
    global: bool,
    /// Which units go first: those with the least weights that read them (l1 or l2), those that the loss on --data would
    /// miss least, to first order (taylor), or random ones
    #[arg(
        long,
        value_name = "SCORE",
        default_value = "l2",
        help_heading = "Choice"
    )]
    by: String,
    /// Of random choices, of the rows and the split of data, and of the inputs that the result is verified on
    #[arg(long, default_value_t = 0, help_heading = "Choice")]
    seed: u64,
    /// Round numbers of units up to a multiple of this, never above what there is
    #[arg(
        long,
        value_name = "COUNT",
        default_value = "1",
        help_heading = "Choice"
    )]
    round: NonZeroUsize,
    /// Units that every group keeps in any case; with 0, --global may take whole branches that others stand beside
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 1,
        help_heading = "Choice"
    )]
    min: usize,
    /// Shrink only groups that are made by a node whose name this regular expression matches
    #[arg(long, value_name = "REGEX", help_heading = "Choice")]
    only: Option<String>,
    /// Leave groups alone that are made by a node whose name this regular expression matches
    #[arg(long, value_name = "REGEX", help_heading = "Choice")]
    except: Option<String>,
    #[command(flatten)]
    pub(crate) size: SizeFlags,
    #[command(flatten)]
    data: DataFlags,
    /// Measure the means and variances of batch normalisations anew on the training rows of these data once units are gone,
    /// which are those of --by taylor too if --data is left out; the flags of data are about both
    #[arg(long, value_name = "DATA", help_heading = "Data")]
    recalibrate: Option<String>,
    /// Training rows that scores and statistics are measured on, drawn by the seed [default: 1024]
    #[arg(long, value_name = "COUNT", help_heading = "Data")]
    rows: Option<usize>,
    /// Verify on this tensor (a file as in ONNX's own test data) instead of on drawn numbers; once for each input
    #[arg(long, value_name = "FILE", help_heading = "Verification")]
    pub(crate) input: Vec<PathBuf>,
    /// The file to write
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: PathBuf,
    /// Replace the file if it exists
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,
    /// Print what was cut as JSON instead of the table
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Training rows unless the user says how many.
const ROWS: usize = 1024;

/// Which data a model is shrunk by.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Those that units are ranked on and models are compared on.
    pub(crate) ranking: Option<Config>,
    /// Those that statistics are measured on.
    pub(crate) statistics: Option<Config>,
    /// How many training rows are drawn.
    pub(crate) rows: usize,
}

impl ShrinkFlags {
    /// The data that were named.
    ///
    /// # Errors
    /// If it is said how data are read, but not which.
    pub(crate) fn sources(&self) -> Result<Sources> {
        let typed = self.data.config();
        let of = |name: &Option<String>| {
            name.as_ref().map(|_| Config {
                data: name.clone(),
                seed: Some(self.seed),
                ..typed.clone()
            })
        };
        let sources = Sources {
            ranking: of(&typed.data).or(of(&self.recalibrate)),
            statistics: of(&self.recalibrate),
            rows: self.rows.unwrap_or(ROWS),
        };
        let is_about_data = self.rows.is_some() || typed != Config::default();
        match is_about_data && sources.ranking.is_none() {
            true => Err(Error::usage("it is said how data are read, but not which")
                .at("--data")
                .hint("name them: --data mnist")),
            false => Ok(sources),
        }
    }

    fn amount(&self) -> Result<Amount> {
        if let Some(share) = &self.macs {
            return Ok(Amount::Macs(secateur::compare::share("--macs", share)?));
        }
        if let Some(share) = &self.keep {
            let share = secateur::compare::share("--keep", share)?;
            return Ok(match self.global {
                true => Amount::Global(share),
                false => Amount::Units(share),
            });
        }
        let Some(path) = &self.drop else {
            return Err(Error::usage("it is not said how much stays").hint("give --keep 50%"));
        };
        Ok(Amount::AllBut(dropped::read(path)?))
    }

    /// What stays.
    ///
    /// # Errors
    /// If a flag has no meaning.
    pub(crate) fn choice(&self) -> Result<Choice> {
        Ok(Choice {
            amount: self.amount()?,
            by: self.by.parse::<UnitScore>()?,
            seed: self.seed,
            min: self.min,
            round: self.round.get(),
            only: pattern("--only", self.only.as_deref())?,
            except: pattern("--except", self.except.as_deref())?,
        })
    }
}

fn pattern(flag: &str, text: Option<&str>) -> Result<Option<Regex>> {
    let Some(text) = text else { return Ok(None) };
    let pattern = Regex::new(text).map_err(|e| {
        let reason = e.to_string();
        let last = reason.lines().last().unwrap_or_default();
        Error::usage(last.trim_start_matches("error: "))
            .at(flag)
            .hint("write it as for grep -E, for example 'layer[34]'")
    })?;
    Ok(Some(pattern))
}
