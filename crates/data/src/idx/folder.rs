//! Which files of a folder are the images and the labels.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::source::entries;

/// Training or test files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    Test,
}

/// The two files of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) images: PathBuf,
    pub(crate) labels: PathBuf,
}

/// Finds images and labels of a part by name: `train-images-idx3-ubyte`, also with dots for dashes, `.gz` behind, and
/// `test` for `t10k`. A plain file is taken before its gzipped copy.
///
/// # Errors
/// Images without labels or labels without images; several sets in one folder.
pub(crate) fn find(folder: &Path, part: Part) -> Result<Option<Pair>> {
    let paths = entries(folder)?;
    let find = |what: &str| {
        let mut found: Vec<&PathBuf> = paths
            .iter()
            .filter(|path| plays(path, part, what))
            .collect();
        found.dedup_by(|gz, plain| gz.file_stem() == plain.file_name());
        match found.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some((*only).clone())),
            [one, other, ..] => Err(Error::new(
                ErrorKind::Usage,
                format!("two sets, {} and {}", one.display(), other.display()),
            )
            .in_file(folder.display())
            .hint("keep one set of IDX files in a folder")),
        }
    };
    match (find("images")?, find("labels")?) {
        (Some(images), Some(labels)) => Ok(Some(Pair { images, labels })),
        (None, None) => Ok(None),
        (Some(lone), None) => Err(alone(&lone, "labels")),
        (None, Some(lone)) => Err(alone(&lone, "images")),
    }
}

/// Whether a folder has any file that is named like an IDX file.
pub(crate) fn holds_idx(folder: &Path) -> Result<bool> {
    let part_of = |path: &PathBuf| {
        [Part::Train, Part::Test]
            .into_iter()
            .any(|part| plays(path, part, "images") || plays(path, part, "labels"))
    };
    Ok(entries(folder)?.iter().any(part_of))
}

fn plays(path: &Path, part: Part, what: &str) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name).replace('.', "-");
    let named = |role: &str| {
        (1..=4).any(|dimensions| name.ends_with(&format!("{role}-{what}-idx{dimensions}-ubyte")))
    };
    match part {
        Part::Train => named("train"),
        Part::Test => named("t10k") || named("test"),
    }
}

fn alone(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no {what} beside this file")).in_file(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_known() {
        for name in [
            "train-images-idx3-ubyte",
            "train-images.idx3-ubyte",
            "train-images-idx3-ubyte.gz",
            "emnist-letters-train-images-idx3-ubyte.gz",
        ] {
            let path = Path::new("folder").join(name);
            assert!(plays(&path, Part::Train, "images"), "{name}");
            assert!(!plays(&path, Part::Test, "images"), "{name}");
            assert!(!plays(&path, Part::Train, "labels"), "{name}");
        }
        assert!(plays(
            Path::new("t10k-labels.idx1-ubyte"),
            Part::Test,
            "labels"
        ));
        assert!(plays(
            Path::new("test-labels-idx1-ubyte.gz"),
            Part::Test,
            "labels"
        ));
        assert!(!plays(Path::new("train-images.png"), Part::Train, "images"));
    }
}
