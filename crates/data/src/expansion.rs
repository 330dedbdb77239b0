//! How much a packed file may unpack to.

use std::io::{self, Read};

/// DEFLATE cannot expand more than this: 258 bytes from two bits.
pub(crate) const DEFLATE_MOST: u64 = 1_032;

/// Bounds on what a packed file may become, so that a small one cannot fill the memory.
///
/// They hold for gzip, for entries of archives and for pictures, before memory is taken or as it is taken; for all
/// files the limit on bytes altogether, [`LoadOptions::max_bytes`](crate::LoadOptions::max_bytes), holds as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expansion {
    /// Bytes that any file may unpack to, however short it is.
    pub free: u64,
    /// How many times its own length a file may unpack to where that is more.
    pub ratio: u64,
}

impl Default for Expansion {
    /// 64 MiB, which a scanned page of two colours takes, and 256 times: pixels of MNIST unpack to 5 times their length,
    /// tables of which one cell in a hundred is not zero to less than 100 times.
    fn default() -> Self {
        Self {
            free: 64 << 20,
            ratio: 256,
        }
    }
}

impl Expansion {
    /// The most bytes that a file of `packed` bytes may unpack to.
    pub fn most(self, packed: u64) -> u64 {
        self.free.max(packed.saturating_mul(self.ratio))
    }

    /// An upper bound on the bytes that `packed` bytes of DEFLATE give, by the format or by this bound.
    pub(crate) fn most_inflated(self, packed: u64) -> u64 {
        self.most(packed).min(packed.saturating_mul(DEFLATE_MOST))
    }
}

/// What a reader gives that went on beyond its limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("unpacks to more than {most} bytes")]
pub(crate) struct Expanded {
    most: u64,
}

/// A reader that fails, instead of ending, after so many bytes.
pub(crate) struct Bounded<R> {
    reader: R,
    most: u64,
    left: u64,
}

impl<R: Read> Bounded<R> {
    /// Lets `most` bytes through.
    pub(crate) fn new(reader: R, most: u64) -> Self {
        let left = most;
        Self { reader, most, left }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(io::Error::other(Expanded { most: self.most }));
        };
        self.left = left;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_files_may_grow_freely_and_long_ones_by_a_factor() {
        let bound = Expansion {
            free: 1_000,
            ratio: 10,
        };
        assert_eq!([0, 100, 101].map(|n| bound.most(n)), [1_000, 1_000, 1_010]);
        assert_eq!(bound.most(u64::MAX), u64::MAX);
        // Ten bytes cannot become so many, whatever is allowed.
        assert_eq!(Expansion::default().most_inflated(10), 10_320);
    }

    #[test]
    fn a_reader_fails_beyond_its_limit_and_not_at_it() {
        let read = |most| {
            let mut bytes = Vec::new();
            Bounded::new(&[7; 10][..], most)
                .read_to_end(&mut bytes)
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(10), Ok(10));
        assert_eq!(read(9), Err("unpacks to more than 9 bytes".into()));
    }
}
