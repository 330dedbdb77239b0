//! What can be wrong with a choice of units.

use std::fmt;

/// The result of a choice.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing is wrong; callers may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A choice that makes no sense, or units that are not there.
    Choice,
    /// No unit can be removed, or a limit is met by no choice.
    OutOfReach,
    /// The network cannot be cut or repaired.
    Network,
    /// Inputs that the network makes nothing of that could be used.
    Inputs,
    /// Equations without an answer.
    Singular,
}

/// An error of a choice: its kind, the flag or group where it arose, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    place: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// What a node of this name makes overflows, or is no number.
    pub(crate) fn not_finite(node: &str) -> Self {
        let message = format!("what '{node}' makes is not a finite number");
        Self::new(ErrorKind::Inputs, message)
            .hint("scale inputs as the network was trained on them")
    }

    /// An error without a place or a hint yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            message: message.into(),
            hint: None,
        }
    }

    /// A choice that makes no sense.
    pub fn choice(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Choice, message)
    }

    /// Names the flag or group where the error arose.
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

    /// What kind of thing is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The flag or group where the error arose.
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
            secateur_graph::ErrorKind::Keep => ErrorKind::Choice,
            _ => ErrorKind::Network,
        };
        let mut this = Self::new(kind, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}
