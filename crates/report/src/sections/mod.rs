//! The parts of a report: each turns records into blocks, and knows neither HTML nor the plotting crate.

pub(crate) mod comparison;
mod fit;
mod headline;
mod history;
mod inputs;
mod layers;
mod norms;
pub(crate) mod overview;
pub(crate) mod path;
mod residuals;
mod settings;
pub(crate) mod shrunk;
mod time;
mod trade_off;
mod widths;

/// Width and height of most pictures in pixels; a page of 400 pixels hardly shrinks them.
const SIZE: (i32, i32) = (460, 290);

/// One run, from its headline to its settings.
pub(crate) mod run {
    use secateur::RunRecord;

    use super::{fit, headline, history, inputs, layers, norms, settings, time};
    use crate::outline::{Block, Section};

    /// The section of `run`; its anchors begin with `id`.
    pub(crate) fn section(id: &str, name: &str, run: &RunRecord) -> Section {
        let part = |suffix: &str, title: &str, blocks: Vec<Block>| Section {
            id: format!("{id}-{suffix}"),
            title: title.to_owned(),
            blocks,
            ..Section::default()
        };
        let mut training = history::blocks(run);
        training.push(time::of_run(run));
        let mut left = layers::blocks(run);
        left.extend(norms::table(&run.report));
        left.extend(inputs::blocks(run));
        let mut sections = vec![
            part("training", "How training went", training),
            part("left", "What is left", left),
        ];
        if let Some(predictions) = &run.predictions {
            sections.push(part("fit", "How it fits", fit::blocks(predictions)));
        }
        sections.push(part(
            "settings",
            "Settings and versions",
            settings::blocks(run),
        ));
        Section {
            id: id.to_owned(),
            title: name.to_owned(),
            blocks: headline::blocks(run),
            sections,
            folded: false,
        }
    }
}
