//! What each subcommand does, and how it may end.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod compress;
mod ending;
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

/// Where a file is to be written, which is where a link leads; known before there is anything to write: whether it may stand where
/// there may be one already, and whether its folder takes files.
///
/// # Errors
/// If there is one, and it was not said that it be replaced; if nothing can be written there.
pub(crate) fn check_target(path: &Path, force: bool) -> Result<PathBuf> {
    let place = path.display().to_string();
    if path.is_symlink() && !path.exists() {
        return Err(Error::usage("this is a link to nothing")
            .at(place)
            .hint("choose another name with --out"));
    }
    if path.is_dir() {
        return Err(Error::usage("this is a folder, not a file")
            .at(place)
            .hint("choose another name with --out"));
    }
    // A device or a pipe would be replaced by a file.
    if path.exists() && !path.is_file() {
        return Err(Error::usage("this is no regular file")
            .at(place)
            .hint("choose another name with --out"));
    }
    if path.exists() && !force {
        return Err(Error::usage("this file exists already")
            .at(place)
            .hint("choose another with --out, or replace it with --force"));
    }
    let target = match path.is_symlink() {
        true => fs::canonicalize(path).map_err(|e| cannot_write(path, &e))?,
        false => path.to_owned(),
    };
    let partial = partial(&target);
    let tried = fs::File::create(&partial).and_then(|file| {
        drop(file);
        fs::remove_file(&partial)
    });
    match tried {
        Ok(()) => Ok(target),
        Err(e) => Err(cannot_write(path, &e)),
    }
}

/// Writes a file under a name of its own until it is whole.
///
/// # Errors
/// If it cannot be written; nothing is left then.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial(path);
    let done = fs::File::create(&partial)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, path));
    done.map_err(|e| {
        // What is left of it is of no use.
        let _ = fs::remove_file(&partial);
        cannot_write(path, &e)
    })
}

/// What a file is called until it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(format!(".partial-{}", std::process::id()));
    path.with_file_name(hidden)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Environment, error.to_string())
        .at(path.display().to_string())
        .hint("choose a place that can be written: --out")
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
    /// With what there was before, as nothing could be removed.
    OutOfReach,
}

impl Exit {
    /// The process exit code; 130 is what shells give for the interrupt signal.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Interrupted => 130,
            Self::OutOfReach => ErrorKind::OutOfReach.exit_code(),
        }
    }
}
