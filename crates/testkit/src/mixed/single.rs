//! Steps in which one channel is the same for all channels of another value.

use secateur_graph::{Binary, Element, Op, Result, Unary, ValueId, Variadic};

use super::shape;
use super::trunk::Trunk;

/// A step in which one channel is the same for all channels of another value.
#[derive(Debug, Clone, PartialEq)]
pub enum Single {
    /// A layer of one channel is the left or the right operand.
    Gate {
        /// What becomes of both.
        binary: Binary,
        /// Whether it is the left one.
        left: bool,
    },
    /// It is one of three operands, at this place among them.
    Several(Variadic, usize),
    /// It is the condition, the first or the second value of a choice.
    Where(usize),
    /// It is an input of its own.
    Input,
}

impl Single {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, width) = (t.x, t.width);
        match *self {
            Self::Gate { binary, left } => {
                let gate = t.linear(x, width, 1)?;
                let gate = t.node(
                    Op::Unary(Unary::HardSigmoid {
                        alpha: 0.25,
                        beta: 0.5,
                    }),
                    &[gate],
                );
                let inputs = if left { [gate, x] } else { [x, gate] };
                t.x = t.node(Op::Binary(binary), &inputs);
            }
            Self::Several(variadic, at) => {
                let mut inputs = vec![x, t.linear(x, width, width)?];
                inputs.insert(at.min(2), t.linear(x, width, 1)?);
                t.x = t.node(Op::Variadic(variadic), &inputs);
            }
            Self::Where(slot) => {
                let single = t.linear(x, width, 1)?;
                let number = t.number(0.5)?;
                let chosen = if slot == 0 { single } else { x };
                let above = t.above(chosen)?;
                let inputs = match slot {
                    0 => [above, x, number],
                    1 => [above, single, x],
                    _ => [above, x, single],
                };
                t.x = t.node(Op::Where, &inputs);
            }
            Self::Input => {
                let name = t.b.name("input");
                let dims = shape(1, t.rows, &t.places, t.is_last);
                let mask = t.b.builder.input(name, dims);
                t.x = t.node(Op::Binary(Binary::Mul), &[x, mask]);
            }
        }
        Ok(())
    }
}

impl Trunk {
    /// Whether each number is above another.
    pub(super) fn above(&mut self, x: ValueId) -> Result<ValueId> {
        let bound = self.number(0.25)?;
        let above = self.node(Op::Binary(Binary::Greater), &[x, bound]);
        self.b.builder.of_type(above, Element::Bool);
        Ok(above)
    }
}
