//! Inputs of a network without targets: pictures, arrays, tables, the rows of a data set.

mod arrays;
mod fit;
mod pictures;
mod pixels;
mod tables;

use std::path::PathBuf;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::{Error, ErrorKind, Result};
use crate::expansion::Expansion;
use crate::features::Storage;
use crate::load::load;
use crate::options::LoadOptions;
use crate::pictures::is_picture;
use crate::standardise::Standardiser;
use crate::{embedded, source};

pub use arrays::array_rows;
pub use fit::{Rows, Wanted};
pub use pixels::Pixels;

/// How inputs are read.
#[derive(Debug, Clone, PartialEq)]
pub struct InputOptions {
    /// Rows at most: so many are drawn if there are more, in their order.
    pub rows: usize,
    /// Of what is drawn.
    pub seed: u64,
    /// How pixels become numbers.
    pub pixels: Pixels,
    /// A folder in which relative names are looked up after the current one.
    pub data_dir: Option<PathBuf>,
    /// The most bytes of an input in memory.
    pub max_bytes: u64,
    /// How much more a packed file may hold than it takes.
    pub expansion: Expansion,
}

impl Default for InputOptions {
    fn default() -> Self {
        Self {
            rows: 1024,
            seed: 0,
            pixels: Pixels::default(),
            data_dir: None,
            max_bytes: 8 << 30,
            expansion: Expansion::default(),
        }
    }
}

/// Reads what `spec` names as rows of one input: a folder of pictures, in it (or in its folder `train`) or in folders below, in the
/// order of their paths; an array of NumPy (`.npy`, or the one of an `.npz`); a table of numbers, with a column for each that is read or
/// one more, the last, which is left out; or the training rows of a data set as [`load`] reads it.
///
/// # Errors
/// What is wrong with a file; rows that do not fit what is wanted, with both shapes.
pub fn read_input(spec: &str, wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    if embedded::EMBEDDED.contains(&spec) {
        return of_data_set(spec, wanted, options).map_err(|e| e.in_file(spec));
    }
    let path = source::locate(spec, options.data_dir.as_deref())?;
    let told = |error: Error| error.in_file(path.display());
    if path.is_dir() {
        let training = path.join("train");
        let root = if training.is_dir() { &training } else { &path };
        return match pictures::below(root)? {
            files if !files.is_empty() => pictures::read(&files, wanted, options).map_err(told),
            _ => of_data_set(spec, wanted, options).map_err(told),
        };
    }
    if is_picture(&path) {
        return pictures::read(std::slice::from_ref(&path), wanted, options).map_err(told);
    }
    match arrays::holds_arrays(&path)? {
        true => arrays::read(&path, None, wanted, options).map_err(told),
        false => tables::read(&path, wanted, options).map_err(told),
    }
}

/// Reads an archive of arrays (`.npz`), each called as an input of the network.
///
/// # Errors
/// As [`read_input`]; an input without an array.
pub fn read_inputs(spec: &str, wanted: &[Wanted<'_>], options: &InputOptions) -> Result<Vec<Rows>> {
    if let [only] = wanted {
        return Ok(vec![read_input(spec, only, options)?]);
    }
    let path = source::locate(spec, options.data_dir.as_deref())?;
    let told = |error: Error| error.in_file(path.display());
    if path.is_dir() || !arrays::is_archive(&path)? {
        let names: Vec<&str> = wanted.iter().map(|w| w.name).collect();
        let message = format!(
            "is one input, and the network has {}: {}",
            names.len(),
            names.join(", ")
        );
        return Err(told(Error::new(ErrorKind::Usage, message))
            .hint("give each its own as NAME=FILE, or an .npz archive with an array for each"));
    }
    let each = wanted
        .iter()
        .map(|w| arrays::read(&path, Some(w.name), w, options));
    each.collect::<Result<_>>().map_err(told)
}

/// The rows for training of a data set.
fn of_data_set(spec: &str, wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    let loading = LoadOptions {
        data_dir: options.data_dir.clone(),
        max_bytes: options.max_bytes,
        expansion: options.expansion,
        ..LoadOptions::default()
    };
    let dataset = load(spec, &loading)?;
    let held_out = dataset.test_rows().unwrap_or(0..0);
    let training = (0..dataset.rows()).filter(|row| !held_out.contains(row));
    let training: Vec<u32> = training.map(|row| row as u32).collect();
    let picked = drawn(training.len(), options.rows, options.seed);
    let picked: Vec<u32> = picked.into_iter().map(|at| training[at]).collect();
    let columns = dataset.features().columns();
    let mut values = vec![0.0; picked.len() * columns];
    let raw = Standardiser::identity(columns);
    dataset
        .features()
        .try_gather(&picked, None, &raw, &mut values)?;
    let largest = values.iter().copied().fold(0.0, f32::max);
    let are_pixels =
        dataset.image().is_some() && matches!(dataset.features().storage(), Storage::U8(_));
    let mut shape = vec![picked.len()];
    match dataset.image() {
        Some(image) => shape.extend(image.dimensions()),
        None => shape.extend(dataset.shape()),
    }
    let rows = Rows::fitted(shape, values, wanted)?;
    let names = picked.iter().map(|row| format!("row {}", row + 1));
    let rows = rows.drawn_from(training.len()).named(names.collect());
    match are_pixels {
        true => rows.scaled(&options.pixels.of_bytes_up_to(largest)),
        false => rows.scaled(&options.pixels.of_numbers()),
    }
}

/// `count` positions of `all`, each once, in their order, drawn by the seed; all where there are no more.
pub(crate) fn drawn(all: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found = vec![];
    for position in 0..all {
        // Each is taken with the chance that leaves enough for those that are still wanted.
        let wanted = count.min(all) - found.len();
        if rng.next_u64() % ((all - position) as u64) < wanted as u64 {
            found.push(position);
        }
    }
    found
}

#[cfg(test)]
mod tests;
