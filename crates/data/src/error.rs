//! What can be wrong with a data file, and where.

use std::fmt;

/// The result of reading, splitting or scaling data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing is wrong; callers may match on it, for instance to choose an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such file, folder or embedded set.
    NotFound,
    /// The operating system refused to read.
    Unreadable,
    /// Bytes that do not follow the format: truncated, wrong magic, ragged rows, counts that differ.
    Malformed,
    /// A cell whose value cannot be used: text among numbers, missing, NaN, infinite.
    Value,
    /// Options that name things the file does not have, or that contradict each other.
    Usage,
    /// Well formed, but nothing can be learnt from it: no rows, one class, a constant target, too few rows to split.
    Degenerate,
    /// Larger than the limits of [`LoadOptions`](crate::LoadOptions).
    Limit,
}

/// An error about data: its kind, where it arose, and what to do.
///
/// `Display` gives place and message on one line; the hint is apart, for callers that show it on its own line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    file: Option<String>,
    line: Option<u64>,
    column: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error without a place or a hint yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            file: None,
            line: None,
            column: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Names the file, unless one is named already.
    #[must_use]
    pub fn in_file(mut self, file: impl fmt::Display) -> Self {
        self.file.get_or_insert_with(|| file.to_string());
        self
    }

    /// Names the line of the file, counted from 1.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Names the column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
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

    /// The file, as the user named it or as it was found.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line of the file, counted from 1.
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// The column's name, or its number counted from 1.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_leads_the_message_and_the_hint_stays_apart() {
        let error = Error::new(ErrorKind::Value, "`x` is not a number")
            .at_line(3)
            .in_column("age")
            .hint("correct it")
            .in_file("a.csv")
            .in_file("outer.csv");
        assert_eq!(
            error.to_string(),
            "a.csv: line 3: column `age`: `x` is not a number"
        );
        assert_eq!(error.hint_text(), Some("correct it"));
    }
}
