//! Steps that choose between values by a condition that comes from the same channels.

use secateur_graph::{Element, Op, Result, Unary};

use super::trunk::Trunk;

/// A step that chooses between values by a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A number where the value is none, as behind a softmax.
    Guard,
    /// The value where it is large, a number for each channel elsewhere.
    First,
    /// A number for each channel where the value is large, the value elsewhere.
    Second,
    /// A number for each channel where the value is large, another number elsewhere.
    Neither,
    /// The value, or what a function makes of it.
    Both,
    /// The value or that of a further layer, by a condition for each channel.
    Layers,
}

impl Choice {
    pub(super) fn add(self, t: &mut Trunk) -> Result<()> {
        let x = t.x;
        let inputs = match self {
            Self::Guard => {
                let is_none = t.node(Op::Unary(Unary::IsNan), &[x]);
                t.b.builder.of_type(is_none, Element::Bool);
                [is_none, t.number(0.0)?, x]
            }
            Self::First | Self::Second | Self::Neither => {
                let above = t.above(x)?;
                let shape = t.by_channel();
                let numbers = t.weights(&shape)?;
                match self {
                    Self::First => [above, x, numbers],
                    Self::Second => [above, numbers, x],
                    _ => [above, numbers, t.number(0.5)?],
                }
            }
            Self::Both => {
                let other = t.node(Op::Unary(Unary::Abs), &[x]);
                [t.above(x)?, x, other]
            }
            Self::Layers => {
                let (width, shape) = (t.width, t.by_channel());
                let other = t.linear(x, width, width)?;
                [t.truths(&shape)?, x, other]
            }
        };
        t.x = t.node(Op::Where, &inputs);
        Ok(())
    }
}
