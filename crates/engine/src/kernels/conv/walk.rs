//! The geometry of a pass over an image: which pixels are read for which pixel that is written.
//!
//! Both directions of a convolution are the same kind of pass. Forward, pixel `y` of the output reads
//! the pixels `stride * y + dilation * k - before` of the input, one for each place `k` of the kernel.
//! Backward, pixel `x` of the input gets what it gave: it reads the pixels
//! `(x + before - dilation * k) / stride` of the output's gradient where that is a whole number.
//! For which `k` it is depends on the remainder of `x + before` only, so that backward is one pass for each
//! remainder, and in each the pixels that are read are neighbours: no product with a zero between them.

use super::Shape;

/// One of height and width in a pass.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// The first pixel that is written, how far it is to the next, and how many there are.
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
    /// How far the pixels that are read move from one written pixel to the next.
    pub(super) source_step: usize,
    /// Places in the kernel, and the pixel that each reads for the first written pixel; in order of pixels.
    pub(super) taps: Vec<(usize, isize)>,
}

impl Axis {
    /// The pass forward.
    pub(super) fn forward(shape: &Shape, axis: usize) -> Self {
        let place = |k| (k * shape.dilations[axis]) as isize - shape.before[axis] as isize;
        Self {
            first: 0,
            step: 1,
            count: shape.out_size[axis],
            source_step: shape.strides[axis],
            taps: (0..shape.kernel[axis]).map(|k| (k, place(k))).collect(),
        }
    }

    /// The passes backward that have pixels to write.
    pub(super) fn backward(shape: &Shape, axis: usize) -> Vec<Self> {
        let stride = shape.strides[axis];
        let (before, size) = (shape.before[axis], shape.in_size[axis]);
        let passes = (0..stride.min(size)).map(|first| {
            let places = (0..shape.kernel[axis]).rev().map(|k| {
                let distance = (first + before) as isize - (k * shape.dilations[axis]) as isize;
                (k, distance)
            });
            Self {
                first,
                step: stride,
                count: (size - first).div_ceil(stride),
                source_step: 1,
                taps: places
                    .filter(|(_, distance)| distance % stride as isize == 0)
                    .map(|(k, distance)| (k, distance / stride as isize))
                    .collect(),
            }
        });
        passes.collect()
    }

    /// The first pixel that is read, and how many from there on.
    fn reach(&self) -> Option<(isize, isize)> {
        let first = self.taps.first()?.1;
        let last = self.taps.last()?.1 + ((self.count - 1) * self.source_step) as isize;
        Some((first, last + 1))
    }

    /// The range of pixels that passes read together.
    pub(super) fn range(passes: &[Self]) -> (isize, isize) {
        let reach = passes.iter().filter_map(Self::reach);
        let all = reach.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        all.unwrap_or((0, 0))
    }
}

/// Numbers that lie side by side and are read for a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) offset: usize,
    pub(super) len: usize,
}

/// A pass in terms of offsets: the pixel in row `r` and column `c` of the grid is written at `target + r *
/// target_steps[0] + c * target_steps[1]`, and reads all runs from `r * source_steps[0] + c * source_steps[1]` on.
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
    pub(super) fn new(
        rows: &Axis,
        columns: &Axis,
        source: Raster,
        target: Raster,
        channels: usize,
    ) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for (_, y) in &rows.taps {
            for (_, x) in &columns.taps {
                let offset = (y - source.first[0]) as usize * source.steps[0]
                    + (x - source.first[1]) as usize * source.steps[1];
                match runs.last_mut() {
                    Some(run) if run.offset + run.len == offset => run.len += channels,
                    _ => runs.push(Run {
                        offset,
                        len: channels,
                    }),
                }
            }
        }
        let mut walk = Self {
            grid: [rows.count, columns.count],
            source_steps: [
                rows.source_step * source.steps[0],
                columns.source_step * source.steps[1],
            ],
            runs,
            target: rows.first * target.steps[0] + columns.first * target.steps[1],
            target_steps: [rows.step * target.steps[0], columns.step * target.steps[1]],
        };
        // One long row can be cut into better tiles than many short ones.
        let flat = |steps: [usize; 2]| steps[0] == walk.grid[1] * steps[1];
        if flat(walk.source_steps) && flat(walk.target_steps) {
            walk.grid = [1, walk.grid[0] * walk.grid[1]];
        }
        walk
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
