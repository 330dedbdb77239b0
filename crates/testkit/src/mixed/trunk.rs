//! A network under construction: its current value, and what every step needs.

use secateur_graph::{
    Binary, Conv, Data, Einsum, Element, Gemm, Graph, Op, Padding, Reduce, ReduceAxes, ReduceKind,
    Result, Tensor, ValueId, Window,
};

use super::{Mixed, shape};
use crate::building::Building;

/// The current value, and the graph so far.
pub(super) struct Trunk {
    pub(super) b: Building,
    pub(super) x: ValueId,
    /// How many channels it has.
    pub(super) width: usize,
    /// How many rows there are, if always as many.
    pub(super) rows: Option<usize>,
    /// How many places along each further axis.
    pub(super) places: Vec<usize>,
    /// Whether channels come last, as those of tokens do.
    pub(super) is_last: bool,
    /// Earlier values of one row, channels and places.
    pub(super) earlier: Vec<(ValueId, usize, Vec<usize>, bool)>,
}

impl Trunk {
    pub(super) fn new(plan: &Mixed) -> Self {
        let places = match plan.places {
            0 => vec![4],
            1 => vec![8],
            2 => vec![4, 4],
            _ => vec![2, 4, 2],
        };
        let is_last = plan.places == 0;
        let mut b = Building::new("mixed", plan.seed);
        let x = b
            .builder
            .input("x", shape(plan.inputs, plan.rows, &places, is_last));
        Self {
            b,
            x,
            width: plan.inputs,
            rows: plan.rows,
            places,
            is_last,
            earlier: vec![],
        }
    }

    /// The number of axes of the current value.
    pub(super) fn rank(&self) -> usize {
        2 + self.places.len()
    }

    /// The axis of its channels.
    pub(super) fn axis(&self) -> usize {
        match self.is_last {
            true => self.rank() - 1,
            false => 1,
        }
    }

    /// The first axis of its places.
    pub(super) fn first_place(&self) -> usize {
        if self.is_last { 1 } else { 2 }
    }

    /// The axes of its places.
    pub(super) fn place_axes(&self) -> Vec<i64> {
        let first = self.first_place() as i64;
        (0..self.places.len() as i64).map(|i| first + i).collect()
    }

    /// The shape of a constant with a number for each channel.
    pub(super) fn by_channel(&self) -> Vec<usize> {
        match self.is_last {
            true => vec![self.width],
            false => [vec![self.width], vec![1; self.places.len()]].concat(),
        }
    }

    /// The shape of a constant with a number for each place.
    pub(super) fn by_place(&self) -> Vec<usize> {
        match self.is_last {
            true => [self.places.clone(), vec![1]].concat(),
            false => [vec![1], self.places.clone()].concat(),
        }
    }

