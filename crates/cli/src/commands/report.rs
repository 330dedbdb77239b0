//! `secateur report`: one page of any runs and comparisons.

use secateur::compare::Comparison;
use secateur::{Result, RunRecord};
use secateur_report::{markdown, of_comparison, page};

use crate::args::ReportFlags;
use crate::commands::{Exit, check_target, write_whole};
use crate::output::note;

/// Reads the folders and writes the page.
///
/// # Errors
/// If a folder cannot be read, or the page cannot be written.
pub(crate) fn run(flags: &ReportFlags) -> Result<Exit> {
    let target = check_target(&flags.out, flags.force)?;
    let is_comparison = |folder: &&std::path::PathBuf| folder.join("comparison.json").is_file();
    let (comparisons, runs): (Vec<_>, Vec<_>) = flags.folders.iter().partition(is_comparison);
    let runs: Vec<RunRecord> = runs
        .into_iter()
        .map(|folder| RunRecord::read(folder))
        .collect::<Result<_>>()?;
    let comparison = match comparisons.is_empty() {
        true => None,
        false => {
            let folders: Vec<_> = comparisons.into_iter().cloned().collect();
            Some(of_comparison(&Comparison::read(&folders)?))
        }
    };
    let is_markdown = flags.out.extension().is_some_and(|e| e == "md");
    let text = match is_markdown {
        true => markdown(&runs, comparison.as_ref()),
        false => page(
            &title(&runs, comparison.is_some()),
            &runs,
            comparison.as_ref(),
        ),
    };
    write_whole(&target, text.as_bytes())?;
    note(format_args!("report: {}", flags.out.display()));
    Ok(Exit::Done)
}

fn title(runs: &[RunRecord], compared: bool) -> String {
    let mut names: Vec<&str> = runs.iter().map(|r| r.report.data.name.as_str()).collect();
    names.dedup();
    match (compared, names.is_empty()) {
        (true, true) => "Comparison".to_owned(),
        (true, false) => format!("Comparison, and runs on {}", names.join(", ")),
        (false, _) => names.join(", "),
    }
}
