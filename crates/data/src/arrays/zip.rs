//! The entries of a ZIP archive as `numpy.savez` and `numpy.savez_compressed` write it.
//!
//! The format is described at <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>. What NumPy uses of it is
//! little: entries stored or deflated, one disk, no encryption; and 64-bit sizes where arrays are that large.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::error::{Error, ErrorKind, Result};
use crate::expansion::{Bounded, Expansion};
use crate::source::{self, Opened};

/// What an archive starts with, unless it is empty.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
/// The end record is this long and followed by a comment of up to 65,535 bytes.
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;
/// Names and places of some ten thousand arrays; an archive with more is no data set.
const MOST_DIRECTORY: u64 = 1 << 20;

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    deflated: bool,
    packed: u64,
    crc: u32,
    /// Where its own header starts.
    at: u64,
}

/// Lists the entries of an archive.
///
/// # Errors
/// A file that is no archive or is cut short; entries that are encrypted or packed in other ways.
pub(crate) fn entries(path: &Path) -> Result<Vec<Entry>> {
    let within = |error: Error| error.in_file(path.display());
    let read = || -> io::Result<Result<Vec<u8>>> {
        let mut file = File::open(path)?;
        directory(&mut file)
    };
    let directory = read().map_err(|error| within(source::from_io(&error)))?;
    let mut rest = directory
        .as_deref()
        .map_err(|error| within(error.clone()))?;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, next) = entry(rest).ok_or_else(|| within(damaged()))?;
        entries.push(entry.map_err(within)?);
        rest = next;
    }
    Ok(entries)
}

/// The bytes of the central directory.
fn directory(file: &mut File) -> io::Result<Result<Vec<u8>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_bytes = length.min((LOCATOR_BYTES + END_BYTES + usize::from(u16::MAX)) as u64);
    let tail = read_at(file, length - tail_bytes, tail_bytes)?;
    let Some(end) = (0..tail.len().saturating_sub(END_BYTES - 1))
        .rev()
        .find(|&at| tail[at..].starts_with(END))
    else {
        return Ok(Err(Error::new(
            ErrorKind::Malformed,
            "not a ZIP archive, or one that is cut short",
        )
        .hint("write it with numpy.savez, or fetch it again")));
    };
    let record = &tail[end..];
    let (mut size, mut at) = (word(record, 12), word(record, 16));
    let locator = end.checked_sub(LOCATOR_BYTES).map(|at| &tail[at..end]);
    if let Some(locator) = locator.filter(|bytes| bytes.starts_with(LOCATOR_64)) {
        let record = read_at(file, long(locator, 8), 56)?;
        if record.len() < 56 || !record.starts_with(END_64) {
            return Ok(Err(damaged()));
        }
        (size, at) = (long(&record, 40), long(&record, 48));
    }
    if size > MOST_DIRECTORY {
        let message = format!("an archive whose list of files takes {size} bytes");
        return Ok(Err(Error::new(ErrorKind::Limit, message)));
    }
    let directory = read_at(file, at, size)?;
    Ok(match directory.len() as u64 == size {
        true => Ok(directory),
        false => Err(damaged()),
    })
}

