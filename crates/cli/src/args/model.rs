//! Flags of the commands on models of others.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use regex::Regex;
use secateur::{
    Allocation, Choice, Config, Criterion, Error, InputOptions, Limit, ModelFile, RepairBy,
    RepairInputs, Result,
};

use super::dropped;
use crate::args::data::DataFlags;
use crate::commands::data_dir;
use crate::limit::bytes;

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
#[command(group(ArgGroup::new("amount").required(true)))]
pub(crate) struct ShrinkFlags {
    /// An ONNX file
    pub(crate) model: PathBuf,
    /// Share of the units of each group that stays, such as 50%; rounded up
    #[arg(long, value_name = "SHARE", help_heading = "Choice", group = "amount")]
    keep: Option<String>,
    /// Keep as many units as leave this share of the MACs, or so many
    #[arg(
        long,
        value_name = "SHARE|COUNT",
        help_heading = "Choice",
        group = "amount"
    )]
    macs: Option<String>,
    /// Keep as many units as leave this share of the parameters, or so many
    #[arg(
        long,
        value_name = "SHARE|COUNT",
        help_heading = "Choice",
        group = "amount"
    )]
    params: Option<String>,
    /// Remove just the units that this JSON file lists: {"group": [0, 3], ...}
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Choice",
        group = "amount",
        conflicts_with_all = ["by", "round", "min", "only", "except"]
    )]
    drop: Option<PathBuf>,
    /// How that is divided over groups: the same share of the units of each, and the best of the others that still fit (even), or by
    /// scores as multiples of their group's mean, all units together (global), or each time those that are worth least for the MACs or
    /// parameters that they free (curves) [default: even; with --repair curves, where scores compare between layers (reconstruction, flap, taylor)]
    #[arg(
        long,
        value_name = "ALLOCATION",
        help_heading = "Choice",
        conflicts_with = "drop"
    )]
    allocation: Option<String>,
    /// The same as --allocation global
    #[arg(long, hide = true, conflicts_with_all = ["allocation", "drop"])]
    global: bool,
    /// Which units go first: those with the least weights that read them (l1 or l2), those nearest to the others by what makes them
    /// (fpgm), those that vary least on --repair or --data (variance) or of which readers would miss the least variance (flap), those that the
    /// loss on --data would miss least, to first order (taylor), those that the outputs on --repair would miss least once others have
    /// made up for them (reconstruction), or random ones [default: l2, or reconstruction with --repair]
    #[arg(long, value_name = "CRITERION", help_heading = "Choice")]
    by: Option<String>,
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
    /// Units that every group keeps in any case; with 0, --allocation global may take whole branches that others stand beside
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
    /// The same as --repair DATA --repair-by statistics, with units ranked as without --repair: on the training rows of data that are read
    /// as those of --data are, and stand for them if that is left out
    #[arg(long, value_name = "DATA", help_heading = "Data")]
    recalibrate: Option<String>,
    /// Training rows that scores are measured on, and inputs of --repair, drawn by the seed [default: 1024]
    #[arg(long, value_name = "COUNT", help_heading = "Data")]
    rows: Option<usize>,
    /// Repair what reads fewer channels by formula, on these inputs without labels: a folder of pictures, an array (.npy, .npz), a tensor
    /// (.pb), a table (.csv) or a data set; NAME= may be left out where the model has one input, or an archive has an array for each
    #[arg(
        long,
        value_name = "[NAME=]DATA",
        help_heading = "Repair",
        conflicts_with = "recalibrate"
    )]
    pub(crate) repair: Vec<String>,
    /// How: by least squares (formula), or by the means and variances of batch normalizations alone (statistics)
    #[arg(
        long,
        value_name = "formula|statistics",
        requires = "repair",
        help_heading = "Repair"
    )]
    repair_by: Option<String>,
    /// What the largest pixel of --repair is before --mean and --std [default: 1; 255 for a model that scales pixels itself: one that
    /// secateur compress wrote, or that takes whole numbers]
    #[arg(long, value_name = "NUMBER", help_heading = "Repair")]
    scale: Option<f32>,
    /// Repair with no more memory than this, such as 2GiB: activations that do not fit are made anew, which takes longer
    #[arg(
        long,
        value_name = "BYTES",
        requires = "repair",
        help_heading = "Repair"
    )]
    memory: Option<String>,
    /// Verify on this tensor (a file as in ONNX's own test data) instead of on drawn numbers; once for each input
    #[arg(long, value_name = "FILE", help_heading = "Verification")]
    pub(crate) input: Vec<PathBuf>,
    /// The file to write
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: PathBuf,
    /// Write a page beside it that shows what stayed, what was lost, and what repair gave back
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
    /// Replace the files if they exist
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
    /// Those that statistics are repaired on.
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
        let mut others = typed.clone();
        let mut is_about_data = self.rows.is_some();
        if !self.repair.is_empty() {
            // These are about what is repaired on.
            (others.mean, others.std, is_about_data) = (None, None, false);
        }
        is_about_data |= others != Config::default();
        if self.scale.is_some() && self.repair.is_empty() {
            let hint = "--data and --recalibrate read pixels as compress does: from 0 to 1 before --mean and --std";
            return Err(Error::usage("this is about what --repair names")
                .at("--scale")
                .hint(hint));
        }
        if is_about_data && sources.ranking.is_none() && !self.repair.is_empty() {
            let message =
                "of what says how data are read, --mean and --std alone are about --repair";
            return Err(Error::usage(message).at("--repair").hint(
                "a table is read column by column: leave targets out; or name data with targets beside it: --data",
            ));
        }
        match is_about_data && sources.ranking.is_none() {
            true => Err(Error::usage("it is said how data are read, but not which")
                .at("--data")
                .hint("name them: --data mnist")),
            false => Ok(sources),
        }
    }

    /// The same, where pixels of `--data` reach as far as those of `--repair`: both are seen by one model.
    ///
    /// # Errors
    /// If a mean or a standard deviation is no number that can be used.
    pub(crate) fn scaled(&self, config: &Config, file: &ModelFile) -> Result<Config> {
        let is_plain = config.mean.is_none() && config.std.is_none();
        let Some(top) = self.scale.filter(|_| !(is_plain && file.is_run())) else {
            return Ok(config.clone());
        };
        let pixels = file.pixels(config, self.scale)?;
        let text = |numbers: &[f32]| {
            let numbers = numbers
                .iter()
                .map(|v| (f64::from(*v) / f64::from(top)).to_string());
            Some(numbers.collect::<Vec<_>>().join(","))
        };
        Ok(Config {
            mean: text(&pixels.mean),
            std: text(&pixels.std),
            ..config.clone()
        })
    }

    /// How a model is repaired.
    ///
    /// # Errors
    /// If there is no such way.
    pub(crate) fn repair_by(&self) -> Result<RepairBy> {
        match (&self.repair_by, &self.recalibrate) {
            (Some(by), _) => by.parse(),
            (None, Some(_)) => Ok(RepairBy::Statistics),
            (None, None) => Ok(RepairBy::default()),
        }
    }

    /// What a model is repaired on, if it is.
    ///
    /// # Errors
    /// If inputs cannot be read, do not fit the model, are too few, or take more memory than there may be.
    pub(crate) fn inputs(&self, file: &ModelFile) -> Result<Option<RepairInputs>> {
        if self.repair.is_empty() {
            return Ok(None);
        }
        let memory = self.memory.as_deref().map(bytes).transpose()?;
        let plain = InputOptions::default();
        let options = InputOptions {
            rows: self.rows.unwrap_or(ROWS),
            seed: self.seed,
            pixels: file.pixels(&self.data.config(), self.scale)?,
            data_dir: data_dir(),
            max_bytes: memory.map_or(plain.max_bytes, |most| most.min(plain.max_bytes)),
            ..plain
        };
        let inputs = file.read_inputs(&self.repair, &options)?;
        Ok(Some(inputs.within(file, memory)?))
    }

    /// The same inputs, repaired on with no more memory than there may be.
    ///
    /// # Errors
    /// If that is not enough.
    pub(crate) fn within_memory(
        &self,
        inputs: RepairInputs,
        file: &ModelFile,
    ) -> Result<RepairInputs> {
        let memory = self.memory.as_deref().map(bytes).transpose()?;
        inputs.within(file, memory)
    }

    /// Files and folders that are read beside the model.
    pub(crate) fn read(&self) -> impl Iterator<Item = &Path> {
        let repair = self.repair.iter().flat_map(|source| {
            let behind = source.split_once('=').map(|(_, data)| data);
            [Some(source.as_str()), behind].into_iter().flatten()
        });
        let data = self
            .data
            .name()
            .into_iter()
            .chain(self.recalibrate.as_deref());
        let named = repair.chain(data).map(Path::new);
        let files = self.input.iter().chain(&self.drop).map(PathBuf::as_path);
        named.chain(files)
    }

    fn limit(&self) -> Result<Limit> {
        let counted = [("macs", &self.macs), ("params", &self.params)];
        for (name, most) in counted {
            if let Some(most) = most {
                let limit = format!("{name}={most}").parse::<Limit>();
                return limit.map_err(|e| Error::from(e).at(format!("--{name}")));
            }
        }
        if let Some(share) = &self.keep {
            let limit = share.parse::<Limit>();
            return limit.map_err(|e| Error::from(e).at("--keep"));
        }
        let Some(path) = &self.drop else {
            return Err(Error::usage("it is not said how much stays").hint("give --keep 50%"));
        };
        Ok(Limit::AllBut(dropped::read(path)?))
    }

    /// What stays.
    ///
    /// # Errors
    /// If a flag has no meaning.
    pub(crate) fn choice(&self) -> Result<Choice> {
        let is_repaired = !self.repair.is_empty();
        let by = match (&self.by, is_repaired) {
            (Some(by), _) => by.parse()?,
            (None, true) => Criterion::Reconstruction,
            (None, false) => Criterion::L2,
        };
        Ok(Choice {
            limit: self.limit()?,
            allocation: match &self.allocation {
                _ if self.global => Allocation::Global,
                Some(allocation) => allocation.parse()?,
                None => allocation_of(by, is_repaired),
            },
            by,
            seed: self.seed,
            min: self.min,
            round: self.round.get(),
            only: pattern("--only", self.only.as_deref())?,
            except: pattern("--except", self.except.as_deref())?,
        })
    }
}

/// How a limit is divided unless that is said: by what units are worth, where a repair measures that and it compares between layers.
fn allocation_of(by: Criterion, is_repaired: bool) -> Allocation {
    match is_repaired && by.compares_groups() {
        true => Allocation::Curves,
        false => Allocation::Even,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_for_repairs_whose_scores_compare() {
        for (by, is_repaired, wanted) in [
            (Criterion::Reconstruction, true, Allocation::Curves),
            (Criterion::Flap, true, Allocation::Curves),
            (Criterion::L2, true, Allocation::Even),
            (Criterion::Flap, false, Allocation::Even),
            (Criterion::L2, false, Allocation::Even),
        ] {
            assert_eq!(allocation_of(by, is_repaired), wanted, "{by:?}");
        }
    }
}
