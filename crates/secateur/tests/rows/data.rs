//! Data sets of NumPy arrays whose rows can be changed one by one.

use std::path::Path;

use secateur_testkit::Stream;

/// What is predicted.
#[derive(Clone)]
pub(crate) enum Targets {
    Classes(Vec<i64>),
    /// So many numbers a row.
    Numbers(Vec<f32>, usize),
}

/// A table or pictures, the rows of a test set of its own last.
#[derive(Clone)]
pub(crate) struct Data {
    /// Lengths of a row's axes.
    pub(crate) shape: Vec<usize>,
    pub(crate) cells: Vec<f32>,
    pub(crate) targets: Targets,
    /// Rows at the end that are a test set of their own; 0 if the split draws one.
    pub(crate) own_test: usize,
}

/// Three classes, one of them rare: features lie around a place for each, `spread` wide.
pub(crate) fn classes(rows: usize, shape: &[usize], spread: f64, own_test: usize) -> Data {
    let width: usize = shape.iter().product();
    let mut stream = Stream::new(rows as u64);
    let labels: Vec<i64> = (0..rows).map(|row| [0, 1, 0, 2, 1, 0][row % 6]).collect();
    let mut cells = vec![];
    for label in &labels {
        for column in 0..width {
            // Never whole: such numbers would be held as bytes.
            let place = f64::from((*label as usize + column).is_multiple_of(3));
            cells.push((0.3 + 0.4 * place + spread * stream.unit()) as f32);
        }
    }
    Data {
        shape: shape.to_vec(),
        cells,
        targets: Targets::Classes(labels),
        own_test,
    }
}

/// Two smooth functions of some features with noise, in units far apart.
pub(crate) fn numbers(rows: usize, width: usize, own_test: usize) -> Data {
    let mut stream = Stream::new(1 + rows as u64);
    let (mut cells, mut values) = (vec![], vec![]);
    for _ in 0..rows {
        let row: Vec<f64> = (0..width).map(|_| 5.0 * stream.unit()).collect();
        values.push((row[0] + (2.0 * row[1]).sin() + 0.3 * stream.unit()) as f32);
        values.push((300.0 - 40.0 * row[width - 1] + 9.0 * stream.unit()) as f32);
        cells.extend(row.iter().map(|&v| v as f32));
    }
    Data {
        shape: vec![width],
        cells,
        targets: Targets::Numbers(values, 2),
        own_test,
    }
}

impl Data {
    pub(crate) fn width(&self) -> usize {
        self.shape.iter().product()
    }

    pub(crate) fn rows(&self) -> usize {
        self.cells.len() / self.width()
    }

    /// The features of some rows, one after the other.
    pub(crate) fn features(&self, rows: &[u32]) -> Vec<f32> {
        let width = self.width();
        let row = |&row: &u32| &self.cells[row as usize * width..][..width];
        rows.iter().flat_map(row).copied().collect()
    }

    /// Some rows take each other's features; targets stay.
    pub(crate) fn with_exchanged_features(mut self, rows: &[u32]) -> Self {
        let width = self.width();
        let from = self.features(rows);
        for (row, features) in rows.iter().rev().zip(from.chunks(width)) {
            self.cells[*row as usize * width..][..width].copy_from_slice(features);
        }
        self
    }

    /// All features of some rows, times a factor.
    pub(crate) fn with_scaled_features(mut self, rows: &[u32], factor: f32) -> Self {
        let width = self.width();
        for &row in rows {
            let features = &mut self.cells[row as usize * width..][..width];
            features.iter_mut().for_each(|cell| *cell *= factor);
        }
        self
    }

    /// Other targets of some rows. In a split that is drawn, classes have their shares in each part. There two rows
    /// exchange theirs, between which no row has either: a draw within each class gives the same rows again.
    pub(crate) fn with_other_targets(mut self, rows: &[u32]) -> Self {
        let first_own = self.rows() - self.own_test;
        match &mut self.targets {
            Targets::Numbers(values, width) => {
                for &row in rows {
                    let values = &mut values[row as usize * *width..][..*width];
                    values.iter_mut().for_each(|v| *v = 7.0 - 100.0 * *v);
                }
            }
            Targets::Classes(labels) if rows.iter().all(|&r| r as usize >= first_own) => {
                // Few of each become many, too.
                rows.iter()
                    .for_each(|&r| labels[r as usize] = (labels[r as usize] + 1) % 3);
            }
            Targets::Classes(labels) => {
                let mut exchanged = 0;
                let mut rows = rows.iter().map(|&row| row as usize).peekable();
                while let (Some(i), Some(&j)) = (rows.next(), rows.peek()) {
                    let (a, b) = (labels[i], labels[j]);
                    if a != b && !labels[i + 1..j].iter().any(|l| [a, b].contains(l)) {
                        labels.swap(i, j);
                        exchanged += 1;
                        rows.next();
                    }
                }
                assert!(exchanged > 0, "no two rows can exchange their classes");
            }
        }
        self
    }

    /// All three changes, each of which is a fault's way in.
    pub(crate) fn spoilt(self, rows: &[u32]) -> Self {
        self.with_exchanged_features(rows)
            .with_scaled_features(rows, 1000.0)
            .with_other_targets(rows)
    }

    /// Writes the arrays into a folder, in place of those that were there.
    pub(crate) fn write(&self, folder: &Path) {
        let train = self.rows() - self.own_test;
        let parts = [
            ("x", "y", 0..train),
            ("x_test", "y_test", train..self.rows()),
        ];
        for (x, y, rows) in parts.into_iter().filter(|(_, _, rows)| !rows.is_empty()) {
            let mut shape = vec![rows.len()];
            shape.extend(&self.shape);
            let width = self.width();
            let bytes = self.cells[rows.start * width..rows.end * width].iter();
            array(
                folder,
                x,
                "<f4",
                &shape,
                bytes.flat_map(|v| v.to_le_bytes()),
            );
            match &self.targets {
                Targets::Classes(labels) => {
                    let bytes = labels[rows.clone()].iter().flat_map(|v| v.to_le_bytes());
                    array(folder, y, "<i8", &[rows.len()], bytes);
                }
                Targets::Numbers(values, width) => {
                    let bytes = values[rows.start * width..rows.end * width].iter();
                    let bytes = bytes.flat_map(|v| v.to_le_bytes());
                    array(folder, y, "<f4", &[rows.len(), *width], bytes);
                }
            }
        }
    }
}

/// Writes an array as NumPy does.
fn array(
    folder: &Path,
    name: &str,
    kind: &str,
    shape: &[usize],
    numbers: impl Iterator<Item = u8>,
) {
    let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({lengths}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(numbers);
    std::fs::write(folder.join(name).with_extension("npy"), bytes).unwrap();
}
