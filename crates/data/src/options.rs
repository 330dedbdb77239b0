//! How to read a data set, and as what.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::expansion::Expansion;
use crate::{arrays, cifar, idx, pictures};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A set that comes with the program.
    Embedded,
    /// A folder of MNIST-like IDX files.
    Idx,
    /// Text columns divided by commas, semicolons, tabs or spaces.
    Csv,
    /// A folder of the binary version of CIFAR-10: `data_batch_1.bin` and its fellows.
    Cifar10,
    /// A folder of the binary version of CIFAR-100: `train.bin` and `test.bin`.
    Cifar100,
    /// An archive of NumPy arrays, `x` and `y`.
    Npz,
    /// A folder of NumPy arrays, `x.npy` and `y.npy`.
    Npy,
    /// A folder of PNG and JPEG pictures, one folder a class.
    ImageFolder,
}

impl Format {
    /// The format that the names of a folder's files tell; [`Format::Csv`] where they tell none.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self> {
        if idx::holds_idx(folder)? {
            return Ok(Self::Idx);
        }
        Ok(match cifar::holds(folder) {
            Some(cifar::Set::Ten) => Self::Cifar10,
            Some(cifar::Set::Hundred) => Self::Cifar100,
            None if arrays::holds(folder)? => Self::Npy,
            None if pictures::holds(folder)? => Self::ImageFolder,
            None => Self::Csv,
        })
    }

    /// What a set of labelled pictures is called; `None` for formats that may have other targets.
    pub(crate) fn pictures(self) -> Option<&'static str> {
        match self {
            Self::Idx => Some("IDX files"),
            Self::Cifar10 => Some("CIFAR-10"),
            Self::Cifar100 => Some("CIFAR-100"),
            Self::ImageFolder => Some("a folder of pictures"),
            Self::Embedded | Self::Csv | Self::Npz | Self::Npy => None,
        }
    }
}

/// What kind of thing is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One of several classes.
    Classification,
    /// Numbers.
    Regression,
}

/// What becomes of cells that are empty, `NA`, `NaN`, `null` or `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// They are an error that names line and column.
    #[default]
    Error,
    /// They take the mean of their column over the training rows.
    Mean,
}

/// How to read a data set; the default infers everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// The format, where it should not be inferred.
    pub format: Option<Format>,
    /// Target columns by name or by number from 1; the last column where `None`.
    pub target: Option<Vec<String>>,
    /// The task, where it should not be inferred from the target.
    pub task: Option<Task>,
    /// What becomes of missing cells.
    pub missing: Missing,
    /// Whether the first line of a text file names the columns, where it should not be inferred.
    pub header: Option<bool>,
    /// A folder in which relative names are looked up after the current one.
    pub data_dir: Option<PathBuf>,
    /// Height and width to which the pictures of an [`Format::ImageFolder`] are brought; without it all must have one size.
    pub size: Option<(usize, usize)>,
    /// Whether the pictures of an [`Format::ImageFolder`] lose their colours.
    pub gray: bool,
    /// Whether the pictures of an [`Format::ImageFolder`] may stay in their files where their pixels take more than
    /// `max_bytes`; for callers that use [`Dataset::try_gather`](crate::Dataset::try_gather) and [`Dataset::standardiser`](crate::Dataset::standardiser). Else they are an error.
    pub on_demand: bool,
    /// The most bytes of a file after decompression, and of the table in memory.
    pub max_bytes: u64,
    /// How much more a packed file may hold than it takes.
    pub expansion: Expansion,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            format: None,
            target: None,
            task: None,
            missing: Missing::Error,
            header: None,
            data_dir: None,
            size: None,
            gray: false,
            on_demand: false,
            max_bytes: 2 << 30,
            expansion: Expansion::default(),
        }
    }
}
