//! `secateur compare`: a grid of runs, and what it shows.

use std::path::Path;

use secateur::Result;
use secateur::compare::{Comparison, Shard, tables};

use crate::args::compare::CompareFlags;
use crate::commands::Exit;
use crate::commands::grid::{Running, show};
use crate::interrupt;
use crate::output::{Paint, result, warning};

/// Runs what is not finished yet, then shows all of it.
///
/// # Errors
/// Whatever stopped it; cells that were finished are kept.
pub(crate) fn run(flags: &CompareFlags, paint: Paint) -> Result<Exit> {
    if !flags.merge.is_empty() {
        tell(&Comparison::read(&flags.merge)?, flags, None)?;
        return Ok(Exit::Done);
    }
    let grid = flags.grid()?;
    let units = flags.shard.unwrap_or(Shard::ALL).take(grid.units());
    let asked_to_stop = interrupt::watch()?;
    let running = Running::new(grid, &flags.running, &asked_to_stop)?;
    let complete = running.finish(&units)?;
    let comparison = running.comparison()?;
    if !comparison.cells.is_empty() {
        tell(&comparison, flags, Some(&flags.running.out))?;
    }
    if complete {
        return Ok(Exit::Done);
    }
    warning(
        "interrupted: the same command goes on where it stopped",
        paint,
    );
    Ok(Exit::Interrupted)
}

fn tell(comparison: &Comparison, flags: &CompareFlags, folder: Option<&Path>) -> Result<()> {
    if flags.running.json {
        return result(&comparison.to_json_lines()?);
    }
    show(
        "Comparison",
        &tables(comparison),
        &[],
        &flags.running,
        folder,
    )
}
