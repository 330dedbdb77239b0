//! Where the work runs: a pool of threads that treat denormal numbers as zero.
//!
//! Weights that decay towards zero pass through the denormal range, where arithmetic is up to a
//! hundred times slower; at 1e-38 they mean nothing. The control bits are set per thread, so all work
//! of a network happens on the pool's own threads and the caller's threads are left alone.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// A pool of worker threads; clones share it.
#[derive(Clone)]
pub struct Threads {
    pool: Arc<rayon::ThreadPool>,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If `count` is zero or the system refuses to start them.
    pub fn new(count: usize) -> Result<Self> {
        if count == 0 {
            return Err(Error::invalid("cannot run on zero threads").hint("use 1 thread or more"));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|i| format!("engine-{i}"))
            .start_handler(|_| flush_denormals())
            .build()
            .map_err(|e| {
                Error::new(
                    ErrorKind::Environment,
                    format!("cannot start {count} threads: {e}"),
                )
                .hint("use fewer threads")
            })?;
        Ok(Self {
            pool: Arc::new(pool),
        })
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` on a thread of the pool and waits for it.
    ///
    /// Called from the pool's own threads it costs nothing, so a training loop that runs inside one
    /// call pays the hand-over once and not at every step.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Runs `work` once on every thread at the same time; results are in thread order.
    pub fn broadcast<R: Send>(&self, work: impl Fn() -> R + Sync) -> Vec<R> {
        self.pool.broadcast(|_| work())
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("count", &self.count())
            .finish()
    }
}

/// Sets flush-to-zero and denormals-are-zero on the current thread.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the control register has no safe interface")]
fn flush_denormals() {
    const FLUSH_TO_ZERO: u32 = 1 << 15;
    const DENORMALS_ARE_ZERO: u32 = 1 << 6;
    let mut control = 0u32;
    // SAFETY: both instructions only move the thread's SSE control register through `control`, a
    // live and aligned u32. Rounding and exception masks stay as they were. Rust assumes the default
    // treatment of denormals when it folds constants; the engine has no constant that small, so at
    // worst a folded result differs from a computed one by less than the smallest normal number.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack));
        control |= FLUSH_TO_ZERO | DENORMALS_ARE_ZERO;
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack));
    }
}

/// Sets flush-to-zero on the current thread.
#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "the control register has no safe interface")]
fn flush_denormals() {
    const FLUSH_TO_ZERO: u64 = 1 << 24;
    let mut control: u64;
    // SAFETY: both instructions only move the thread's floating-point control register; rounding and
    // traps stay as they were. On constant folding see the x86 version.
    unsafe {
        std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack));
        control |= FLUSH_TO_ZERO;
        std::arch::asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack));
    }
}

/// Other processors keep their default.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn flush_denormals() {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn zero_threads_are_refused() {
        assert_eq!(Threads::new(0).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(Threads::new(3).unwrap().count(), 3);
    }

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn denormals_vanish_on_every_worker_and_nowhere_else() {
        let product = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
        let threads = Threads::new(3).unwrap();
        let on_workers = threads.broadcast(product);
        assert_eq!(on_workers, [0.0; 3]);
        assert!(product() > 0.0);
    }
}
