//! Which files of a folder are those of CIFAR.

use std::path::{Path, PathBuf};

use crate::cifar::Set;
use crate::error::{Error, ErrorKind, Result};

/// The training files of each set, in order.
pub(crate) const TRAIN_FILES: [&[&str]; 2] = [
    &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    &["train.bin"],
];
/// The test file of each set.
const TEST_FILES: [&str; 2] = ["test_batch.bin", "test.bin"];

/// The files of a set that a folder has.
pub(crate) struct Files {
    /// One at least.
    pub(crate) train: Vec<PathBuf>,
    /// Rows of their own to test on.
    pub(crate) test: Option<PathBuf>,
}

/// Finds the files of a set; a plain file is taken before its gzipped copy.
///
/// # Errors
/// [`ErrorKind::NotFound`] if none is for training.
pub(crate) fn find(folder: &Path, set: Set) -> Result<Files> {
    let names = TRAIN_FILES[set as usize];
    let train: Vec<PathBuf> = names
        .iter()
        .filter_map(|name| present(folder, name))
        .collect();
    if train.is_empty() {
        let message = format!("no file of {} for training", set.name());
        return Err(Error::new(ErrorKind::NotFound, message)
            .in_file(folder.display())
            .hint(format!(
                "the folder should hold {}, gzipped or not, of the binary version of the set",
                names.join(", ")
            )));
    }
    Ok(Files {
        train,
        test: present(folder, TEST_FILES[set as usize]),
    })
}

/// The set whose files a folder has, if any.
///
/// The names of CIFAR-100 could be anyone's: they count where both files are there, or the names of the classes.
pub(crate) fn holds(folder: &Path) -> Option<Set> {
    let ten = || TRAIN_FILES[0].iter().chain([&TEST_FILES[0]]);
    if ten().any(|name| present(folder, name).is_some()) {
        return Some(Set::Ten);
    }
    let train = present(folder, TRAIN_FILES[1][0]).is_some();
    let other = present(folder, TEST_FILES[1]).is_some()
        || folder.join(Set::Hundred.names_file()).is_file();
    (train && other).then_some(Set::Hundred)
}

fn present(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))]
        .into_iter()
        .find(|path| path.is_file())
}
