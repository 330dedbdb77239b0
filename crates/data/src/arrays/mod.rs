//! Arrays of NumPy: inputs `x` and targets `y`, and perhaps `x_test` and `y_test`, in an archive or a folder.

mod array;
mod header;
mod labels;
mod layout;
pub(crate) mod zip;

use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::options::{LoadOptions, Missing};
use crate::source;
use layout::Layout;

pub(crate) use array::Array;
pub(crate) use header::{MAGIC as NPY_MAGIC, Number};
pub(crate) use zip::MAGIC as ZIP_MAGIC;

/// What the arrays of a set may be called, in any case.
const ROLES: [&[&str]; 4] = [
    &["x", "x_train"],
    &["y", "y_train"],
    &["x_test"],
    &["y_test"],
];

/// Reads an archive (`.npz`).
///
/// # Errors
/// As [`zip::entries`]; as [`read`].
pub(crate) fn read_archive(path: &Path, options: &LoadOptions) -> Result<Dataset> {
    let entries = zip::entries(path)?;
    let names: Vec<String> = entries.iter().map(|entry| bare(&entry.name)).collect();
    let open = |at: usize| {
        let place = path.join(&entries[at].name).display().to_string();
        Array::open(zip::open(path, &entries[at], options.expansion)?, place)
    };
    read(&names, open, &source::stem(path), options).map_err(|error| error.in_file(path.display()))
}

/// Reads a folder of arrays (`x.npy`, `y.npy`), each gzipped or not.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_folder(folder: &Path, name: &str, options: &LoadOptions) -> Result<Dataset> {
    let paths = array_files(folder)?;
    let names: Vec<String> = paths.iter().map(|path| file_name(path)).collect();
    let names: Vec<String> = names.iter().map(|name| bare(name)).collect();
    let open = |at: usize| {
        let opened = source::open(&paths[at], options.expansion)?;
        Array::open(opened, paths[at].display().to_string())
    };
    read(&names, open, name, options).map_err(|error| error.in_file(folder.display()))
}

/// Whether a folder has inputs as an array.
pub(crate) fn holds(folder: &Path) -> Result<bool> {
    let paths = array_files(folder)?;
    Ok(paths.iter().any(|path| plays(&bare(&file_name(path)), 0)))
}

/// Whether a file has the name of an array of a set.
pub(crate) fn is_of_set(path: &Path) -> bool {
    let name = bare(&file_name(path));
    (0..ROLES.len()).any(|role| plays(&name, role))
}

fn array_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = source::entries(folder)?;
    paths.retain(|path| {
        let name = file_name(path);
        name.strip_suffix(".gz").unwrap_or(&name).ends_with(".npy")
    });
    // A plain file is taken before its gzipped copy.
    paths.dedup_by(|gz, plain| gz.file_stem() == plain.file_name());
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn bare(name: &str) -> String {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".npy").unwrap_or(name).to_owned()
}

fn plays(name: &str, role: usize) -> bool {
    ROLES[role]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Reads a set from the arrays that `names` lists and `open` opens.
///
/// # Errors
/// Arrays that are absent, of other types than numbers, that do not fit each other, or that are too large; values that
/// are infinite, or missing unless `options` allow for it.
fn read(
    names: &[String],
    open: impl Fn(usize) -> Result<Array>,
    name: &str,
    options: &LoadOptions,
) -> Result<Dataset> {
    if options.target.is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            "arrays have no target column; `y` holds what is predicted",
        ));
    }
    let found = |role: usize| one_of(names, role);
    let (x, y) = match (found(0)?, found(1)?) {
        (Some(x), Some(y)) => (x, y),
        (None, _) => return Err(absent(names, 0)),
        (_, None) => return Err(absent(names, 1)),
    };
    let test = match (found(2)?, found(3)?) {
        (Some(x), Some(y)) => Some((x, y)),
        (None, None) => None,
        (None, _) => return Err(absent(names, 2)),
        (_, None) => return Err(absent(names, 3)),
    };
    let parts: Vec<(usize, usize)> = [(x, y)].into_iter().chain(test).collect();
    let open_all = |which: fn(&(usize, usize)) -> usize| {
        let arrays = parts.iter().map(|part| open(which(part)));
        arrays.collect::<Result<Vec<Array>>>()
    };
    let (inputs, targets) = (open_all(|part| part.0)?, open_all(|part| part.1)?);
    check(&inputs, &targets, options)?;
    let (train_rows, rows) = (inputs[0].rows(), inputs.iter().map(Array::rows).sum());
    let layout = Layout::of(&inputs[0].shape()[1..]);
    let mut notes: Vec<String> = layout.note.iter().cloned().collect();
    let (target, inferred) = labels::target(targets, options.task)?;
    notes.extend(inferred);
    notes.extend(not_read(names));

    let mut storage = storage(inputs)?;
    if let Some(image) = layout.image.filter(|_| layout.interleaved) {
        match &mut storage {
            Storage::U8(cells) => image.separate_channels(cells),
            Storage::F32(cells) => image.separate_channels(cells),
            Storage::Files(_) => {}
        }
    }
    let columns = layout.row.iter().product();
    if let Storage::F32(cells) = &storage
        && options.missing == Missing::Error
        && let Some(at) = cells.iter().position(|cell| cell.is_nan())
    {
        let message = format!(
            "row {} of the inputs has a missing value (NaN)",
            at / columns + 1
        );
        return Err(Error::new(ErrorKind::Value, message)
            .hint("correct the value, or let missing cells take their column's mean"));
    }
    let features = Features::new(storage, columns)?.compact();
    let mut dataset = Dataset::new(name, features, target)?;
    if let Some(image) = layout.image {
        dataset = dataset.with_image(image);
    }
    dataset = dataset.with_shape(layout.row).with_notes(notes);
    if train_rows < rows {
        dataset = dataset.with_test_rows(train_rows..rows);
    }
    Ok(dataset)
}

