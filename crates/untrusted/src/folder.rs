//! Files in a folder, and how they are packed.

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzEncoder;
use flate2::write::DeflateEncoder;
use tempfile::TempDir;

/// A file's path below its folder, and its bytes.
pub type File = (&'static str, Vec<u8>);

/// A folder on disk, for one set of files after another.
#[derive(Debug)]
pub struct Folder {
    dir: TempDir,
}

impl Folder {
    /// An empty one.
    ///
    /// # Panics
    /// If none can be made.
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder for temporary files"),
        }
    }

    /// Writes files, over those of the same names.
    ///
    /// # Panics
    /// If one cannot be written.
    pub fn put(&self, files: &[File]) {
        for (name, bytes) in files {
            let path = self.path().join(name);
            let folder = path.parent().unwrap_or(self.path());
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, bytes))
                .expect("a temporary file can be written");
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes as a gzip file.
///
/// # Panics
/// Never: memory can be read.
pub fn gzip(mut bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzEncoder::new(&mut bytes, Compression::default())
        .read_to_end(&mut packed)
        .expect("memory can be read");
    packed
}

/// Entries as a ZIP archive, stored or deflated.
///
/// # Panics
/// Never: memory can be written.
pub fn zip(entries: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory can be written");
        let deflated = encoder.finish().expect("memory can be written");
        let (method, packed) = match deflate {
            true => (8, deflated.as_slice()),
            false => (0, *bytes),
        };
        let (size, unpacked) = (packed.len() as u32, bytes.len() as u32);
        let fields = [
            &[0, 0, method, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &size.to_le_bytes(),
            &unpacked.to_le_bytes(),
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        let at = (file.len() as u32).to_le_bytes();
        file.extend([b"PK\x03\x04\x14\0", &fields[..], name.as_bytes(), packed].concat());
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend([&fields[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let (size, at) = (directory.len() as u32, file.len() as u32);
    let count = (entries.len() as u16).to_le_bytes();
    file.extend([&directory[..], b"PK\x05\x06\0\0\0\0", &count, &count].concat());
    file.extend([&size.to_le_bytes()[..], &at.to_le_bytes(), &[0, 0]].concat());
    file
}
