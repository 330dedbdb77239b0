//! What can stop a command, and which exit code tells it to a script.

use std::fmt;

use secateur_data as data;
use secateur_graph as graph;
use secateur_train as train;

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing stopped the command; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The written and the trained network disagree, or a limit was missed after training.
    Verification,
    /// Options or a config file that make no sense.
    Usage,
    /// Data or a model that cannot be read.
    Input,
    /// A folder that cannot be written, a full disk.
    Environment,
    /// Training diverged.
    Diverged,
    /// Nothing can be removed, or a limit that no choice of units meets; told before anything is trained or written.
    OutOfReach,
}

impl ErrorKind {
    /// The process exit code: 1 verification, missed limits and divergence; 2 usage; 3 input; 4 environment; 5 nothing that
    /// can be removed, or a limit out of reach.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Verification | Self::Diverged => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Environment => 4,
            Self::OutOfReach => 5,
        }
    }
}

/// An error of a command: its kind, where it arose, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    kind: ErrorKind,
    place: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error without a place or a hint yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Options that make no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Names the file, option or node where the error arose.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the file that it is about, if no place is named yet.
    #[must_use]
    pub(crate) fn or_at(mut self, place: &str) -> Self {
        self.place.get_or_insert_with(|| place.to_owned());
        self
    }

    /// Names the file that it is about, before the place in it.
    #[must_use]
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.place = Some(match self.place.take() {
            Some(place) => format!("{file}: {place}"),
            None => file.to_owned(),
        });
        self
    }

    /// What kind of thing stopped the command.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What is wrong, without the place.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// An input or output error on a file.
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "choose a folder that can be written: --out",
            std::io::ErrorKind::StorageFull => "free some space on the disk",
            _ => "check the path",
        };
        Self::new(ErrorKind::Environment, error.to_string())
            .at(path.display().to_string())
            .hint(hint)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<graph::Error> for Error {
    fn from(error: graph::Error) -> Self {
        let kind = match error.kind() {
            // The model is well; what was chosen of it is not.
            graph::ErrorKind::Keep => ErrorKind::Usage,
            _ => ErrorKind::Input,
        };
        let mut this = Error::new(kind, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<secateur_onnx::Error> for Error {
    fn from(error: secateur_onnx::Error) -> Self {
        let mut this = Error::new(ErrorKind::Input, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<train::Error> for Error {
    fn from(error: train::Error) -> Self {
        let kind = match error.kind() {
            train::ErrorKind::Settings => ErrorKind::Usage,
            train::ErrorKind::Diverged => ErrorKind::Diverged,
            train::ErrorKind::Verification | train::ErrorKind::Missed => ErrorKind::Verification,
            train::ErrorKind::Limit => ErrorKind::OutOfReach,
            _ => ErrorKind::Input,
        };
        let mut this = Error::new(kind, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<data::Error> for Error {
    fn from(error: data::Error) -> Self {
        let kind = match error.kind() {
            data::ErrorKind::Usage => ErrorKind::Usage,
            _ => ErrorKind::Input,
        };
        let mut this = Error::new(kind, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<secateur_prune::Error> for Error {
    fn from(error: secateur_prune::Error) -> Self {
        Self {
            kind: match error.kind() {
                secateur_prune::ErrorKind::Choice => ErrorKind::Usage,
                secateur_prune::ErrorKind::OutOfReach => ErrorKind::OutOfReach,
                _ => ErrorKind::Input,
            },
            place: error.place().map(str::to_owned),
            message: error.message().to_owned(),
            hint: error.hint_text().map(str::to_owned),
        }
    }
}

impl From<secateur_prox::Error> for Error {
    fn from(error: secateur_prox::Error) -> Self {
        let mut this = Error::usage(error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

#[cfg(test)]
mod tests;
