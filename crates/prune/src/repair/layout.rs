//! The weights of a reader as matrices from what it reads to what it makes.

use faer::Mat;
use secateur_graph::{Dim, Graph, Node, Op, ValueId};

/// Which operand of a node are weights, and which axes of these and of what is read hold channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The operand that is read.
    pub(crate) read: usize,
    /// The operand that holds weights.
    pub(crate) weights: usize,
    /// The operand that holds a bias, if the operator takes one.
    pub(crate) bias: Option<usize>,
    /// Where channels lie on what is read: so many axes from the start, or from the end.
    pub(crate) channels: Axis,
    /// The axis of the weights with what is read; the other one of the first two has what is made.
    inputs: usize,
    /// Groups of channels that do not meet.
    groups: usize,
    /// Places that each channel has on its axis, where maps were laid flat and are too wide to be looked at place by place: they share what
    /// is found of the channels.
    pub(crate) fold: usize,
    /// Whether all that one window reads is looked at as such; otherwise its offsets share what is found of the channels.
    pub(crate) is_patch: bool,
}

/// Channels that are looked at one by one at most: moments of more take too much time and memory.
const WIDEST: usize = 4096;
/// Numbers of a window that are looked at one by one at most.
const LARGEST_PATCH: usize = 1536;

/// Channels of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// An axis of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// So many behind the first.
    FromStart(usize),
    /// So many before the last.
    FromEnd(usize),
}

impl Axis {
    /// Its number on an activation of so many axes, if it has it.
    pub(crate) fn of(self, rank: usize) -> Option<usize> {
        match self {
            Self::FromStart(axis) => (axis < rank).then_some(axis),
            Self::FromEnd(axis) => rank.checked_sub(axis + 1),
        }
    }
}

impl Layout {
    /// How a node reads, if it mixes channels by weights: `weights` is the operand that is a constant, of `rank` axes.
    pub(crate) fn of(node: &Node, weights: usize, rank: usize) -> Option<Self> {
        let last = |inputs| Self {
            read: 0,
            weights: 1,
            bias: None,
            channels: Axis::FromEnd(0),
            inputs,
            groups: 1,
            fold: 1,
            is_patch: false,
        };
        let windows = |inputs, groups| Self {
            bias: Some(2),
            channels: Axis::FromStart(1),
            groups,
            ..last(inputs)
        };
        match (&node.op, weights) {
            (Op::Gemm(gemm), 1) if !gemm.trans_a && gemm.alpha == 1.0 && gemm.beta == 1.0 => {
                Some(Self {
                    bias: Some(2),
                    ..last(usize::from(gemm.trans_b))
                })
            }
            (Op::MatMul, 1) if rank == 2 => Some(last(0)),
            (Op::MatMul, 0) if rank == 2 => Some(Self {
                read: 1,
                weights: 0,
                channels: Axis::FromEnd(1),
                ..last(1)
            }),
            (Op::Conv(conv), 1) if rank > 2 => Some(windows(1, conv.conv_groups)),
            (Op::ConvTranspose(conv), 1) if rank > 2 => Some(windows(0, conv.conv_groups)),
            _ => None,
        }
    }

