//! The folder that a run or a path works in: complete, to be gone on with, or not there.

mod run;
mod state;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use self::state::{LOCK, State, is_locked, remove_halves};
use crate::checkpoints::{CHECKPOINT_FOLDER, Checkpoints, Identity};
use crate::whole_file::write_whole;
use crate::{Config, Error, ErrorKind, Result};

pub use run::RunFolder;

/// What works in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Run,
    Path,
}

impl Work {
    /// The file that is written last, so that it says that all others are there.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Run => "report.json",
            Self::Path => "path.json",
        }
    }

    /// What only an unfinished folder of a path has, beside what a run's has.
    pub(crate) const PATH_OPTIONS: &str = "path.toml";

    /// The record as a text for people.
    fn text(self) -> &'static str {
        match self {
            Self::Run => "report.md",
            Self::Path => "path.md",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Path => "path",
        }
    }
}

/// A folder that nobody else writes in meanwhile: finished once it holds its record, to be resumed while it holds checkpoints, and
/// gone if it holds neither.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    work: Work,
    target: PathBuf,
    /// Folders that were not there before, the innermost first.
    made: Vec<PathBuf>,
    is_resumed: bool,
    /// Unlocked when it is closed, however the process ends.
    _lock: File,
}

impl WorkFolder {
    /// Makes the folder `target`, so that it is known before training that it can be written.
    ///
    /// # Errors
    /// If `target` exists and `force` is not set or it holds other than such work, if somebody works in it, or it cannot be created.
    pub(crate) fn create(work: Work, target: &Path, force: bool) -> Result<Self> {
        let refused = |message: String, hint: String| {
            Err(Error::usage(message)
                .at(target.display().to_string())
                .hint(hint))
        };
        let name = work.name();
        if target.is_file() {
            return refused(
                "this is a file, not a folder".into(),
                "choose another name with --out".into(),
            );
        }
        if is_locked(target) {
            return Err(in_use(target));
        }
        match (State::of(work, target), force) {
            (State::Missing | State::Locked, _) | (State::Unfinished | State::Finished, true) => {}
            (State::Empty, true) => {}
            (State::Unfinished, false) => {
                return refused(
                    format!("this folder holds an unfinished {name}"),
                    "go on with --resume, or replace it with --force".into(),
                );
            }
            (State::Empty | State::Finished | State::Other, false) => {
                return refused(
                    "this folder exists already".into(),
                    "choose another with --out, or replace it with --force".into(),
                );
            }
            (State::Other, true) => {
                return refused(
                    format!("this folder holds something else than a {name}"),
                    format!("--force replaces folders of {name}s only: choose another with --out"),
                );
            }
        }
        if target.file_name().is_none() {
            return refused(
                "this path does not name a folder".into(),
                "give a name such as runs/first".into(),
            );
        }
        Self::locked(work, target, false)
    }

    /// The folder of work that was stopped, with its config.
    ///
    /// # Errors
    /// If there is nothing to go on with, or somebody works in it.
    pub(crate) fn resume(work: Work, target: &Path) -> Result<(Self, Config)> {
        let name = work.name();
        let refused = |message: String, hint: String| {
            Err(Error::usage(message)
                .at(target.display().to_string())
                .hint(hint))
        };
        if is_locked(target) {
            return Err(in_use(target));
        }
        match State::of(work, target) {
            State::Unfinished => {}
            State::Finished => {
                return refused(
                    format!("this {name} is finished"),
                    format!("read its {}, or start another", work.text()),
                );
            }
            State::Locked => {
                return refused(
                    format!("this {name} was stopped before anything was kept"),
                    "start it anew, as before".into(),
                );
            }
            State::Missing | State::Empty | State::Other => {
                return refused(
                    format!("there is no {name} here to go on with"),
                    format!("give the folder of a {name} that was stopped"),
                );
            }
        }
        let folder = Self::locked(work, target, true)?;
        let config = Config::read(&target.join("config.toml"))?;
        Ok((folder, config))
    }

    fn locked(work: Work, target: &Path, is_resumed: bool) -> Result<Self> {
        let io = |e: std::io::Error| Error::io(target, &e);
        let missing = target.ancestors().take_while(|p| !p.exists());
        let made: Vec<PathBuf> = missing
            .filter(|p| !p.as_os_str().is_empty())
            .map(Path::to_owned)
            .collect();
        let locked = fs::create_dir_all(target)
            .and_then(|()| File::create(target.join(LOCK)))
            .map_err(io)
            .and_then(|file| match file.try_lock() {
                Ok(()) => Ok(file),
                Err(TryLockError::WouldBlock) => Err(in_use(target)),
                Err(TryLockError::Error(e)) => Err(io(e)),
            });
        match locked {
            Ok(lock) => {
                remove_halves(target);
                Ok(Self {
                    work,
                    target: target.to_path_buf(),
                    made,
                    is_resumed,
                    _lock: lock,
                })
            }
            Err(error) => {
                made.iter().for_each(|folder| drop(fs::remove_dir(folder)));
                Err(error)
            }
        }
    }

    /// Where work of this identity keeps what it needs to go on; `settings` are what it is begun with, by file and text.
    pub(crate) fn checkpoints(
        &self,
        identity: Identity,
        settings: Vec<(&'static str, String)>,
    ) -> Checkpoints {
        Checkpoints::new(self, identity, settings)
    }

    pub(crate) fn work(&self) -> Work {
        self.work
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    pub(crate) fn path(&self) -> &Path {
        &self.target
    }

    /// Writes a file, whole or as it was before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let path = self.target.join(name);
        write_whole(&path, bytes).map_err(|e| Error::io(&path, &e))
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: impl AsRef<Path>) -> Result<()> {
        let path = self.target.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, &e)),
            _ => Ok(()),
        }
    }

    /// Removes a folder below this one with all that is in it, if it is there.
    pub(crate) fn remove_folder(&self, name: impl AsRef<Path>) -> Result<()> {
        let path = self.target.join(name);
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, &e)),
            _ => Ok(()),
        }
    }

    /// Removes the checkpoints of work that is finished.
    pub(crate) fn remove_checkpoints(&self) -> Result<()> {
        self.remove_folder(CHECKPOINT_FOLDER)?;
        match self.work {
            Work::Run => Ok(()),
            Work::Path => self.remove(Work::PATH_OPTIONS),
        }
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.target.join(LOCK));
        // Those in which anything was written stay.
        self.made
            .iter()
            .for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

/// The error of a folder that another process holds the lock of.
pub(crate) fn in_use(folder: &Path) -> Error {
    Error::new(ErrorKind::Environment, "another run is writing this folder")
        .at(folder.display().to_string())
        .hint("wait for it, or choose another folder with --out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        for work in [Work::Run, Work::Path] {
            let parent = tempfile::tempdir().unwrap();
            let target = parent.path().join("runs").join("first");
            drop(WorkFolder::create(work, &target, false).unwrap());
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        }
    }
}
