//! The folder of a path.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::options::PathOptions;
use super::record::PathEnd;
use super::walk::PathOutcome;
use crate::checkpoints::{Checkpoints, Identity};
use crate::folder::{Work, WorkFolder};
use crate::given_model::DATA_FILE;
use crate::job::{Job, short_hash};
use crate::verify::Verified;
use crate::{Config, Error, Result, RunFolder};

/// What the folders of points begin with.
const POINT: &str = "point-";

/// The folder of one path, which nobody else writes in meanwhile: finished once it holds `path.json`, to be resumed while it holds
/// checkpoints, and gone if it holds neither.
#[derive(Debug)]
pub struct PathFolder(WorkFolder);

impl PathFolder {
    /// Makes the folder `target`, so that it is known before training that it can be written.
    ///
    /// # Errors
    /// If `target` exists and `force` is not set or it is not the folder of a path, if another path is in it, or it cannot be
    /// created.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        WorkFolder::create(Work::Path, target, force).map(Self)
    }

    /// The folder of a path that was stopped, with its config and options.
    ///
    /// # Errors
    /// If there is nothing to go on with, or another path is in it.
    pub fn resume(target: &Path) -> Result<(Self, Config, PathOptions)> {
        let (folder, config) = WorkFolder::resume(Work::Path, target)?;
        let options = PathOptions::read(&target.join(Work::PATH_OPTIONS))?;
        Ok((Self(folder), config, options))
    }

    /// Where a path keeps what it needs to go on.
    pub(super) fn checkpoints(&self, job: &Job, options: &PathOptions) -> Result<Checkpoints> {
        let own = job.identity()?;
        let options = options.to_toml()?;
        let identity = Identity {
            config: short_hash(&format!("{}\n{options}", own.config)),
            ..own
        };
        // The config last: it tells that the rest is there.
        let config = without_cuts(&job.plan.config).to_toml()?;
        let settings = vec![(Work::PATH_OPTIONS, options), ("config.toml", config)];
        Ok(self.0.checkpoints(identity, settings))
    }

    /// The first free folder below `runs` whose name tells data, net and seed, and that it is a path.
    pub fn default_path(config: &Config) -> PathBuf {
        let run = RunFolder::default_path(config);
        let mut name = run.file_name().map_or_else(OsString::new, OsString::from);
        name.push("-path");
        let named = |end: &str| {
            let mut name = name.clone();
            name.push(end);
            run.with_file_name(name)
        };
        let again = (2..).map(|i| named(&format!("-{i}")));
        std::iter::once(named(""))
            .chain(again)
            .find(|p| !p.exists())
            .unwrap_or_default()
    }

    /// Where the results will be.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the results; checkpoints go, unless the path is not at its end and can go on. `pages` are further files, by name and
    /// text.
    ///
    /// # Errors
    /// If a file cannot be written; checkpoints are still there then.
    pub fn finish(self, outcome: &PathOutcome, pages: &[(&str, &str)]) -> Result<()> {
        let folder = &self.0;
        let report = &outcome.report;
        folder.remove(Work::Path.record())?;
        let chosen = report.chosen.as_ref().and_then(|c| c.point.as_ref());
        self.remove_stale(outcome)?;
        for (point, model) in report.points.iter().zip(&outcome.models) {
            self.model(&point.name, model)?;
            if chosen == Some(&point.name) {
                self.model("", model)?;
            }
        }
        folder.write("path.md", report.to_markdown().as_bytes())?;
        folder.write("config.toml", outcome.config.to_toml()?.as_bytes())?;
        for (name, text) in pages {
            folder.write(name, text.as_bytes())?;
        }
        folder.write(Work::Path.record(), report.to_json()?.as_bytes())?;
        match report.ended {
            PathEnd::Complete | PathEnd::OutOfReach => folder.remove_checkpoints(),
            PathEnd::Interrupted | PathEnd::Failed => Ok(()),
        }
    }

    /// Removes models that an earlier path left and this one has not.
    fn remove_stale(&self, outcome: &PathOutcome) -> Result<()> {
        let target = self.path();
        for name in ["small.onnx", DATA_FILE] {
            self.0.remove(name)?;
        }
        let is_own = |name: &str| outcome.report.points.iter().any(|p| p.name == name);
        for entry in fs::read_dir(target).map_err(|e| Error::io(target, &e))? {
            let name = entry.map_err(|e| Error::io(target, &e))?.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(POINT) && !is_own(&name) {
                self.0.remove_folder(&*name)?;
            }
        }
        Ok(())
    }

    /// Writes a model into a folder below this one.
    fn model(&self, below: &str, model: &Verified) -> Result<()> {
        let below = Path::new(below);
        let folder = self.path().join(below);
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        // Before the model that names it.
        match model.data().is_empty() {
            true => self.0.remove(below.join(DATA_FILE))?,
            false => self.0.write(below.join(DATA_FILE), model.data())?,
        }
        self.0.write(below.join("small.onnx"), model.bytes())
    }
}

/// What a path decides is left out, so that the config can be read back.
pub(super) fn without_cuts(config: &Config) -> Config {
    Config {
        part: None,
        baseline: None,
        control: None,
        ..config.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn force_replaces_nothing_but_paths() {
        let parent = tempfile::tempdir().unwrap();
        let create = |force| PathFolder::create(parent.path(), force).map(|_| ());
        assert!(create(true).is_ok());
        assert_eq!(create(false).unwrap_err().kind(), ErrorKind::Usage);
        // A run is none.
        fs::write(parent.path().join("report.json"), "").unwrap();
        assert_eq!(create(true).unwrap_err().kind(), ErrorKind::Usage);
        fs::write(parent.path().join(Work::Path.record()), "").unwrap();
        assert!(create(true).is_ok());
        assert!(
            create(false)
                .unwrap_err()
                .hint_text()
                .unwrap()
                .contains("--force")
        );
    }

    #[test]
    fn the_default_name_tells_that_it_is_a_path() {
        let config = Config {
            data: Some("concrete.csv".into()),
            net: Some("64-32".into()),
            ..Config::default()
        };
        let path = PathFolder::default_path(&config);
        assert_eq!(path, Path::new("runs/concrete-64-32-seed0-path"));
    }
}
