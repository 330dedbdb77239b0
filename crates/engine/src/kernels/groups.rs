//! Which rows an update takes at a time, and how long they and their proximal steps took.

use std::ops::Range;
use std::time::{Duration, Instant};

/// Bytes of all arrays together that stay in the first-level cache between update and proximal step.
const GROUP_BYTES: usize = 16 << 10;

/// Only every so many groups are timed: reading the clock costs as much as a short row.
const TIME_EVERY: usize = 16;

/// Walks over a matrix in groups of rows, and tells update and proximal step apart in time.
///
/// Everything is inlined, so that a kernel that walks is compiled whole for its instruction set.
pub(super) struct Groups {
    len: usize,
    width: usize,
    rows: usize,
    index: usize,
    begin: Instant,
    started: Instant,
    updated: Instant,
    update: Duration,
    prox: Duration,
}

impl Groups {
    /// Over `len` numbers in rows of `width`, in each of `arrays` arrays.
    #[inline(always)]
    pub(super) fn new(len: usize, width: usize, arrays: usize) -> Self {
        let now = Instant::now();
        Self {
            len,
            width,
            rows: (GROUP_BYTES / (4 * arrays * width.max(1))).max(1),
            index: 0,
            begin: now,
            started: now,
            updated: now,
            update: Duration::ZERO,
            prox: Duration::ZERO,
        }
    }

    /// The next group: its first row and the range of its numbers.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(usize, Range<usize>)> {
        if self.index % TIME_EVERY == 1 {
            self.finish_timing();
        }
        let first_row = self.index * self.rows;
        let start = first_row * self.width;
        if start >= self.len {
            return None;
        }
        if self.index.is_multiple_of(TIME_EVERY) {
            self.started = Instant::now();
        }
        self.index += 1;
        Some((
            first_row,
            start..self.len.min(start + self.rows * self.width),
        ))
    }

    /// Says that the group has been updated and its proximal steps begin.
    #[inline(always)]
    pub(super) fn updated(&mut self) {
        if self.index % TIME_EVERY == 1 {
            self.updated = Instant::now();
        }
    }

    /// The estimated time of all proximal steps.
    #[inline(always)]
    pub(super) fn prox_time(&self) -> Duration {
        let timed = (self.update + self.prox).as_secs_f64();
        if timed == 0.0 {
            return Duration::ZERO;
        }
        let share = self.prox.as_secs_f64() / timed;
        self.begin.elapsed().mul_f64(share)
    }

    #[inline(always)]
    fn finish_timing(&mut self) {
        self.prox += self.updated.elapsed();
        self.update += self.updated - self.started;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_all_rows_once() {
        for (width, rows) in [(1, 0), (1, 1), (3, 9000), (5000, 4), (100, 400)] {
            let mut groups = Groups::new(width * rows, width, 2);
            let mut end = 0;
            while let Some((first_row, range)) = groups.next() {
                assert_eq!((range.start, first_row * width), (end, end));
                assert!(range.len().is_multiple_of(width) && !range.is_empty());
                end = range.end;
                groups.updated();
            }
            assert_eq!(end, width * rows);
        }
    }
}
