//! Height or width in a pass: which pixels along it are read for which that is written.
//!
//! Both directions of a convolution are the same kind of pass. Forward, pixel `y` of the output reads
//! the pixels `stride * y + dilation * k - before` of the input, one for each place `k` of the kernel.
//! Backward, pixel `x` of the input gets what it gave: it reads the pixels
//! `(x + before - dilation * k) / stride` of the output's gradient where that is a whole number.
//! For which `k` it is depends on the remainder of `x + before` only, so that backward is one pass for each
//! remainder, and in each the pixels that are read are neighbours: no product with a zero between them.

use std::ops::Range;

use super::Shape;

/// A place in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tap {
    /// Which.
    pub(super) place: usize,
    /// Its number among the taps of the pass.
    pub(super) position: usize,
    /// The pixel that it reads for the first that is written.
    pub(super) pixel: isize,
}

/// One of height and width in a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Axis {
    /// The first pixel that is written, how far it is to the next, and how many there are.
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
    /// How far the pixels that are read move from one written pixel to the next.
    pub(super) source_step: usize,
    /// In order of pixels.
    pub(super) taps: Vec<Tap>,
}

impl Axis {
    /// The pass forward.
    pub(super) fn forward(shape: &Shape, axis: usize) -> Self {
        let before = shape.before[axis] as isize;
        let taps = (0..shape.kernel[axis]).map(|place| Tap {
            place,
            position: place,
            pixel: (place * shape.dilations[axis]) as isize - before,
        });
        Self {
            first: 0,
            step: 1,
            count: shape.out_size[axis],
            source_step: shape.strides[axis],
            taps: taps.collect(),
        }
    }

    /// The passes backward that have pixels to write.
    pub(super) fn backward(shape: &Shape, axis: usize) -> Vec<Self> {
        let stride = shape.strides[axis];
        let (before, size) = (shape.before[axis], shape.in_size[axis]);
        let passes = (0..stride.min(size)).map(|first| {
            let places = (0..shape.kernel[axis]).rev().map(|place| {
                let distance = (first + before) as isize - (place * shape.dilations[axis]) as isize;
                (place, distance)
            });
            let places = places.filter(|(_, distance)| distance % stride as isize == 0);
            let taps = places.enumerate().map(|(position, (place, distance))| Tap {
                place,
                position,
                pixel: distance / stride as isize,
            });
            Self {
                first,
                step: stride,
                count: (size - first).div_ceil(stride),
                source_step: 1,
                taps: taps.collect(),
            }
        });
        passes.collect()
    }

    /// The written pixels in `range`, of all that there are, with some of the taps.
    fn part(&self, range: Range<usize>, taps: Range<usize>) -> Self {
        let moved = (range.start * self.source_step) as isize;
        Self {
            first: self.first + range.start * self.step,
            count: range.len(),
            taps: self.taps[taps]
                .iter()
                .map(|tap| Tap {
                    pixel: tap.pixel + moved,
                    ..*tap
                })
                .collect(),
            ..*self
        }
    }

    /// The written pixels in `range`.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        self.part(range, 0..self.taps.len())
    }

    /// Cut where the set of taps changes that read one of `size` pixels; the others are left out.
    pub(super) fn inside(&self, size: usize) -> Vec<Self> {
        let taps = |written: usize| {
            let moved = (written * self.source_step) as isize;
            let from = self.taps.partition_point(|tap| tap.pixel + moved < 0);
            let to = self
                .taps
                .partition_point(|tap| tap.pixel + moved < size as isize);
            if from < to { from..to } else { 0..0 }
        };
        let mut parts = Vec::new();
        let mut start = 0;
        for end in 1..=self.count {
            if end == self.count || taps(end) != taps(start) {
                parts.push(self.part(start..end, taps(start)));
                start = end;
            }
        }
        parts
    }

    /// For each tap the written pixels for which it reads one of `size` pixels, if there are any.
    pub(super) fn by_tap(&self, size: usize) -> Vec<Self> {
        let of = |index: usize| {
            let pixel = self.taps[index].pixel;
            let reads = |written: &usize| {
                let read = pixel + (*written * self.source_step) as isize;
                read >= 0 && read < size as isize
            };
            let start = (0..self.count).find(reads)?;
            let end = (start..self.count).find(|written| !reads(written));
            Some(self.part(start..end.unwrap_or(self.count), index..index + 1))
        };
        (0..self.taps.len()).filter_map(of).collect()
    }

    /// The range of pixels that passes read together.
    pub(super) fn range(passes: &[Self]) -> Range<isize> {
        let reach = passes.iter().filter_map(|axis| {
            let last = ((axis.count - 1) * axis.source_step) as isize;
            Some((axis.taps.first()?.pixel, axis.taps.last()?.pixel + last + 1))
        });
        let all = reach.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        all.map_or(0..0, |(from, to)| from..to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kernel 3 with a zero on both sides of 5 pixels.
    fn padded(stride: usize) -> Shape {
        Shape {
            inputs: 1,
            outputs: 1,
            groups: 1,
            kernel: [3, 3],
            strides: [stride; 2],
            dilations: [1, 1],
            before: [1, 1],
            in_size: [5, 5],
            out_size: [5_usize.div_ceil(stride); 2],
            in_stride: 16,
            out_stride: 16,
        }
    }

    /// First pixel, number of pixels, places and first pixel that is read.
    fn seen(axes: &[Axis]) -> Vec<(usize, usize, Vec<usize>, isize)> {
        let see = |a: &Axis| {
            let places = a.taps.iter().map(|tap| tap.place).collect();
            (a.first, a.count, places, a.taps[0].pixel)
        };
        axes.iter().map(see).collect()
    }

    #[test]
    fn inside_of_the_image_no_zero_is_read() {
        let axis = Axis::forward(&padded(1), 0);
        assert_eq!(Axis::range(std::slice::from_ref(&axis)), -1..6);
        let parts = axis.inside(5);
        assert_eq!(Axis::range(&parts), 0..5);
        assert_eq!(
            seen(&parts),
            [
                (0, 1, vec![1, 2], 0),
                (1, 3, vec![0, 1, 2], 0),
                (4, 1, vec![0, 1], 3),
            ]
        );
        assert_eq!(
            seen(&axis.by_tap(5)),
            [(1, 4, vec![0], 0), (0, 5, vec![1], 0), (0, 4, vec![2], 1)]
        );
    }

    #[test]
    fn backward_with_a_stride_takes_turns() {
        assert_eq!(
            seen(&Axis::backward(&padded(2), 0)),
            [(0, 3, vec![1], 0), (1, 2, vec![2, 0], 0)]
        );
    }
}
