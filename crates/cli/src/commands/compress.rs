//! `secateur compress`: the whole run, from what was typed to the run folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use secateur::{
    Config, EMBEDDED, Ended, Error, Flow, Outcome, Result, RunFolder, RunRecord, compress,
};

use crate::args::{CompressFlags, OutputFlags};
use crate::commands::{Exit, data_dir};
use crate::interrupt;
use crate::output::{Paint, note, result, warning};
use crate::progress::{Display, Manner};
use crate::table::summary;

/// Carries out the run and writes its folder.
///
/// # Errors
/// Whatever stopped it; nothing is written then.
pub(crate) fn run(flags: CompressFlags, paint: Paint) -> Result<Exit> {
    let config = flags.config()?;
    if config.data.is_none() {
        return Err(no_data());
    }
    let output = flags.output;
    let asked_to_stop = interrupt::watch()?;
    let folder = RunFolder::create(&target(&output, &config), output.force)?;
    let mut display = Display::new(Manner::new(output.quiet, output.json));
    let mut stopped = false;
    let outcome = compress(&config, data_dir().as_deref(), &mut |progress| {
        display.show(&progress);
        if !asked_to_stop.load(Ordering::Relaxed) {
            return Flow::Continue;
        }
        stopped = true;
        display.stopping();
        Flow::Stop
    })?;
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
    tell(&outcome, &path, &output)?;
    Ok(ending(&outcome, stopped, paint))
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

/// Says what went wrong in a run that has results all the same.
fn ending(outcome: &Outcome, stopped: bool, paint: Paint) -> Exit {
    if let Ended::Diverged { epoch } = outcome.trained.ended {
        let error = Error::new(
            secateur::ErrorKind::Diverged,
            format!(
                "the loss is not a finite number; the model of epoch {} was kept",
                epoch - 1
            ),
        )
        .at(format!("epoch {epoch}"))
        .hint("lower --learning-rate, or look for extreme values in the data");
        crate::output::error(&error, paint);
        return Exit::Failed;
    }
    if !stopped {
        return Exit::Done;
    }
    if outcome.trained.ended == Ended::Complete {
        let message =
            "interrupted after a complete run: no other strength and no comparison after it";
        warning(message, paint);
    }
    Exit::Interrupted
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
