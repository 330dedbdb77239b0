//! Networks for the tests.

mod arithmetic;
mod check;
mod einsum;
mod judged;
mod moves;
mod origins;
mod points;
mod products;
mod reduce;
mod refusals;
mod resize;
mod rows;
mod spread;
mod taps;
mod volumes;

pub(crate) use check::{check, check_outputs, notes};

use secateur_graph::{
    Binary, Conv, Dim, Gemm, Graph, GraphBuilder, Node, Op, Padding, Pool, PoolKind, Reduce,
    ReduceAxes, ReduceKind, Tensor, Unary, ValueId, Window, infer_shapes,
};
use secateur_testkit::Stream;

/// A network that grows node by node, with drawn weights.
pub(crate) struct Net {
    builder: GraphBuilder,
    stream: Stream,
    count: usize,
    shapes: Vec<(ValueId, Vec<usize>)>,
    pub(crate) input: ValueId,
}

impl Net {
    /// For rows of this shape.
    pub(crate) fn new(row: &[usize], seed: u64) -> Self {
        let mut builder = GraphBuilder::new("net");
        let mut dims = vec![Dim::batch()];
        dims.extend(row.iter().map(|&n| Dim::Fixed(n)));
        let input = builder.input("x", dims);
        let mut shape = vec![1];
        shape.extend(row);
        Self {
            builder,
            stream: Stream::new(seed),
            count: 0,
            shapes: vec![(input, shape)],
            input,
        }
    }

    /// Another input, for rows of this shape.
    pub(crate) fn second_input(&mut self, row: &[usize]) -> ValueId {
        let mut dims = vec![Dim::batch()];
        dims.extend(row.iter().map(|&n| Dim::Fixed(n)));
        let input = self.builder.input("x2", dims);
        let mut shape = vec![1];
        shape.extend(row);
        self.shapes.push((input, shape));
        input
    }

    /// Drawn numbers about `mean`.
    pub(crate) fn constant(&mut self, shape: &[usize], mean: f64, spread: f64) -> ValueId {
        self.count += 1;
        let len = shape.iter().product();
        let numbers = drawn(&mut self.stream, len)
            .into_iter()
            .map(|v| (mean + spread * v) as f32);
        let tensor = Tensor::f32(shape.to_vec(), numbers.collect()).unwrap();
        self.builder.constant(format!("c{}", self.count), tensor)
    }

    /// A constant of whole numbers, as shapes and axes are.
    pub(crate) fn whole(&mut self, numbers: &[i64]) -> ValueId {
        self.count += 1;
        let tensor = Tensor::i64([numbers.len()], numbers.to_vec()).unwrap();
        self.builder.constant(format!("i{}", self.count), tensor)
    }

    /// A constant of these numbers.
    pub(crate) fn numbers(&mut self, shape: &[usize], numbers: &[f32]) -> ValueId {
        self.count += 1;
        let tensor = Tensor::f32(shape.to_vec(), numbers.to_vec()).unwrap();
        self.builder.constant(format!("f{}", self.count), tensor)
    }

