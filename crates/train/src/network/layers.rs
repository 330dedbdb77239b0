//! Layers one behind the other, each with the names of its parameters: what named networks are written with.

mod conv;

use rand_chacha::ChaCha8Rng;
use secateur_graph::{
    Binary, Dim, Gemm, Graph, GraphBuilder, Op, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind,
    Tensor, Unary, ValueId,
};

use super::{ImageSize, Init};
use crate::{Error, Result};

pub(super) use self::conv::Filter;

/// Networks of more weights are not made: they would take 1 GiB.
const MOST_WEIGHTS: usize = 1 << 28;

/// Where numbers come from.
pub(super) enum Numbers<'a> {
    /// A law, and what draws.
    Drawn(Init, &'a mut ChaCha8Rng),
    /// Zeros, to see what a network would cost.
    Zeros,
}

/// A place in the network: a value `[batch, channels, height, width]`, or `[batch, channels]` behind [`Layers::flatten`],
/// which counts as one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    value: ValueId,
    size: ImageSize,
}

impl Here {
    /// Channels, or features.
    pub(super) fn channels(self) -> usize {
        self.size.channels
    }
}

/// A network under construction: each call adds a layer behind a place and gives the place behind it.
pub(super) struct Layers<'a> {
    builder: GraphBuilder,
    numbers: Numbers<'a>,
    input: ImageSize,
    weights: usize,
    /// Bounds of ReLU6, once there are some.
    bounds: Option<[ValueId; 2]>,
}

impl<'a> Layers<'a> {
    /// Nothing but the input `image` `[batch, channels, height, width]`.
    pub(super) fn new(name: &str, input: ImageSize, numbers: Numbers<'a>) -> (Self, Here) {
        let mut builder = GraphBuilder::new(name);
        let lengths = [input.channels, input.height, input.width].map(Dim::Fixed);
        let shape: Vec<Dim> = std::iter::once(Dim::batch()).chain(lengths).collect();
        let value = builder.input("image", shape);
        let layers = Self {
            builder,
            numbers,
            input,
            weights: 0,
            bounds: None,
        };
        (layers, Here { value, size: input })
    }

    /// Weights `[features, outputs]`, biases, and the rectifier that follows, if one does.
    pub(super) fn dense(
        &mut self,
        name: &str,
        x: Here,
        outputs: usize,
        rectified: bool,
    ) -> Result<Here> {
        let inputs = x.size.channels;
        let activation = rectified.then_some(Unary::Relu);
        let (weights, bias) = self.draw((inputs, outputs), activation)?;
        let weights = Tensor::f32([inputs, outputs], weights)?;
        let weights = self.builder.constant(format!("{name}.weight"), weights);
        let bias = Tensor::f32([outputs], vec![bias; outputs])?;
        let bias = self.builder.constant(format!("{name}.bias"), bias);
        let gemm = Op::Gemm(Gemm::default());
        let size = ImageSize::new(outputs, 1, 1);
        let made = self.add(name.to_owned(), gemm, &[x.value, weights, bias], size);
        Ok(match rectified {
            true => self.relu(name, made),
            false => made,
        })
    }

    /// The largest of each 2x2 places; a last odd row or column goes.
    pub(super) fn halve(&mut self, name: &str, x: Here) -> Result<Here> {
        let filter = Filter {
            kernel: 2,
            stride: 2,
            padding: 0,
            depthwise: false,
        };
        let size = self.behind(name, x.size, filter)?;
        let pool = Op::Pool(Pool {
            kind: PoolKind::Max,
            kernel: vec![2; 2],
            window: filter.window(),
        });
        Ok(self.add(name.to_owned(), pool, &[x.value], size))
    }

    /// The mean of each channel over all places: `[batch, channels]`.
    pub(super) fn mean(&mut self, x: Here) -> Here {
        let mean = Op::Reduce(Reduce {
            kind: ReduceKind::Mean,
            axes: ReduceAxes::Spatial,
            keep: true,
        });
        let size = ImageSize::new(x.size.channels, 1, 1);
        let mean = self.add("mean".into(), mean, &[x.value], size);
        self.flatten(mean)
    }

    /// All numbers of an image as features: `[batch, channels * height * width]`.
    pub(super) fn flatten(&mut self, x: Here) -> Here {
        let size = ImageSize::new(x.size.numbers(), 1, 1);
        self.add("flatten".into(), Op::Flatten { axis: 1 }, &[x.value], size)
    }

    /// Numbers below 0 become 0.
    pub(super) fn relu(&mut self, name: &str, x: Here) -> Here {
        let relu = Op::Unary(Unary::Relu);
        self.add(format!("{name}.relu"), relu, &[x.value], x.size)
    }

    /// The same, and numbers above 6 become 6. All have their bounds in common.
    pub(super) fn relu6(&mut self, name: &str, x: Here) -> Result<Here> {
        let [low, high] = match self.bounds {
            Some(bounds) => bounds,
            None => {
                let zero = Tensor::f32([], vec![0.0])?;
                let six = Tensor::f32([], vec![6.0])?;
                let zero = self.builder.constant("relu6.min", zero);
                [zero, self.builder.constant("relu6.max", six)]
            }
        };
        self.bounds = Some([low, high]);
        // Files have the bounds as inputs; attributes are of older operator sets.
        let clip = Op::Clip {
            min: f32::NEG_INFINITY,
            max: f32::INFINITY,
        };
        Ok(self.add(format!("{name}.relu6"), clip, &[x.value, low, high], x.size))
    }

    /// The sum of two places of one size.
    pub(super) fn sum(&mut self, name: &str, a: Here, b: Here) -> Here {
        let add = Op::Binary(Binary::Add);
        self.add(format!("{name}.sum"), add, &[a.value, b.value], a.size)
    }

    fn add(&mut self, name: String, op: Op, inputs: &[ValueId], size: ImageSize) -> Here {
        let value = self.builder.node(name, op, inputs);
        Here { value, size }
    }

    /// Weights of a layer, and the value of its biases.
    fn draw(
        &mut self,
        (inputs, outputs): (usize, usize),
        activation: Option<Unary>,
    ) -> Result<(Vec<f32>, f32)> {
        let count = inputs.saturating_mul(outputs);
        self.weights = self.weights.saturating_add(count);
        if self.weights > MOST_WEIGHTS {
            return Err(Error::settings(format!(
                "the network would have more than {MOST_WEIGHTS} weights"
            ))
            .hint("give a smaller width, or smaller images"));
        }
        match &mut self.numbers {
            Numbers::Drawn(init, rng) => init.draw((inputs, outputs), activation, rng),
            Numbers::Zeros => Ok((vec![0.0; count], 0.0)),
        }
    }

    /// The graph that ends at a place.
    pub(super) fn finish(mut self, last: Here) -> Result<Graph> {
        self.builder.output(last.value);
        Ok(self.builder.build()?)
    }
}
