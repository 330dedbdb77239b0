//! What can stop a training run.

use std::fmt;

/// The result of a training operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing stopped the run; callers may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting outside its range, or settings that contradict each other.
    Settings,
    /// Data that do not fit the network.
    Data,
    /// A loss or a weight that is not a number.
    Diverged,
    /// Masked and shrunk network disagree.
    Verification,
    /// A budget that no network of the ranking keeps within, known before anything is trained.
    Limit,
    /// The same, once the network was trained.
    Missed,
    /// The network cannot be run or grouped.
    Chain,
    /// A checkpoint of another run.
    Checkpoint,
}

/// An error of a run: its kind, where it arose, and what to do.
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

    /// A setting out of range.
    pub fn settings(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Settings, message)
    }

    /// A budget that was out of reach is one that was missed, once the network was trained.
    #[must_use]
    pub(crate) fn once_trained(self) -> Self {
        match self.kind {
            ErrorKind::Limit => Self {
                kind: ErrorKind::Missed,
                ..self
            },
            _ => self,
        }
    }

    /// Names the layer, epoch or setting where the error arose.
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

    /// What kind of thing stopped the run.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The layer, epoch or setting where the error arose.
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
        let mut this = Error::new(ErrorKind::Chain, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<secateur_engine::Error> for Error {
    fn from(error: secateur_engine::Error) -> Self {
        let mut this = Error::new(ErrorKind::Chain, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

impl From<secateur_prune::Error> for Error {
    fn from(error: secateur_prune::Error) -> Self {
        let kind = match error.kind() {
            secateur_prune::ErrorKind::Inputs => ErrorKind::Diverged,
            _ => ErrorKind::Chain,
        };
        let mut this = Error::new(kind, error.to_string());
        this.hint = error.hint_text().map(str::to_owned);
        this
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_units_could_not_be_ranked_for_keeps_its_words() {
        use secateur_prune::ErrorKind as Told;
        let told = |kind| {
            let error = secateur_prune::Error::new(kind, "is not finite");
            Error::from(error.at("conv1").hint("scale inputs"))
        };
        assert_eq!(told(Told::Inputs).kind(), ErrorKind::Diverged);
        let other = told(Told::Singular);
        assert_eq!(other.kind(), ErrorKind::Chain);
        assert_eq!(other.to_string(), "conv1: is not finite");
        assert_eq!(other.hint_text(), Some("scale inputs"));
    }
}
