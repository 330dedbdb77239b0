//! Which file is meant, and how its bytes are read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::embedded::{self, EMBEDDED};
use crate::error::{Error, ErrorKind, Result};
use crate::expansion::{Bounded, Expanded, Expansion};
use crate::nearest::did_you_mean;

/// The most file names that an unknown one is compared with: a folder may hold a picture a file.
const MOST_NAMES: usize = 10_000;

/// Finds the file or folder that `spec` names: as it stands, then below `data_dir` and the folders in it, at last without
/// its extension.
///
/// # Errors
/// [`ErrorKind::NotFound`], with the nearest name and the places looked at; [`ErrorKind::Usage`] where several folders of
/// `data_dir` have it.
pub(crate) fn locate(spec: &str, data_dir: Option<&Path>) -> Result<PathBuf> {
    let path = Path::new(spec);
    if path.exists() {
        return Ok(path.to_owned());
    }
    let missing = |known: &[String], hint: String| {
        let names = EMBEDDED.into_iter().chain(known.iter().map(String::as_str));
        Err(Error::new(ErrorKind::NotFound, "no such data")
            .in_file(spec)
            .hint(did_you_mean(spec, names) + &hint))
    };
    let embedded = embedded::names();
    let Some(dir) = data_dir.filter(|_| path.is_relative() && !spec.is_empty()) else {
        return missing(
            &[],
            format!(
                "give a file, a folder of IDX files, or an embedded set ({embedded}); relative names are looked up in the folder that SECATEUR_DATA names, too"
            ),
        );
    };
    if dir.join(path).exists() {
        return Ok(dir.join(path));
    }
    let top = entries(dir)?;
    let as_spelt = top.iter().map(|folder| folder.join(path));
    let mut found: Vec<PathBuf> = as_spelt.filter(|candidate| candidate.exists()).collect();
    if found.is_empty() {
        // A folder that cannot be read has no files to offer.
        let below = top
            .iter()
            .flat_map(|folder| entries(folder).unwrap_or_default());
        let files = top.iter().cloned().chain(below).take(MOST_NAMES);
        found = files
            .filter(|file| file.is_file() && stem(file) == spec)
            .collect();
    }
    match (found.pop(), found.pop()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => Err(Error::new(
            ErrorKind::Usage,
            format!("both {} and {} match", other.display(), one.display()),
        )
        .in_file(spec)
        .hint("name the folder as well")),
        (None, _) => missing(
            &names_below(dir, spec)?,
            format!(
                "`{spec}` is neither here nor below {}; the embedded sets are {embedded}",
                dir.display()
            ),
        ),
    }
}

/// What [`locate`] would find below a data folder, spelt as `spec` is: with the folder where that names one.
fn names_below(dir: &Path, spec: &str) -> Result<Vec<String>> {
    let with_folder = Path::new(spec).components().count() > 1;
    let top = entries(dir)?;
    // A folder that cannot be read has no names to offer; the error is about `spec`.
    let below = top
        .iter()
        .flat_map(|folder| entries(folder).unwrap_or_default());
    let spelt = |path: PathBuf| {
        let name = match with_folder {
            true => path.strip_prefix(dir).ok(),
            false => path.file_name().map(Path::new),
        };
        name.unwrap_or(&path).display().to_string()
    };
    let paths = top.iter().cloned().chain(below).take(MOST_NAMES);
    Ok(paths.map(spelt).collect())
}

/// The paths in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut paths = read().map_err(|error| from_io(&error).in_file(folder.display()))?;
    paths.sort();
    Ok(paths)
}

/// A file's name without folder, `.gz` and one extension.
pub(crate) fn stem(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = Path::new(name).file_stem().unwrap_or(OsStr::new("data"));
    stem.to_string_lossy().into_owned()
}

/// A file opened for reading, unpacked if it starts as gzip does.
pub(crate) struct Opened {
    /// The unpacked bytes.
    pub(crate) reader: Box<dyn Read>,
    /// An upper bound on how many there are.
    pub(crate) most: u64,
}

/// Opens a file, gzipped or not; reading fails where a packed one goes on beyond `expansion`.
///
/// # Errors
/// [`ErrorKind::NotFound`] or [`ErrorKind::Unreadable`].
pub(crate) fn open(path: &Path, expansion: Expansion) -> Result<Opened> {
    let open = || -> io::Result<Opened> {
        // Opening a pipe waits for somebody to write, and a device may have no end.
        let kind = std::fs::metadata(path)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(io::Error::other("is no file but a pipe or a device"));
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        Ok(if gzip {
            Opened {
                reader: Box::new(Bounded::new(
                    MultiGzDecoder::new(reader),
                    expansion.most(length),
                )),
                most: expansion.most_inflated(length),
            }
        } else {
            Opened {
                reader: Box::new(reader),
                most: length,
            }
        })
    };
    open().map_err(|error| from_io(&error).in_file(path.display()))
}

