//! The order of weights in which kernels read them.

/// Weights of one group in the order of the kernels.
///
/// Columns, the channels that a kernel writes, come in blocks of vectors. A block is a matrix, row-major,
/// with a row for each number that is read around a pixel: taps in the order of [`Layout::taps`],
/// and in each the elements, the channels that are read. Columns that fill up the last vector are zeros.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Places in the kernel, row-major.
    pub(super) taps: Vec<usize>,
    /// Channels that are read, and how far apart their weights lie.
    pub(super) elements: usize,
    pub(super) element_step: usize,
    /// Channels that are written, and how far apart their weights lie.
    pub(super) columns: usize,
    pub(super) column_step: usize,
    /// Floats of a vector.
    pub(super) lanes: usize,
    /// Vectors of a block; the last block may have less.
    pub(super) block: usize,
}

impl Layout {
    /// Vectors of all columns.
    pub(super) fn vectors(&self) -> usize {
        self.columns.div_ceil(self.lanes)
    }

    /// Numbers that are read around a pixel: rows of a block.
    pub(super) fn rows(&self) -> usize {
        self.taps.len() * self.elements
    }

    /// Floats of the packed weights.
    pub(super) fn len(&self) -> usize {
        self.vectors() * self.lanes * self.rows()
    }

    /// Brings `weights` into order.
    pub(super) fn pack(&self, weights: &[f32], into: &mut [f32]) {
        assert_eq!(into.len(), self.len(), "packed weights");
        self.each_row(|row| {
            let packed = &mut into[row.start..row.start + row.width];
            packed[row.columns..].fill(0.0);
            for (column, p) in packed[..row.columns].iter_mut().enumerate() {
                *p = weights[row.weight + column * self.column_step];
            }
        });
    }

    /// `into = keep * into + packed` in the order of the model; with `keep` 0 old numbers are not read.
    pub(super) fn unpack(&self, packed: &[f32], keep: f32, into: &mut [f32]) {
        assert_eq!(packed.len(), self.len(), "packed weights");
        self.each_row(|row| {
            let packed = &packed[row.start..row.start + row.columns];
            for (column, p) in packed.iter().enumerate() {
                let weight = &mut into[row.weight + column * self.column_step];
                *weight = if keep == 0.0 { *p } else { keep * *weight + p };
            }
        });
    }

    fn each_row(&self, mut visit: impl FnMut(Row)) {
        let mut start = 0;
        for vector in (0..self.vectors()).step_by(self.block) {
            let first = vector * self.lanes;
            let width = self.block.min(self.vectors() - vector) * self.lanes;
            for &tap in &self.taps {
                for element in 0..self.elements {
                    visit(Row {
                        start,
                        width,
                        columns: width.min(self.columns - first),
                        weight: first * self.column_step + element * self.element_step + tap,
                    });
                    start += width;
                }
            }
        }
    }
}

/// A row of a block.
struct Row {
    /// Where it starts among the packed weights, and how long it is with zeros.
    start: usize,
    width: usize,
    /// How long it is without zeros.
    columns: usize,
    /// Where the weight of its first column is in the model.
    weight: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two outputs of three inputs and two taps, in vectors of four.
    #[test]
    fn forward_and_turned_order() {
        let weights: Vec<f32> = (0..12).map(|w| w as f32).collect();
        let forward = Layout {
            taps: vec![0, 1],
            elements: 3,
            element_step: 2,
            columns: 2,
            column_step: 6,
            lanes: 4,
            block: 2,
        };
        let mut packed = vec![f32::NAN; forward.len()];
        forward.pack(&weights, &mut packed);
        assert_eq!(packed[..8], [0.0, 6.0, 0.0, 0.0, 2.0, 8.0, 0.0, 0.0]);
        assert_eq!(packed[12..16], [1.0, 7.0, 0.0, 0.0]);
        let mut back = vec![f32::NAN; 12];
        forward.unpack(&packed, 0.0, &mut back);
        assert_eq!(back, weights);
        forward.unpack(&packed, 2.0, &mut back);
        assert!(back.iter().zip(&weights).all(|(b, w)| *b == 3.0 * w));

        let turned = Layout {
            taps: vec![1],
            elements: 2,
            element_step: 6,
            columns: 3,
            column_step: 2,
            lanes: 2,
            block: 1,
        };
        let mut packed = vec![f32::NAN; turned.len()];
        turned.pack(&weights, &mut packed);
        assert_eq!(packed, [1.0, 3.0, 7.0, 9.0, 5.0, 0.0, 11.0, 0.0]);
    }
}
