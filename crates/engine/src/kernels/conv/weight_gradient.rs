//! The gradient of the weights: which kernel runs where, group by group.

use super::channels::Channels;
use super::direction::Direction;
use super::packing::Layout;
use super::pass::FEW;
use super::set::InstructionSet;
use super::source::Source;
use super::walk::{Walk, parts};
use super::{dense_gradient, depthwise_gradient};

/// Floats of both images that stay in the first-level cache.
const BAND: usize = 8 << 10;

/// Pixels over which sums should at least stay in registers.
const SHORTEST_BAND: usize = 64;

/// A plan; sums are in the order of the weights of the pass forward.
#[derive(Debug, Clone)]
pub(super) struct WeightGradient {
    channels: Channels,
    depthwise: bool,
    read_len: usize,
    written_len: usize,
    source: Source,
    walks: Vec<Walk>,
    layout: Layout,
}

impl WeightGradient {
    /// For the direction forward.
    pub(super) fn new(direction: &Direction) -> Self {
        let [rows, columns] = &direction.axes;
        let (y, x) = (&rows[0], &columns[0]);
        let channels = &direction.channels;
        let size = direction.read_size();
        let [read, written] = direction.row_lens();
        let band = BAND / (read * y.source_step + written);
        let mut y_parts = Vec::new();
        parts(
            y.count,
            band.max(SHORTEST_BAND.div_ceil(x.count)),
            |start, len| {
                let rows = y.slice(start..start + len);
                y_parts.extend(if direction.depthwise {
                    rows.inside(size[0])
                } else {
                    rows.by_tap(size[0])
                });
            },
        );
        let x_parts = if direction.depthwise {
            x.inside(size[1])
        } else if channels.reads < FEW {
            vec![x.clone()]
        } else {
            x.by_tap(size[1])
        };
        let source = direction.source(&y_parts, &x_parts);
        let (from, to) = (source.raster(), direction.target());
        let mut walks = Vec::new();
        for y in &y_parts {
            for x_part in &x_parts {
                let across = x.taps.len();
                walks.push(Walk::new(y, x_part, across, from, to, channels.reads));
            }
        }
        Self {
            channels: channels.clone(),
            depthwise: direction.depthwise,
            read_len: direction.read_len(),
            written_len: direction.written_len(),
            source,
            walks,
            layout: direction.layout(y, x),
        }
    }

    /// Floats of all sums.
    pub(super) fn len(&self) -> usize {
        self.channels.groups * self.layout.len()
    }

    /// Floats of scratch.
    pub(super) fn scratch_len(&self) -> usize {
        self.source.scratch_len() + self.channels.apart_len(self.written_len)
    }

    /// Adds the products of an image that was read and the gradient of the one that was written.
    pub(super) fn run(
        &self,
        set: InstructionSet,
        image: &[f32],
        gradient: &[f32],
        sums: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(image.len(), self.read_len, "image that was read");
        assert_eq!(gradient.len(), self.written_len, "gradient");
        assert_eq!(sums.len(), self.len(), "sums");
        let Channels { reads, writes, .. } = self.channels;
        let (rows, vectors) = (self.layout.rows(), self.channels.vectors());
        let scratch = &mut scratch[..self.scratch_len()];
        let (copy, apart) = scratch.split_at_mut(self.source.scratch_len());
        let source = self.source.prepare(image, copy);
        let kernel = if self.depthwise {
            depthwise_gradient::run
        } else {
            dense_gradient::run
        };
        let groups = sums.chunks_exact_mut(self.layout.len());
        for (group, sums) in groups.enumerate() {
            let source = &source[(group * reads).min(source.len())..];
            let first = group * writes;
            let target: &[f32] = if self.channels.apart() {
                self.channels.extract(gradient, first, apart);
                apart
            } else {
                &gradient[first..]
            };
            for walk in &self.walks {
                kernel(set, walk, source, target, rows, vectors, sums);
            }
        }
    }

    /// `into = keep * into + sums` in the order of the model; with `keep` 0 old numbers are not read.
    pub(super) fn unpack(&self, sums: &[f32], keep: f32, into: &mut [f32]) {
        assert_eq!(sums.len(), self.len(), "sums");
        let weights = into.len() / self.channels.groups;
        let groups = into.chunks_exact_mut(weights);
        for (into, sums) in groups.zip(sums.chunks_exact(self.layout.len())) {
            self.layout.unpack(sums, keep, into);
        }
    }
}
