//! `secateur path`: the whole trade-off, from what was typed to the folder of its models.

use std::path::Path;
use std::sync::atomic::Ordering;

use secateur::path::{PathEnd, PathFolder, PathOptions, PathOutcome, PathReport, path};
use secateur::{Config, Flow, Result};

use crate::args::OutputFlags;
use crate::args::path::PathFlags;
use crate::commands::compress::no_data;
use crate::commands::{Exit, data_dir};
use crate::interrupt;
use crate::output::{Paint, error, note, result, warning};
use crate::progress::{Display, Manner};
use crate::table::plain;

/// Walks the path and writes its folder.
///
/// # Errors
/// Whatever kept the first point from being made; nothing is written then.
pub(crate) fn run(flags: &PathFlags, paint: Paint) -> Result<Exit> {
    let config = flags.run.config()?;
    walk(&config, &flags.options()?, &flags.run.output, paint)
}

/// The smallest network within a drop of a run that has no other budget: a path that chooses it.
///
/// # Errors
/// As [`run`].
pub(crate) fn within(
    drop: &str,
    config: Config,
    output: &OutputFlags,
    paint: Paint,
) -> Result<Exit> {
    let options = PathOptions::new(PathOptions::POINTS, PathOptions::LEAST, Some(drop))?;
    let config = Config {
        budget: None,
        ..config
    };
    walk(&config, &options, output, paint)
}

fn walk(
    config: &Config,
    options: &PathOptions,
    output: &OutputFlags,
    paint: Paint,
) -> Result<Exit> {
    if config.data.is_none() {
        return Err(no_data());
    }
    let asked_to_stop = interrupt::watch()?;
    let target = match &output.out {
        Some(path) => path.clone(),
        None => PathFolder::default_path(config),
    };
    let folder = PathFolder::create(&target, output.force)?;
    let mut display = Display::new(Manner::new(output.quiet, output.json));
    let outcome = path(config, options, data_dir().as_deref(), &mut |progress| {
        display.show_path(&progress);
        if !asked_to_stop.load(Ordering::Relaxed) {
            return Flow::Continue;
        }
        display.stopping_path();
        Flow::Stop
    })?;
    drop(display);
    let page = secateur_report::path_page(&outcome.report);
    folder.finish(&outcome, &[("path.html", &page)])?;
    for message in &outcome.report.data.notes {
        warning(message, paint);
    }
    tell(&outcome.report, &target, output)?;
    Ok(ending(&outcome, paint))
}

/// Prints the results.
fn tell(report: &PathReport, folder: &Path, output: &OutputFlags) -> Result<()> {
    if output.json {
        if !output.quiet {
            note(format_args!("results: {}", folder.display()));
        }
        return result(&report.to_json()?);
    }
    match output.quiet {
        true => Ok(()),
        false => result(&summary(report, folder)),
    }
}

/// The table of points, what is remarkable, and where the models are.
fn summary(report: &PathReport, folder: &Path) -> String {
    let data = &report.data;
    let columns: Vec<String> = report.columns().into_iter().map(str::to_owned).collect();
    let mut lines = vec![
        format!(
            "{}: {} features; {} rows to train, {} to validate, {} to test",
            data.name, data.features, data.train_rows, data.validation_rows, data.test_rows
        ),
        String::new(),
        plain(&columns, &report.rows()),
        String::new(),
    ];
    lines.extend(report.remarks());
    lines.extend(report.notes.iter().map(|n| format!("note: {n}")));
    lines.push(String::new());
    lines.push(format!("results: {}", folder.display()));
    lines.join("\n") + "\n"
}

/// Says what went wrong on a path that has points all the same.
fn ending(outcome: &PathOutcome, paint: Paint) -> Exit {
    if let Some(failure) = &outcome.failure {
        error(failure, paint);
        return Exit::Failed;
    }
    match outcome.report.ended {
        PathEnd::Complete | PathEnd::OutOfReach => Exit::Done,
        PathEnd::Interrupted => Exit::Interrupted,
        PathEnd::Failed => Exit::Failed,
    }
}