    /// How a node reads through each of its operands that are constants: the operand, the constant, and its layout.
    pub(crate) fn all_of<'g>(
        graph: &'g Graph,
        node: &'g Node,
    ) -> impl Iterator<Item = (usize, ValueId, Self)> + 'g {
        (0..2).filter_map(|at| {
            let id = node.inputs.get(at).copied().flatten()?;
            let layout = Self::of(node, at, graph.constant(id)?.shape().len())?;
            let read = node.inputs.get(layout.read).copied().flatten()?;
            let fold = folded(graph, read).filter(|_| layout.channels == Axis::FromEnd(0));
            let layout = Self {
                fold: fold.unwrap_or(1),
                is_patch: matches!(node.op, Op::Conv(_)) && is_small(graph.constant(id)?.shape()),
                ..layout
            };
            Some((at, id, layout))
        })
    }

    /// One that looks at patches.
    #[cfg(test)]
    pub(crate) fn patches() -> Self {
        Self {
            read: 0,
            weights: 1,
            bias: None,
            channels: Axis::FromStart(1),
            inputs: 1,
            groups: 1,
            fold: 1,
            is_patch: true,
        }
    }

    /// The same, looked at as another one.
    pub(crate) fn looking_as(self, other: &Self) -> Self {
        Self {
            fold: other.fold,
            is_patch: other.is_patch,
            ..self
        }
    }

    /// Numbers of the weights between what is looked at together and a channel that is made.
    pub(crate) fn offsets(&self, shape: &[usize]) -> usize {
        match self.is_patch {
            true => 1,
            false => self.fold * shape[2..].iter().product::<usize>(),
        }
    }

    /// What is looked at of each channel at one position.
    pub(crate) fn of_channel(&self, shape: &[usize]) -> usize {
        match self.is_patch {
            true => shape[2..].iter().product(),
            false => 1,
        }
    }

    /// What a node reads and what it makes, each with the axis of its channels; none where the number of axes is not known.
    pub(crate) fn ends(&self, graph: &Graph, node: &Node) -> Option<[(ValueId, usize); 2]> {
        let end =
            |id: ValueId| Some((id, self.channels.of(graph.value(id).shape.as_ref()?.len())?));
        let read = node.inputs.get(self.read).copied().flatten()?;
        Some([end(read)?, end(*node.outputs.first()?)?])
    }

    /// Whether a channel is made of one channel alone.
    pub(crate) fn is_depthwise(&self, shape: &[usize]) -> bool {
        self.groups > 1 && self.inputs_of_group(shape) == self.of_channel(shape)
    }

    /// Groups of channels that do not meet.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// What is looked at of one group, and the channels that it makes, of weights of that shape.
    pub(crate) fn sizes(&self, shape: &[usize]) -> Sizes {
        Sizes {
            inputs: self.inputs_of_group(shape),
            outputs: self.outputs_of_group(shape),
        }
    }

    /// Channels of a group on the axis of what is read.
    fn inputs_of_group(&self, shape: &[usize]) -> usize {
        match self.inputs {
            // Weights of a convolution state those of one group.
            1 => shape[1] / self.fold * self.of_channel(shape),
            _ => shape[0] / self.groups.max(1) / self.fold,
        }
    }

    fn outputs_of_group(&self, shape: &[usize]) -> usize {
        match self.inputs {
            1 => shape[0] / self.groups.max(1),
            _ => shape[1],
        }
    }

    /// Where the number lies that takes what is looked at, `input` of a group, to channel `output` of it, at an offset of the window.
    fn at(
        &self,
        shape: &[usize],
        group: usize,
        (output, input, offset): (usize, usize, usize),
    ) -> usize {
        let inner: usize = shape[2..].iter().product();
        if self.is_patch {
            let row = group * self.outputs_of_group(shape) + output;
            return row * shape[1] * inner + input;
        }
        let place = |input: usize| input * self.fold + offset / inner;
        let (first, second) = match self.inputs {
            1 => (group * self.outputs_of_group(shape) + output, place(input)),
            _ => (place(group * self.inputs_of_group(shape) + input), output),
        };
        (first * shape[1] + second) * inner + offset % inner
    }

    /// For each group a matrix from its inputs to its outputs at each offset: `(outputs x offsets) x inputs`.
    pub(crate) fn matrices(&self, shape: &[usize], numbers: &[f64]) -> Vec<Mat<f64>> {
        let inner = self.offsets(shape);
        let rows = self.outputs_of_group(shape) * inner;
        let of = |group: usize| {
            Mat::from_fn(rows, self.inputs_of_group(shape), |row, input| {
                numbers[self.at(shape, group, (row / inner, input, row % inner))]
            })
        };
        (0..self.groups).map(of).collect()
    }

    /// Multiplies what makes each output by a number.
    pub(crate) fn scale_outputs(&self, shape: &[usize], by: &[f64], numbers: &mut [f64]) {
        let inner = self.offsets(shape);
        let (inputs, outputs) = (self.inputs_of_group(shape), self.outputs_of_group(shape));
        for (channel, by) in by.iter().enumerate().take(self.groups * outputs) {
            let (group, output) = (channel / outputs, channel % outputs);
            for input in 0..inputs {
                for offset in 0..inner {
                    numbers[self.at(shape, group, (output, input, offset))] *= by;
                }
            }
        }
    }

    /// Puts matrices back to where [`Layout::matrices`] took them from.
    pub(crate) fn put(&self, shape: &[usize], matrices: &[Mat<f64>], numbers: &mut [f64]) {
        let inner = self.offsets(shape);
        for (group, matrix) in matrices.iter().enumerate() {
            for row in 0..matrix.nrows() {
                for input in 0..matrix.ncols() {
                    let at = self.at(shape, group, (row / inner, input, row % inner));
                    numbers[at] = matrix[(row, input)];
                }
            }
        }
    }
}

/// Whether a window of weights of this shape is one of several places that can be looked at as such.
fn is_small(shape: &[usize]) -> bool {
    let places: usize = shape[2..].iter().product();
    places > 1 && shape[1] * places <= LARGEST_PATCH
}

