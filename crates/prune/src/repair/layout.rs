//! The weights of a reader as matrices from what it reads to what it makes.

use faer::Mat;
use secateur_graph::{Dim, Graph, Node, Op, ValueId, is_recurrent};

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
    /// The axis of the weights with what is read: of the first two, of which the other one has what is made, or the third, behind two that
    /// have it.
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
            (Op::Opaque(opaque), 1) if rank == 3 && is_recurrent(opaque) => Some(last(2)),
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

    /// Whether what the weights make stays inside the node, which makes something else of it.
    pub(crate) fn is_hidden(&self) -> bool {
        self.inputs == 2
    }

    /// The lengths of weights along their first axis, or those that have what is made, along the next one, and of all behind.
    fn lengths(&self, shape: &[usize]) -> [usize; 3] {
        let (front, behind) = shape.split_at(self.inputs.max(1));
        let (next, behind) = behind.split_first().map_or((1, behind), |(n, b)| (*n, b));
        [front.iter().product(), next, behind.iter().product()]
    }

    /// Numbers of the weights between what is looked at together and a channel that is made.
    pub(crate) fn offsets(&self, shape: &[usize]) -> usize {
        match self.is_patch {
            true => 1,
            false => self.fold * self.lengths(shape)[2],
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
        let [first, second, _] = self.lengths(shape);
        match self.inputs {
            0 => first / self.groups.max(1) / self.fold,
            // Weights of a convolution state those of one group.
            _ => second / self.fold * self.of_channel(shape),
        }
    }

    fn outputs_of_group(&self, shape: &[usize]) -> usize {
        let [first, second, _] = self.lengths(shape);
        match self.inputs {
            0 => second,
            _ => first / self.groups.max(1),
        }
    }

    /// Where the number lies that takes what is looked at, `input` of a group, to channel `output` of it, at an offset of the window.
    fn at(
        &self,
        shape: &[usize],
        group: usize,
        (output, input, offset): (usize, usize, usize),
    ) -> usize {
        let [_, next, inner] = self.lengths(shape);
        if self.is_patch {
            let row = group * self.outputs_of_group(shape) + output;
            return row * next * inner + input;
        }
        let place = |input: usize| input * self.fold + offset / inner;
        let (first, second) = match self.inputs {
            0 => (place(group * self.inputs_of_group(shape) + input), output),
            _ => (group * self.outputs_of_group(shape) + output, place(input)),
        };
        (first * next + second) * inner + offset % inner
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
mod tests;
