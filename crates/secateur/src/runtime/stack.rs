//! Room for a runtime that goes from node to node by calling itself.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

use crate::{Error, ErrorKind, Result};

/// What any thread has, the smallest that Rust starts among them.
const USUAL: usize = 2 << 20;
/// For each byte of a file: a node takes 450 bytes of the stack, measured, and a node with its names no fewer than 16 of the file.
const PER_BYTE: usize = 64;
/// Memory is taken as it is touched, but some systems count what is asked for.
const MOST: usize = 1 << 30;

/// How large a stack is needed, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stack(usize);

impl Stack {
    /// For a model of a file of so many bytes, whatever is in it.
    pub(super) fn for_file(bytes: usize) -> Self {
        Self(bytes.saturating_mul(PER_BYTE).min(MOST))
    }

    /// Runs on such a stack: the caller's, or that of a thread if more is needed.
    ///
    /// # Errors
    /// Those of `run`, and if there is no memory for the thread.
    pub(super) fn run<T: Send>(self, run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.0 <= USUAL / 2 {
            return run();
        }
        let bytes = USUAL + self.0;
        scope(|threads| {
            let thread = Builder::new().stack_size(bytes).spawn_scoped(threads, run);
            let thread = thread.map_err(|e| {
                let message = format!("no thread with a stack of {} MB: {e}", bytes >> 20);
                Error::new(ErrorKind::Environment, message)
            })?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls itself so often, and takes some bytes of the stack each time.
    fn deep(calls: usize) -> usize {
        let here = std::hint::black_box([calls; 16]);
        match calls {
            0 => here[0],
            calls => deep(calls - 1) + here[1].min(1),
        }
    }

    #[test]
    fn what_calls_itself_often_finds_room() {
        let calls = 100_000;
        let stack = Stack::for_file(16 * calls);
        assert_eq!(stack.run(|| Ok(deep(calls))).unwrap(), calls);
        assert_eq!(Stack::for_file(100).run(|| Ok(deep(10))).unwrap(), 10);
        assert_eq!(Stack::for_file(usize::MAX), Stack(MOST));
    }
}
