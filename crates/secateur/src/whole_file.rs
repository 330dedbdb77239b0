//! Files that are whole, or as they were before.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What such names hold before the number of the process.
const PARTIAL: &str = ".partial-";

/// Writes a file under a name of its own until it is whole, and safe from a loss of power.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_whole_by(path, &mut |file| file.write_all(bytes), &mut |_| Ok(()))
}

/// The same with a writer; `at` is told before each step, and may fail in its place.
pub(crate) fn write_whole_by(
    path: &Path,
    write: &mut dyn FnMut(&mut File) -> io::Result<()>,
    at: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(format!("{PARTIAL}{}", std::process::id()));
    let partial = path.with_file_name(hidden);
    let done = at("create")
        .and_then(|()| File::create(&partial))
        .and_then(|mut file| {
            at("write")?;
            write(&mut file)?;
            at("sync")?;
            file.sync_all()
        })
        .and_then(|()| at("rename"))
        .and_then(|()| fs::rename(&partial, path));
    match &done {
        // Not every system lets a folder be opened.
        Ok(()) => {
            let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        }
        Err(_) => {
            let _ = fs::remove_file(&partial);
        }
    }
    done
}

/// Whether a name is that of a file that is not whole yet.
pub(crate) fn is_half(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && name.contains(PARTIAL)
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_fails_at_any_byte_leaves_what_was_there() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        fs::write(&path, b"before").unwrap();
        let bytes = b"the numbers of a model";
        for n in 0..=bytes.len() {
            let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
            let mut write = |file: &mut File| file.write_all(&bytes[..n]).and_then(|()| full());
            let error = write_whole_by(&path, &mut write, &mut |_| Ok(())).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(fs::read(&path).unwrap(), b"before");
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        }
        for step in ["create", "write", "sync", "rename"] {
            let mut at = |now: &str| match now == step {
                true => Err(io::Error::other("here")),
                false => Ok(()),
            };
            let mut write = |file: &mut File| file.write_all(bytes);
            assert!(write_whole_by(&path, &mut write, &mut at).is_err());
            assert_eq!(fs::read(&path).unwrap(), b"before");
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        }
        write_whole(&path, bytes).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
