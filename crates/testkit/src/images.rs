//! Convolutional networks drawn by proptest: branches that meet by sum, product or side by side.

use proptest::collection::vec;
use proptest::prelude::*;
use secateur_graph::{
    Binary, Conv, Dim, Gemm, Graph, Op, Padding, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind,
    Result, Tensor, Unary, ValueId, Window,
};

use crate::building::Building;

/// One step along the trunk of a convolutional network.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A convolution to so many channels, with a kernel of that length and perhaps a bias.
    Conv(usize, usize, bool),
    /// A convolution of each channel by itself.
    Depthwise,
    /// A convolution in two groups to twice as many channels, of an even number of them.
    Grouped(usize),
    /// Batch normalisation.
    BatchNorm,
    /// An element-wise function.
    Activate(Unary),
    /// Slopes for each channel.
    PRelu,
    /// A convolution of the trunk's width, added to what went in.
    Residual,
    /// A convolution to so many channels, put beside what went in.
    Dense(usize),
    /// Channels weighted by what a small network makes of their means.
    SqueezeExcite(usize),
    /// Channels in two halves, shuffled.
    Shuffle,
    /// The largest of each window of two by two.
    MaxPool,
    /// The mean of each window, borders counted.
    AveragePool,
    /// A head of its own.
    Head(usize),
}

/// A network of blocks on images of 6 by 6, with a dense layer at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// Input channels.
    pub inputs: usize,
    /// Steps along the trunk.
    pub blocks: Vec<Block>,
    /// Whether the last layer reads every position, or means over them.
    pub flat: bool,
    /// Channels of the last layer.
    pub outputs: usize,
    /// Where the numbers come from.
    pub seed: u64,
}

impl Images {
    /// The network. Weights are whole numbers from -2 to 2.
    ///
    /// # Errors
    /// If a width is 0.
    pub fn build(&self) -> Result<Graph> {
        let mut b = Building::new("images", self.seed);
        let shape = [
            Dim::batch(),
            Dim::Fixed(self.inputs),
            Dim::Fixed(6),
            Dim::Fixed(6),
        ];
        let mut x = b.builder.input("x", shape);
        let (mut width, mut side) = (self.inputs, 6);
        for block in &self.blocks {
            match *block {
                Block::Conv(outer, kernel, bias) => {
                    x = b.conv(x, (width, outer), kernel, 1, bias)?;
                    width = outer;
                }
                Block::Depthwise => x = b.conv(x, (width, width), 3, width, true)?,
                Block::Grouped(outer) if width % 2 == 0 => {
                    x = b.conv(x, (width, 2 * outer), 3, 2, true)?;
                    width = 2 * outer;
                }
                Block::BatchNorm => {
                    let parameters = [
                        b.integers(&[width])?,
                        b.integers(&[width])?,
                        b.integers(&[width])?,
                    ];
                    let variance = b.powers(&[width])?;
                    let [scale, shift, mean] = parameters;
                    x = b.node(
                        Op::BatchNorm {
                            epsilon: 0.0,
                            momentum: 0.9,
                        },
                        &[x, scale, shift, mean, variance],
                    );
                }
                Block::Activate(unary) => x = b.node(Op::Unary(unary), &[x]),
                Block::PRelu => {
                    let slope = b.powers(&[width, 1, 1])?;
                    x = b.node(Op::PRelu, &[x, slope]);
                }
                Block::Residual => {
                    let branch = b.conv(x, (width, width), 3, 1, false)?;
                    x = b.node(Op::Binary(Binary::Add), &[branch, x]);
                }
                Block::Dense(outer) => {
                    let beside = b.conv(x, (width, outer), 1, 1, true)?;
                    x = b.node(Op::Concat { axis: 1 }, &[x, beside]);
                    width += outer;
                }
                Block::SqueezeExcite(inner) => {
                    let mean = b.node(global(ReduceKind::Mean), &[x]);
                    let small = b.conv(mean, (width, inner), 1, 1, true)?;
                    let small = b.node(Op::Unary(Unary::Relu), &[small]);
                    let gate = b.conv(small, (inner, width), 1, 1, true)?;
                    let gate = b.node(Op::Unary(Unary::Sigmoid), &[gate]);
                    x = b.node(Op::Binary(Binary::Mul), &[x, gate]);
                }
                Block::Shuffle if width % 2 == 0 && width > 2 => x = b.shuffle(x, width, side)?,
                Block::MaxPool if side > 2 => {
                    x = b.pool(x, PoolKind::Max);
                    side /= 2;
                }
                Block::AveragePool if side > 2 => {
                    x = b.pool(
                        x,
                        PoolKind::Average {
                            count_padding: true,
                        },
                    );
                    side /= 2;
                }
                Block::Head(outer) => {
                    let made = b.conv(x, (width, outer), 1, 1, true)?;
                    b.builder.output(made);
                }
                Block::Grouped(_) | Block::Shuffle | Block::MaxPool | Block::AveragePool => {}
            }
        }
        let read = match self.flat {
            true => width * side * side,
            false => {
                x = b.node(global(ReduceKind::Mean), &[x]);
                width
            }
        };
        x = b.node(Op::Flatten { axis: 1 }, &[x]);
        let weights = b.integers(&[read, self.outputs])?;
        let bias = b.integers(&[self.outputs])?;
        let y = b.node(Op::Gemm(Gemm::default()), &[x, weights, bias]);
        b.builder.output(y);
        b.builder.build()
    }
}

