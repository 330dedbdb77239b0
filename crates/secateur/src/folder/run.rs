//! The folder of one run.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Work, WorkFolder};
use crate::checkpoints::{Checkpoints, Identity};
use crate::given_model::DATA_FILE;
use crate::plan::DEFAULT_NET;
use crate::{Config, Ended, Epoch, EpochRecord, Error, ErrorKind, Outcome, Result};

/// Files that some runs leave and others do not.
const SOMETIMES: [&str; 3] = [DATA_FILE, "predictions.json", "report.html"];

/// The folder of one run, which nobody else writes in meanwhile: finished once it holds `report.json`, to be resumed while it
/// holds checkpoints, and gone if it holds neither.
#[derive(Debug)]
pub struct RunFolder(WorkFolder);

impl RunFolder {
    /// Makes the folder `target`, so that it is known before training that it can be written.
    ///
    /// # Errors
    /// If `target` exists and `force` is not set or it is not a run folder, if another run is in it, or it cannot be created.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        WorkFolder::create(Work::Run, target, force).map(Self)
    }

    /// The folder of a run that was stopped, with its config.
    ///
    /// # Errors
    /// If there is nothing to go on with, or another run is in it.
    pub fn resume(target: &Path) -> Result<(Self, Config)> {
        let (folder, config) = WorkFolder::resume(Work::Run, target)?;
        Ok((Self(folder), config))
    }

    /// Where a run of this identity keeps what it needs to go on.
    pub(crate) fn checkpoints(&self, identity: Identity, config: String) -> Checkpoints {
        self.0.checkpoints(identity, vec![("config.toml", config)])
    }

    /// The first free folder below `runs` whose name tells data, net and seed.
    pub fn default_path(config: &Config) -> PathBuf {
        let data = config.data.as_deref().unwrap_or("digits");
        let stem = Path::new(data)
            .file_name()
            .map(|n| n.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_else(|| "data".into());
        let stem = stem
            .split('.')
            .next()
            .filter(|s| !s.is_empty())
            .unwrap_or("data");
        let model = config
            .model
            .as_deref()
            .map(Path::new)
            .and_then(Path::file_stem);
        let model = model.map(|m| m.to_string_lossy().into_owned());
        let net = model
            .as_deref()
            .or(config.net.as_deref())
            .unwrap_or(DEFAULT_NET);
        let name = format!("{stem}-{net}-seed{}", config.seed.unwrap_or(0));
        let base = Path::new("runs").join(&name);
        let again = (2..).map(|i| Path::new("runs").join(format!("{name}-{i}")));
        std::iter::once(base)
            .chain(again)
            .find(|p| !p.exists())
            .unwrap_or_default()
    }

    /// Where the results will be.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the results; checkpoints go, unless the run was interrupted and can go on.
    ///
    /// # Errors
    /// If a file cannot be written; checkpoints are still there then.
    pub fn finish(self, outcome: &Outcome) -> Result<()> {
        self.finish_with(outcome, &[])
    }

    /// [`RunFolder::finish`] with further files, by name and text: pages that the caller made of the outcome.
    ///
    /// # Errors
    /// As [`RunFolder::finish`].
    pub fn finish_with(self, outcome: &Outcome, pages: &[(&str, &str)]) -> Result<()> {
        let mut files = vec![("small.onnx", outcome.model.bytes().to_vec())];
        if !outcome.model.data().is_empty() {
            // Before the model that names it.
            files.insert(0, (DATA_FILE, outcome.model.data().to_vec()));
        }
        let mut text = |name, text: String| files.push((name, text.into_bytes()));
        text("report.md", outcome.report.to_markdown());
        text("log.jsonl", log(&outcome.trained.epochs)?);
        text("inputs.json", json("inputs.json", &outcome.inputs)?);
        if let Some(predictions) = &outcome.predictions {
            text("predictions.json", json("predictions.json", predictions)?);
        }
        text("config.toml", outcome.plan.config.to_toml()?);
        for (name, page) in pages {
            text(name, (*page).to_owned());
        }
        // Last: it says that all others are there.
        text(Work::Run.record(), outcome.report.to_json()?);
        let folder = &self.0;
        folder.remove(Work::Run.record())?;
        for (name, bytes) in &files {
            folder.write(name, bytes)?;
        }
        let is_written = |name: &str| files.iter().any(|(written, _)| *written == name);
        for name in SOMETIMES.into_iter().filter(|name| !is_written(name)) {
            folder.remove(name)?;
        }
        match outcome.trained.ended {
            Ended::Interrupted { .. } => Ok(()),
            Ended::Complete | Ended::Diverged { .. } => folder.remove_checkpoints(),
        }
    }
}

/// One line of JSON an epoch.
fn log(epochs: &[Epoch]) -> Result<String> {
    let line = |epoch: &Epoch| json("log.jsonl", &EpochRecord::from(epoch));
    epochs.iter().map(line).collect()
}

/// A value on one line.
fn json(name: &str, value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value)
        .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()).at(name))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::checkpoints::CHECKPOINT_FOLDER;
    use crate::folder::state::LOCK;

    #[test]
    fn two_runs_are_not_in_one_folder() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("first");
        let running = RunFolder::create(&target, false).unwrap();
        for force in [false, true] {
            let error = RunFolder::create(&target, force).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Environment);
            assert!(error.to_string().contains("another run"), "{error}");
        }
        assert!(RunFolder::resume(&target).is_err());
        drop(running);
        // A killed run leaves its lock behind, which nobody holds.
        fs::create_dir(&target).unwrap();
        fs::write(target.join(LOCK), "").unwrap();
        assert!(RunFolder::create(&target, false).is_ok());
    }

    #[test]
    fn what_can_be_gone_on_with_is_told_from_what_cannot() {
        let parent = tempfile::tempdir().unwrap();
        let refused = |target: &Path| RunFolder::resume(target).unwrap_err().to_string();
        assert!(refused(&parent.path().join("none")).contains("no run here"));
        assert!(refused(parent.path()).contains("no run here"));
        fs::write(parent.path().join(LOCK), "").unwrap();
        assert!(refused(parent.path()).contains("before anything was kept"));
        fs::write(parent.path().join("config.toml"), "").unwrap();
        fs::write(parent.path().join("report.json"), "").unwrap();
        assert!(refused(parent.path()).contains("is finished"));
        fs::create_dir(parent.path().join(CHECKPOINT_FOLDER)).unwrap();
        assert!(RunFolder::resume(parent.path()).is_ok());
        let error = RunFolder::create(parent.path(), false).unwrap_err();
        assert!(error.hint_text().unwrap().contains("--resume"));
    }

    #[test]
    fn an_existing_folder_is_not_touched_without_force() {
        let parent = tempfile::tempdir().unwrap();
        let error = RunFolder::create(parent.path(), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.hint_text().unwrap().contains("--force"));
        assert!(RunFolder::create(parent.path(), true).is_ok());
    }

    #[test]
    fn force_replaces_nothing_but_runs() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("thesis.tex"), "").unwrap();
        let error = RunFolder::create(parent.path(), true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        fs::write(parent.path().join("report.json"), "").unwrap();
        assert!(RunFolder::create(parent.path(), true).is_ok());
    }

    #[test]
    fn the_default_name_tells_data_net_and_seed() {
        let config = Config {
            data: Some("some/where/concrete.csv.gz".into()),
            net: Some("64-32".into()),
            seed: Some(3),
            ..Config::default()
        };
        assert_eq!(
            RunFolder::default_path(&config),
            Path::new("runs/concrete-64-32-seed3")
        );
    }
}
