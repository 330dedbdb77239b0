//! How a reader looks at what it reads: one position after the other, each with all numbers that meet there.

use secateur_graph::{Node, Op, Window};

use super::layout::Layout;
use super::samples::{Activation, Positions};

/// What meets at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// All channels at one place. Windows share what is found of the channels, and so do maps that lie flat, of `fold` places each.
    Channels {
        /// Places in a row that a channel has on its axis.
        fold: usize,
    },
    /// All that one window reads, with zeros beyond the borders, channel by channel.
    Patches {
        /// How it moves.
        window: Window,
        /// How many places it has along each axis.
        kernel: Vec<usize>,
    },
}

/// Channels lie on this axis where a window reads them.
const CHANNELS: usize = 1;

impl View {
    /// That of a node through weights of this shape.
    pub(crate) fn of(node: &Node, layout: &Layout, shape: &[usize]) -> Self {
        match &node.op {
            Op::Conv(conv) if layout.is_patch => Self::Patches {
                window: conv.window.clone(),
                kernel: shape[2..].to_vec(),
            },
            _ => Self::Channels { fold: layout.fold },
        }
    }

    /// What moments are of, in words.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Patches { .. } => "patches",
            Self::Channels { fold: 1 } => "channels",
            Self::Channels { .. } => "channels of maps laid flat",
        }
    }

    /// How many positions a value has whose channels lie on that axis.
    pub(crate) fn positions(&self, value: &Activation, channels: usize) -> usize {
        match self {
            Self::Channels { fold } => value.positions(channels, *fold),
            Self::Patches { .. } => {
                let axes = self.axes(&value.shape[2..]);
                value.shape[0] * axes.iter().map(|axis| axis.outputs).product::<usize>()
            }
        }
    }

    /// All numbers of each of the positions: one position after the other.
    pub(crate) fn at(
        &self,
        value: &Activation,
        channels: usize,
        positions: &Positions,
    ) -> Vec<f32> {
        let Self::Patches { kernel, .. } = self else {
            let Self::Channels { fold } = self else {
                return vec![];
            };
            return value.at(channels, *fold, positions);
        };
        let spatial = &value.shape[2..];
        let axes = self.axes(spatial);
        let outputs: Vec<usize> = axes.iter().map(|axis| axis.outputs).collect();
        let (area, each): (usize, usize) = (spatial.iter().product(), outputs.iter().product());
        let elements: usize = kernel.iter().product();
        let count = value.shape[CHANNELS];
        let mut found = Vec::with_capacity(positions.len() * count * elements);
        let mut read = vec![None; elements];
        for position in positions.iter() {
            let (row, output) = (position / each.max(1), position % each.max(1));
            let from = index(output, &outputs);
            for (element, place) in read.iter_mut().enumerate() {
                let of = index(element, kernel);
                let pairs = axes.iter().zip(from.iter().zip(&of)).zip(spatial);
                *place = pairs
                    .into_iter()
                    .try_fold(0, |at, ((axis, (from, of)), length)| {
                        let place = axis.place(*from, *of).filter(|place| place < length)?;
                        Some(at * length + place)
                    });
            }
            for channel in 0..count {
                let start = (row * count + channel) * area;
                found.extend(
                    read.iter()
                        .map(|place| place.map_or(0.0, |at| value.values[start + at])),
                );
            }
        }
        found
    }

    fn axes(&self, spatial: &[usize]) -> Vec<Axis> {
        let Self::Patches { window, kernel } = self else {
            return vec![];
        };
        let of = |(axis, (&length, &kernel)): (usize, (&usize, &usize))| {
            // A window that does not fit has no positions; the network cannot be run then.
            let (outputs, before, _) = window.length(axis, length, kernel).unwrap_or_default();
            Axis {
                outputs,
                before,
                stride: window.strides[axis],
                dilation: window.dilations[axis],
            }
        };
        spatial.iter().zip(kernel).enumerate().map(of).collect()
    }
}

/// How a window moves along an axis.
struct Axis {
    outputs: usize,
    before: usize,
    stride: usize,
    dilation: usize,
}

