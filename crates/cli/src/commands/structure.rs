//! `secateur structure`: which widths do data want?

use secateur::Result;
use secateur::compare::{retraining, structure_tables, wanted};

use crate::args::structure::StructureFlags;
use crate::commands::Exit;
use crate::commands::grid::{Running, show};
use crate::interrupt;
use crate::output::{Paint, result, warning};

/// Trains from every start, then networks of the surviving widths from scratch, and shows both.
///
/// # Errors
/// Whatever stopped it; cells that were finished are kept.
pub(crate) fn run(flags: &StructureFlags, paint: Paint) -> Result<Exit> {
    let grid = flags.grid()?;
    let units = grid.units();
    let asked_to_stop = interrupt::watch()?;
    let running = Running::new(grid, &flags.running, &asked_to_stop)?;
    let mut complete = running.finish(&units)?;
    if complete {
        complete = running.finish(&retraining(&running.comparison()?))?;
    }
    let comparison = running.comparison()?;
    if flags.running.json {
        result(&comparison.to_json_lines()?)?;
    } else if !comparison.cells.is_empty() {
        let sizes = wanted(&comparison);
        let lines: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let tables = structure_tables(&comparison);
        show(
            "Structure",
            &tables,
            &lines,
            &flags.running,
            Some(&flags.running.out),
        )?;
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
