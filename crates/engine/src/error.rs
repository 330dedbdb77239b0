//! What keeps a graph from being run, and where.

use std::fmt;

/// The result of compiling or changing a network.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing is wrong; callers may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Sizes that do not fit together, or that are zero.
    Invalid,
    /// A well-formed graph with something that the engine does not run.
    Unsupported,
    /// The machine refused: threads could not be started.
    Environment,
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
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    #[must_use]
    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
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

impl From<secateur_graph::Error> for Error {
    fn from(error: secateur_graph::Error) -> Self {
        let kind = match error.kind() {
            secateur_graph::ErrorKind::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Invalid,
        };
        let place = error.place().map(str::to_owned);
        let hint = error.hint_text().map(str::to_owned);
        let prefix = place.as_ref().map(|p| format!("{p}: "));
        let shown = error.to_string();
        let message = prefix
            .as_deref()
            .and_then(|p| shown.strip_prefix(p))
            .unwrap_or(&shown)
            .to_owned();
        Self {
            kind,
            place,
            message,
            hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_error_keeps_its_kind_place_message_and_hint() {
        let from = secateur_graph::Error::unsupported("cannot do this")
            .at("node")
            .hint("do that");
        let error = Error::from(from);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "node: cannot do this");
        assert_eq!(error.hint_text(), Some("do that"));
    }
}
