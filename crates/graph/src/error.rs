//! What can be wrong with a network, and where.

use std::fmt;

/// The result of an operation on a graph.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing is wrong; callers may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes, types or names that do not fit together.
    Invalid,
    /// Well formed, but something this version does not handle.
    Unsupported,
    /// A decision that would leave a layer without units, or that names units that do not exist.
    Keep,
    /// A rule of this library that contradicts itself.
    Internal,
}

/// An error about a network: its kind, the node or tensor where it arose, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Something malformed.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Something well formed that is not handled.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Names the node or tensor where the error arose.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Names the place unless a nearer one was named already.
    #[must_use]
    pub(crate) fn at_if_nowhere(mut self, place: &str) -> Self {
        self.place.get_or_insert_with(|| place.into());
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What kind of thing is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The node or tensor where the error arose.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
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
