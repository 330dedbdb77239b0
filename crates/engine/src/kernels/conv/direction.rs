//! The two directions of a convolution, from input to output and back, in the same terms.

use super::axis::Axis;
use super::channels::Channels;
use super::packing::Layout;
use super::source::Source;
use super::walk::Raster;
use super::{Shape, dense};

/// What is read, what is written, and where.
pub(super) struct Direction {
    /// The passes along height and width.
    pub(super) axes: [Vec<Axis>; 2],
    pub(super) channels: Channels,
    pub(super) depthwise: bool,
    read: Side,
    written: Side,
    kernel_width: usize,
}

/// An image.
struct Side {
    size: [usize; 2],
    stride: usize,
    /// Channels of a group, and how far apart the weights of two channels are.
    channels: usize,
    weight_step: usize,
}

impl Direction {
    /// From input to output.
    pub(super) fn forward(shape: &Shape, lanes: usize) -> Self {
        let axes = [0, 1].map(|axis| vec![Axis::forward(shape, axis)]);
        let [input, output] = sides(shape);
        Self::new(shape, lanes, axes, input, output)
    }

    /// From the output's gradient to the input's.
    pub(super) fn backward(shape: &Shape, lanes: usize) -> Self {
        let axes = [0, 1].map(|axis| Axis::backward(shape, axis));
        let [input, output] = sides(shape);
        Self::new(shape, lanes, axes, output, input)
    }

    fn new(
        shape: &Shape,
        lanes: usize,
        axes: [Vec<Axis>; 2],
        read: Side,
        mut written: Side,
    ) -> Self {
        let depthwise = shape.is_depthwise();
        let mut groups = shape.groups;
        if depthwise {
            // All channels are written at once, and each reads one.
            written.channels = shape.groups;
            written.weight_step = shape.taps();
            groups = 1;
        }
        Self {
            axes,
            channels: Channels {
                groups,
                reads: read.channels,
                writes: written.channels,
                stride: written.stride,
                lanes,
            },
            depthwise,
            read,
            written,
            kernel_width: shape.kernel[1],
        }
    }

    /// Floats of an image that is read.
    pub(super) fn read_len(&self) -> usize {
        self.read.size[0] * self.read.size[1] * self.read.stride
    }

    /// Floats of an image that is written.
    pub(super) fn written_len(&self) -> usize {
        self.written.size[0] * self.written.size[1] * self.written.stride
    }

    /// Height and width of what is read.
    pub(super) fn read_size(&self) -> [usize; 2] {
        self.read.size
    }

    /// Floats of a row that is read and of a row that is written.
    pub(super) fn row_lens(&self) -> [usize; 2] {
        [&self.read, &self.written].map(|side| side.size[1] * side.stride)
    }

    /// What `rows` and `columns` read.
    pub(super) fn source(&self, rows: &[Axis], columns: &[Axis]) -> Source {
        let Side { size, stride, .. } = self.read;
        let rows = Axis::range(rows);
        // Depthwise kernels read vectors.
        let step = if self.depthwise {
            stride.next_multiple_of(self.channels.lanes)
        } else {
            stride
        };
        Source::new(
            size,
            stride,
            rows.start as usize..rows.end as usize,
            Axis::range(columns),
            step,
        )
    }

    /// Where kernels write.
    pub(super) fn target(&self) -> Raster {
        let pixel = self.channels.pixel();
        Raster {
            first: [0, 0],
            steps: [self.written.size[1] * pixel, pixel],
        }
    }

    /// The order of the weights of a group for the taps of two passes.
    pub(super) fn layout(&self, rows: &Axis, columns: &Axis) -> Layout {
        let mut taps = Vec::new();
        for y in &rows.taps {
            for x in &columns.taps {
                taps.push(y.place * self.kernel_width + x.place);
            }
        }
        Layout {
            taps,
            elements: self.read.channels,
            element_step: self.read.weight_step,
            columns: self.written.channels,
            column_step: self.written.weight_step,
            lanes: self.channels.lanes,
            block: if self.depthwise { 1 } else { dense::BLOCK },
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
