//! One IDX file: two zero bytes, the type, the number of dimensions, their sizes, then the values.
//!
//! The format is described at <http://yann.lecun.com/exdb/mnist/>; sizes are big-endian.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::expansion::Expansion;
use crate::source::{self, Opened};

/// The type code of unsigned bytes.
const BYTES: u8 = 0x08;
/// Rows, height, width and channels.
const MOST_DIMENSIONS: u8 = 4;

/// An IDX file of bytes whose header is read.
pub(crate) struct IdxFile {
    path: PathBuf,
    opened: Opened,
    count: usize,
    shape: Vec<usize>,
}

impl IdxFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// A header that is cut short or wrong, values that are not bytes.
    pub(crate) fn open(path: &Path, expansion: Expansion) -> Result<Self> {
        let mut file = Self {
            path: path.to_owned(),
            opened: source::open(path, expansion)?,
            count: 0,
            shape: Vec::new(),
        };
        let [zero, nought, kind, dimensions] = file.word()?;
        let magic = u32::from_be_bytes([zero, nought, kind, dimensions]);
        if zero != 0 || nought != 0 || dimensions == 0 || dimensions > MOST_DIMENSIONS {
            return Err(file
                .error(ErrorKind::Malformed, format!("magic number {magic:#010x} is not that of an IDX file"))
                .hint("images start with 0x00000803 and labels with 0x00000801; the file may be another, or damaged"));
        }
        if kind != BYTES {
            return Err(file.error(
                ErrorKind::Malformed,
                format!("IDX values of type {kind:#04x}, where only bytes (0x08) are read"),
            ));
        }
        file.count = u32::from_be_bytes(file.word()?) as usize;
        for _ in 1..dimensions {
            let size = u32::from_be_bytes(file.word()?) as usize;
            file.shape.push(size);
        }
        Ok(file)
    }

    /// The number of rows that the header promises.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The sizes of a row's dimensions; empty where a row is one value.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values of a row.
    ///
    /// # Errors
    /// Sizes whose product is 0 or beyond memory.
    pub(crate) fn row_bytes(&self) -> Result<usize> {
        let product = self
            .shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size));
        match product {
            None | Some(0) => Err(self.error(
                ErrorKind::Malformed,
                format!("rows of shape {:?}", self.shape),
            )),
            Some(bytes) => Ok(bytes),
        }
    }

    /// The values that the header promises.
    pub(crate) fn bytes(&self) -> u64 {
        let sizes = self.shape.iter().map(|&size| size as u64);
        sizes.fold(self.count as u64, u64::saturating_mul)
    }

    /// The values that the file can hold at most.
    pub(crate) fn most(&self) -> u64 {
        self.opened.most
    }

    /// Appends the values to `out`.
    ///
    /// # Errors
    /// Fewer or more values than the header promises.
    pub(crate) fn read_into(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let promised = self.bytes();
        let reader = &mut self.opened.reader;
        let read = reader.take(promised).read_to_end(out);
        let read = read.map_err(|error| source::from_io(&error).in_file(self.path.display()))?;
        if read as u64 != promised {
            return Err(self
                .error(
                    ErrorKind::Malformed,
                    format!("ends after {read} of the {promised} bytes that its header promises"),
                )
                .hint("the file is cut short; fetch it again"));
        }
        let more = self.opened.reader.read(&mut [0]);
        match more.map_err(|error| source::from_io(&error).in_file(self.path.display()))? {
            0 => Ok(()),
            _ => Err(self.error(
                ErrorKind::Malformed,
                format!("goes on after the {promised} bytes that its header promises"),
            )),
        }
    }

    /// An error about this file.
    pub(crate) fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message).in_file(self.path.display())
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let mut word = Vec::with_capacity(4);
        let read = self.opened.reader.by_ref().take(4).read_to_end(&mut word);
        read.map_err(|error| source::from_io(&error).in_file(self.path.display()))?;
        word.try_into().map_err(|_| {
            self.error(ErrorKind::Malformed, "ends within the IDX header".into())
                .hint("the file is cut short; fetch it again")
        })
    }
}
