//! A finished run as it is read back from its folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::checkpoints::CHECKPOINT_FOLDER;
use crate::report::FORMAT;
use crate::{
    Config, EpochRecord, Error, ErrorKind, InputsRecord, Outcome, Predictions, Report, Result,
};

/// Everything a run folder tells, the model apart.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Where it was read.
    pub folder: PathBuf,
    /// `config.toml`: every choice.
    pub config: Config,
    /// `report.json`: every number.
    pub report: Report,
    /// `log.jsonl`: one entry an epoch.
    pub epochs: Vec<EpochRecord>,
    /// `inputs.json`: the features that are still read.
    pub inputs: InputsRecord,
    /// `predictions.json`, which only regressions have.
    pub predictions: Option<Predictions>,
}

impl RunRecord {
    /// What the folder of a run will tell.
    pub fn of(outcome: &Outcome, folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            config: outcome.plan.config.clone(),
            report: outcome.report.clone(),
            epochs: outcome
                .trained
                .epochs
                .iter()
                .map(EpochRecord::from)
                .collect(),
            inputs: outcome.inputs.clone(),
            predictions: outcome.predictions.clone(),
        }
    }

    /// Reads a run folder.
    ///
    /// # Errors
    /// If a file of it is missing or damaged, or it was written by a version that meant something else by it.
    pub fn read(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::new(ErrorKind::Input, "there is no such folder")
                .at(folder.display().to_string())
                .hint("give the folders that compress or compare wrote, such as runs/*"));
        }
        if folder.join(CHECKPOINT_FOLDER).is_dir() && !folder.join("report.json").exists() {
            return Err(Error::new(ErrorKind::Input, "this run is not finished")
                .at(folder.display().to_string())
                .hint("go on with it: secateur compress --resume and the folder"));
        }
        if folder.join("path.json").is_file() && !folder.join("report.json").exists() {
            return Err(Error::new(
                ErrorKind::Input,
                "this is a path, which has a page of its own",
            )
            .at(folder.display().to_string())
            .hint("open its path.html; the folders of its points, such as point-00, are runs"));
        }
        let report = text(folder, "report.json")?;
        check_format(folder, &report)?;
        let predictions = folder.join("predictions.json");
        Ok(Self {
            folder: folder.to_path_buf(),
            config: Config::read(&folder.join("config.toml"))
                .map_err(|e| Error::new(ErrorKind::Input, e.to_string()).hint(INCOMPLETE))?,
            report: parse(folder, "report.json", &report)?,
            epochs: text(folder, "log.jsonl")?
                .lines()
                .map(|line| parse(folder, "log.jsonl", line))
                .collect::<Result<_>>()?,
            inputs: parse(folder, "inputs.json", &text(folder, "inputs.json")?)?,
            predictions: match predictions.exists() {
                true => Some(parse(
                    folder,
                    "predictions.json",
                    &text(folder, "predictions.json")?,
                )?),
                false => None,
            },
        })
    }
}

const INCOMPLETE: &str = "the folder is incomplete or was changed: run it again, or leave it out";

/// Refuses folders whose numbers this version would misread.
fn check_format(folder: &Path, report: &str) -> Result<()> {
    let value: serde_json::Value = parse(folder, "report.json", report)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if format == Some(u64::from(FORMAT)) {
        return Ok(());
    }
    let version = value.get("secateur").and_then(|v| v.as_str());
    Err(Error::new(
        ErrorKind::Input,
        format!(
            "written by secateur {} in format {}; this version reads format {FORMAT}",
            version.unwrap_or("of an unknown version"),
            format.unwrap_or(1),
        ),
    )
    .at(folder.display().to_string())
    .hint("run it again from its config.toml, or leave it out"))
}

fn text(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|e| {
        Error::new(ErrorKind::Input, e.to_string())
            .at(path.display().to_string())
            .hint(INCOMPLETE)
    })
}

fn parse<T: DeserializeOwned>(folder: &Path, name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        Error::new(ErrorKind::Input, e.to_string())
            .at(folder.join(name).display().to_string())
            .hint(INCOMPLETE)
    })
}
