//! Runs a grid under the eyes of the user.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use secateur::compare::{Comparison, Grid, Ready, Store, Table, Unit};
use secateur::{Error, Flow, Result};

use crate::args::grid::RunningFlags;
use crate::commands::{data_dir, write_whole};
use crate::grid_progress::GridDisplay;
use crate::output::{note, result};
use crate::progress::Manner;
use crate::table::plain;

/// A grid with its data in memory, on its way.
pub(crate) struct Running<'a> {
    ready: Ready,
    flags: &'a RunningFlags,
    asked_to_stop: &'a AtomicBool,
}

impl<'a> Running<'a> {
    /// Looks at the folder and reads the data.
    ///
    /// # Errors
    /// If the folder holds something else, or the data cannot be read.
    pub(crate) fn new(
        grid: Grid,
        flags: &'a RunningFlags,
        asked_to_stop: &'a AtomicBool,
    ) -> Result<Self> {
        Store::finished(&flags.out, &grid)?;
        let display = GridDisplay::new(manner(flags), 0, 0, 0);
        let ready = Ready::new(grid, data_dir().as_deref(), &|event| display.show(event))?;
        Ok(Self {
            ready,
            flags,
            asked_to_stop,
        })
    }

    /// Runs the units that are not finished; whether all are.
    ///
    /// # Errors
    /// If they would take longer than allowed, or one of them fails; cells that were finished are kept.
    pub(crate) fn finish(&self, units: &[Unit]) -> Result<bool> {
        let flags = self.flags;
        let finished = Store::finished(&flags.out, self.ready.grid())?;
        let open = |u: &&Unit| finished.iter().all(|c| c.unit != **u);
        let todo: Vec<Unit> = units.iter().filter(open).cloned().collect();
        let seconds = self.ready.estimate(&todo, flags.jobs())?;
        held_to(todo.len(), seconds, (flags.limit, flags.yes))?;
        let store = Store::open(&flags.out, self.ready.grid())?;
        let display = GridDisplay::new(manner(flags), flags.jobs(), todo.len(), units.len());
        display.begin(seconds);
        let flow = || match self.asked_to_stop.load(Ordering::Relaxed) {
            true => Flow::Stop,
            false => Flow::Continue,
        };
        self.ready.run(
            &todo,
            store,
            flags.jobs(),
            &|event| display.show(event),
            &flow,
        )
    }

    /// Everything that is finished.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(crate) fn comparison(&self) -> Result<Comparison> {
        Comparison::read(std::slice::from_ref(&self.flags.out))
    }
}

fn manner(flags: &RunningFlags) -> Manner {
    Manner::new(flags.quiet, flags.json)
}

/// Holds cells that take so long to a limit in minutes, unless the user says yes.
fn held_to(cells: usize, seconds: f64, (limit, yes): (f64, bool)) -> Result<()> {
    let limit = 60.0 * limit;
    if yes || seconds <= limit {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{cells} cells would take up to {}, more than the {} of --limit",
        duration(seconds),
        duration(limit)
    ))
    .at("grid")
    .hint(
        "--yes starts it all the same, and it can be stopped and taken up again; fewer --seeds make it shorter",
    ))
}

/// Prints tables and closing lines, and leaves them in `folder` as a report.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn show(
    title: &str,
    tables: &[Table],
    lines: &[String],
    flags: &RunningFlags,
    folder: Option<&Path>,
) -> Result<()> {
    if let Some(folder) = folder {
        let mut text = format!("# {title}\n\n");
        for table in tables {
            text += &format!(
                "## {}\n\n{}\n\n{}\n",
                table.title,
                table.note,
                table.to_markdown()
            );
        }
        lines.iter().for_each(|line| text += &format!("{line}\n\n"));
        let path = folder.join("report.md");
        write_whole(&path, text.as_bytes())
            .map_err(|e| e.hint("the cells are complete; only the report is lost"))?;
    }
    if flags.quiet {
        return Ok(());
    }
    let mut text = String::new();
    for table in tables {
        text += &format!(
            "{}\n{}\n\n{}\n\n",
            table.title,
            table.note,
            plain(&table.header, &table.rows)
        );
    }
    lines.iter().for_each(|line| text += &format!("{line}\n"));
    result(&text)?;
    if let Some(folder) = folder {
        note(format_args!("results: {}", folder.display()));
    }
    Ok(())
}

/// `95 s`, `12 min` or `3.4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_held_to_minutes_unless_the_user_says_yes() {
        for (seconds, limit, is_held) in [
            (30.0, 0.5, true),
            (30.1, 0.5, false),
            (60.5, 1.0, false),
            (7200.0, 120.0, true),
            (7201.0, 120.0, false),
        ] {
            let held = held_to(7, seconds, (limit, false));
            assert_eq!(held.is_ok(), is_held, "{seconds} {limit}");
            held_to(7, seconds, (limit, true)).unwrap();
        }
        let error = held_to(7, 7201.0, (60.0, false)).unwrap_err();
        let told = "grid: 7 cells would take up to 2.0 h, more than the 60 min of --limit";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn durations_have_two_digits_or_three() {
        let all = [4.2, 99.0, 100.0, 720.0, 6_000.0, 12_240.0].map(duration);
        assert_eq!(all, ["4 s", "99 s", "2 min", "12 min", "1.7 h", "3.4 h"]);
    }
}
