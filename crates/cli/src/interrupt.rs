//! Has the user asked to stop?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secateur::{Error, ErrorKind, Result};

/// Exit code after the interrupt signal: 128 + 2.
const INTERRUPTED: i32 = 130;

/// A flag that the first Ctrl-C sets; the second ends the process at once.
///
/// # Errors
/// If the system refuses the signal handler.
pub(crate) fn watch() -> Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            stop_at_once();
        }
    })
    .map_err(|e| {
        Error::new(
            ErrorKind::Environment,
            format!("no handler for Ctrl-C: {e}"),
        )
    })?;
    Ok(asked)
}

#[expect(
    clippy::exit,
    reason = "the user asked twice and does not want to wait for the main thread"
)]
fn stop_at_once() {
    std::process::exit(INTERRUPTED);
}
