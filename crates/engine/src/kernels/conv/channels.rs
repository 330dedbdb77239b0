//! Groups of channels, and what is done about groups that do not fill vectors.

use super::dense::Finish;

/// How the channels of one direction fall into groups.
#[derive(Debug, Clone)]
pub(super) struct Channels {
    /// Groups that run by themselves.
    pub(super) groups: usize,
    /// Channels that a group reads, and channels that it writes.
    pub(super) reads: usize,
    pub(super) writes: usize,
    /// Floats of a pixel that is written.
    pub(super) stride: usize,
    pub(super) lanes: usize,
}

impl Channels {
    /// Vectors that a group writes.
    pub(super) fn vectors(&self) -> usize {
        self.writes.div_ceil(self.lanes)
    }

    /// Whether groups are not whole vectors, so that each is written to an image of its own first.
    pub(super) fn apart(&self) -> bool {
        self.groups > 1 && !self.writes.is_multiple_of(self.lanes)
    }

    /// Floats of a pixel where the kernels write.
    pub(super) fn pixel(&self) -> usize {
        if self.apart() {
            self.vectors() * self.lanes
        } else {
            self.stride
        }
    }

    /// Floats of an image of a group's own, beside an image of `written` floats.
    pub(super) fn apart_len(&self, written: usize) -> usize {
        if self.apart() {
            written / self.stride * self.pixel()
        } else {
            0
        }
    }

    /// Puts a group's own image where it belongs, from channel `first` of `into` on.
    pub(super) fn insert(&self, apart: &[f32], first: usize, finish: Finish<'_>, into: &mut [f32]) {
        let pixels = into.chunks_exact_mut(self.stride);
        for (to, from) in pixels.zip(apart.chunks_exact(self.pixel())) {
            for (channel, from) in from[..self.writes].iter().enumerate() {
                let to = &mut to[first + channel];
                let mut sum = from + finish.bias.get(first + channel).unwrap_or(&0.0);
                if finish.add {
                    sum += *to;
                }
                // In this order a NaN stays one.
                *to = if finish.relu && sum < 0.0 { 0.0 } else { sum };
            }
        }
    }

    /// The way back of [`Channels::insert`], with zeros up to whole vectors.
    pub(super) fn extract(&self, image: &[f32], first: usize, apart: &mut [f32]) {
        let pixels = image.chunks_exact(self.stride);
        for (from, to) in pixels.zip(apart.chunks_exact_mut(self.pixel())) {
            to[..self.writes].copy_from_slice(&from[first..first + self.writes]);
            to[self.writes..].fill(0.0);
        }
    }

    /// Zeros in what no group has written.
    pub(super) fn clear_rest(&self, into: &mut [f32]) {
        let group = if self.apart() {
            self.writes
        } else {
            self.vectors() * self.lanes
        };
        let end = self.groups * group;
        if end < self.stride {
            for pixel in into.chunks_exact_mut(self.stride) {
                pixel[end..].fill(0.0);
            }
        }
    }
}
