//! One direction of a convolution: which kernel runs where, group by group.

use super::dense::{self, Finish};
use super::packing::Layout;
use super::source::Source;
use super::vector::InstructionSet;
use super::walk::{Axis, Raster, Walk};
use super::{Shape, depthwise, gradient};

/// A direction, with channels that are read and channels that are written.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    depthwise: bool,
    /// Groups that run by themselves; depthwise all channels run as one.
    groups: usize,
    /// Floats of an image that is read, and of one that is written.
    read_len: usize,
    written_len: usize,
    /// Channels of a group that are read, and channels that are written.
    reads: usize,
    writes: usize,
    /// Vectors of the channels that are written.
    vectors: usize,
    lanes: usize,
    /// Floats of a pixel that is written.
    stride: usize,
    /// Whether groups are not whole vectors, so that each is written to an image of its own first.
    apart: bool,
    source: Source,
    steps: Vec<(Walk, Layout)>,
}

/// What the two directions have of their own.
struct Direction {
    rows: Vec<Axis>,
    columns: Vec<Axis>,
    /// Size, floats of a pixel and channels of a group, and how far apart a channel's weights are.
    read: Side,
    written: Side,
}

struct Side {
    size: [usize; 2],
    stride: usize,
    channels: usize,
    weight_step: usize,
}

impl Pass {
    /// From input to output.
    pub(super) fn forward(shape: &Shape, set: InstructionSet) -> Self {
        let [read, written] = sides(shape);
        let direction = Direction {
            rows: vec![Axis::forward(shape, 0)],
            columns: vec![Axis::forward(shape, 1)],
            read,
            written,
        };
        Self::new(shape, set, &direction)
    }

    /// From the output's gradient to the input's.
    pub(super) fn backward(shape: &Shape, set: InstructionSet) -> Self {
        let [written, read] = sides(shape);
        let direction = Direction {
            rows: Axis::backward(shape, 0),
            columns: Axis::backward(shape, 1),
            read,
            written,
        };
        Self::new(shape, set, &direction)
    }

    fn new(shape: &Shape, set: InstructionSet, direction: &Direction) -> Self {
        let Direction {
            rows,
            columns,
            read,
            written,
        } = direction;
        let lanes = set.lanes();
        let depthwise = shape.is_depthwise();
        let (groups, writes) = if depthwise {
            (1, shape.groups)
        } else {
            (shape.groups, written.channels)
        };
        let vectors = writes.div_ceil(lanes);
        let apart = groups > 1 && !writes.is_multiple_of(lanes);
        // Depthwise kernels read vectors.
        let step = if depthwise && !read.stride.is_multiple_of(lanes) {
            read.stride.next_multiple_of(lanes)
        } else {
            read.stride
        };
        let (range_y, range_x) = (Axis::range(rows), Axis::range(columns));
        let source = Source::new(read.size, read.stride, range_y, range_x, step);
        let pixel = if apart {
            vectors * lanes
        } else {
            written.stride
        };
        let target = Raster {
            first: [0, 0],
            steps: [written.size[1] * pixel, pixel],
        };
        let elements = if depthwise { 1 } else { read.channels };
        let mut steps = Vec::new();
        for y in rows {
            for x in columns {
                let taps = y.taps.iter().flat_map(|(ky, _)| {
                    let row = x.taps.iter();
                    row.map(move |(kx, _)| ky * shape.kernel[1] + kx)
                });
                let layout = Layout {
                    taps: taps.collect(),
                    elements,
                    element_step: read.weight_step,
                    columns: writes,
                    column_step: if depthwise {
                        shape.taps()
                    } else {
                        written.weight_step
                    },
                    lanes,
                    block: if depthwise { 1 } else { dense::BLOCK },
                };
                steps.push((Walk::new(y, x, source.raster(), target, elements), layout));
            }
        }
        Self {
            depthwise,
            groups,
            read_len: read.size[0] * read.size[1] * read.stride,
            written_len: written.size[0] * written.size[1] * written.stride,
            reads: read.channels,
            writes,
            vectors,
            lanes,
            stride: written.stride,
            apart,
            source,
            steps,
        }
    }

    /// Floats of the packed weights.
    pub(super) fn weights_len(&self) -> usize {
        self.groups * self.group_len()
    }

    fn group_len(&self) -> usize {
        self.steps.iter().map(|(_, layout)| layout.len()).sum()
    }

    /// Brings all weights into order: group after group, and in each step after step.
    pub(super) fn pack(&self, weights: &[f32], into: &mut [f32]) {
        assert_eq!(into.len(), self.weights_len(), "packed weights");
        let group_len = weights.len() / self.groups;
        let mut rest = into;
        for weights in weights.chunks_exact(group_len) {
            for (_, layout) in &self.steps {
                let (packed, more) = rest.split_at_mut(layout.len());
                layout.pack(weights, packed);
                rest = more;
            }
        }
    }

