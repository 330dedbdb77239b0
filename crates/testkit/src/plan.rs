//! What does a drawn network look like? A plan of steps, and the graph that it describes.

use secateur_graph::{Binary, Dim, Gemm, Graph, Op, Opaque, Result, Tensor, Unary, ValueId};

use crate::building::Building;

/// How a dense layer is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// `Gemm` with weights `[in, out]`.
    Gemm,
    /// `Gemm` with weights `[out, in]`, and factors other than one.
    Transposed,
    /// `MatMul` and `Add`.
    MatMul,
    /// `MatMul` alone.
    Unbiased,
}

/// One step along the trunk of a network.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A dense layer of that width.
    Dense(Form, usize),
    /// An element-wise function.
    Activate(Unary),
    /// A constant per channel.
    Constant(Binary),
    /// A dense layer of the trunk's width, added to what went in.
    Residual(Form),
    /// The trunk times what an earlier step left, if widths agree.
    Gate,
    /// A `Gather` in an order drawn from the seed.
    Reorder,
    /// A `Gather` that takes the first and last channel only.
    Ends,
    /// `Flatten`.
    Flatten,
    /// `Identity`.
    Identity,
    /// `Softmax` over channels.
    Softmax,
    /// An operator that nobody understands.
    Opaque,
    /// A dense layer of that width that is an output of its own.
    Head(Form, usize),
}

/// A network to build: input features, steps, and a last dense layer of `outputs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Input features.
    pub inputs: usize,
    /// Steps along the trunk.
    pub steps: Vec<Step>,
    /// Channels of the last layer.
    pub outputs: usize,
    /// Where the numbers come from.
    pub seed: u64,
}

impl Plan {
    /// The network. Weights are whole numbers from -2 to 2, divisors and factors powers of two, so that sums
    /// in double precision are exact as long as all steps are piecewise linear.
    ///
    /// # Errors
    /// If a width is 0.
    pub fn build(&self) -> Result<Graph> {
        let mut b = Building::new("drawn", self.seed);
        let mut x = b
            .builder
            .input("x", [Dim::batch(), Dim::Fixed(self.inputs)]);
        let mut width = self.inputs;
        let mut earlier = vec![];
        for step in &self.steps {
            let (before, before_width) = (x, width);
            match *step {
                Step::Dense(form, outer) => {
                    x = b.dense(form, x, width, outer)?;
                    width = outer;
                }
                Step::Activate(unary) => x = b.node(Op::Unary(unary), &[x]),
                Step::Constant(binary) => {
                    let constant = b.constant(width, binary)?;
                    x = b.node(Op::Binary(binary), &[x, constant]);
                }
                Step::Residual(form) => {
                    let branch = b.dense(form, x, width, width)?;
                    x = b.node(Op::Binary(Binary::Add), &[branch, x]);
                }
                Step::Gate => {
                    if let Some(&(gate, _)) = earlier.iter().find(|&&(_, w)| w == width) {
                        x = b.node(Op::Binary(Binary::Mul), &[x, gate]);
                    }
                }
                Step::Reorder => {
                    let order = b.stream.order(width);
                    x = b.gather(x, &order)?;
                }
                Step::Ends => {
                    x = b.gather(x, &[0, width - 1])?;
                    width = 2;
                }
                Step::Flatten => x = b.node(Op::Flatten { axis: 1 }, &[x]),
                Step::Identity => x = b.node(Op::Identity, &[x]),
                Step::Softmax => x = b.node(Op::Softmax { axis: -1 }, &[x]),
                Step::Opaque => x = b.opaque(x, width),
                Step::Head(form, outer) => {
                    let head = b.dense(form, x, width, outer)?;
                    b.builder.output(head);
                }
            }
            earlier.push((before, before_width));
        }
        let last = b.dense(Form::Gemm, x, width, self.outputs)?;
        b.builder.output(last);
        b.builder.build()
    }
}

impl Building {
    fn constant(&mut self, width: usize, binary: Binary) -> Result<ValueId> {
        let factors = [0.5, 1.0, 2.0, -1.0];
        self.drawn(&[width], |stream| match binary {
            Binary::Add | Binary::Sub => stream.integer(2) as f32,
            // Powers of two: results stay exact.
            _ => factors[stream.below(4)],
        })
    }

    fn dense(&mut self, form: Form, x: ValueId, inner: usize, outer: usize) -> Result<ValueId> {
        let transposed = form == Form::Transposed;
        let shape = if transposed {
            [outer, inner]
        } else {
            [inner, outer]
        };
        let weights = self.integers(&shape)?;
        let bias = self.integers(&[outer])?;
        Ok(match form {
            Form::Gemm => self.node(Op::Gemm(Gemm::default()), &[x, weights, bias]),
            Form::Transposed => {
                let gemm = Gemm {
                    alpha: 0.5,
                    beta: 2.0,
                    trans_b: true,
                    ..Gemm::default()
                };
                self.node(Op::Gemm(gemm), &[x, weights, bias])
            }
            Form::MatMul => {
                let product = self.node(Op::MatMul, &[x, weights]);
                self.node(Op::Binary(Binary::Add), &[bias, product])
            }
            Form::Unbiased => self.node(Op::MatMul, &[x, weights]),
        })
    }

    fn gather(&mut self, x: ValueId, indices: &[usize]) -> Result<ValueId> {
        let indices = indices.iter().map(|&i| i as i64).collect::<Vec<_>>();
        let tensor = Tensor::i64([indices.len()], indices)?;
        let name = self.name("indices");
        let indices = self.builder.constant(name, tensor);
        Ok(self.node(Op::Gather { axis: 1 }, &[x, indices]))
    }

    fn opaque(&mut self, x: ValueId, width: usize) -> ValueId {
        let name = self.name("opaque");
        let shape = vec![Dim::batch(), Dim::Fixed(width)];
        let made = self.builder.declare(name.clone(), Some(shape));
        self.builder.add_node(secateur_graph::Node {
            name,
            op: Op::Opaque(Opaque {
                domain: "test".into(),
                op_type: "Mystery".into(),
                opset: 17,
                message: vec![],
            }),
            inputs: vec![Some(x)],
            outputs: vec![made],
        });
        made
    }
}