    pub(super) fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        self.b.node(op, inputs)
    }

    /// Quarters from -1/2 to 1/2, which keep sums exact and numbers small.
    pub(super) fn weights(&mut self, shape: &[usize]) -> Result<ValueId> {
        self.b.drawn(shape, |s| s.integer(2) as f32 / 4.0)
    }

    /// One of three factors other than 1, which keep products exact.
    pub(super) fn factors(&mut self, shape: &[usize]) -> Result<ValueId> {
        self.b.drawn(shape, |s| [0.5, -1.0, 2.0][s.below(3)])
    }

    /// Positive numbers that divide without rounding.
    pub(super) fn powers(&mut self, shape: &[usize]) -> Result<ValueId> {
        self.b.drawn(shape, |s| [0.25, 1.0, 4.0][s.below(3)])
    }

    /// A constant of whole numbers.
    pub(super) fn list(&mut self, values: &[i64]) -> Result<ValueId> {
        let name = self.b.name("list");
        let tensor = Tensor::i64([values.len()], values.to_vec())?;
        Ok(self.b.builder.constant(name, tensor))
    }

    /// A constant of one number, without axes.
    pub(super) fn number(&mut self, value: f32) -> Result<ValueId> {
        let name = self.b.name("number");
        let tensor = Tensor::f32([], vec![value])?;
        Ok(self.b.builder.constant(name, tensor))
    }

    /// A constant of drawn truths.
    pub(super) fn truths(&mut self, shape: &[usize]) -> Result<ValueId> {
        let count: usize = shape.iter().product();
        let bytes = (0..count).map(|_| self.b.stream.below(2) as u8).collect();
        let name = self.b.name("truths");
        let tensor = Tensor::new(shape, Data::Raw(Element::Bool, bytes))?;
        Ok(self.b.builder.constant(name, tensor))
    }

    /// A node that makes whole numbers.
    pub(super) fn whole(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let made = self.node(op, inputs);
        self.b.builder.of_type(made, Element::I64);
        made
    }

    /// The number of rows of a value and then `lengths`, as computed by exported graphs.
    pub(super) fn shape_of_rows(&mut self, x: ValueId, lengths: &[i64]) -> Result<ValueId> {
        let shape = Op::Shape {
            start: 0,
            end: None,
        };
        let all = self.whole(shape, &[x]);
        let first = self.list(&[0])?;
        let rows = self.whole(Op::Gather { axis: 0 }, &[all, first]);
        let lengths = self.list(lengths)?;
        Ok(self.whole(Op::Concat { axis: 0 }, &[rows, lengths]))
    }

    pub(super) fn reshape(&mut self, x: ValueId, shape: &[i64]) -> Result<ValueId> {
        let shape = self.list(shape)?;
        Ok(self.node(Op::Reshape { allow_zero: false }, &[x, shape]))
    }

    /// A layer of `outer` channels that looks at one place at a time: a convolution, a product or an equation.
    pub(super) fn linear(&mut self, x: ValueId, inner: usize, outer: usize) -> Result<ValueId> {
        let by_letters = self.b.stream.below(3) == 0;
        if by_letters {
            let weights = self.weights(&[inner, outer])?;
            let equation = match self.is_last {
                true => "...c,cd->...d",
                false => "nc...,cd->nd...",
            };
            let Some(einsum) = Einsum::of(equation, 2)? else {
                return Ok(x);
            };
            return Ok(self.node(Op::Einsum(einsum), &[x, weights]));
        }
        if self.is_last {
            let weights = self.weights(&[inner, outer])?;
            let product = self.node(Op::MatMul, &[x, weights]);
            let bias = self.weights(&[outer])?;
            return Ok(self.node(Op::Binary(Binary::Add), &[product, bias]));
        }
        self.conv(x, (inner, outer), 1, 1)
    }

    /// A convolution that keeps the places; `kernel` is odd.
    pub(super) fn conv(
        &mut self,
        x: ValueId,
        (inner, outer): (usize, usize),
        kernel: usize,
        conv_groups: usize,
    ) -> Result<ValueId> {
        let axes = self.places.len();
        let border = vec![kernel / 2; axes];
        let conv = Conv {
            window: Window {
                padding: Padding::By {
                    before: border.clone(),
                    behind: border,
                },
                ..Window::plain(axes)
            },
            conv_groups,
        };
        let shape = [vec![outer, inner / conv_groups], vec![kernel; axes]].concat();
        let weights = self.weights(&shape)?;
        let bias = self.weights(&[outer])?;
        Ok(self.node(Op::Conv(conv), &[x, weights, bias]))
    }

    /// Something over axes, which stay.
    pub(super) fn reduce(&mut self, kind: ReduceKind, x: ValueId, axes: &[i64]) -> Result<ValueId> {
        let reduce = Reduce {
            kind,
            axes: ReduceAxes::These(axes.to_vec()),
            keep: true,
        };
        let axes = self.list(axes)?;
        Ok(self.node(Op::Reduce(reduce), &[x, axes]))
    }

    /// The graph, with a dense layer at its end.
    pub(super) fn finish(mut self, flat: bool, outputs: usize) -> Result<Graph> {
        let mut read = self.width;
        let mut x = self.x;
        if flat {
            read *= self.places.iter().product::<usize>();
        } else {
            let axes = self.place_axes();
            x = self.reduce(ReduceKind::Mean, x, &axes)?;
        }
        x = self.node(Op::Flatten { axis: 1 }, &[x]);
        let weights = self.weights(&[read, outputs])?;
        let bias = self.weights(&[outputs])?;
        let y = self.node(Op::Gemm(Gemm::default()), &[x, weights, bias]);
        self.b.builder.output(y);
        self.b.builder.build()
    }
}
