//! The geometry of a pass over an image: which pixels are read for which pixel that is written.
//!
//! Products with zeros around an image are not computed: the pixels that are written fall into
//! rectangles that read the same places of the kernel, up to nine for a kernel of three by three, and each
//! is a [`Walk`] of its own that stays inside of the image.

use super::axis::Axis;

/// Numbers that lie side by side and are read for a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Where they start.
    pub(super) offset: usize,
    pub(super) len: usize,
    /// The row of weights of the first.
    pub(super) row: usize,
}

/// A rectangle of pixels in terms of offsets: the pixel in row `r` and column `c` of the grid is written
/// at `target + r * target_steps[0] + c * target_steps[1]`, and reads all runs from `r * source_steps[0] + c *
/// source_steps[1]` on.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) grid: [usize; 2],
    pub(super) source_steps: [usize; 2],
    pub(super) runs: Vec<Run>,
    pub(super) target: usize,
    pub(super) target_steps: [usize; 2],
}

/// An image as kernels find it in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raster {
    /// The pixel that comes first, counted from the first of the image, which it may precede.
    pub(super) first: [isize; 2],
    /// Floats from row to row and from pixel to pixel.
    pub(super) steps: [usize; 2],
}

impl Walk {
    /// The pass over `rows` and `columns` from one image to another, reading `channels` numbers of a pixel.
    ///
    /// Weights are in the order of the taps, of which `across` are in each row.
    pub(super) fn new(
        rows: &Axis,
        columns: &Axis,
        across: usize,
        source: Raster,
        target: Raster,
        channels: usize,
    ) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for y in &rows.taps {
            for x in &columns.taps {
                let offset = (y.pixel - source.first[0]) as usize * source.steps[0]
                    + (x.pixel - source.first[1]) as usize * source.steps[1];
                let row = (y.position * across + x.position) * channels;
                match runs.last_mut() {
                    Some(run) if (run.offset + run.len, run.row + run.len) == (offset, row) => {
                        run.len += channels;
                    }
                    _ => runs.push(Run {
                        offset,
                        len: channels,
                        row,
                    }),
                }
            }
        }
        Self {
            grid: [rows.count, columns.count],
            source_steps: [
                rows.source_step * source.steps[0],
                columns.source_step * source.steps[1],
            ],
            runs,
            target: rows.first * target.steps[0] + columns.first * target.steps[1],
            target_steps: [rows.step * target.steps[0], columns.step * target.steps[1]],
        }
    }

    /// The same pixels in rows that can be cut into better tiles.
    pub(super) fn in_long_rows(mut self) -> Self {
        let flat = |steps: [usize; 2]| steps[0] == self.grid[1] * steps[1];
        if flat(self.source_steps) && flat(self.target_steps) {
            self.grid = [1, self.grid[0] * self.grid[1]];
        }
        // Left and right of an image are columns of few pixels.
        if self.grid[1] < 4 && self.grid[0] > self.grid[1] {
            self.grid.reverse();
            self.source_steps.reverse();
            self.target_steps.reverse();
        }
        self
    }

    /// Floats that the source must have, where a run is read in full.
    pub(super) fn source_len(&self) -> usize {
        let ends = self.runs.iter().map(|run| run.offset + run.len);
        ends.max()
            .map_or(0, |end| self.last(self.source_steps) + end)
    }

    /// Floats that the target must have, where `width` are written for each pixel.
    pub(super) fn target_len(&self, width: usize) -> usize {
        self.target + self.last(self.target_steps) + width
    }

    /// Rows that the weights must have.
    pub(super) fn weight_rows(&self) -> usize {
        let ends = self.runs.iter().map(|run| run.row + run.len);
        ends.max().unwrap_or(0)
    }

    fn last(&self, steps: [usize; 2]) -> usize {
        (self.grid[0] - 1) * steps[0] + (self.grid[1] - 1) * steps[1]
    }
}

/// Cuts `len` into as few parts of at most `most` as there can be, and as equal as they can be: calls `visit`
/// with start and length of each.
#[inline(always)]
pub(super) fn parts(len: usize, most: usize, mut visit: impl FnMut(usize, usize)) {
    let count = len.div_ceil(most);
    let mut start = 0;
    for part in 0..count {
        let end = len * (part + 1) / count;
        visit(start, end - start);
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_and_few() {
        for (len, most, expected) in [
            (32, 14, &[10, 11, 11][..]),
            (28, 28, &[28]),
            (29, 28, &[14, 15]),
            (0, 5, &[]),
        ] {
            let mut lengths = vec![];
            parts(len, most, |start, n| {
                assert_eq!(start, lengths.iter().sum::<usize>());
                lengths.push(n);
            });
            assert_eq!(lengths, expected);
        }
    }
}
