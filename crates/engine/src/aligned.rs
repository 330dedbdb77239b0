//! Numbers that begin where a cache line does, so that no vector of them lies across two.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// A slice of its own that begins at a cache line.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    /// With room for moving the start.
    numbers: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self::default();
        }
        let numbers = vec![0.0f32; len + LINE / 4 - 1];
        // `align_offset` may give up; then the numbers lie where they lie.
        let start = numbers.as_ptr().align_offset(LINE).min(LINE / 4 - 1);
        Self {
            numbers,
            start,
            len,
        }
    }

    /// The same with so many numbers: what was there is kept only if the length stays.
    pub(crate) fn resize(&mut self, len: usize) {
        if self.len != len {
            *self = Self::zeros(len);
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

impl Clone for Aligned {
    /// The copy has another address, and so another start.
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_cache_line() {
        for len in [1, 3, 16, 1000, 100_000] {
            let mut numbers = Aligned::zeros(len);
            assert_eq!((numbers.as_ptr() as usize % LINE, numbers.len()), (0, len));
            numbers[len - 1] = 2.0;
            let copy = numbers.clone();
            assert_eq!((copy.as_ptr() as usize % LINE, copy[len - 1]), (0, 2.0));
        }
        assert!(Aligned::zeros(0).is_empty());
    }
}
