//! Flags of `secateur path`: those of a run, and how far down in how many steps.

use clap::Args;
use secateur::Result;
use secateur::path::PathOptions;

use super::{CompressFlags, LimitFlags};

/// Flags of `secateur path`.
#[derive(Debug, Args)]
#[command(
    mut_arg("epochs", |a| a.help("Passes over the training rows of the dense network; cuts take a fifth of them [default: by their number]")),
    mut_arg("settle", |a| a.help("How many of them a budget's settling would take; cuts settle as large a share of theirs [default: a third of all]")),
    mut_arg("learning_rate", |a| a.help("Highest learning rate of the dense network; cuts from it take a lower one [default: by task and optimizer]")),
    mut_arg("out", |a| a.help("The folder of the path [default: runs/ and a name that tells data, net and seed]")),
    mut_arg("force", |a| a.help("Replace the folder of a path if it exists")),
    mut_arg("resume", |a| a.help("Go on with the path in this folder, which was stopped or killed: to the same bytes as if it had not been")),
    mut_arg("time", |a| a.help("Stop after this long, such as 90s, 20m or 8h, and write the points so far; --resume goes on")),
    mut_arg("json", |a| a.help("Print path.json on stdout instead of the table")),
    // Refused with what to do instead; they are keys of config files, too.
    mut_arg("part", |a| a.hide(true)),
    mut_arg("budget", |a| a.hide(true)),
    mut_arg("baseline", |a| a.hide(true)),
    mut_arg("control", |a| a.hide(true))
)]
pub(crate) struct PathFlags {
    /// Networks to cut, from 1 to 100, on top of the one that they are cut from
    #[arg(long, value_name = "N", default_value_t = PathOptions::POINTS, help_heading = "Path")]
    points: usize,
    /// Share of the starting MACs that the last of them may keep
    #[arg(long, value_name = "SHARE", default_value = PathOptions::LEAST, help_heading = "Path")]
    to: String,
    /// Choose the smallest network whose validation score is within this of the first one: points of accuracy, such as
    /// 0.5pt, or a share of the error, such as 2%; cuts a few more to find it
    #[arg(
        long,
        value_name = "DROP",
        allow_hyphen_values = true,
        help_heading = "Path"
    )]
    drop: Option<String>,
    #[command(flatten)]
    pub(crate) run: CompressFlags,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

impl PathFlags {
    /// How the path goes.
    ///
    /// # Errors
    /// Names the flag whose value is not allowed.
    pub(crate) fn options(&self) -> Result<PathOptions> {
        PathOptions::new(self.points, &self.to, self.drop.as_deref())
    }
}
