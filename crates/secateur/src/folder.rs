//! The folder a run leaves behind: complete, or not there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::given_model::DATA_FILE;
use crate::plan::DEFAULT_NET;
use crate::{Config, Epoch, EpochRecord, Error, ErrorKind, Outcome, Result};

/// A folder that will appear under its name once everything in it is written.
#[derive(Debug)]
pub struct RunFolder {
    target: PathBuf,
    partial: PathBuf,
    force: bool,
}

impl RunFolder {
    /// Tries whether `target` can be written, so that this is known before training; leaves nothing yet.
    ///
    /// # Errors
    /// If `target` exists and `force` is not set or it is not a run folder, or it cannot be created.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        let place = || target.display().to_string();
        if target.is_file() {
            return Err(Error::usage("this is a file, not a folder")
                .at(place())
                .hint("choose another name with --out"));
        }
        if target.exists() && !force {
            return Err(Error::usage("this folder exists already")
                .at(place())
                .hint("choose another with --out, or replace it with --force"));
        }
        if target.exists() && !may_be_replaced(target) {
            return Err(Error::usage("this folder holds something else than a run")
                .at(place())
                .hint("--force replaces run folders only: choose another with --out"));
        }
        let Some(name) = target.file_name() else {
            return Err(Error::usage("this path does not name a folder")
                .at(place())
                .hint("give a name such as runs/first"));
        };
        let mut hidden = std::ffi::OsString::from(".");
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
        &self.target
    }

    /// Writes everything and gives the folder its name.
    ///
    /// # Errors
    /// If a file cannot be written; nothing is then left under the folder's name.
    pub fn finish(self, outcome: &Outcome) -> Result<()> {
        self.finish_with(outcome, &[])
    }

    /// [`RunFolder::finish`] with further files, by name and text: pages that the caller made of the outcome.
    ///
    /// # Errors
    /// As [`RunFolder::finish`].
    pub fn finish_with(self, outcome: &Outcome, pages: &[(&str, &str)]) -> Result<()> {
        let io = |e: std::io::Error| Error::io(&self.target, &e);
        fs::create_dir_all(&self.partial).map_err(io)?;
        self.write("small.onnx", outcome.model.bytes())?;
        if !outcome.model.data().is_empty() {
            self.write(DATA_FILE, outcome.model.data())?;
        }
        self.write("report.json", outcome.report.to_json()?.as_bytes())?;
        self.write("report.md", outcome.report.to_markdown().as_bytes())?;
        self.write("log.jsonl", log(&outcome.trained.epochs)?.as_bytes())?;
        self.write(
            "inputs.json",
            json("inputs.json", &outcome.inputs)?.as_bytes(),
        )?;
        if let Some(predictions) = &outcome.predictions {
            let text = json("predictions.json", predictions)?;
            self.write("predictions.json", text.as_bytes())?;
        }
        self.write("config.toml", outcome.plan.config.to_toml()?.as_bytes())?;
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

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.partial.join(name);
        let done = fs::File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        done.map_err(|e| Error::io(&self.target.join(name), &e))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // After a finished run the folder has its name and this finds nothing.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

/// Whether a folder is empty or what an earlier run left.
fn may_be_replaced(folder: &Path) -> bool {
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    empty || folder.join("report.json").is_file()
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
    use super::*;

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("runs").join("first");
        let _running = RunFolder::create(&target, false).unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
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
