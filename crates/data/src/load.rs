//! Where data comes from: a name, a file or a folder.

use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::{embedded, idx, source, table};

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
/// The names of [`EMBEDDED`](crate::EMBEDDED) sets come before files; `./digits` is a file or folder. A folder without
/// IDX files may hold a single table instead.
///
/// # Errors
/// Whatever is wrong with the file, by file, line and column; see [`ErrorKind`].
pub fn load(spec: &str, options: &LoadOptions) -> Result<Dataset> {
    if matches!(options.format, None | Some(Format::Embedded)) {
        if let Some(dataset) = embedded::read(spec, options) {
            return dataset;
        }
        if options.format.is_some() {
            let known = embedded::EMBEDDED.join("` and `");
            return Err(Error::new(ErrorKind::NotFound, "no such embedded set")
                .in_file(spec)
                .hint(format!("the embedded sets are `{known}`")));
        }
    }
    let path = source::locate(spec, options.data_dir.as_deref())?;
    if !path.is_dir() {
        return load_file(&path, options);
    }
    let is_idx = match options.format {
        Some(format) => format == Format::Idx,
        None => idx::holds_idx(&path)?,
    };
    if !is_idx {
        return load_file(&only_table(&path)?, options);
    }
    let ignored = [
        (options.target.is_some(), "a target column"),
        (
            options.task == Some(Task::Regression),
            "the task regression",
        ),
    ];
    if let Some((_, what)) = ignored.iter().find(|(given, _)| *given) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("IDX files have classes; {what} does not fit"),
        )
        .in_file(path.display()));
    }
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    idx::read(&path, &name, options)
}

fn load_file(path: &Path, options: &LoadOptions) -> Result<Dataset> {
    let bytes = source::read_all(path, options.max_bytes)?;
    let idx_like = matches!(bytes.as_slice(), [0, 0, 8, 1..=4, ..]);
    if idx_like || options.format == Some(Format::Idx) {
        return Err(Error::new(
            ErrorKind::Usage,
            "IDX data is read by folder, images and labels together",
        )
        .in_file(path.display())
        .hint("give the folder that holds train-images-idx3-ubyte and its fellows"));
    }
    table::read(&bytes, &source::stem(path), options).map_err(|error| error.in_file(path.display()))
}

/// The table of a folder that has one file.
fn only_table(folder: &Path) -> Result<PathBuf> {
    let files: Vec<PathBuf> = source::entries(folder)?
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    match files.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            Err(Error::new(ErrorKind::NotFound, "a folder without files").in_file(folder.display()))
        }
        several => {
            let names = several.iter().filter_map(|path| path.file_name());
            let names: Vec<String> = names
                .take(10)
                .map(|name| format!("`{}`", name.display()))
                .collect();
            Err(Error::new(
                ErrorKind::Usage,
                "a folder of several files, none of them IDX",
            )
            .in_file(folder.display())
            .hint(format!("name one of its files: {}", names.join(", "))))
        }
    }
}
