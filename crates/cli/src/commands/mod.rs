//! What each subcommand does, and how it may end.

pub(crate) mod compare;
pub(crate) mod compress;
pub(crate) mod grid;
pub(crate) mod report;
pub(crate) mod structure;

use std::path::PathBuf;

/// The environment variable that names a folder of data.
const DATA_DIR: &str = "SECATEUR_DATA";

/// The folder that [`DATA_DIR`] names, unless it is empty.
pub(crate) fn data_dir() -> Option<PathBuf> {
    let value = std::env::var_os(DATA_DIR)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
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
