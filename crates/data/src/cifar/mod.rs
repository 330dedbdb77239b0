//! Folders of CIFAR-10 or CIFAR-100 in their binary version: records of a label and a picture of 32 x 32 in three colours.
//!
//! The format is described at <https://www.cs.toronto.edu/~kriz/cifar.html>; the values of a picture lie channel by
//! channel, as they are stored here.

mod batch;
mod folder;

use std::path::Path;

use crate::dataset::{Dataset, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::expansion::Expansion;
use crate::features::{Features, Storage};
use crate::image::ImageShape;
use crate::options::LoadOptions;
use crate::source;
use batch::Records;
use folder::Files;

pub(crate) use folder::holds;

/// Every picture of both sets.
const IMAGE: ImageShape = ImageShape {
    height: 32,
    width: 32,
    channels: 3,
};

/// Which of the two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// 10 classes in five training files.
    Ten,
    /// 100 classes, each with one of 20 coarse ones, in one training file.
    Hundred,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Ten => "CIFAR-10",
            Self::Hundred => "CIFAR-100",
        }
    }

    fn classes(self) -> usize {
        match self {
            Self::Ten => 10,
            Self::Hundred => 100,
        }
    }

    /// The file that names the classes, one a line.
    fn names_file(self) -> &'static str {
        match self {
            Self::Ten => "batches.meta.txt",
            Self::Hundred => "fine_label_names.txt",
        }
    }
}

/// Reads the training files that a folder has, in order, and its test file behind them.
///
/// # Errors
/// No training file; files that are damaged, not of whole records, or with labels that the set does not have.
pub(crate) fn read(folder: &Path, name: &str, set: Set, options: &LoadOptions) -> Result<Dataset> {
    let files = folder::find(folder, set)?;
    let mut records = Records::new(set, options);
    for path in &files.train {
        records.read(path)?;
    }
    let train_rows = records.labels.len();
    if train_rows == 0 {
        return Err(Error::new(ErrorKind::Degenerate, "no images to train on")
            .in_file(folder.display())
            .hint("the training files are empty; fetch them again"));
    }
    if let Some(path) = &files.test {
        records.read(path)?;
    }
    let names = class_names(folder, set)?;
    let in_folder = |error: Error| error.in_file(folder.display());
    let features = Features::new(Storage::U8(records.cells), IMAGE.values()).map_err(in_folder)?;
    let rows = features.rows();
    let labels = records.labels;
    let target = Target::Classes { labels, names };
    let mut dataset = Dataset::new(name, features, target)
        .map_err(in_folder)?
        .with_image(IMAGE)
        .with_notes(vec![note(&files, set)]);
    if train_rows < rows {
        dataset = dataset.with_test_rows(train_rows..rows);
    }
    Ok(dataset)
}

/// Which files were read and which of the set are not there.
fn note(files: &Files, set: Set) -> String {
    let named = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
    let train: Vec<String> = files.train.iter().map(|path| named(path)).collect();
    let mut note = format!("training images from {}", train.join(" and "));
    match folder::TRAIN_FILES[set as usize].len() - train.len() {
        0 => {}
        1 => note += "; 1 other of the set is not there",
        absent => note += &format!("; {absent} others of the set are not there"),
    }
    if files.test.is_none() {
        note += "; the test images are not there, so that test rows are drawn from these";
    }
    note
}

/// The names of the classes if their file is there, else their numbers.
fn class_names(folder: &Path, set: Set) -> Result<Vec<String>> {
    /// Names are short; a file beyond this is another.
    const MOST_BYTES: u64 = 1 << 16;
    let path = folder.join(set.names_file());
    if !path.is_file() {
        return Ok((0..set.classes()).map(|class| class.to_string()).collect());
    }
    let bytes = source::read_all(&path, MOST_BYTES, Expansion::default())?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<String> = lines.map(str::to_owned).collect();
    if names.len() != set.classes() {
        let message = format!(
            "{} names for the {} classes of {}",
            names.len(),
            set.classes(),
            set.name()
        );
        return Err(Error::new(ErrorKind::Malformed, message)
            .in_file(path.display())
            .hint("the file should name one class a line; without it classes are numbered"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