/// Places of each channel of a value that is maps laid flat, if they are too wide.
fn folded(graph: &Graph, value: ValueId) -> Option<usize> {
    let lengths = |id: ValueId| -> Option<Vec<Option<usize>>> {
        Some(
            graph
                .value(id)
                .shape
                .as_ref()?
                .iter()
                .map(Dim::fixed)
                .collect(),
        )
    };
    let flat = lengths(value)?;
    let &[_, Some(width)] = &flat[..] else {
        return None;
    };
    if width <= WIDEST {
        return None;
    }
    let mut at = value;
    loop {
        let node = graph.node(graph.producer(at)?);
        let from = node.inputs.first().copied().flatten()?;
        match node.op {
            Op::Unary(_) => at = from,
            Op::Flatten { axis: 1 } | Op::Reshape { .. } => {
                let all: Vec<usize> = lengths(from)?.into_iter().skip(1).collect::<Option<_>>()?;
                let (&channels, places) = all.split_first()?;
                let places: usize = places.iter().product();
                return (channels * places == width).then_some(places);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Conv, ConvTranspose, Gemm, Window};

    use super::*;

    fn node(op: Op) -> Node {
        Node {
            name: "n".into(),
            op,
            inputs: vec![],
            outputs: vec![],
        }
    }

    fn numbers(shape: &[usize]) -> Vec<f64> {
        (0..shape.iter().product()).map(|n| n as f64).collect()
    }

    #[test]
    fn matrices_go_from_what_is_read_to_what_is_made() {
        let [left, right] = [0, 1].map(|at| Layout::of(&node(Op::MatMul), at, 2).unwrap());
        let gemm = |trans_b| {
            let op = Op::Gemm(Gemm {
                trans_b,
                ..Gemm::default()
            });
            Layout::of(&node(op), 1, 2).unwrap()
        };
        // Two inputs, three outputs.
        for (layout, shape, first) in [
            (right, [2, 3], [0.0, 3.0]),
            (gemm(false), [2, 3], [0.0, 3.0]),
            (gemm(true), [3, 2], [0.0, 1.0]),
            (left, [3, 2], [0.0, 1.0]),
        ] {
            let found = &layout.matrices(&shape, &numbers(&shape))[0];
            assert_eq!((found.nrows(), found.ncols()), (3, 2));
            assert_eq!([found[(0, 0)], found[(0, 1)]], first, "{layout:?}");
        }
        assert_eq!((left.read, left.channels.of(3)), (1, Some(1)));
        assert_eq!((right.read, right.channels.of(3)), (0, Some(2)));
    }

    #[test]
    fn windows_have_a_row_for_every_offset_and_groups_a_matrix_each() {
        let conv = Layout::of(
            &node(Op::Conv(Conv {
                window: Window::plain(1),
                conv_groups: 2,
            })),
            1,
            3,
        );
        let transposed = Layout::of(
            &node(Op::ConvTranspose(ConvTranspose {
                window: Window::plain(1),
                conv_groups: 2,
                output_padding: vec![0],
            })),
            1,
            3,
        );
        // Four inputs and six outputs in two groups, windows of five.
        for (layout, shape) in [(conv, [6, 2, 5]), (transposed, [4, 3, 5])] {
            let layout = layout.unwrap();
            let all = numbers(&shape);
            let found = layout.matrices(&shape, &all);
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|m| (m.nrows(), m.ncols()) == (15, 2)));
            // Output 2 at offset 4 by input 1, of the second group.
            let wanted = match shape[0] {
                6 => (5 * 2 + 1) * 5 + 4,
                _ => (3 * 3 + 2) * 5 + 4,
            };
            assert_eq!(found[1][(14, 1)], f64::from(wanted));
            let mut back = vec![0.0; all.len()];
            layout.put(&shape, &found, &mut back);
            assert_eq!(back, all);
            assert!(!layout.is_depthwise(&shape));
            assert_eq!(layout.channels.of(3), Some(1));
        }
        assert!(conv.unwrap().is_depthwise(&[2, 1, 5]));
    }

    #[test]
    fn what_mixes_no_channels_has_no_layout() {
        let scaled = Op::Gemm(Gemm {
            alpha: 2.0,
            ..Gemm::default()
        });
        assert_eq!(Layout::of(&node(scaled), 1, 2), None);
        assert_eq!(Layout::of(&node(Op::MatMul), 1, 3), None);
        assert_eq!(Layout::of(&node(Op::Flatten { axis: 1 }), 1, 2), None);
    }
}
