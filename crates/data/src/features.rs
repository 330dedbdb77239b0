//! How the inputs of a data set lie in memory, and how a mini-batch is copied out of them.

use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::pictures::ImageFiles;
use crate::standardise::Standardiser;

/// The cells of a table, row after row, in the smallest type that holds them.
///
/// Pixels stay bytes: 70,000 images of 28 x 28 take 55 MB instead of 220 MB.
#[derive(Debug, Clone, PartialEq)]
pub enum Storage {
    /// Whole numbers from 0 to 255.
    U8(Vec<u8>),
    /// Finite numbers; NaN stands for a missing cell and for nothing else.
    F32(Vec<f32>),
    /// Bytes that are decoded from pictures whenever rows are gathered; only where
    /// [`LoadOptions::on_demand`](crate::LoadOptions::on_demand) allows for it.
    Files(ImageFiles),
}

/// A table of inputs: `rows` x `columns`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    storage: Storage,
    rows: usize,
    columns: usize,
}

impl Features {
    /// A table of `columns` columns from its cells, row after row.
    ///
    /// # Errors
    /// The table has no rows or no columns, more rows than a `u32` counts, a last row that is not full, or an infinite cell.
    pub fn new(storage: Storage, columns: usize) -> Result<Self> {
        let cells = match &storage {
            Storage::U8(cells) => cells.len(),
            Storage::F32(cells) => cells.len(),
            Storage::Files(files) => files.rows() * files.columns(),
        };
        if columns == 0 {
            return Err(Error::new(
                ErrorKind::Degenerate,
                "the data has no input columns",
            ));
        }
        if cells == 0 {
            return Err(Error::new(ErrorKind::Degenerate, "the data has no rows"));
        }
        if !cells.is_multiple_of(columns) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("{cells} cells do not fill rows of {columns} columns"),
            ));
        }
        let rows = cells / columns;
        if u32::try_from(rows).is_err() {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("{rows} rows are more than this version counts"),
            ));
        }
        if let Storage::F32(cells) = &storage
            && let Some(at) = cells.iter().position(|cell| cell.is_infinite())
        {
            return Err(Error::new(
                ErrorKind::Value,
                format!("row {} holds an infinite value", at / columns + 1),
            ));
        }
        Ok(Self {
            storage,
            rows,
            columns,
        })
    }

    /// The number of rows; at least one.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns; at least one.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The cells, row after row.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// One cell; NaN where it is missing.
    ///
    /// # Panics
    /// If the table has no such row or column, or if its rows lie in files.
    pub fn cell(&self, row: usize, column: usize) -> f32 {
        assert!(column < self.columns, "column {column} of {}", self.columns);
        let at = row * self.columns + column;
        match &self.storage {
            Storage::U8(cells) => f32::from(cells[at]),
            Storage::F32(cells) => cells[at],
            Storage::Files(_) => panic!("rows that lie in files are gathered, not looked at"),
        }
    }

    /// Writes the standardised `rows` into `out`, row after row: all columns, or the given ones in the given order.
    ///
    /// A missing cell takes the mean that `standardiser` found in its training rows. Use [`Standardiser::unscaled`]
    /// for raw values.
    ///
    /// # Panics
    /// If a row or column does not exist, if `out` is not `rows` x columns long, or if `standardiser` was made for
    /// another number of columns; if rows lie in files that cannot be read, for which see [`Features::try_gather`].
    pub fn gather(
        &self,
        rows: &[u32],
        columns: Option<&[u32]>,
        standardiser: &Standardiser,
        out: &mut [f32],
    ) {
        if let Err(error) = self.try_gather(rows, columns, standardiser, out) {
            panic!("{error}");
        }
    }

    /// As [`Features::gather`], also where rows lie in files.
    ///
    /// # Errors
    /// A file that was changed or removed since the set was loaded, or whose pixels are damaged; none for other storage.
    ///
    /// # Panics
    /// If a row or column does not exist, if `out` is not `rows` x columns long, or if `standardiser` was made for
    /// another number of columns.
    pub fn try_gather(
        &self,
        rows: &[u32],
        columns: Option<&[u32]>,
        standardiser: &Standardiser,
        out: &mut [f32],
    ) -> Result<()> {
        let width = columns.map_or(self.columns, <[u32]>::len);
        assert_eq!(out.len(), rows.len() * width, "length of the output");
        assert_eq!(
            standardiser.shift().len(),
            self.columns,
            "columns of the standardiser"
        );
        if width == 0 {
            return Ok(());
        }
        let picked;
        let by = match columns {
            None => standardiser,
            Some(columns) => {
                picked = standardiser.pick(columns);
                &picked
            }
        };
        if let Storage::Files(files) = &self.storage {
            return files.read_rows(rows, width, out, |_, pixels, out| {
                copy(pixels, columns, f32::from, out);
                by.apply(out);
            });
        }
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
            self.copy_row(row, columns, by, out);
            by.apply(out);
        }
        Ok(())
    }

    /// Gathers all columns of `rows` in parallel, each changed by `change` from its raw values before it is standardised;
    /// `change` is given the position in `rows`, the raw values and where the changed ones go.
    ///
    /// # Errors
    /// As [`Features::try_gather`].
    ///
    /// # Panics
    /// As [`Features::try_gather`].
    pub(crate) fn gather_changed(
        &self,
        rows: &[u32],
        standardiser: &Standardiser,
        out: &mut [f32],
        change: impl Fn(usize, &[f32], &mut [f32]) + Sync,
    ) -> Result<()> {
        let width = self.columns;
        assert_eq!(out.len(), rows.len() * width, "length of the output");
        assert_eq!(
            standardiser.shift().len(),
            width,
            "columns of the standardiser"
        );
        if let Storage::Files(files) = &self.storage {
            return files.read_rows(rows, width, out, |at, pixels, out| {
                let raw: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel)).collect();
                change(at, &raw, out);
                standardiser.apply(out);
            });
        }
        let parts = out.par_chunks_exact_mut(width).zip(rows).enumerate();
        parts.for_each_init(
            || vec![0.0; width],
            |raw, (at, (out, &row))| {
                self.copy_row(row, None, standardiser, raw);
                change(at, raw, out);
                standardiser.apply(out);
            },
        );
        Ok(())
    }

    /// Copies the raw values of a row in memory, those that are missing filled.
    fn copy_row(&self, row: u32, columns: Option<&[u32]>, by: &Standardiser, out: &mut [f32]) {
        let start = row as usize * self.columns;
        let cells = start..start + self.columns;
        match &self.storage {
            Storage::U8(all) => copy(&all[cells], columns, f32::from, out),
            Storage::F32(all) => {
                copy(&all[cells], columns, |cell| cell, out);
                by.fill_missing(out);
            }
            // Decoded by `ImageFiles::read_rows`.
            Storage::Files(_) => {}
        }
    }

    /// The same table in bytes where every cell is a whole number from 0 to 255.
    pub(crate) fn compact(self) -> Self {
        let Storage::F32(cells) = &self.storage else {
            return self;
        };
        let fits = |cell: &f32| (0.0..=255.0).contains(cell) && cell.fract() == 0.0;
        if !cells.iter().all(fits) {
            return self;
        }
        let bytes = cells.iter().map(|&cell| cell as u8).collect();
        Self {
            storage: Storage::U8(bytes),
            ..self
        }
    }
}

