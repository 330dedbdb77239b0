//! Which pictures a folder has, and of which class each is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::source;

/// Names end in these, in any case.
const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];
/// Where training rows lie if not in the folder itself, and where test rows may lie beside them.
const TRAIN: &str = "train";
const TESTS: [&str; 2] = ["test", "val"];

/// The pictures of a set, those for training first.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The names of the classes' folders, sorted.
    pub(crate) classes: Vec<String>,
    /// Class by class, sorted by name within each.
    pub(crate) paths: Vec<PathBuf>,
    /// The class of each.
    pub(crate) labels: Vec<u32>,
    /// How many are for training.
    pub(crate) train: usize,
    /// What was left out.
    pub(crate) notes: Vec<String>,
}

/// Lists `root/class/*.png`, or `root/train/class/*.png` with `root/test` or `root/val` beside.
///
/// # Errors
/// No pictures; a test class that training lacks; a folder that cannot be read.
pub(crate) fn list(root: &Path) -> Result<Listing> {
    let (train, test) = parts(root)?;
    let mut listing = Listing::default();
    let mut others = 0;
    for (name, folder) in class_folders(&train)? {
        let (pictures, rest) = pictures(&folder)?;
        others += rest;
        if pictures.is_empty() {
            listing
                .notes
                .push(format!("folder `{name}` has no pictures and is no class"));
            continue;
        }
        let class = listing.classes.len() as u32;
        listing.classes.push(name);
        listing.add(class, pictures);
    }
    if listing.paths.is_empty() {
        return Err(
            Error::new(ErrorKind::NotFound, "no folders of pictures, one a class")
                .in_file(train.display())
                .hint("pictures should lie in class/name.png, or train/class and test/class; .png, .jpg, .jpeg and .webp are read"),
        );
    }
    listing.train = listing.paths.len();
    let numbers = listing.classes.iter().cloned().zip(0u32..);
    let classes: BTreeMap<String, u32> = numbers.collect();
    for (name, folder) in test
        .iter()
        .map(|test| class_folders(test))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
    {
        let (pictures, rest) = pictures(&folder)?;
        others += rest;
        match classes.get(&name) {
            Some(&class) => listing.add(class, pictures),
            None if pictures.is_empty() => {}
            None => {
                let message = format!("class `{name}` has no pictures for training");
                return Err(Error::new(ErrorKind::Value, message).in_file(folder.display()));
            }
        }
    }
    if others > 0 {
        listing.notes.push(format!(
            "{others} files are not named as pictures and are not read"
        ));
    }
    Ok(listing)
}

/// Whether a folder has pictures in two folders at least, one a class.
pub(crate) fn holds(root: &Path) -> Result<bool> {
    let (train, _) = parts(root)?;
    let mut classes = 0;
    for (_, folder) in class_folders(&train)? {
        // A folder that cannot be read holds nothing to tell by.
        let entries = source::entries(&folder).unwrap_or_default();
        classes += usize::from(entries.iter().any(|path| is_picture(path)));
        if classes == 2 {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Listing {
    fn add(&mut self, class: u32, pictures: Vec<PathBuf>) {
        self.labels.extend(pictures.iter().map(|_| class));
        self.paths.extend(pictures);
    }
}

/// The folder of training classes, and that of test classes if there is one.
fn parts(root: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let train = root.join(TRAIN);
    // A class may be called `train`: then it has no folders in it.
    if train.is_dir() && !class_folders(&train)?.is_empty() {
        let test = TESTS
            .iter()
            .map(|name| root.join(name))
            .find(|path| path.is_dir());
        return Ok((train, test));
    }
    Ok((root.to_owned(), None))
}

/// The folders in a folder by name, hidden ones left out.
fn class_folders(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folders = source::entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir());
    let named = folders.map(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (name, path)
    });
    Ok(named.filter(|(name, _)| !name.starts_with('.')).collect())
}

/// The pictures in a folder, and how many other files there are.
fn pictures(folder: &Path) -> Result<(Vec<PathBuf>, usize)> {
    let files = source::entries(folder)?
        .into_iter()
        .filter(|path| path.is_file());
    let (pictures, others): (Vec<PathBuf>, Vec<PathBuf>) = files.partition(|path| is_picture(path));
    Ok((pictures, others.len()))
}

/// Whether a file is named as a picture.
pub(crate) fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
