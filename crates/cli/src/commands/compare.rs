//! `secateur compare`: a grid of runs, and what it shows.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use secateur::compare::{Comparison, Ready, Shard, Store, tables};
use secateur::{Error, ErrorKind, Flow, Result};

use crate::args::compare::CompareFlags;
use crate::commands::{Exit, data_dir};
use crate::grid_progress::GridDisplay;
use crate::interrupt;
use crate::output::{Paint, note, result, warning};
use crate::progress::Manner;
use crate::table::plain;

/// Runs what is not finished yet, then shows all of it.
///
/// # Errors
/// Whatever stopped it; cells that were finished are kept.
pub(crate) fn run(flags: &CompareFlags, paint: Paint) -> Result<Exit> {
    if !flags.merge.is_empty() {
        let comparison = Comparison::read(&flags.merge)?;
        show(&comparison, flags, None)?;
        return Ok(Exit::Done);
    }
    let grid = flags.grid()?;
    let units = flags.shard.unwrap_or(Shard::ALL).take(grid.units());
    let store = Store::open(&flags.out, &grid)?;
    let todo: Vec<_> = units
        .iter()
        .filter(|u| store.cell(u).is_none())
        .cloned()
        .collect();
    let manner = Manner::new(flags.quiet, flags.json);
    let asked_to_stop = interrupt::watch()?;
    let display = GridDisplay::new(manner, flags.jobs(), todo.len(), units.len());
    let ready = Ready::new(grid, data_dir().as_deref(), &|event| display.show(event))?;
    let seconds = ready.estimate(&todo, flags.jobs())?;
    if seconds > 60.0 * flags.limit && !flags.yes {
        return Err(Error::usage(format!(
            "{} cells would take up to {}, more than the {} of --limit",
            todo.len(),
            duration(seconds),
            duration(60.0 * flags.limit)
        ))
        .at("compare")
        .hint("--yes starts it all the same; fewer --seeds, or --shard, make it shorter; it can be stopped and taken up again"));
    }
    display.begin(seconds);
    let complete = ready.run(
        &todo,
        store,
        flags.jobs(),
        &|event| display.show(event),
        &|| match asked_to_stop.load(Ordering::Relaxed) {
            true => Flow::Stop,
            false => Flow::Continue,
        },
    )?;
    drop(display);
    let comparison = Comparison::read(std::slice::from_ref(&flags.out))?;
    if comparison.cells.is_empty() {
        return Ok(Exit::Interrupted);
    }
    show(&comparison, flags, Some(&flags.out))?;
    if complete {
        return Ok(Exit::Done);
    }
    warning(
        "interrupted: the same command goes on where it stopped",
        paint,
    );
    Ok(Exit::Interrupted)
}

/// Prints the tables, and leaves them in `folder`.
fn show(comparison: &Comparison, flags: &CompareFlags, folder: Option<&Path>) -> Result<()> {
    if let Some(folder) = folder {
        write(&folder.join("report.md"), &comparison.to_markdown())?;
    }
    if flags.json {
        return result(&comparison.to_json_lines()?);
    }
    if flags.quiet {
        return Ok(());
    }
    let mut text = String::new();
    for table in tables(comparison) {
        text += &format!(
            "{}\n{}\n\n{}\n\n",
            table.title,
            table.note,
            plain(&table.header, &table.rows)
        );
    }
    result(&text)?;
    if let Some(folder) = folder {
        note(format_args!("results: {}", folder.display()));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|e| {
        Error::new(ErrorKind::Environment, e.to_string())
            .at(path.display().to_string())
            .hint("the cells are complete; only the report is lost")
    })
}

/// `95 s`, `12 min` or `3.4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
