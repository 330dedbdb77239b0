//! Pictures, whichever folders they lie in, as rows of an input.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::fit::{Rows, Wanted};
use super::{InputOptions, drawn};
use crate::error::{Error, ErrorKind, Result};
use crate::image::ImageShape;
use crate::pictures::{Bounds, Fitting, Picture, first_error, is_picture};
use crate::source;

/// Folders in folders; a link to a folder above ends here.
const DEEPEST: usize = 8;

/// All pictures below a folder, in the order of their paths; hidden files and folders are left out.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut seen) = (vec![], HashSet::new());
    add(folder, 0, &mut seen, &mut found)?;
    Ok(found)
}

/// `seen` are folders whose pictures are there already: a link may lead back to one.
fn add(
    folder: &Path,
    depth: usize,
    seen: &mut HashSet<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    if !folder.canonicalize().is_ok_and(|place| seen.insert(place)) {
        return Ok(());
    }
    let is_hidden = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'))
    };
    for path in source::entries(folder)?
        .into_iter()
        .filter(|path| !is_hidden(path))
    {
        match path.is_dir() {
            true if depth < DEEPEST => add(&path, depth + 1, seen, found)?,
            true => {}
            false if is_picture(&path) => found.push(path),
            false => {}
        }
    }
    Ok(())
}

/// Reads pictures, brought to the size that is wanted: the middle of each, as large as fits.
pub(super) fn read(files: &[PathBuf], wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    let shape = shape(wanted)?;
    let picked = drawn(files.len(), options.rows, options.seed);
    let total = (shape.values() as u64).saturating_mul(4 * picked.len() as u64);
    if total > options.max_bytes {
        let message = format!(
            "{} pictures take {total} bytes, more than {}",
            picked.len(),
            options.max_bytes
        );
        return Err(Error::new(ErrorKind::Limit, message).hint("use fewer: --rows 500"));
    }
    let bounds = Bounds::new(options.max_bytes, options.expansion);
    let mut values = vec![0.0; picked.len() * shape.values()];
    let parts = values.par_chunks_exact_mut(shape.values()).zip(&picked);
    first_error(parts.map(|(out, &at)| {
        let mut pixels = vec![0; shape.values()];
        Picture::read(&files[at], bounds)?.decode(shape, Fitting::Covering, &mut pixels)?;
        out.iter_mut()
            .zip(&pixels)
            .for_each(|(to, &from)| *to = f32::from(from));
        Ok(())
    }))?;
    let mut all = vec![picked.len()];
    all.extend(shape.dimensions());
    let names = picked.iter().map(|&at| files[at].display().to_string());
    let rows = Rows::fitted(all, values, wanted)?.scaled(&options.pixels)?;
    Ok(rows.drawn_from(files.len()).named(names.collect()))
}

/// The size of the pictures that an input is.
fn shape(wanted: &Wanted<'_>) -> Result<ImageShape> {
    let refuse =
        |message: String, hint: &str| Err(Error::new(ErrorKind::Usage, message).hint(hint));
    let (channels, height, width) = match *wanted.axes {
        [_, Some(channels @ (1 | 3)), height, width] => (channels, height, width),
        [_, height, width, Some(channels @ (1 | 3))] => (channels, height, width),
        _ => {
            let message = format!(
                "'{}' reads no pictures: these have four axes, and 1 or 3 channels",
                wanted.name
            );
            return refuse(message, "give an array of its rows instead (.npy)");
        }
    };
    match (height, width) {
        (Some(height), Some(width)) if height > 0 && width > 0 => Ok(ImageShape {
            height,
            width,
            channels,
        }),
        _ => refuse(
            format!("height and width of '{}' are open", wanted.name),
            "say which it gets: --shape 1x3x224x224",
        ),
    }
}