/// The first entry of a directory and what follows it; `None` if it is cut short or no entry.
fn entry(bytes: &[u8]) -> Option<(Result<Entry>, &[u8])> {
    const FIXED: usize = 46;
    if bytes.len() < FIXED || !bytes.starts_with(CENTRAL) {
        return None;
    }
    let rest = &bytes[FIXED..];
    let (name, rest) = rest.split_at_checked(usize::from(short(bytes, 28)))?;
    let (extra, rest) = rest.split_at_checked(usize::from(short(bytes, 30)))?;
    let (_, rest) = rest.split_at_checked(usize::from(short(bytes, 32)))?;
    let name = String::from_utf8_lossy(name).into_owned();
    let (flags, method) = (short(bytes, 8), short(bytes, 10));
    let refused = |how: String| {
        let error = Error::new(ErrorKind::Malformed, format!("entry `{name}` is {how}"));
        Err(error.hint("write the archive with numpy.savez or numpy.savez_compressed"))
    };
    if flags & 1 != 0 {
        return Some((refused("encrypted".into()), rest));
    }
    if method != 0 && method != 8 {
        return Some((refused(format!("packed by method {method}")), rest));
    }
    // A field of all ones stands for a 64-bit one among the extra fields: unpacked size, packed size, place, in this order.
    let mut longs = long_fields(extra);
    let mut or_long = |value: u64| match value {
        0xffff_ffff => longs.next(),
        value => Some(value),
    };
    let _unpacked = or_long(word(bytes, 24))?;
    let packed = or_long(word(bytes, 20))?;
    let at = or_long(word(bytes, 42))?;
    let entry = Entry {
        name,
        deflated: method == 8,
        packed,
        crc: word(bytes, 16) as u32,
        at,
    };
    Some((Ok(entry), rest))
}

/// The values of the extra field that holds 64-bit ones.
fn long_fields(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut longs: &[u8] = &[];
    while extra.len() >= 4 {
        let (kind, length) = (short(extra, 0), usize::from(short(extra, 2)));
        let Some((field, rest)) = extra[4..].split_at_checked(length) else {
            break;
        };
        if kind == 1 {
            longs = field;
        }
        extra = rest;
    }
    longs
        .as_chunks::<8>()
        .0
        .iter()
        .map(|&b| u64::from_le_bytes(b))
}

/// Opens an entry for reading; its checksum is compared where it ends, and reading fails where a packed one goes on
/// beyond `expansion`.
///
/// # Errors
/// A place at which no entry starts.
pub(crate) fn open(path: &Path, entry: &Entry, expansion: Expansion) -> Result<Opened> {
    const FIXED: u64 = 30;
    let open = || -> io::Result<Option<Opened>> {
        let mut file = File::open(path)?;
        let header = read_at(&mut file, entry.at, FIXED)?;
        if header.len() as u64 != FIXED || !header.starts_with(MAGIC) {
            return Ok(None);
        }
        // Name and extra fields may be longer here than in the directory.
        let skip = FIXED + u64::from(short(&header, 26)) + u64::from(short(&header, 28));
        let start = entry.at.saturating_add(skip);
        let length = file.seek(SeekFrom::End(0))?;
        let packed = entry.packed.min(length.saturating_sub(start));
        file.seek(SeekFrom::Start(start.min(length)))?;
        let reader = BufReader::with_capacity(1 << 16, file.take(entry.packed));
        let (reader, most): (Box<dyn Read>, u64) = match entry.deflated {
            true => (
                Box::new(Bounded::new(
                    DeflateDecoder::new(reader),
                    expansion.most(packed),
                )),
                expansion.most_inflated(packed),
            ),
            false => (Box::new(reader), packed),
        };
        let reader = Box::new(Checked {
            reader,
            crc: Crc::new(),
            wanted: entry.crc,
        });
        Ok(Some(Opened { reader, most }))
    };
    let within = |error: Error| error.in_file(path.display());
    open()
        .map_err(|error| within(source::from_io(&error)))?
        .ok_or_else(|| within(damaged()))
}

/// A reader that compares the checksum of what it read when that ends.
struct Checked<R> {
    reader: R,
    crc: Crc,
    wanted: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        self.crc.update(&bytes[..read]);
        if read == 0 && !bytes.is_empty() && self.crc.sum() != self.wanted {
            let message = "its checksum is another";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

fn read_at(file: &mut File, at: u64, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Places beyond what the system can seek to are beyond the file as well.
    if i64::try_from(at).is_ok() {
        file.seek(SeekFrom::Start(at))?;
        file.take(count).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn damaged() -> Error {
    Error::new(
        ErrorKind::Malformed,
        "the list of files in the archive is damaged",
    )
    .hint("fetch the file again")
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from(short(bytes, at)) | u64::from(short(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    word(bytes, at) | word(bytes, at + 4) << 32
}