impl Axis {
    /// The place that an element of the window reads at an output; none before the border.
    fn place(&self, output: usize, element: usize) -> Option<usize> {
        (output * self.stride + element * self.dilation).checked_sub(self.before)
    }
}

/// A position in a shape, the last axis fastest.
fn index(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut found = vec![0; shape.len()];
    for (axis, &length) in shape.iter().enumerate().rev() {
        found[axis] = at % length.max(1);
        at /= length.max(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Array, Conv, Dim, GraphBuilder, Padding, Tensor, evaluate};
    use secateur_testkit::Stream;

    use super::*;
    use crate::repair::{About, Moments};

    /// Strides, dilations and borders of any kind.
    fn windows() -> impl Iterator<Item = Window> {
        (0..40).map(|seed| {
            let mut stream = Stream::new(seed);
            let mut two = |least: usize, most: usize| -> Vec<usize> {
                let mut one = || least + stream.below(most - least + 1);
                vec![one(), one()]
            };
            let (strides, dilations) = (two(1, 3), two(1, 2));
            let padding = match seed % 4 {
                0 => Padding::SameUpper,
                1 => Padding::SameLower,
                _ => Padding::By {
                    before: two(0, 3),
                    behind: two(0, 3),
                },
            };
            Window {
                strides,
                dilations,
                padding,
                ceil: false,
            }
        })
    }

    /// What a convolution makes is what its weights make of the patches, and so are the variances of what it makes.
    #[test]
    fn patches_are_what_a_convolution_reads() {
        for (seed, window) in windows().enumerate() {
            let mut stream = Stream::new(seed as u64);
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| stream.unit() as f32 - 0.5).collect()
            };
            let (shape, weights) = (vec![2, 3, 6, 7], draw(4 * 3 * 6));
            let values = draw(2 * 3 * 6 * 7);
            let mut b = GraphBuilder::new("net");
            let lengths: Vec<Dim> = shape.iter().map(|&n| Dim::Fixed(n)).collect();
            let x = b.input("x", lengths);
            let w = b.constant("w", Tensor::f32([4, 3, 3, 2], weights.clone()).unwrap());
            let op = Op::Conv(Conv {
                window,
                conv_groups: 1,
            });
            let made = b.node("conv", op.clone(), &[x, w]);
            b.output(made);
            let graph = b.build().unwrap();
            let given = Array {
                shape: shape.clone(),
                values: values.iter().map(|&v| f64::from(v)).collect(),
            };
            let made = &evaluate(&graph, &[given]).unwrap()[0];
            let layout = Layout::of(&graph.nodes()[0], 1, 4).unwrap();
            let layout = layout.looking_as(&Layout::patches());
            let view = View::of(&graph.nodes()[0], &layout, &[4, 3, 3, 2]);
            let value = Activation { shape, values };
            let count = view.positions(&value, 1);
            assert_eq!(count * 4, made.values.len());
            let patches = view.at(&value, 1, &Positions::drawn(count, count, 0));
            let numbers: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
            let matrix = &layout.matrices(&[4, 3, 3, 2], &numbers)[0];
            let area: usize = made.shape[2..].iter().product();
            let mut all = vec![vec![]; 4];
            for (position, patch) in patches.chunks(18).enumerate() {
                for output in 0..4 {
                    let own: f64 = patch
                        .iter()
                        .enumerate()
                        .map(|(i, &v)| matrix[(output, i)] * f64::from(v))
                        .sum();
                    let want = made.values[(position / area * 4 + output) * area + position % area];
                    assert!((own - want).abs() < 1e-6, "{op:?}: {own} {want}");
                    all[output].push(want);
                }
            }
            let mut moments = Moments::new(0, 18, About::Means);
            moments.add(&[], &patches).unwrap();
            let covariance = matrix * moments.own() * matrix.transpose();
            for (output, values) in all.iter().enumerate() {
                let mean = values.iter().sum::<f64>() / count as f64;
                let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
                let gap = covariance[(output, output)] - squares / count as f64;
                assert!(gap.abs() < 1e-6, "{op:?}: {gap}");
            }
        }
    }
}
