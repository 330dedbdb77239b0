//! `secateur bench`: latencies of models side by side.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use secateur::latency::{Latencies, Progress, measure};
use secateur::{ModelFile, Result};

use crate::args::bench::BenchFlags;
use crate::commands::Exit;
use crate::commands::model::{json, shown};
use crate::output::{Paint, result, warning};

const TEMPLATE: &str = "{msg} [{bar:32}] {elapsed}, {eta} left";
/// Parts of the bar.
const PARTS: f64 = 1000.0;

/// Measures the models and shows what each takes.
///
/// # Errors
/// If a model cannot be read or run, a choice makes no sense, or outputs differ between the engines.
pub(crate) fn run(flags: &BenchFlags, paint: Paint) -> Result<Exit> {
    let models = flags.models.iter().map(|path| ModelFile::read(path));
    let mut models: Vec<ModelFile> = models.collect::<Result<_>>()?;
    for model in &mut models {
        model.at_shapes(&flags.shape, None)?;
    }
    let rows = models.iter().find_map(ModelFile::given_rows);
    let settings = flags.settings(rows)?;
    let bar = bar();
    let told = measure(&models, &settings, &mut |progress| {
        show(&bar, progress);
    });
    bar.finish_and_clear();
    let told = told?;
    for text in &told.warnings {
        warning(text, paint);
    }
    if flags.json {
        return json(&told.to_json());
    }
    result(&text(&told))?;
    Ok(Exit::Done)
}

fn text(told: &Latencies) -> String {
    let mut text = told.headline() + "\n\n";
    text += &shown(&told.model_table());
    text += &shown(&told.latency_table());
    for note in told.notes() {
        text += &format!("note: {note}\n");
    }
    text
}

/// On stderr, and hidden where that is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(PARTS as u64).with_finish(ProgressFinish::AndClear);
    // The template is a constant that a test draws.
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let position = (PARTS * progress.share) as u64;
    // Drawing is kept out of the way of what is timed.
    if bar.position() != position || position == 0 {
        bar.set_message(format!(
            "batch {}, threads {}",
            progress.batch, progress.threads
        ));
        bar.set_position(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn the_bar_tells_batch_threads_and_share() {
        let bar = bar();
        let progress = |share| Progress {
            batch: 32,
            threads: 2,
            share,
        };
        let told = "batch 32, threads 2".to_owned();
        show(&bar, &progress(0.0));
        assert_eq!((bar.position(), bar.message()), (0, told.clone()));
        bar.set_message("");
        show(&bar, &progress(0.25));
        assert_eq!((bar.position(), bar.message()), (250, told));
    }
}