fn copy<T: Copy>(row: &[T], columns: Option<&[u32]>, value: impl Fn(T) -> f32, out: &mut [f32]) {
    match columns {
        None => (out.iter_mut().zip(row)).for_each(|(out, &cell)| *out = value(cell)),
        Some(columns) => {
            for (out, &column) in out.iter_mut().zip(columns) {
                *out = value(row[column as usize]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standardise::Scaling;

    #[test]
    fn bytes_and_floats_gather_alike() {
        let cells = [3u8, 250, 0, 7, 9, 1];
        let bytes = Features::new(Storage::U8(cells.to_vec()), 3).unwrap();
        let floats = Features::new(
            Storage::F32(cells.iter().map(|&c| f32::from(c)).collect()),
            3,
        )
        .unwrap();
        for scaling in [Scaling::PerFeature, Scaling::Unit, Scaling::None] {
            let by = Standardiser::fit(&bytes, &[0, 1], scaling.clone());
            assert_eq!(by, Standardiser::fit(&floats, &[0, 1], scaling));
            for columns in [None, Some([2u32, 0, 2].as_slice())] {
                let (mut a, mut b) = ([0.0; 6], [1.0; 6]);
                bytes.gather(&[1, 0], columns, &by, &mut a);
                floats.gather(&[1, 0], columns, &by, &mut b);
                assert_eq!(a, b);
                for (at, value) in a.iter().enumerate() {
                    let column = columns.map_or(at % 3, |columns| columns[at % 3] as usize);
                    let raw = bytes.cell(1 - at / 3, column);
                    assert_eq!(*value, (raw - by.shift()[column]) / by.scale()[column]);
                }
            }
        }
        assert_eq!(floats.compact(), bytes);
    }

    #[test]
    fn columns_are_picked_in_the_order_given() {
        let features = Features::new(Storage::U8(vec![1, 2, 3, 4, 5, 6]), 3).unwrap();
        let raw = Standardiser::identity(3);
        let mut out = [0.0; 4];
        features.gather(&[1, 0], Some(&[2, 0]), &raw, &mut out);
        assert_eq!(out, [6.0, 4.0, 3.0, 1.0]);
    }

    #[test]
    fn a_missing_cell_takes_the_mean_of_the_training_rows() {
        let cells = vec![1.0, f32::NAN, 3.0, 100.0];
        let features = Features::new(Storage::F32(cells), 1).unwrap();
        let by = Standardiser::fit(&features, &[0, 1, 2], Scaling::PerFeature);
        let mut out = [0.0; 2];
        features.gather(&[1, 2], None, &by, &mut out);
        assert_eq!(out, [0.0, 1.0]);
        features.gather(&[1, 2], None, &by.unscaled(), &mut out);
        assert_eq!(out, [2.0, 3.0]);
    }

    #[test]
    fn only_whole_numbers_of_a_byte_are_compacted() {
        for cell in [0.5, -1.0, 256.0, f32::NAN] {
            let features = Features::new(Storage::F32(vec![1.0, cell]), 1).unwrap();
            assert!(matches!(features.compact().storage(), Storage::F32(_)));
        }
    }

    #[test]
    fn tables_that_are_no_tables_are_refused() {
        let kind = |storage, columns| Features::new(storage, columns).unwrap_err().kind();
        assert_eq!(kind(Storage::U8(vec![]), 2), ErrorKind::Degenerate);
        assert_eq!(kind(Storage::U8(vec![1]), 0), ErrorKind::Degenerate);
        assert_eq!(kind(Storage::U8(vec![1, 2, 3]), 2), ErrorKind::Malformed);
        assert_eq!(kind(Storage::F32(vec![f32::INFINITY]), 1), ErrorKind::Value);
    }
}
