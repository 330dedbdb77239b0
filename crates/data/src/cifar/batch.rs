//! One CIFAR file: records of a fixed length, with neither a header nor a count.

use std::io::BufReader;
use std::path::Path;

use crate::cifar::{IMAGE, Set};
use crate::error::{Error, ErrorKind, Result};
use crate::expansion::Expansion;
use crate::options::LoadOptions;
use crate::source;

/// The coarse classes of CIFAR-100.
const COARSE: u8 = 20;

/// The pictures and labels of the files read so far.
pub(crate) struct Records {
    set: Set,
    max_bytes: u64,
    expansion: Expansion,
    /// The pictures, one after another.
    pub(crate) cells: Vec<u8>,
    /// The class of each; the fine one of CIFAR-100.
    pub(crate) labels: Vec<u32>,
}

impl Records {
    /// None yet, and no more of pictures than `options` allow.
    pub(crate) fn new(set: Set, options: &LoadOptions) -> Self {
        Self {
            set,
            max_bytes: options.max_bytes,
            expansion: options.expansion,
            cells: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Appends the records of a file.
    ///
    /// # Errors
    /// A file that cannot be unpacked, a record that is cut short, a label beyond the classes; [`ErrorKind::Limit`].
    pub(crate) fn read(&mut self, path: &Path) -> Result<()> {
        let opened = source::open(path, self.expansion)?;
        let within = |error: Error| error.in_file(path.display());
        // Files of the set have 10,000 records or 50,000. More is made room for as it comes, so that it costs no memory before.
        let usual: u64 = match self.set {
            Set::Ten => 10_000,
            Set::Hundred => 50_000,
        };
        let room = opened.most.min(usual * IMAGE.values() as u64);
        let room = room.min(self.max_bytes.saturating_sub(self.cells.len() as u64));
        let limit = || within(Error::new(ErrorKind::Limit, "no memory for the pictures"));
        self.cells.try_reserve(room as usize).map_err(|_| limit())?;
        let mut reader = BufReader::with_capacity(1 << 16, opened.reader);
        let mut record = vec![0; self.label_bytes() + IMAGE.values()];
        for row in 1u64.. {
            let read = source::fill(&mut reader, &mut record)
                .map_err(|error| within(source::from_io(&error)))?;
            if read == 0 {
                break;
            }
            if read < record.len() {
                return Err(within(self.cut_short(row, read)));
            }
            if (self.cells.len() + IMAGE.values()) as u64 > self.max_bytes {
                let message = format!("the pictures take more than {} bytes", self.max_bytes);
                return Err(within(Error::new(ErrorKind::Limit, message)));
            }
            let (labels, picture) = record.split_at(self.label_bytes());
            let label = self.label(labels).ok_or_else(|| {
                let message = format!(
                    "record {row} starts with {labels:?}, which is no label of {}",
                    self.set.name()
                );
                within(Error::new(ErrorKind::Value, message))
                    .hint("the file is of another set, or damaged")
            })?;
            self.labels.push(label);
            self.cells.extend_from_slice(picture);
        }
        Ok(())
    }

    fn label_bytes(&self) -> usize {
        match self.set {
            Set::Ten => 1,
            Set::Hundred => 2,
        }
    }

    /// The class that the bytes before a picture stand for.
    fn label(&self, bytes: &[u8]) -> Option<u32> {
        let fine = match *bytes {
            [label] => label,
            [coarse, fine] if coarse < COARSE => fine,
            _ => return None,
        };
        (usize::from(fine) < self.set.classes()).then_some(u32::from(fine))
    }

    fn cut_short(&self, row: u64, read: usize) -> Error {
        let whole = self.label_bytes() + IMAGE.values();
        Error::new(
            ErrorKind::Malformed,
            format!("ends after {read} of the {whole} bytes of record {row}"),
        )
        .hint("the file is cut short, or it is none of the binary version of the set")
    }
}
