//! How is text written to the user: results to stdout, all else to stderr?

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ColorChoice;
use secateur::{Error, ErrorKind, Result};

/// Whether labels on stderr are coloured; no meaning hangs on the colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    colored: bool,
}

impl Paint {
    /// `auto` colours a terminal unless `NO_COLOR` is set to anything but nothing (no-color.org).
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let colored = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !unwanted && io::stderr().is_terminal(),
        };
        Self { colored }
    }

    fn label(self, ansi: &str, text: &str) -> String {
        match self.colored {
            true => format!("\x1b[1;{ansi}m{text}:\x1b[0m"),
            false => format!("{text}:"),
        }
    }
}

/// `error: place: message`, and the hint on a line of its own.
pub(crate) fn error(error: &Error, paint: Paint) {
    note(format_args!("{} {error}", paint.label("31", "error")));
    if let Some(hint) = error.hint_text() {
        note(format_args!("{} {hint}", paint.label("36", "hint")));
    }
}

/// `warning: message`.
pub(crate) fn warning(message: &str, paint: Paint) {
    note(format_args!("{} {message}", paint.label("33", "warning")));
}

/// A line on stderr.
pub(crate) fn note(line: impl Display) {
    // Nobody is left to tell if stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A result on stdout. A reader that has gone away, such as `head`, is no error.
///
/// # Errors
/// If stdout cannot be written, for instance as the disk is full.
pub(crate) fn result(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    printed(written)
}

fn printed(written: io::Result<()>) -> Result<()> {
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Environment, e.to_string())
                .at("stdout")
                .hint("only what is printed is lost: files that were asked for are complete"))
        }
        _ => Ok(()),
    }
}

/// What clap has to say: help and version on stdout, wrong usage on stderr with exit code 2.
pub(crate) fn usage(said: &clap::Error) -> ExitCode {
    let written = said.print().and_then(|()| io::stdout().lock().flush());
    if said.use_stderr() {
        // As with `note`.
        return ExitCode::from(ErrorKind::Usage.exit_code());
    }
    match printed(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(lost) => {
            error(&lost, Paint::new(ColorChoice::Auto));
            ExitCode::from(lost.kind().exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_surrounds_labels_and_nothing_else() {
        let label = |choice| Paint::new(choice).label("31", "error");
        assert_eq!(label(ColorChoice::Never), "error:");
        assert_eq!(label(ColorChoice::Always), "\x1b[1;31merror:\x1b[0m");
    }
}
