//! The readers of data files: what they are given, what they may take, and what is done with what they give.

use std::path::Path;

use secateur_data::{
    Dataset, Expansion, LoadOptions, Missing, SplitOptions, Standardiser, load, split,
};

use crate::folder::{File, Folder};
use crate::seeds;

/// A reader of files that are not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Folders of IDX files.
    Idx,
    /// Tables of text.
    Table,
    /// Folders of NumPy arrays.
    Npy,
    /// Archives of NumPy arrays.
    Npz,
    /// Folders of CIFAR-10 and CIFAR-100.
    Cifar,
    /// Folders of PNG and JPEG pictures.
    Pictures,
}

/// What no file takes more of than its multiple: buffers for reading and unpacking, a few a thread.
const FIXED: u64 = 2 << 20;

impl Reader {
    /// Small valid sets of files.
    pub fn seeds(self) -> Vec<Vec<File>> {
        match self {
            Self::Idx => seeds::folders_of_idx(),
            Self::Table => seeds::tables(),
            Self::Npy => seeds::folders_of_arrays(),
            Self::Npz => seeds::archives(),
            Self::Cifar => seeds::folders_of_cifar(),
            Self::Pictures => seeds::folders_of_pictures(),
        }
    }

    /// How many times the bytes of its files, unpacked, a set takes at most while it is read; `SECURITY.md` says so, too.
    pub fn multiple(self) -> u64 {
        match self {
            Self::Idx | Self::Cifar => 8,
            Self::Npy | Self::Npz => 16,
            Self::Pictures => 32,
            Self::Table => 256,
        }
    }

    /// The most memory that reading files of `bytes` may take under these `options`.
    pub fn most(self, bytes: u64, packed: bool, options: &LoadOptions) -> u64 {
        let unpacked = match packed {
            true => options.expansion.most(bytes),
            false => bytes,
        };
        FIXED.saturating_add(self.multiple().saturating_mul(unpacked))
    }

    /// Options under which little memory is much: a file of a few bytes may take some hundred KiB.
    pub fn options(self) -> LoadOptions {
        LoadOptions {
            max_bytes: 1 << 24,
            expansion: Expansion {
                free: 1 << 14,
                ratio: 256,
            },
            ..LoadOptions::default()
        }
    }

    /// What of a folder is loaded.
    pub fn spec(self, folder: &Path) -> String {
        let path = match self {
            Self::Table => folder.join("table.csv"),
            Self::Npz => folder.join("set.npz"),
            Self::Idx | Self::Npy | Self::Cifar | Self::Pictures => folder.to_owned(),
        };
        path.to_string_lossy().into_owned()
    }
}

/// Whether a file is packed, so that it may unpack to more than it takes.
pub fn is_packed(bytes: &[u8]) -> bool {
    let magic: [&[u8]; 4] = [&[0x1f, 0x8b], b"PK", b"\x89PNG", &[0xff, 0xd8]];
    magic.iter().any(|magic| bytes.starts_with(magic))
}

/// Uses what was loaded: every row is split and standardised to finite values.
///
/// # Panics
/// If a value is not finite.
pub fn exercise(set: &Dataset) {
    let Ok(parts) = split(set, 0, &SplitOptions::default()) else {
        return;
    };
    let by = Standardiser::fit(set.features(), &parts.train, set.default_scaling());
    let rows: Vec<u32> = (0..set.rows() as u32).collect();
    let mut out = vec![f32::NAN; rows.len() * set.inputs()];
    set.features().gather(&rows, None, &by.unscaled(), &mut out);
    assert!(out.iter().all(|value| value.is_finite()));
}

/// Reads one set of files, of which the first byte chooses the one that the others replace.
///
/// # Panics
/// If a reader does, or gives an error without a place.
pub fn fuzz(reader: Reader, bytes: &[u8]) {
    let Some((&which, bytes)) = bytes.split_first() else {
        return;
    };
    let seeds = reader.seeds();
    let places = seeds
        .iter()
        .enumerate()
        .flat_map(|(seed, files)| (0..files.len()).map(move |file| (seed, file)));
    let places: Vec<(usize, usize)> = places.collect();
    let (seed, file) = places[usize::from(which) % places.len()];
    let mut files = seeds[seed].clone();
    files[file].1 = bytes.to_vec();
    // Files of another seed would make another set of it.
    let own = Folder::new();
    own.put(&files);
    for missing in [Missing::Error, Missing::Mean] {
        let options = LoadOptions {
            missing,
            ..reader.options()
        };
        match load(&reader.spec(own.path()), &options) {
            Ok(set) => exercise(&set),
            Err(error) => assert!(error.file().is_some(), "{error}"),
        }
    }
}
