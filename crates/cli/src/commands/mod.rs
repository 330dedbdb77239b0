//! What each subcommand does, and how it may end.

pub(crate) mod compress;

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
