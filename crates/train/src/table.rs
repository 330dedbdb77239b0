//! Numbers that are read in any order.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// Fewer are not worth pages of their own: the usual large page has 2 MiB.
const LARGE: usize = 1 << 20;

/// A long list of numbers, on large pages where the system has them.
///
/// Rows are drawn from all over a table, and on pages of 4 KiB nearly every row is on one that the processor has to look up: a fifth
/// to a third of the training time of a network of three hidden layers on MNIST (`docs/performance.md`).
#[derive(Debug)]
pub struct Table {
    memory: Memory,
    length: usize,
}

#[derive(Debug)]
enum Memory {
    Heap(Vec<f32>),
    Pages(MmapMut),
}

impl Table {
    /// So many zeros.
    pub fn zeros(length: usize) -> Self {
        let pages = (length >= LARGE).then(|| pages(length)).flatten();
        Self {
            memory: pages.map_or_else(|| Memory::Heap(vec![0.0; length]), Memory::Pages),
            length,
        }
    }

    /// Drops all numbers behind the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

/// Fresh memory, if the system gives any that way.
fn pages(length: usize) -> Option<MmapMut> {
    let pages = MmapMut::map_anon(length.checked_mul(size_of::<f32>())?).ok()?;
    // Advice: without it everything is only slower.
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage);
    Some(pages)
}

impl Deref for Table {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.memory {
            Memory::Heap(values) => &values[..self.length],
            Memory::Pages(pages) => &bytemuck::cast_slice(pages)[..self.length],
        }
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.memory {
            Memory::Heap(values) => &mut values[..self.length],
            Memory::Pages(pages) => &mut bytemuck::cast_slice_mut(pages)[..self.length],
        }
    }
}

impl Clone for Table {
    fn clone(&self) -> Self {
        let mut table = Self::zeros(self.length);
        table.copy_from_slice(self);
        table
    }
}

impl From<Vec<f32>> for Table {
    fn from(values: Vec<f32>) -> Self {
        Self {
            length: values.len(),
            memory: Memory::Heap(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ones_hold_what_is_written() {
        for length in [0, 3, LARGE - 1, LARGE, LARGE + 7] {
            let mut table = Table::zeros(length);
            assert_eq!(table.len(), length);
            assert!(table.iter().all(|&v| v == 0.0));
            for (i, value) in table.iter_mut().enumerate() {
                *value = i as f32;
            }
            let copy = table.clone();
            table.truncate(length / 2);
            table.truncate(length);
            assert_eq!(table[..], copy[..length / 2]);
            assert_eq!(
                copy.last().copied(),
                length.checked_sub(1).map(|i| i as f32)
            );
        }
        assert_eq!(Table::from(vec![1.0, 2.0])[..], [1.0, 2.0]);
    }
}