    pub(crate) fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let inputs: Vec<Option<ValueId>> = inputs.iter().copied().map(Some).collect();
        self.node_of(op, &inputs)
    }

    /// A node that makes several values.
    pub(crate) fn nodes(&mut self, op: Op, inputs: &[ValueId], count: usize) -> Vec<ValueId> {
        self.count += 1;
        let name = format!("n{}", self.count);
        let made = (0..count).map(|i| self.builder.declare(format!("{name}.{i}"), None));
        let made: Vec<ValueId> = made.collect();
        self.builder.add_node(Node {
            name,
            op,
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs: made.clone(),
        });
        made.iter().for_each(|&value| self.learn_shape(value));
        made
    }

    /// A node some of whose inputs may be left out.
    pub(crate) fn node_of(&mut self, op: Op, inputs: &[Option<ValueId>]) -> ValueId {
        self.count += 1;
        let name = format!("n{}", self.count);
        let value = self.builder.declare(&name, None);
        self.builder.add_node(Node {
            name,
            op,
            inputs: inputs.to_vec(),
            outputs: vec![value],
        });
        self.learn_shape(value);
        value
    }

    fn learn_shape(&mut self, value: ValueId) {
        let mut so_far = self.builder.clone();
        so_far.output(value);
        let shaped = infer_shapes(&so_far.build().unwrap()).unwrap();
        let dims = shaped.value(value).shape.clone().unwrap();
        self.shapes
            .push((value, dims.iter().map(|d| d.fixed().unwrap_or(1)).collect()));
    }

    /// The shape of a value for one row.
    pub(crate) fn shape(&self, value: ValueId) -> Vec<usize> {
        self.shapes
            .iter()
            .find(|(v, _)| *v == value)
            .unwrap()
            .1
            .clone()
    }

    /// A convolution with a bias.
    pub(crate) fn conv(
        &mut self,
        x: ValueId,
        made: usize,
        kernel: usize,
        stride: usize,
        pad: usize,
        groups: usize,
    ) -> ValueId {
        let channels = self.shape(x)[1];
        let spread = 1.0 / ((channels / groups * kernel * kernel) as f64).sqrt();
        let weight = self.constant(&[made, channels / groups, kernel, kernel], 0.0, spread);
        let bias = self.constant(&[made], 0.1, 0.1);
        let conv = Conv {
            window: window(stride, pad),
            conv_groups: groups,
        };
        self.node(Op::Conv(conv), &[x, weight, bias])
    }

    /// A convolution without a bias over any axes.
    pub(crate) fn conv_of(
        &mut self,
        x: ValueId,
        made: usize,
        kernel: &[usize],
        window: Window,
        groups: usize,
    ) -> ValueId {
        let mut shape = vec![made, self.shape(x)[1] / groups];
        shape.extend(kernel);
        let spread = 1.0 / (shape[1..].iter().product::<usize>() as f64).sqrt();
        let weight = self.constant(&shape, 0.0, spread);
        let conv = Conv {
            window,
            conv_groups: groups,
        };
        self.node(Op::Conv(conv), &[x, weight])
    }

    pub(crate) fn batch_norm(&mut self, x: ValueId) -> ValueId {
        let channels = self.shape(x)[1];
        let scale = self.constant(&[channels], 1.0, 0.2);
        let shift = self.constant(&[channels], 0.1, 0.3);
        let mean = self.constant(&[channels], 0.0, 0.3);
        let variance = self.constant(&[channels], 1.0, 0.1);
        let op = Op::BatchNorm {
            epsilon: 1e-3,
            momentum: 0.75,
        };
        self.node(op, &[x, scale, shift, mean, variance])
    }

    pub(crate) fn unary(&mut self, x: ValueId, unary: Unary) -> ValueId {
        self.node(Op::Unary(unary), &[x])
    }

    pub(crate) fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        self.node(Op::Binary(op), &[a, b])
    }

    pub(crate) fn max_pool(
        &mut self,
        x: ValueId,
        kernel: usize,
        stride: usize,
        pad: usize,
    ) -> ValueId {
        self.pool(x, PoolKind::Max, kernel, stride, pad)
    }

    pub(crate) fn mean_pool(
        &mut self,
        x: ValueId,
        kernel: usize,
        stride: usize,
        pad: usize,
    ) -> ValueId {
        let kind = PoolKind::Average {
            count_padding: pad % 2 == 1,
        };
        self.pool(x, kind, kernel, stride, pad)
    }

    fn pool(
        &mut self,
        x: ValueId,
        kind: PoolKind,
        kernel: usize,
        stride: usize,
        pad: usize,
    ) -> ValueId {
        let pool = Pool {
            kind,
            kernel: vec![kernel; 2],
            window: window(stride, pad),
        };
        self.node(Op::Pool(pool), &[x])
    }

    pub(crate) fn global_mean(&mut self, x: ValueId) -> ValueId {
        let reduce = Reduce {
            kind: ReduceKind::Mean,
            axes: ReduceAxes::Spatial,
            keep: true,
        };
        self.node(Op::Reduce(reduce), &[x])
    }

    pub(crate) fn flatten(&mut self, x: ValueId) -> ValueId {
        self.node(Op::Flatten { axis: 1 }, &[x])
    }

    /// A dense layer, its weights transposed or not by turns.
    pub(crate) fn gemm(&mut self, x: ValueId, made: usize) -> ValueId {
        let inputs = self.shape(x)[1];
        let trans_b = self.count.is_multiple_of(2);
        let shape = if trans_b {
            [made, inputs]
        } else {
            [inputs, made]
        };
        let weight = self.constant(&shape, 0.0, 1.0 / (inputs as f64).sqrt());
        let bias = self.constant(&[made], 0.0, 0.1);
        let gemm = Gemm {
            trans_b,
            ..Gemm::default()
        };
        self.node(Op::Gemm(gemm), &[x, weight, bias])
    }

    /// A scale and a shift of each channel by constants.
    pub(crate) fn per_channel(&mut self, x: ValueId, channels: usize) -> ValueId {
        let scale = self.constant(&[channels, 1, 1], 1.0, 0.3);
        let shift = self.constant(&[1, channels, 1, 1], 0.0, 0.3);
        let y = self.binary(Binary::Mul, x, scale);
        self.binary(Binary::Sub, shift, y)
    }

    /// A trained factor of every number, behind which constants are trained.
    pub(crate) fn gain(&mut self, x: ValueId, slopes: ValueId) -> ValueId {
        let y = self.node(Op::PRelu, &[x, slopes]);
        self.binary(Binary::Sub, x, y)
    }

    pub(crate) fn build(self, output: ValueId) -> Graph {
        self.build_all(&[output])
    }

    /// A network of several outputs.
    pub(crate) fn build_all(mut self, outputs: &[ValueId]) -> Graph {
        for &output in outputs {
            self.builder.output(output);
        }
        self.builder.build().unwrap()
    }
}

/// Numbers of mean 0 and variance 1.
fn drawn(stream: &mut Stream, len: usize) -> Vec<f64> {
    (0..len)
        .map(|_| stream.unit() + stream.unit() + stream.unit())
        .collect()
}

fn window(stride: usize, pad: usize) -> Window {
    window_of(2, stride, pad)
}

/// A window over so many axes.
pub(crate) fn window_of(axes: usize, stride: usize, pad: usize) -> Window {
    Window {
        strides: vec![stride; axes],
        dilations: vec![1; axes],
        padding: Padding::By {
            before: vec![pad; axes],
            behind: vec![pad; axes],
        },
        ceil: false,
    }
}
