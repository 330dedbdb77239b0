//! Arrays of NumPy as rows of an input.

use std::path::Path;

use super::fit::{Rows, Wanted, check_finite};
use super::{InputOptions, drawn};
use crate::arrays::{Array, NPY_MAGIC, Number, ZIP_MAGIC, zip};
use crate::error::{Error, ErrorKind, Result};
use crate::source;

/// Whether a file is an array or an archive of arrays.
pub(super) fn holds_arrays(path: &Path) -> Result<bool> {
    Ok(source::start(path)?.starts_with(NPY_MAGIC) || is_archive(path)?)
}

/// Whether a file is an archive of arrays.
pub(super) fn is_archive(path: &Path) -> Result<bool> {
    Ok(source::start(path)?.starts_with(ZIP_MAGIC))
}

/// Reads an array, or the one of an archive that is called `name`: the only one, or `x`, if that is not said.
pub(super) fn read(
    path: &Path,
    name: Option<&str>,
    wanted: &Wanted<'_>,
    options: &InputOptions,
) -> Result<Rows> {
    let opened = match is_archive(path)? {
        true => {
            let entries = zip::entries(path)?;
            let bare = |entry: &zip::Entry| entry.name.trim_end_matches(".npy").to_owned();
            let called = |name: &str| entries.iter().find(|entry| bare(entry) == name);
            let found = match (name, &entries[..]) {
                (Some(name), _) => called(name),
                (None, [only]) => Some(only),
                (None, _) => called(wanted.name).or_else(|| called("x")),
            };
            let entry = found.ok_or_else(|| {
                let names: Vec<String> = entries.iter().map(bare).collect();
                let message = format!("has no array '{}'", name.unwrap_or(wanted.name));
                Error::new(ErrorKind::NotFound, message)
                    .hint(format!("it has {}", names.join(", ")))
            })?;
            zip::open(path, entry, options.expansion)?
        }
        false => source::open(path, options.expansion)?,
    };
    let array = Array::open(opened, path.display().to_string())?;
    let shape = array.shape().to_vec();
    if array.values() == 0 {
        let message = format!("holds no numbers: its shape is {shape:?}");
        return Err(
            Error::new(ErrorKind::Value, message).hint("the first axis of an array is its rows")
        );
    }
    if array.values().saturating_mul(4) > options.max_bytes {
        let message = format!(
            "{} values take more than {} bytes",
            array.values(),
            options.max_bytes
        );
        return Err(Error::new(ErrorKind::Limit, message).hint("give fewer rows"));
    }
    let are_bytes = array.number() == Number::U1 && !array.is_bool();
    let mut values: Vec<f32> = vec![];
    array.read_into(&mut values)?;
    array_rows((shape, values), are_bytes, wanted, options)
}

/// Rows of an array that was read, of bytes or of other numbers, which are along its first axis: some of them, if there are more than are
/// wanted.
///
/// # Errors
/// If rows do not fit what is wanted, or hold a number that is not finite.
pub fn array_rows(
    (mut shape, mut values): (Vec<usize>, Vec<f32>),
    are_bytes: bool,
    wanted: &Wanted<'_>,
    options: &InputOptions,
) -> Result<Rows> {
    let total = *shape.first().unwrap_or(&1);
    let mut names = vec![];
    if let Some(&all) = shape.first().filter(|&&all| all > options.rows) {
        let width = values.len() / all;
        let picked = drawn(all, options.rows, options.seed);
        let of = |row: usize| &values[row * width..(row + 1) * width];
        values = picked.iter().flat_map(|&row| of(row)).copied().collect();
        shape[0] = picked.len();
        names = picked
            .iter()
            .map(|row| format!("row {}", row + 1))
            .collect();
        check_finite(&values, width, &names)?;
    }
    let rows = Rows::fitted(shape, values, wanted)?;
    let rows = rows.drawn_from(total).named(names);
    // Bytes of pictures are pixels; any other numbers are as they are.
    match are_bytes && wanted.axes.len() == 4 {
        true => rows.scaled(&options.pixels),
        false => rows.scaled(&options.pixels.of_numbers()),
    }
}