    /// The way back of [`Pass::pack`]: `into = keep * into + packed`.
    pub(super) fn unpack(&self, packed: &[f32], keep: f32, into: &mut [f32]) {
        assert_eq!(packed.len(), self.weights_len(), "packed weights");
        let group_len = into.len() / self.groups;
        let mut rest = packed;
        for into in into.chunks_exact_mut(group_len) {
            for (_, layout) in &self.steps {
                let (packed, more) = rest.split_at(layout.len());
                layout.unpack(packed, keep, into);
                rest = more;
            }
        }
    }

    /// Floats of scratch.
    pub(super) fn scratch_len(&self) -> usize {
        let apart = if self.apart {
            self.written_len / self.stride * self.vectors * self.lanes
        } else {
            0
        };
        self.source.scratch_len() + apart
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
        let scratch = &mut scratch[..self.scratch_len()];
        let (copy, apart) = scratch.split_at_mut(self.source.scratch_len());
        let source = self.source.prepare(image, copy);
        let kernel = if self.depthwise {
            depthwise::run
        } else {
            dense::run
        };
        let mut rest = packed;
        for group in 0..self.groups {
            let first = group * self.writes;
            for (walk, layout) in &self.steps {
                let (weights, more) = rest.split_at(layout.len());
                rest = more;
                let source = &source[(group * self.reads).min(source.len())..];
                if self.apart {
                    let plain = Finish {
                        bias: &[],
                        add: false,
                        relu: false,
                    };
                    kernel(set, walk, source, weights, self.vectors, plain, apart);
                } else {
                    let bias = finish.bias.get(first..).unwrap_or_default();
                    let finish = Finish { bias, ..finish };
                    let into = &mut into[first..];
                    kernel(set, walk, source, weights, self.vectors, finish, into);
                }
            }
            if self.apart {
                self.insert(apart, first, finish, into);
            }
        }
        let end = if self.apart {
            self.groups * self.writes
        } else {
            self.groups * self.vectors * self.lanes
        };
        if end < self.stride && !finish.add {
            for pixel in into.chunks_exact_mut(self.stride) {
                pixel[end..].fill(0.0);
            }
        }
    }

    /// Adds to `packed` the gradient of the weights.
    pub(super) fn gradient(
        &self,
        set: InstructionSet,
        image: &[f32],
        gradient: &[f32],
        packed: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(image.len(), self.read_len, "image that is read");
        assert_eq!(gradient.len(), self.written_len, "gradient");
        assert_eq!(packed.len(), self.weights_len(), "packed weights");
        let scratch = &mut scratch[..self.scratch_len()];
        let (copy, apart) = scratch.split_at_mut(self.source.scratch_len());
        let source = self.source.prepare(image, copy);
        let kernel = if self.depthwise {
            depthwise::gradient
        } else {
            gradient::run
        };
        let mut rest = packed;
        for group in 0..self.groups {
            let first = group * self.writes;
            let from: &[f32] = if self.apart {
                self.extract(gradient, first, apart);
                apart
            } else {
                &gradient[first..]
            };
            for (walk, layout) in &self.steps {
                let (sums, more) = rest.split_at_mut(layout.len());
                rest = more;
                let source = &source[group * self.reads..];
                kernel(set, walk, source, from, self.vectors, sums);
            }
        }
    }

    /// Puts a group's own image where it belongs, from channel `first` of `into` on.
    fn insert(&self, apart: &[f32], first: usize, finish: Finish<'_>, into: &mut [f32]) {
        let pixels = into.chunks_exact_mut(self.stride);
        for (to, from) in pixels.zip(apart.chunks_exact(self.vectors * self.lanes)) {
            for (channel, from) in from[..self.writes].iter().enumerate() {
                let to = &mut to[first + channel];
                let mut sum = from + finish.bias.get(first + channel).unwrap_or(&0.0);
                if finish.add {
                    sum += *to;
                }
                *to = if finish.relu && sum < 0.0 { 0.0 } else { sum };
            }
        }
    }

    /// The way back of [`Pass::insert`], with zeros up to whole vectors.
    fn extract(&self, image: &[f32], first: usize, apart: &mut [f32]) {
        let pixels = image.chunks_exact(self.stride);
        for (from, to) in pixels.zip(apart.chunks_exact_mut(self.vectors * self.lanes)) {
            to[..self.writes].copy_from_slice(&from[first..first + self.writes]);
            to[self.writes..].fill(0.0);
        }
    }
}

/// Input and output.
fn sides(shape: &Shape) -> [Side; 2] {
    let input = Side {
        size: shape.in_size,
        stride: shape.in_stride,
        channels: shape.group_inputs(),
        weight_step: shape.taps(),
    };
    let output = Side {
        size: shape.out_size,
        stride: shape.out_stride,
        channels: shape.group_outputs(),
        weight_step: shape.group_inputs() * shape.taps(),
    };
    [input, output]
}
