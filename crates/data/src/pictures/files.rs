//! Pictures that stay in their files, as they would not fit into memory, and are decoded when their rows are asked for.

use std::path::PathBuf;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::image::ImageShape;
use crate::pictures::decode::{Bounds, Fitting, Picture};

/// The pictures of a set by their files; each was there and had a sound header when the set was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFiles {
    paths: Vec<PathBuf>,
    /// Of each file as it was: equal files are equal rows.
    digests: Vec<[u8; 32]>,
    shape: ImageShape,
    fitting: Fitting,
    bounds: Bounds,
}

impl ImageFiles {
    /// Reads all files once, in parallel, for their digests.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub(crate) fn new(
        paths: Vec<PathBuf>,
        shape: ImageShape,
        fitting: Fitting,
        bounds: Bounds,
    ) -> Result<Self> {
        let digests = first_error(paths.par_iter().map(|path| {
            let picture = Picture::read(path, bounds)?;
            Ok(Sha256::digest(picture.bytes()).into())
        }))?;
        Ok(Self {
            paths,
            digests,
            shape,
            fitting,
            bounds,
        })
    }

    /// The number of pictures.
    pub fn rows(&self) -> usize {
        self.paths.len()
    }

    /// Of each file as it was on loading.
    pub(crate) fn digests(&self) -> &[[u8; 32]] {
        &self.digests
    }

    /// The values of a picture.
    pub(crate) fn columns(&self) -> usize {
        self.shape.values()
    }

    /// Decodes the pictures of `rows` in parallel and hands each with its part of `out`, `width` long, to `take`.
    ///
    /// # Errors
    /// The first of the files that is no longer there, was changed for one that does not fit, or is damaged.
    ///
    /// # Panics
    /// If a row does not exist.
    pub(crate) fn read_rows<T: Send>(
        &self,
        rows: &[u32],
        width: usize,
        out: &mut [T],
        take: impl Fn(usize, &[u8], &mut [T]) + Sync,
    ) -> Result<()> {
        let parts = out.par_chunks_exact_mut(width);
        let read = parts.zip(rows).enumerate().map_init(
            || vec![0; self.columns()],
            |pixels, (at, (out, &row))| {
                let picture = Picture::read(&self.paths[row as usize], self.bounds)?;
                picture.decode(self.shape, self.fitting, pixels)?;
                take(at, pixels, out);
                Ok(())
            },
        );
        first_error(read).map(|_| ())
    }
}

/// All results, or the error of the first item in order, whichever thread came first.
pub(crate) fn first_error<T: Send>(
    results: impl IndexedParallelIterator<Item = Result<T>>,
) -> Result<Vec<T>> {
    let all: Vec<Result<T>> = results.collect();
    all.into_iter().collect()
}