/// The first bytes of a file, unpacked: by them a format is told.
///
/// # Errors
/// As [`open`]; damaged gzip.
pub(crate) fn start(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = open(path, Expansion::default())?;
    let read = opened.reader.take(8).read_to_end(&mut bytes);
    read.map_err(|error| from_io(&error).in_file(path.display()))?;
    Ok(bytes)
}

/// All bytes of a file, unpacked, if they are `max` at most.
///
/// # Errors
/// As [`open`]; damaged gzip; [`ErrorKind::Limit`].
pub(crate) fn read_all(path: &Path, max: u64, expansion: Expansion) -> Result<Vec<u8>> {
    let opened = open(path, expansion)?;
    let mut bytes = Vec::new();
    let read = opened
        .reader
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|error| from_io(&error).in_file(path.display()))?;
    if bytes.len() as u64 > max {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("more than {max} bytes once unpacked"),
        )
        .in_file(path.display()));
    }
    Ok(bytes)
}

/// Reads until `bytes` are full or the file ends, and says how many came.
pub(crate) fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Says what a failed read means: the decoder reports damage as invalid input or an early end.
pub(crate) fn from_io(error: &io::Error) -> Error {
    let inner = error.get_ref();
    if let Some(expanded) = inner.and_then(|inner| inner.downcast_ref::<Expanded>()) {
        return Error::new(ErrorKind::Limit, expanded.to_string()).hint(
            "a file that grows so much is seldom honest; if this one is, unpack it before (gunzip, or numpy.savez)",
        );
    }
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "no such file").hint(
            "it was there, or is named by something that was: bring it back, or correct the name",
        ),
        io::ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::Malformed, "the compressed file is cut short")
                .hint("fetch the file again")
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Error::new(
            ErrorKind::Malformed,
            format!("the compressed file is damaged: {error}"),
        )
        .hint("fetch the file again"),
        _ => Error::new(ErrorKind::Unreadable, format!("cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_and_plain_files_read_alike_up_to_the_limit() {
        let expansion = Expansion::default();
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a"), dir.path().join("b"));
        let bytes = vec![7u8; 100_000];
        std::fs::write(&plain, &bytes).unwrap();
        std::fs::write(&packed, gzip(&bytes)).unwrap();
        for path in [&plain, &packed] {
            assert_eq!(read_all(path, 100_000, expansion).unwrap(), bytes);
            assert!(open(path, expansion).unwrap().most >= 100_000);
            assert_eq!(
                read_all(path, 99_999, expansion).unwrap_err().kind(),
                ErrorKind::Limit
            );
        }
    }

    #[test]
    fn damaged_gzip_is_told_from_a_file_that_cannot_be_read() {
        let expansion = Expansion::default();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.gz");
        let whole = gzip(&(0..=255).cycle().take(5_000).collect::<Vec<u8>>());
        for cut in [3, 12, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(
                read_all(&path, 1 << 20, expansion).unwrap_err().kind(),
                ErrorKind::Malformed
            );
        }
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        std::fs::write(&path, &flipped).unwrap();
        assert_eq!(
            read_all(&path, 1 << 20, expansion).unwrap_err().kind(),
            ErrorKind::Malformed
        );
        assert_eq!(
            read_all(dir.path(), 1 << 20, expansion).unwrap_err().kind(),
            ErrorKind::Unreadable
        );
    }

    #[test]
    fn names_are_looked_up_below_the_data_folder() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["one", "two"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join("both.csv"), "1").unwrap();
        }
        let only = dir.path().join("two").join("only.csv");
        std::fs::write(&only, "1").unwrap();
        let find = |spec| locate(spec, Some(dir.path()));
        assert_eq!(find("only.csv").unwrap(), only);
        assert_eq!(find("two/only.csv").unwrap(), only);
        assert_eq!(find("only").unwrap(), only);
        assert_eq!(find("both").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(find("both.csv").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(find("none.csv").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(
            locate("only.csv", None).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("houses")).unwrap();
        std::fs::write(dir.path().join("houses").join("prices.csv.gz"), "1").unwrap();
        let hint = |spec: &str, data_dir| {
            let error = locate(spec, data_dir).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let hint = error.hint_text().unwrap().to_owned();
            let meant = hint.strip_prefix("did you mean `")?;
            Some(meant.split_once('`')?.0.to_owned())
        };
        for (spec, wanted) in [
            ("digit", Some("digits")),
            ("house", Some("houses")),
            ("price.csv.gz", Some("prices.csv.gz")),
            ("house/prices.csv", Some("houses/prices.csv.gz")),
            ("weather", None),
        ] {
            assert_eq!(hint(spec, Some(dir.path())).as_deref(), wanted, "{spec}");
        }
        assert_eq!(hint("diabetis", None).as_deref(), Some("diabetes"));
        assert_eq!(hint("houses", None), None);
    }

    #[test]
    fn stems_drop_one_extension_and_gz() {
        assert_eq!(stem(Path::new("a/b.c.csv.gz")), "b.c");
        assert_eq!(stem(Path::new("yacht.data")), "yacht");
    }
}
