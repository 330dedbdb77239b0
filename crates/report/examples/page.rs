//! Prints the page for finished runs: `page runs/* > report.html`. Without arguments it makes a short run first.

use std::io::Write;
use std::path::{Path, PathBuf};

use secateur::{Config, Flow, RunFolder, RunRecord, compress};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let runs = match folders.as_slice() {
        [] => vec![short_run()?],
        some => some
            .iter()
            .map(|folder| RunRecord::read(folder))
            .collect::<Result<_, _>>()?,
    };
    let page = secateur_report::page("Finished runs", &runs, None);
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

fn short_run() -> Result<RunRecord, Box<dyn std::error::Error>> {
    let config = Config {
        data: Some("digits".into()),
        net: Some("32-16".into()),
        strength: Some("0.003".into()),
        epochs: Some(10),
        threads: Some(1),
        baseline: Some(true),
        ..Config::default()
    };
    let outcome = compress(&config, None, &mut |_| Flow::Continue)?;
    let parent = tempfile::tempdir()?;
    let folder: &Path = &parent.path().join("short-run");
    RunFolder::create(folder, false)?.finish(&outcome)?;
    Ok(RunRecord::read(folder)?)
}
