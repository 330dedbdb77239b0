//! What each subcommand does, and how it may end.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod compress;
pub(crate) mod grid;
pub(crate) mod model;
pub(crate) mod new;
pub(crate) mod path;
pub(crate) mod report;
pub(crate) mod structure;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use secateur::{Error, ErrorKind, Result};

/// The environment variable that names a folder of data.
const DATA_DIR: &str = "SECATEUR_DATA";

/// The folder that [`DATA_DIR`] names, unless it is empty.
pub(crate) fn data_dir() -> Option<PathBuf> {
    let value = std::env::var_os(DATA_DIR)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// Whether a file may be written where there may be one already.
///
/// # Errors
/// If there is one, and it was not said that it be replaced.
pub(crate) fn refuse_to_replace(path: &Path, force: bool) -> Result<()> {
    if path.exists() && !force {
        return Err(Error::usage("this file exists already")
            .at(path.display().to_string())
            .hint("choose another with --out, or replace it with --force"));
    }
    Ok(())
}

/// Writes a file under a name of its own until it is whole.
///
/// # Errors
/// If it cannot be written; nothing is left then.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(format!(".partial-{}", std::process::id()));
    let partial = path.with_file_name(hidden);
    let done = fs::File::create(&partial)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, path));
    done.map_err(|e| {
        // What is left of it is of no use.
        let _ = fs::remove_file(&partial);
        Error::new(ErrorKind::Environment, e.to_string())
            .at(path.display().to_string())
            .hint("choose a place that can be written: --out")
    })
}

/// How a command without an error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As asked for.
    Done,
    /// With results, but short of what was asked for.
    Failed,
    /// By the user, with the best results so far.
    Interrupted,
}

impl Exit {
    /// The process exit code; 130 is what shells give for the interrupt signal.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Interrupted => 130,
        }
    }
}
