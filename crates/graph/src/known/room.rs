//! How much may be computed ahead: a small file must not ask for many numbers, or for long work.

use crate::Graph;

/// Numbers that any network may have: masks and indices of networks with few weights.
const FREE: usize = 1 << 22;
/// Steps that any network may take: numbers read and made, and multiply-accumulates.
const FREE_STEPS: usize = 1 << 24;

/// What is left of both. They grow with the constants that a network brings.
#[derive(Debug)]
pub(super) struct Room {
    /// Numbers that one node may read.
    read: usize,
    /// Numbers that may still be made.
    made: usize,
    steps: usize,
}

impl Room {
    /// One number for each byte of constants, and sixteen steps.
    pub(super) fn of(graph: &Graph) -> Self {
        let constants = graph.values().iter().filter_map(|v| v.constant.as_ref());
        let bytes = constants
            .map(|c| c.len().saturating_mul(c.element().width()))
            .fold(0, usize::saturating_add);
        let numbers = FREE.saturating_add(bytes);
        Self {
            read: numbers,
            made: numbers,
            steps: FREE_STEPS.saturating_add(bytes.saturating_mul(16)),
        }
    }

    /// Whether a node may read so many numbers.
    pub(super) fn may_read(&self, numbers: usize) -> bool {
        numbers <= self.read.min(self.steps)
    }

    /// Whether a node may make so many in so many multiply-accumulates beside.
    pub(super) fn may_make(&self, numbers: usize, macs: u64) -> bool {
        let steps = usize::try_from(macs).unwrap_or(usize::MAX);
        numbers <= self.made && numbers.saturating_add(steps) <= self.steps
    }

    /// Takes what a node took; false if that was more than there was.
    pub(super) fn take(&mut self, read: usize, made: usize, macs: u64) -> bool {
        let steps = usize::try_from(macs).unwrap_or(usize::MAX);
        let steps = steps.saturating_add(read).saturating_add(made);
        let fits = made <= self.made && steps <= self.steps;
        self.made = self.made.saturating_sub(made);
        self.steps = self.steps.saturating_sub(steps);
        fits
    }
}
