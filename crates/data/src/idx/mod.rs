//! Folders of MNIST-like IDX files: images and labels, for training and perhaps for testing.

mod file;
mod folder;

use std::path::Path;

use crate::dataset::{Dataset, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::image::ImageShape;
use crate::options::LoadOptions;
use file::IdxFile;
use folder::{Pair, Part};

pub(crate) use folder::holds_idx;

/// Reads a folder of IDX files; the test files' rows follow the training files'.
///
/// Classes are the labels that occur in training, in order of value.
///
/// # Errors
/// Files that are absent, damaged, of other types than bytes, or that do not fit each other; labels in the test files
/// that training does not have.
pub(crate) fn read(folder: &Path, name: &str, options: &LoadOptions) -> Result<Dataset> {
    let train = folder::find(folder, Part::Train)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "no IDX files for training")
            .in_file(folder.display())
            .hint("the folder should hold train-images-idx3-ubyte and train-labels-idx1-ubyte, gzipped or not")
    })?;
    let test = folder::find(folder, Part::Test)?;
    let pairs: Vec<Pair> = std::iter::once(train).chain(test).collect();
    let mut images = pairs
        .iter()
        .map(|pair| IdxFile::open(&pair.images, options.expansion))
        .collect::<Result<Vec<_>>>()?;
    let shape = images[0].shape().to_vec();
    let columns = images[0].row_bytes()?;
    if let Some(other) = images.iter().find(|file| file.shape() != shape) {
        return Err(other.error(
            ErrorKind::Malformed,
            format!(
                "rows of shape {:?} where training has {shape:?}",
                other.shape()
            ),
        ));
    }

    if images[0].count() == 0 {
        return Err(images[0]
            .error(ErrorKind::Degenerate, "no images to train on".into())
            .hint("is it the file of another set?"));
    }
    let total = images
        .iter()
        .map(IdxFile::bytes)
        .fold(0, u64::saturating_add);
    if total > options.max_bytes {
        let error = images[0].error(ErrorKind::Limit, format!("the images take {total} bytes"));
        return Err(error.hint(format!("the limit is {} bytes", options.max_bytes)));
    }
    // No more than the files can hold, so that a header that lies costs no memory.
    let most = images
        .iter()
        .map(IdxFile::most)
        .fold(0, u64::saturating_add);
    let mut cells: Vec<u8> = Vec::new();
    let room = usize::try_from(total.min(most)).unwrap_or(usize::MAX);
    cells.try_reserve_exact(room).map_err(|_| {
        images[0].error(
            ErrorKind::Limit,
            format!("no memory for images of {total} bytes"),
        )
    })?;
    let mut labels: Vec<u8> = Vec::new();
    let mut train_rows = 0;
    for (pair, images) in pairs.iter().zip(&mut images) {
        let mut file = IdxFile::open(&pair.labels, options.expansion)?;
        if !file.shape().is_empty() {
            return Err(file.error(ErrorKind::Malformed, "not one label a row".into()));
        }
        if file.count() != images.count() {
            return Err(file
                .error(
                    ErrorKind::Malformed,
                    format!(
                        "{} labels, but {} images in {}",
                        file.count(),
                        images.count(),
                        pair.images.display()
                    ),
                )
                .hint("the two files are not of one set, or one is cut short"));
        }
        images.read_into(&mut cells)?;
        file.read_into(&mut labels)?;
        if train_rows == 0 {
            train_rows = labels.len();
        }
    }

    let target = classes(&labels, train_rows)
        .map_err(|error| error.in_file(pairs[pairs.len() - 1].labels.display()))?;
    let in_folder = |error: Error| error.in_file(folder.display());
    let image = match shape[..] {
        [height, width, ref rest @ ..] => Some(ImageShape {
            height,
            width,
            channels: rest.iter().product(),
        }),
        _ => None,
    };
    if let Some(image) = image {
        image.separate_channels(&mut cells);
    }
    let features = Features::new(Storage::U8(cells), columns).map_err(in_folder)?;
    let rows = features.rows();
    let mut dataset = Dataset::new(name, features, target).map_err(in_folder)?;
    if let Some(image) = image {
        dataset = dataset.with_image(image);
    }
    if train_rows < rows {
        dataset = dataset.with_test_rows(train_rows..rows);
    }
    Ok(dataset)
}

/// The labels as classes: those that occur in the first `train` rows.
fn classes(labels: &[u8], train: usize) -> Result<Target> {
    let mut class_of = [None; 256];
    for &label in &labels[..train] {
        class_of[usize::from(label)] = Some(0);
    }
    let mut names = Vec::new();
    for (label, class) in class_of.iter_mut().enumerate() {
        if class.is_some() {
            *class = Some(names.len() as u32);
            names.push(label.to_string());
        }
    }
    let known = |(row, &label): (usize, &u8)| {
        class_of[usize::from(label)].ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                format!(
                    "label {label} of test row {} is beyond the {} classes of training",
                    row + 1 - train,
                    names.len()
                ),
            )
            .hint("the files are not of one set, or training lacks a class")
        })
    };
    let labels = labels
        .iter()
        .enumerate()
        .map(known)
        .collect::<Result<_>>()?;
    Ok(Target::Classes { labels, names })
}

#[cfg(test)]
mod tests;
