//! How much memory is held while something is done.

use peak_alloc::PeakAlloc;

/// What a test declares as its `#[global_allocator]`, so that [`peak_of`] has something to tell.
///
/// A buffer that grows counts twice while it is moved: this is more than the system's allocator may take, never less.
pub type Memory = PeakAlloc;

/// What `work` gives, and the most bytes that the whole program held at once meanwhile, above those before.
///
/// # Panics
/// If [`Memory`] is not the program's allocator: then nothing is counted, and no bound would ever be broken.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = PeakAlloc.current_usage();
    assert!(before > 0, "declare Memory as the global allocator");
    PeakAlloc.reset_peak_usage();
    let result = work();
    let peak = PeakAlloc.peak_usage().saturating_sub(before);
    (result, peak as u64)
}
