//! From the channels of one image to those of another: which kernel runs where, group by group.

use super::axis::Axis;
use super::channels::Channels;
use super::dense::{self, Finish};
use super::depthwise;
use super::direction::Direction;
use super::packing::Layout;
use super::set::InstructionSet;
use super::source::Source;
use super::walk::Walk;

/// Channels from which on it is better to go over an image once for each place in the kernel than to put
/// zeros beside it, so that a row of the kernel is read in one run.
pub(super) const FEW: usize = 8;

/// Pixels of a row from which on those that read less of the kernel are better handled by themselves than
/// with zeros beside the image.
const LONG_ROW: usize = 14;

/// A plan for one direction.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    channels: Channels,
    depthwise: bool,
    read_len: usize,
    written_len: usize,
    source: Source,
    steps: Vec<Step>,
}

/// Pixels that read the same places of the kernel, or would inside of an image without end.
#[derive(Debug, Clone)]
struct Step {
    layout: Layout,
    walks: Vec<Walk>,
}

impl Pass {
    pub(super) fn new(direction: &Direction) -> Self {
        let [rows, columns] = &direction.axes;
        let channels = &direction.channels;
        let size = direction.read_size();
        let cut = |axes: &[Axis], size| axes.iter().map(|a| a.inside(size)).collect::<Vec<_>>();
        let y_parts = cut(rows, size[0]);
        let short = columns.iter().any(|axis| axis.count < LONG_ROW);
        let x_parts = if !direction.depthwise && (short || channels.reads < FEW) {
            columns.iter().map(|axis| vec![axis.clone()]).collect()
        } else {
            cut(columns, size[1])
        };
        let source = direction.source(&y_parts.concat(), &x_parts.concat());
        let (from, to) = (source.raster(), direction.target());
        let mut steps = Vec::new();
        for (y, y_parts) in rows.iter().zip(&y_parts) {
            for (x, x_parts) in columns.iter().zip(&x_parts) {
                let across = x.taps.len();
                let mut walks = Vec::new();
                for y in y_parts {
                    for x in x_parts {
                        let walk = Walk::new(y, x, across, from, to, channels.reads);
                        walks.push(walk.in_long_rows());
                    }
                }
                steps.push(Step {
                    layout: direction.layout(y, x),
                    walks,
                });
            }
        }
        Self {
            channels: channels.clone(),
            depthwise: direction.depthwise,
            read_len: direction.read_len(),
            written_len: direction.written_len(),
            source,
            steps,
        }
    }

    /// Floats of the packed weights.
    pub(super) fn weights_len(&self) -> usize {
        let group: usize = self.steps.iter().map(|step| step.layout.len()).sum();
        self.channels.groups * group
    }

    /// Brings all weights into order: group after group, and in each step after step.
    pub(super) fn pack(&self, weights: &[f32], into: &mut [f32]) {
        assert_eq!(into.len(), self.weights_len(), "packed weights");
        let mut rest = into;
        for weights in weights.chunks_exact(weights.len() / self.channels.groups) {
            for step in &self.steps {
                let (packed, more) = rest.split_at_mut(step.layout.len());
                step.layout.pack(weights, packed);
                rest = more;
            }
        }
    }

    /// Floats of scratch.
    pub(super) fn scratch_len(&self) -> usize {
        self.source.scratch_len() + self.channels.apart_len(self.written_len)
    }

    /// Reads all of `image` and writes all of `into`.
    pub(super) fn run(
        &self,
        set: InstructionSet,
        image: &[f32],
        packed: &[f32],
        finish: Finish<'_>,
        into: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(image.len(), self.read_len, "image that is read");
        assert_eq!(into.len(), self.written_len, "image that is written");
        assert_eq!(packed.len(), self.weights_len(), "packed weights");
        let Channels { reads, writes, .. } = self.channels;
        let vectors = self.channels.vectors();
        let scratch = &mut scratch[..self.scratch_len()];
        let (copy, apart) = scratch.split_at_mut(self.source.scratch_len());
        let source = self.source.prepare(image, copy);
        let kernel = if self.depthwise {
            depthwise::run
        } else {
            dense::run
        };
        let mut rest = packed;
        for group in 0..self.channels.groups {
            let source = &source[(group * reads).min(source.len())..];
            let first = group * writes;
            for Step { layout, walks } in &self.steps {
                let (weights, more) = rest.split_at(layout.len());
                rest = more;
                let (finish, into) = if self.channels.apart() {
                    (Finish::NONE, &mut *apart)
                } else {
                    let bias = finish.bias.get(first..).unwrap_or_default();
                    (Finish { bias, ..finish }, &mut into[first..])
                };
                for walk in walks {
                    let rows = layout.rows();
                    kernel(set, walk, source, weights, rows, vectors, finish, into);
                }
            }
            if self.channels.apart() {
                self.channels.insert(apart, first, finish, into);
            }
        }
        if !finish.add {
            self.channels.clear_rest(into);
        }
    }
}
