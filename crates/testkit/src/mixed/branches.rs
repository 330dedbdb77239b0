//! Steps in which several values meet.

use secateur_graph::{Binary, Conv, Node, Op, Result, Split, Unary, ValueId, Variadic, Window};

use super::shape;
use super::trunk::Trunk;

/// A step in which several values meet.
#[derive(Debug, Clone, PartialEq)]
pub enum Branch {
    /// A layer of so many channels, without a branch.
    Layer(usize),
    /// A layer of the trunk's width, and what went in.
    Residual(Binary),
    /// As many layers of the trunk's width, what went in and a constant.
    Several(Variadic, usize),
    /// A layer of so many channels, put beside what went in.
    Beside(usize),
    /// Twice as many channels in two halves, one of which gates the other.
    Halves,
    /// Three parts of the channels, the first two added and put beside the third.
    Parts,
    /// What an earlier step left, if it has the same shape.
    Earlier(Binary),
    /// One weight matrix for two layers.
    Shared,
    /// A layer on an input of its own, added.
    SecondInput(usize),
    /// An output of its own.
    Head(usize),
}

impl Branch {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, width, axis) = (t.x, t.width, t.axis() as i64);
        match *self {
            Self::Layer(outer) => {
                t.x = t.linear(x, width, outer)?;
                t.width = outer;
            }
            Self::Residual(binary) => {
                let branch = t.linear(x, width, width)?;
                t.x = t.node(Op::Binary(binary), &[branch, x]);
            }
            Self::Several(variadic, count) => {
                let shape = t.by_channel();
                let mut operands = vec![x, t.weights(&shape)?];
                for _ in 0..count {
                    operands.push(t.linear(x, width, width)?);
                }
                t.x = t.node(Op::Variadic(variadic), &operands);
            }
            Self::Beside(outer) => {
                let beside = t.linear(x, width, outer)?;
                t.x = t.node(Op::Concat { axis }, &[x, beside]);
                t.width += outer;
            }
            Self::Halves => {
                let wide = t.linear(x, width, 2 * width)?;
                let halves = t.split(wide, &[width, width])?;
                let gate = t.node(Op::Unary(Unary::Sigmoid), &halves[1..]);
                t.x = t.node(Op::Binary(Binary::Mul), &[halves[0], gate]);
            }
            Self::Parts => {
                let wide = t.linear(x, width, 2 * width + 1)?;
                let parts = t.split(wide, &[width, width, 1])?;
                let sum = t.node(Op::Binary(Binary::Add), &parts[..2]);
                t.x = t.node(Op::Concat { axis }, &[sum, parts[2]]);
                t.width += 1;
            }
            Self::Earlier(binary) => {
                let now = (&t.width, &t.places, &t.is_last);
                let mut earlier = t.earlier.iter().rev();
                if let Some(&(other, ..)) = earlier.find(|(_, w, p, l)| (w, p, l) == now) {
                    t.x = t.node(Op::Binary(binary), &[x, other]);
                }
            }
            Self::Shared => {
                let layer = match t.is_last {
                    true => t.weights(&[width, width])?,
                    false => {
                        let ones = vec![1; t.places.len()];
                        t.weights(&[vec![width, width], ones].concat())?
                    }
                };
                let inner = t.shared(x, layer);
                let inner = t.node(Op::Unary(Unary::Relu), &[inner]);
                let outer = t.shared(inner, layer);
                t.x = t.node(Op::Binary(Binary::Add), &[outer, x]);
            }
            Self::SecondInput(inputs) => {
                let name = t.b.name("input");
                let second =
                    t.b.builder
                        .input(name, shape(inputs, t.rows, &t.places, t.is_last));
                let branch = t.linear(second, inputs, width)?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, branch]);
            }
            Self::Head(outer) => {
                let head = t.linear(x, width, outer)?;
                t.b.builder.output(head);
            }
        }
        t.earlier.push((x, width, t.places.clone(), t.is_last));
        Ok(())
    }
}

impl Trunk {
    /// Parts of the channels.
    pub(super) fn split(&mut self, x: ValueId, parts: &[usize]) -> Result<Vec<ValueId>> {
        // As an attribute, or as an input of later operator sets.
        let attribute = self.b.stream.below(2) == 0;
        self.split_along(x, self.axis(), (parts, attribute))
    }

    /// Parts of an axis.
    pub(super) fn split_along(
        &mut self,
        x: ValueId,
        axis: usize,
        (parts, attribute): (&[usize], bool),
    ) -> Result<Vec<ValueId>> {
        let split = Split {
            axis: axis as i64,
            parts: parts.to_vec(),
            attribute,
        };
        let mut inputs = vec![Some(x)];
        if !attribute {
            let lengths: Vec<i64> = parts.iter().map(|&n| n as i64).collect();
            inputs.push(Some(self.list(&lengths)?));
        }
        let name = self.b.name("split");
        let outputs: Vec<_> = (0..parts.len())
            .map(|i| self.b.builder.declare(format!("{name}:{i}"), None))
            .collect();
        self.b.builder.add_node(Node {
            name,
            op: Op::Split(split),
            inputs,
            outputs: outputs.clone(),
        });
        Ok(outputs)
    }

    fn shared(&mut self, x: ValueId, weights: ValueId) -> ValueId {
        let op = match self.is_last {
            true => Op::MatMul,
            false => Op::Conv(Conv {
                window: Window::plain(self.places.len()),
                conv_groups: 1,
            }),
        };
        self.node(op, &[x, weights])
    }
}
