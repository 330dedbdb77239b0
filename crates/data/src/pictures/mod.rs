//! Folders of PNG, JPEG and WebP pictures, one folder a class.

mod decode;
mod files;
mod folder;

use std::path::Path;

use rayon::prelude::*;

use crate::dataset::{Dataset, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::image::ImageShape;
use crate::options::LoadOptions;
use decode::{Header, odd};
use folder::Listing;

pub(crate) use decode::{Bounds, Fitting, Picture};
pub use files::ImageFiles;
pub(crate) use files::first_error;
pub(crate) use folder::{holds, is_picture};

/// Reads a folder of pictures: their pixels into memory if they fit, else only their headers.
///
/// A set has one channel where no picture has colours or where `options` say so, else three.
///
/// # Errors
/// As [`folder::list`]; files that are no pictures, of different sizes where none is given; [`ErrorKind::Limit`] where
/// pixels do not fit and may not stay in their files.
pub(crate) fn read(root: &Path, name: &str, options: &LoadOptions) -> Result<Dataset> {
    let listing = folder::list(root)?;
    let bounds = Bounds::of(options);
    let headers = first_error(
        listing
            .paths
            .par_iter()
            .map(|path| Picture::read(path, bounds)?.header()),
    )?;
    let shape = shape(&listing, &headers, options)?;
    let one = (shape.height as u64)
        .saturating_mul(shape.width as u64)
        .saturating_mul(shape.channels as u64);
    let total = one.saturating_mul(listing.paths.len() as u64);
    // A size that is asked for is meant, whatever the files take.
    let most = match options.size {
        Some(_) => options.max_bytes,
        None => bounds.pixels(headers.iter().map(|header| header.file).sum()),
    };
    // One picture must fit, wherever the others stay.
    if one > most {
        return Err(too_large(root, total, most));
    }
    let Listing {
        classes,
        paths,
        labels,
        train,
        mut notes,
    } = listing;
    let rows = paths.len();
    let fitting = match options.size {
        Some(_) => Fitting::Stretched,
        None => Fitting::AsItIs,
    };
    let storage = if total <= most {
        let mut cells: Vec<u8> = Vec::new();
        cells
            .try_reserve_exact(total as usize)
            .map_err(|_| too_large(root, total, most))?;
        cells.resize(total as usize, 0);
        let parts = cells.par_chunks_exact_mut(shape.values()).zip(&paths);
        first_error(
            parts.map(|(out, path)| Picture::read(path, bounds)?.decode(shape, fitting, out)),
        )?;
        Storage::U8(cells)
    } else if options.on_demand {
        notes.push(format!(
            "the pixels take {total} bytes, more than the limit of {most}: pictures are decoded when they are needed"
        ));
        Storage::Files(ImageFiles::new(paths, shape, fitting, bounds)?)
    } else {
        return Err(too_large(root, total, most));
    };
    let in_folder = |error: Error| error.in_file(root.display());
    let features = Features::new(storage, shape.values()).map_err(in_folder)?;
    let target = Target::Classes {
        labels,
        names: classes,
    };
    let mut dataset = Dataset::new(name, features, target)
        .map_err(in_folder)?
        .with_image(shape)
        .with_notes(notes);
    if train < rows {
        dataset = dataset.with_test_rows(train..rows);
    }
    Ok(dataset)
}

/// The shape of every picture of the set.
fn shape(listing: &Listing, headers: &[Header], options: &LoadOptions) -> Result<ImageShape> {
    let first = (headers[0].height, headers[0].width);
    let (height, width) = options.size.unwrap_or(first);
    // The sizes of files come from 32-bit headers; a size that is asked for must be one as well.
    if height == 0 || width == 0 || u32::try_from(height.max(width)).is_err() {
        let message = format!("pictures of {height} x {width} pixels");
        return Err(
            Error::new(ErrorKind::Usage, message).hint("a size is height and width, above 0")
        );
    }
    let size = |header: &Header| (header.height, header.width);
    let other = headers.iter().position(|header| size(header) != first);
    if let Some(at) = other.filter(|_| options.size.is_none()) {
        return Err(odd(&listing.paths[at], size(&headers[at]), first));
    }
    let grey = options.gray || headers.iter().all(|header| header.grey);
    Ok(ImageShape {
        height,
        width,
        channels: if grey { 1 } else { 3 },
    })
}

fn too_large(root: &Path, total: u64, most: u64) -> Error {
    let message = format!("the pixels take {total} bytes");
    Error::new(ErrorKind::Limit, message)
        .in_file(root.display())
        .hint(format!(
            "the limit is {most} bytes; a smaller size (--size) takes less"
        ))
}

#[cfg(test)]
pub(crate) mod tests;
