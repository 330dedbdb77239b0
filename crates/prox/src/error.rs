//! What is wrong with a parameter, a name or a request.

use std::fmt;

/// The result of a checked constructor, a parser or an operation that not every penalty offers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing is wrong; callers may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A number outside its range, or slices of different lengths.
    Invalid,
    /// A name that stands for nothing here.
    UnknownName,
    /// Well formed, but there is no exact operator for it.
    Unsupported,
}

/// An error about a penalty or a part: its kind, the parameter it concerns, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    place: Option<&'static str>,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// A number outside its range, or slices that do not fit together.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A name that stands for nothing here.
    pub fn unknown_name(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UnknownName, message)
    }

    /// Something well formed without an exact operator.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Names the parameter or choice that the error concerns.
    #[must_use]
    pub fn at(mut self, place: &'static str) -> Self {
        self.place = Some(place);
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

    /// The parameter or choice that the error concerns.
    pub fn place(&self) -> Option<&str> {
        self.place
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// `value` if it is finite and within `range`, else an error that names `what` and the range.
pub(crate) fn in_range(
    what: &'static str,
    value: f64,
    range: impl std::ops::RangeBounds<f64>,
    allowed: &str,
) -> Result<f64> {
    if value.is_finite() && range.contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(format!("{value} is not {allowed}")).at(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_place_and_hint() {
        let error = Error::invalid("7 is not in 0..=1")
            .at("alpha")
            .hint("try 0.1");
        assert_eq!(error.to_string(), "alpha: 7 is not in 0..=1");
        assert_eq!(error.hint_text(), Some("try 0.1"));
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_range_refuses_what_is_not_a_number() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1.5] {
            assert!(
                in_range("alpha", bad, 0.0..=1.0, "in 0..=1").is_err(),
                "{bad}"
            );
        }
        assert_eq!(in_range("alpha", 0.5, 0.0..=1.0, "in 0..=1"), Ok(0.5));
    }
}
