//! The image that a pass reads: the caller's, or a copy with zeros around it.

use std::ops::Range;

use super::walk::Raster;

/// Which part of an image is read, and how it is laid out.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Pixels of the image, and floats from one to the next.
    size: [usize; 2],
    stride: usize,
    /// Pixels that are read; those left and right of the image are zeros.
    rows: Range<usize>,
    columns: Range<isize>,
    /// Floats from pixel to pixel where they are read.
    step: usize,
    copied: bool,
}

impl Source {
    /// Reads `rows`, which are all in the image, and `columns`, with pixels `step` floats apart.
    pub(super) fn new(
        size: [usize; 2],
        stride: usize,
        rows: Range<usize>,
        columns: Range<isize>,
        step: usize,
    ) -> Self {
        let inside = columns.start >= 0 && columns.end <= size[1] as isize;
        Self {
            size,
            stride,
            rows,
            columns,
            step,
            copied: step != stride || !inside,
        }
    }

    /// How the kernels find the image.
    pub(super) fn raster(&self) -> Raster {
        let width = if self.copied {
            self.width()
        } else {
            self.size[1]
        };
        Raster {
            first: [self.rows.start as isize, self.columns.start],
            steps: [width * self.step, self.step],
        }
    }

    /// Floats of scratch that the copy needs.
    pub(super) fn scratch_len(&self) -> usize {
        if self.copied {
            self.rows.len() * self.width() * self.step
        } else {
            0
        }
    }

    fn width(&self) -> usize {
        (self.columns.end - self.columns.start) as usize
    }

    /// The image from the first pixel that is read.
    pub(super) fn prepare<'a>(&self, image: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        if self.copied {
            self.copy(image, scratch);
            scratch
        } else {
            let first = self.rows.start * self.size[1] + self.columns.start as usize;
            &image[first * self.stride..]
        }
    }

    fn copy(&self, image: &[f32], into: &mut [f32]) {
        // Columns of the copy that come from the image.
        let left = self.columns.start.max(0);
        let right = self.columns.end.min(self.size[1] as isize).max(left);
        let before = ((left - self.columns.start) as usize).min(self.width());
        let count = ((right - left) as usize).min(self.width() - before);
        let rows = into.chunks_exact_mut((self.width() * self.step).max(1));
        for (y, row) in self.rows.clone().zip(rows) {
            let (zeros, rest) = row.split_at_mut(before * self.step);
            let (pixels, more) = rest.split_at_mut(count * self.step);
            zeros.fill(0.0);
            more.fill(0.0);
            if count == 0 {
                continue;
            }
            let from = (y * self.size[1] + left as usize) * self.stride;
            let from = &image[from..][..count * self.stride];
            if self.step == self.stride {
                pixels.copy_from_slice(from);
            } else {
                let channels = self.step.min(self.stride);
                let pixels = pixels.chunks_exact_mut(self.step);
                for (to, from) in pixels.zip(from.chunks_exact(self.stride)) {
                    to[..channels].copy_from_slice(&from[..channels]);
                    to[channels..].fill(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of a 2x3 image of 2 channels are 1 to 6, and their second channel is 0.5 more.
    fn image() -> Vec<f32> {
        (1..=6).flat_map(|p| [p as f32, p as f32 + 0.5]).collect()
    }

    fn firsts(source: &Source) -> Vec<f32> {
        let mut scratch = vec![f32::NAN; source.scratch_len()];
        let image = image();
        let seen = source.prepare(&image, &mut scratch);
        seen.chunks_exact(source.step).map(|p| p[0]).collect()
    }

    #[test]
    fn zeros_left_and_right_and_nothing_beyond_the_range() {
        let source = Source::new([2, 3], 2, 0..2, -1..2, 2);
        assert_eq!(firsts(&source), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        let source = Source::new([2, 3], 2, 1..2, 1..5, 2);
        assert_eq!(firsts(&source), [5.0, 6.0, 0.0, 0.0]);
        assert_eq!(source.raster().steps, [8, 2]);
    }

    #[test]
    fn a_range_inside_is_read_in_place() {
        let source = Source::new([2, 3], 2, 1..2, 1..3, 2);
        assert_eq!(source.scratch_len(), 0);
        assert_eq!(firsts(&source), [5.0, 6.0]);
        assert_eq!(source.raster().steps, [6, 2]);
    }

    #[test]
    fn a_range_beside_the_image_is_zeros() {
        assert_eq!(firsts(&Source::new([2, 3], 2, 0..1, 5..7, 2)), [0.0, 0.0]);
        assert_eq!(firsts(&Source::new([2, 3], 2, 0..1, -7..-5, 2)), [0.0, 0.0]);
    }

    #[test]
    fn pixels_can_be_spread() {
        let source = Source::new([2, 3], 2, 1..2, 1..4, 4);
        let mut scratch = vec![f32::NAN; source.scratch_len()];
        assert_eq!(
            source.prepare(&image(), &mut scratch),
            [5.0, 5.5, 0.0, 0.0, 6.0, 6.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
    }
}