fn global(kind: ReduceKind) -> Op {
    Op::Reduce(Reduce {
        kind,
        axes: ReduceAxes::Spatial,
        keep: true,
    })
}

impl Building {
    /// One of four factors that divide without rounding.
    fn powers(&mut self, shape: &[usize]) -> Result<ValueId> {
        self.drawn(shape, |stream| [0.25, 1.0, 4.0, 16.0][stream.below(4)])
    }

    fn conv(
        &mut self,
        x: ValueId,
        (inner, outer): (usize, usize),
        kernel: usize,
        conv_groups: usize,
        bias: bool,
    ) -> Result<ValueId> {
        let border = vec![kernel / 2; 2];
        let conv = Conv {
            window: Window {
                padding: Padding::By {
                    before: border.clone(),
                    behind: border,
                },
                ..Window::plain(2)
            },
            conv_groups,
        };
        let mut inputs = vec![
            x,
            self.integers(&[outer, inner / conv_groups, kernel, kernel])?,
        ];
        if bias {
            inputs.push(self.integers(&[outer])?);
        }
        Ok(self.node(Op::Conv(conv), &inputs))
    }

    fn pool(&mut self, x: ValueId, kind: PoolKind) -> ValueId {
        let pool = Pool {
            kind,
            kernel: vec![2, 2],
            window: Window {
                strides: vec![2, 2],
                ..Window::plain(2)
            },
        };
        self.node(Op::Pool(pool), &[x])
    }

    /// Channel `2 j + i` is what channel `i * width / 2 + j` was.
    fn shuffle(&mut self, x: ValueId, width: usize, side: usize) -> Result<ValueId> {
        let side = side as i64;
        let reshape = |b: &mut Self, x: ValueId, shape: Vec<i64>| -> Result<ValueId> {
            let name = b.name("shape");
            let shape = b.builder.constant(name, Tensor::i64([shape.len()], shape)?);
            Ok(b.node(Op::Reshape { allow_zero: false }, &[x, shape]))
        };
        let halves = reshape(self, x, vec![0, 2, (width / 2) as i64, side, side])?;
        let order = vec![0, 2, 1, 3, 4];
        let turned = self.node(Op::Transpose { order }, &[halves]);
        reshape(self, turned, vec![0, -1, side, side])
    }
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        4 => (1..6usize, prop_oneof![Just(1usize), Just(3)], any::<bool>())
            .prop_map(|(outer, kernel, bias)| Block::Conv(outer, kernel, bias)),
        1 => Just(Block::Depthwise),
        1 => (1..4usize).prop_map(Block::Grouped),
        1 => Just(Block::BatchNorm),
        2 => Just(Block::Activate(Unary::Relu)),
        1 => Just(Block::PRelu),
        2 => Just(Block::Residual),
        1 => (1..4usize).prop_map(Block::Dense),
        1 => (1..4usize).prop_map(Block::SqueezeExcite),
        1 => Just(Block::Shuffle),
        1 => Just(Block::MaxPool),
        1 => Just(Block::AveragePool),
        1 => (1..3usize).prop_map(Block::Head),
    ]
}

/// Convolutional networks of up to six blocks.
pub fn images() -> impl Strategy<Value = Images> {
    (
        1..4usize,
        vec(block(), 0..7),
        any::<bool>(),
        1..4usize,
        0..1000u64,
    )
        .prop_map(|(inputs, blocks, flat, outputs, seed)| Images {
            inputs,
            blocks,
            flat,
            outputs,
            seed,
        })
}