/// The array that plays a role, if there is one.
fn one_of(names: &[String], role: usize) -> Result<Option<usize>> {
    let mut playing = (0..names.len()).filter(|&at| plays(&names[at], role));
    match (playing.next(), playing.next()) {
        (Some(one), Some(other)) => Err(Error::new(
            ErrorKind::Usage,
            format!("both `{}` and `{}` are there", names[one], names[other]),
        )
        .hint("keep one of them")),
        (found, _) => Ok(found),
    }
}

fn absent(names: &[String], role: usize) -> Error {
    const SHOWN: usize = 10;
    let known: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let known = match known.as_slice() {
        [] => "there are none".into(),
        known => format!("there are {}", known.join(", ")),
    };
    let wanted = ROLES[role].join("` or `");
    Error::new(ErrorKind::NotFound, format!("no array `{wanted}`")).hint(format!(
        "inputs are called x, targets y, those of test rows x_test and y_test; {known}"
    ))
}

fn not_read(names: &[String]) -> Option<String> {
    let others = names
        .iter()
        .filter(|name| !(0..ROLES.len()).any(|role| plays(name, role)));
    let others: Vec<String> = others.take(10).map(|name| format!("`{name}`")).collect();
    (!others.is_empty()).then(|| format!("other arrays are not read: {}", others.join(", ")))
}

/// Whether the arrays fit each other and the limit, by their headers.
fn check(inputs: &[Array], targets: &[Array], options: &LoadOptions) -> Result<()> {
    for (x, y) in inputs.iter().zip(targets) {
        if x.rows() != y.rows() {
            let message = format!("{} targets, but {} rows of inputs", y.rows(), x.rows());
            return Err(y
                .error(ErrorKind::Malformed, message)
                .hint("the first dimension of both is the rows"));
        }
        if x.shape()[1..] != inputs[0].shape()[1..] {
            let message = format!(
                "rows of shape {:?} where training has {:?}",
                &x.shape()[1..],
                &inputs[0].shape()[1..]
            );
            return Err(x.error(ErrorKind::Malformed, message));
        }
        for array in [x, y] {
            if array.values() == 0 {
                return Err(array.error(ErrorKind::Degenerate, "the array has no values"));
            }
        }
    }
    for (arrays, bytes) in [(inputs, cell_bytes(inputs)), (targets, 4)] {
        let values = arrays.iter().map(Array::values);
        let total = values.fold(0, u64::saturating_add).saturating_mul(bytes);
        if total > options.max_bytes {
            return Err(arrays[0]
                .error(ErrorKind::Limit, format!("the values take {total} bytes"))
                .hint(format!("the limit is {} bytes", options.max_bytes)));
        }
    }
    Ok(())
}

/// The bytes that a cell of the table takes.
fn cell_bytes(inputs: &[Array]) -> u64 {
    match are_bytes(inputs) {
        true => 1,
        false => 4,
    }
}

fn are_bytes(inputs: &[Array]) -> bool {
    inputs
        .iter()
        .all(|array| array.number() == header::Number::U1)
}

fn storage(inputs: Vec<Array>) -> Result<Storage> {
    Ok(if are_bytes(&inputs) {
        let mut cells: Vec<u8> = Vec::new();
        for array in inputs {
            array.read_into(&mut cells)?;
        }
        Storage::U8(cells)
    } else {
        let mut cells: Vec<f32> = Vec::new();
        for array in inputs {
            array.read_into(&mut cells)?;
        }
        Storage::F32(cells)
    })
}

#[cfg(test)]
pub(crate) mod tests;
