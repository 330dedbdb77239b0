//! `secateur compress`: the whole run, from what was typed to the run folder.

use std::path::{Path, PathBuf};

use secateur::{Config, EMBEDDED, Error, Flow, Outcome, Result, RunFolder, RunRecord, compress_in};

use crate::args::{CompressCommand, OutputFlags};
use crate::commands::ending::Ending;
use crate::commands::{Exit, data_dir};
use crate::limit::{Limit, refuse_flags};
use crate::output::{Paint, note, result, warning};
use crate::progress::{Display, Manner};
use crate::table::summary;

/// Carries out the run, or goes on with one, and writes its folder.
///
/// # Errors
/// Whatever stopped it; checkpoints stay, if there are any.
pub(crate) fn run(command: CompressCommand, paint: Paint) -> Result<Exit> {
    let CompressCommand { run: flags, limits } = command;
    let limit = Limit::new(&limits)?;
    let typed = flags.config()?;
    let output = flags.output;
    let budget = typed.budget.as_deref();
    if let Some(drop) = budget.and_then(|b| b.strip_prefix("drop=")) {
        return super::path::within(drop, typed.clone(), &limits, &output, paint);
    }
    let (folder, config) = match &limits.resume {
        Some(path) => {
            refuse_flags(typed == Config::default(), &output)?;
            RunFolder::resume(path)?
        }
        None if typed.data.is_none() => return Err(no_data()),
        None => {
            let target = target(&output, &typed);
            (RunFolder::create(&target, output.force)?, typed)
        }
    };
    let mut watch = limit.watch()?;
    let mut display = Display::new(Manner::new(output.quiet, output.json));
    let outcome = compress_in(
        &folder,
        limit.memory,
        &config,
        data_dir().as_deref(),
        &mut |progress| {
            display.show(&progress);
            match watch.stop() {
                None => Flow::Continue,
                Some(why) => {
                    display.stopping(why);
                    Flow::Stop
                }
            }
        },
    )?;
    drop(display);
    let path = folder.path().to_owned();
    let record = RunRecord::of(&outcome, &path);
    let page = secateur_report::page(&outcome.report.data.name, &[record], None);
    folder.finish_with(&outcome, &[("report.html", &page)])?;
    for message in &outcome.report.data.notes {
        warning(message, paint);
    }
    let layers = &outcome.report.layers;
    for message in layers.iter().filter_map(|l| l.collapse.as_ref()) {
        warning(message, paint);
    }
    let budget = outcome.report.budget.iter();
    for message in budget.flat_map(|b| &b.warnings) {
        warning(message, paint);
    }
    tell(&outcome, &path, &output)?;
    let budget = outcome.report.budget.as_ref();
    let ending = Ending::of(outcome.trained.ended, budget, watch.stopped());
    ending.tell(&path, paint);
    Ok(ending.exit())
}

/// Prints the results.
fn tell(outcome: &Outcome, path: &Path, output: &OutputFlags) -> Result<()> {
    if output.json {
        if !output.quiet {
            note(format_args!("results: {}", path.display()));
        }
        return result(&outcome.report.to_json()?);
    }
    match output.quiet {
        true => Ok(()),
        false => result(&summary(&outcome.report, path)),
    }
}

fn target(output: &OutputFlags, config: &Config) -> PathBuf {
    match &output.out {
        Some(path) => path.clone(),
        None => RunFolder::default_path(config),
    }
}

pub(super) fn no_data() -> Error {
    Error::usage("no data is given").at("--data").hint(format!(
        "give an embedded set ({}), a table such as data.csv, or a folder of IDX files",
        EMBEDDED.join(", ")
    ))
}
