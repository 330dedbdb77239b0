//! One direction of a convolution: which kernel runs where, group by group.

use super::axis::Axis;
use super::dense::{self, Finish};
use super::packing::Layout;
use super::source::Source;
use super::vector::InstructionSet;
use super::walk::{Raster, Walk, parts};
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
    steps: Vec<Step>,
    /// Where the gradient of the weights reads, if it is asked for.
    gradient_source: Source,
    gradient_walks: Vec<Walk>,
}

/// Pixels that read the same places of the kernel, or would inside of an image without end.
#[derive(Debug, Clone)]
struct Step {
    layout: Layout,
    walks: Vec<Walk>,
}

/// Channels from which on it is better to go over an image once for each place in the kernel than to put
/// zeros beside it, so that a row of the kernel is read in one run.
const FEW: usize = 8;

/// Pixels of a row from which on those that read less of the kernel are better handled by themselves than
/// with zeros beside the image.
const LONG_ROW: usize = 14;

/// Floats of both images that stay in the first-level cache.
const BAND: usize = 8 << 10;

/// Pixels over which sums should at least stay in registers.
const SHORTEST_BAND: usize = 64;

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
        let few = !depthwise && elements < FEW;

        // Cut into parts without zeros; columns only where they stay long, else there are zeros beside.
        let cut = |axes: &[Axis], size| axes.iter().map(|a| a.inside(size)).collect::<Vec<_>>();
        let short = columns.iter().any(|axis| axis.count < LONG_ROW);
        let y_parts = cut(rows, read.size[0]);
        let x_parts = if few || (short && !depthwise) {
            columns.iter().map(|axis| vec![axis.clone()]).collect()
        } else {
            cut(columns, read.size[1])
        };
        let source = source_of(read, &y_parts, &x_parts, step);
        let mut steps = Vec::new();
        for (y, y_parts) in rows.iter().zip(&y_parts) {
            for (x, x_parts) in columns.iter().zip(&x_parts) {
                let taps = y.taps.iter().flat_map(|y| {
                    let row = x.taps.iter();
                    row.map(move |x| y.place * shape.kernel[1] + x.place)
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
                let parts = y_parts
                    .iter()
                    .flat_map(|y| x_parts.iter().map(move |x| (y, x)));
                let walks = parts.map(|(y_part, x_part)| {
                    let across = x.taps.len();
                    Walk::new(y_part, x_part, across, source.raster(), target, elements)
                        .in_long_rows()
                });
                steps.push(Step {
                    walks: walks.collect(),
                    layout,
                });
            }
        }

        // The gradient of the weights.
        let (y, x) = (&rows[0], &columns[0]);
        let mut y_parts = Vec::new();
        let band = read.size[1] * read.stride * y.source_step + written.size[1] * pixel;
        parts(
            y.count,
            (BAND / band).max(SHORTEST_BAND.div_ceil(x.count)),
            |start, len| {
                let rows = y.slice(start..start + len);
                y_parts.push(if depthwise {
                    rows.inside(read.size[0])
                } else {
                    rows.by_tap(read.size[0])
                });
            },
        );
        let x_parts = if few {
            vec![x.clone()]
        } else if depthwise {
            x.inside(read.size[1])
        } else {
            x.by_tap(read.size[1])
        };
        let gradient_source = source_of(read, &y_parts, std::slice::from_ref(&x_parts), step);
        let raster = gradient_source.raster();
        let pairs = y_parts
            .iter()
            .flatten()
            .flat_map(|y| x_parts.iter().map(move |x| (y, x)));
        let across = x.taps.len();
        let gradient_walks = pairs
            .map(|(y, x)| Walk::new(y, x, across, raster, target, elements))
            .collect();
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
            gradient_source,
            gradient_walks,
        }
    }

    /// Floats of the packed weights.
    pub(super) fn weights_len(&self) -> usize {
        self.groups * self.group_len()
    }

    fn group_len(&self) -> usize {
        self.steps.iter().map(|step| step.layout.len()).sum()
    }

    /// Brings all weights into order: group after group, and in each step after step.
    pub(super) fn pack(&self, weights: &[f32], into: &mut [f32]) {
        assert_eq!(into.len(), self.weights_len(), "packed weights");
        let group_len = weights.len() / self.groups;
        let mut rest = into;
        for weights in weights.chunks_exact(group_len) {
            for Step { layout, .. } in &self.steps {
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
            for Step { layout, .. } in &self.steps {
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
        let copy = self.source.scratch_len();
        copy.max(self.gradient_source.scratch_len()) + apart
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
            for Step { layout, walks } in &self.steps {
                let (weights, more) = rest.split_at(layout.len());
                rest = more;
                let source = &source[(group * self.reads).min(source.len())..];
                let (finish, into) = if self.apart {
                    (PLAIN, &mut *apart)
                } else {
                    let bias = finish.bias.get(first..).unwrap_or_default();
                    (Finish { bias, ..finish }, &mut into[first..])
                };
                for walk in walks {
                    let rows = layout.rows();
                    kernel(set, walk, source, weights, rows, self.vectors, finish, into);
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
        let (copy, apart) = scratch.split_at_mut(self.gradient_source.scratch_len());
        let source = self.gradient_source.prepare(image, copy);
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
            let layout = &self.steps[0].layout;
            let (sums, more) = rest.split_at_mut(layout.len());
            rest = more;
            let source = &source[(group * self.reads).min(source.len())..];
            for walk in &self.gradient_walks {
                kernel(set, walk, source, from, layout.rows(), self.vectors, sums);
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

/// Sums as they are.
const PLAIN: Finish<'static> = Finish {
    bias: &[],
    add: false,
    relu: false,
};

/// The part of an image that is read.
fn source_of(read: &Side, rows: &[Vec<Axis>], columns: &[Vec<Axis>], step: usize) -> Source {
    let rows = Axis::range(&rows.concat());
    let columns = Axis::range(&columns.concat());
    let rows = rows.start as usize..rows.end as usize;
    Source::new(read.size, read.stride, rows, columns, step)
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
