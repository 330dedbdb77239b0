//! What is in the folder of a run?

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::Work;
use crate::checkpoints::CHECKPOINT_FOLDER;
use crate::whole_file::is_half;

/// The lock of whoever writes in a run folder.
pub(super) const LOCK: &str = ".lock";

/// What is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    Empty,
    /// Nothing but what comes before the first file that is kept, of a run that goes on or was killed then.
    Locked,
    Unfinished,
    Finished,
    Other,
}

impl State {
    pub(super) fn of(work: Work, folder: &Path) -> Self {
        let Ok(entries) = fs::read_dir(folder) else {
            return Self::Missing;
        };
        let names: Vec<_> = entries.flatten().map(|e| e.file_name()).collect();
        let has = |name: &str| names.iter().any(|n| n == name);
        let first = [LOCK, CHECKPOINT_FOLDER, Work::PATH_OPTIONS];
        let is_before_all = |n: &OsString| first.iter().any(|f| n == f) || is_half(n);
        let is_kept = has(CHECKPOINT_FOLDER) && has("config.toml");
        let is_path = has(Work::PATH_OPTIONS);
        match () {
            () if is_kept && is_path == (work == Work::Path) => Self::Unfinished,
            () if !is_kept && has(work.record()) => Self::Finished,
            () if names.is_empty() => Self::Empty,
            () if names.iter().all(is_before_all) => Self::Locked,
            () => Self::Other,
        }
    }
}

/// Removes what a killed run had half written.
pub(super) fn remove_halves(folder: &Path) {
    for folder in [folder.to_owned(), folder.join(CHECKPOINT_FOLDER)] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|e| is_half(&e.file_name())) {
            // What stays is of no use, and does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether another process holds the lock of a folder.
pub(super) fn is_locked(folder: &Path) -> bool {
    let file = File::open(folder.join(LOCK));
    file.is_ok_and(|f| matches!(f.try_lock(), Err(TryLockError::WouldBlock)))
}
