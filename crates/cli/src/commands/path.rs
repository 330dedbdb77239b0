//! `secateur path`: the whole trade-off, from what was typed to the folder of its models.

use std::path::Path;

use secateur::path::{PathEnd, PathFolder, PathOptions, PathOutcome, PathReport, path_in};
use secateur::{Config, Flow, Result};

use crate::args::path::PathFlags;
use crate::args::{LimitFlags, OutputFlags};
use crate::commands::compress::no_data;
use crate::commands::{Exit, data_dir};
use crate::limit::{Limit, refuse_flags};
use crate::output::{Paint, error, note, result, warning};
use crate::progress::{Display, Manner, Stop};
use crate::table::plain;

/// Walks the path, or goes on with one, and writes its folder.
///
/// # Errors
/// Whatever kept the first point from being made, or stopped the path from outside; checkpoints stay, if there are any.
pub(crate) fn run(flags: &PathFlags, paint: Paint) -> Result<Exit> {
    let (config, options) = (flags.run.config()?, flags.options()?);
    walk(config, options, &flags.limits, &flags.run.output, paint)
}

/// The smallest network within a drop of a run that has no other budget: a path that chooses it.
///
/// # Errors
/// As [`run`].
pub(crate) fn within(
    drop: &str,
    config: Config,
    limits: &LimitFlags,
    output: &OutputFlags,
    paint: Paint,
) -> Result<Exit> {
    let options = PathOptions::new(PathOptions::POINTS, PathOptions::LEAST, Some(drop))?;
    let config = Config {
        budget: None,
        ..config
    };
    walk(config, options, limits, output, paint)
}

fn walk(
    config: Config,
    options: PathOptions,
    limits: &LimitFlags,
    output: &OutputFlags,
    paint: Paint,
) -> Result<Exit> {
    let limit = Limit::new(limits)?;
    let (folder, config, options) = match &limits.resume {
        Some(path) => {
            let usual = PathOptions::new(PathOptions::POINTS, PathOptions::LEAST, None)?;
            refuse_flags(config == Config::default() && options == usual, output)?;
            PathFolder::resume(path)?
        }
        None if config.data.is_none() => return Err(no_data()),
        None => {
            let target = match &output.out {
                Some(path) => path.clone(),
                None => PathFolder::default_path(&config),
            };
            (PathFolder::create(&target, output.force)?, config, options)
        }
    };
    let mut watch = limit.watch()?;
    let mut display = Display::new(Manner::new(output.quiet, output.json));
    let outcome = path_in(
        &folder,
        limit.memory,
        &config,
        &options,
        data_dir().as_deref(),
        &mut |progress| {
            display.show_path(&progress);
            match watch.stop() {
                None => Flow::Continue,
                Some(why) => {
                    display.stopping_path(why);
                    Flow::Stop
                }
            }
        },
    )?;
    drop(display);
    let target = folder.path().to_owned();
    let page = secateur_report::path_page(&outcome.report);
    folder.finish(&outcome, &[("path.html", &page)])?;
    for message in &outcome.report.data.notes {
        warning(message, paint);
    }
    tell(&outcome.report, &target, output)?;
    Ok(ending(&outcome, watch.stopped(), &target, paint))
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
fn ending(outcome: &PathOutcome, stopped: Option<Stop>, folder: &Path, paint: Paint) -> Exit {
    if let Some(failure) = &outcome.failure {
        error(failure, paint);
    }
    match outcome.report.ended {
        // The notes say why nothing was cut.
        PathEnd::OutOfReach if outcome.report.points.len() == 1 => Exit::OutOfReach,
        PathEnd::Complete | PathEnd::OutOfReach => Exit::Done,
        PathEnd::Failed => Exit::Failed,
        PathEnd::Interrupted => {
            let go_on = format!("to go on: secateur path --resume {}", folder.display());
            warning(&go_on, paint);
            match stopped {
                Some(Stop::Time) => Exit::Done,
                Some(Stop::Asked) | None => Exit::Interrupted,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path on which no two numbers are equal.
    #[test]
    fn every_number_of_a_path_stands_beside_its_own_label() {
        let text = include_str!("../../../report/tests/fixture/distinct/path.json");
        let report: PathReport = serde_json::from_str(text).unwrap();
        let told = summary(&report, Path::new("run"));
        let wanted = "\
made-up: 67 features; 1258 rows to train, 181 to validate, 359 to test

point     MACs a row  share (%)  params    bytes  validation accuracy (%)  test accuracy (%)  seconds     remark
point-00      81,234       99.7  83,111  333,123                    96.12              95.11    12.34      dense
point-02      41,523       51.1  42,777  171,456                    94.33              93.44     3.45  dominated
point-01      24,534       30.2  25,888  104,567                    95.44              94.55     4.56       knee
point-03       8,855       10.9   9,222   38,678                    90.12              89.11     5.67     chosen

Knee: point-01, at 30.2 % of the MACs with 95.44 % on validation rows.
Smallest within 6pt (89.98 % on validation rows): point-03, at 10.9 % of the MACs with 90.12 %.
note: a note

results: run
";
        assert_eq!(told, wanted);
    }
}
