//! The folder a path leaves behind: complete, or not there.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::walk::PathOutcome;
use crate::given_model::DATA_FILE;
use crate::verify::Verified;
use crate::{Config, Error, Result, RunFolder};

/// What of a folder tells that it is one of a path.
const RECORD: &str = "path.json";

/// A folder that will appear under its name once everything in it is written.
#[derive(Debug)]
pub struct PathFolder {
    target: PathBuf,
    partial: PathBuf,
    force: bool,
}

impl PathFolder {
    /// Tries whether `target` can be written, so that this is known before training; leaves nothing yet.
    ///
    /// # Errors
    /// If `target` exists and `force` is not set or it is not the folder of a path, or it cannot be created.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        let refused = |message: &str, hint: &str| {
            Err(Error::usage(message)
                .at(target.display().to_string())
                .hint(hint))
        };
        if target.is_file() {
            return refused(
                "this is a file, not a folder",
                "choose another name with --out",
            );
        }
        if target.exists() && !force {
            return refused(
                "this folder exists already",
                "choose another with --out, or replace it with --force",
            );
        }
        if target.exists() && !may_be_replaced(target) {
            return refused(
                "this folder holds something else than a path",
                "--force replaces folders of paths only: choose another with --out",
            );
        }
        let Some(name) = target.file_name() else {
            return refused(
                "this path does not name a folder",
                "give a name such as runs/first",
            );
        };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".partial-{}", std::process::id()));
        let partial = target.with_file_name(hidden);
        let missing: Vec<&Path> = partial.ancestors().take_while(|p| !p.exists()).collect();
        let tried = fs::create_dir_all(&partial);
        for folder in missing {
            let _ = fs::remove_dir(folder);
        }
        tried.map_err(|e| Error::io(target, &e))?;
        Ok(Self {
            target: target.to_path_buf(),
            partial,
            force,
        })
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
        &self.target
    }

    /// Writes everything and gives the folder its name; `pages` are further files, by name and text.
    ///
    /// # Errors
    /// If a file cannot be written; nothing is then left under the folder's name.
    pub fn finish(self, outcome: &PathOutcome, pages: &[(&str, &str)]) -> Result<()> {
        let io = |e: std::io::Error| Error::io(&self.target, &e);
        let report = &outcome.report;
        fs::create_dir_all(&self.partial).map_err(io)?;
        for (point, model) in report.points.iter().zip(&outcome.models) {
            self.model(&point.name, model)?;
            if report.chosen.as_ref().and_then(|c| c.point.as_ref()) == Some(&point.name) {
                self.model("", model)?;
            }
        }
        self.write(RECORD, report.to_json()?.as_bytes())?;
        self.write("path.md", report.to_markdown().as_bytes())?;
        self.write("config.toml", outcome.config.to_toml()?.as_bytes())?;
        for (name, text) in pages {
            self.write(name, text.as_bytes())?;
        }
        let old = self.partial.with_extension("old");
        let replaced = self.force && self.target.exists();
        if replaced {
            fs::rename(&self.target, &old).map_err(io)?;
        }
        if let Err(error) = fs::rename(&self.partial, &self.target) {
            if replaced {
                let _ = fs::rename(&old, &self.target);
            }
            return Err(io(error));
        }
        if replaced {
            fs::remove_dir_all(&old).map_err(io)?;
        }
        Ok(())
    }

    /// Writes a model into a folder below this one.
    fn model(&self, below: &str, model: &Verified) -> Result<()> {
        let folder = self.partial.join(below);
        fs::create_dir_all(&folder).map_err(|e| Error::io(&self.target.join(below), &e))?;
        self.write(Path::new(below).join("small.onnx"), model.bytes())?;
        match model.data().is_empty() {
            true => Ok(()),
            false => self.write(Path::new(below).join(DATA_FILE), model.data()),
        }
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let done = fs::File::create(self.partial.join(&name)).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        done.map_err(|e| Error::io(&self.target.join(&name), &e))
    }
}

impl Drop for PathFolder {
    fn drop(&mut self) {
        // After a finished path the folder has its name and this finds nothing.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// Whether a folder is empty or what an earlier path left.
fn may_be_replaced(folder: &Path) -> bool {
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    empty || folder.join(RECORD).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("runs").join("first");
        let _running = PathFolder::create(&target, false).unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn force_replaces_nothing_but_paths() {
        let parent = tempfile::tempdir().unwrap();
        let create = |force| PathFolder::create(parent.path(), force).map(|_| ());
        assert!(create(true).is_ok());
        assert_eq!(create(false).unwrap_err().kind(), ErrorKind::Usage);
        // A run is none.
        fs::write(parent.path().join("report.json"), "").unwrap();
        assert_eq!(create(true).unwrap_err().kind(), ErrorKind::Usage);
        fs::write(parent.path().join(RECORD), "").unwrap();
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
