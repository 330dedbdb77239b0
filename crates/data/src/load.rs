//! Where data comes from: a name, a file or a folder.

use std::path::PathBuf;

use crate::dataset::Dataset;
use crate::embedded;
use crate::error::{Error, ErrorKind, Result};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A set that comes with the program.
    Embedded,
    /// A folder of MNIST-like IDX files.
    Idx,
    /// Text columns divided by commas, semicolons, tabs or spaces.
    Csv,
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
    /// The most bytes of a file after decompression, and of the table in memory.
    pub max_bytes: u64,
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
            max_bytes: 2 << 30,
        }
    }
}

/// Reads the data set that `spec` names: an embedded set, a file, or a folder of IDX files.
///
/// # Errors
/// Whatever is wrong with the file, by file, line and column; see [`ErrorKind`].
pub fn load(spec: &str, _options: &LoadOptions) -> Result<Dataset> {
    match spec {
        "digits" => embedded::digits(),
        _ => Err(Error::new(
            ErrorKind::NotFound,
            format!("no data set or file `{spec}`"),
        )),
    }
}
