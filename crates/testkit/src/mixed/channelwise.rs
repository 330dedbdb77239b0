//! Steps that look at each channel by itself.

use secateur_graph::{Binary, Element, Index, Op, Result, Unary};

use super::trunk::Trunk;

/// A step that looks at each channel by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Channelwise {
    /// An element-wise function.
    Activate(Unary),
    /// A bare parameter for each channel: a shift, or a scale as of layers.
    Parameter(Binary),
    /// A bare parameter for each place.
    Position,
    /// Clipped to bounds that are inputs.
    Clip,
    /// Slopes for each channel.
    PRelu,
    /// At some places another number.
    Where,
    /// Whatever is above another number, by a comparison.
    Choose,
    /// Times whether it is above another number.
    Cast,
    /// Another order of channels.
    Reorder,
    /// The first channels only.
    First,
    /// Every channel twice.
    Twice,
    /// A constant of a computed shape added.
    Filled,
    /// A constant that nobody reads, and a value that nobody reads.
    Unused,
}

impl Channelwise {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, axis) = (t.x, t.axis());
        match *self {
            Self::Activate(unary) => t.x = t.node(Op::Unary(unary), &[x]),
            Self::Parameter(binary) => {
                let shape = t.by_channel();
                let parameter = match binary {
                    Binary::Add | Binary::Sub => t.weights(&shape)?,
                    _ => t.factors(&shape)?,
                };
                t.x = t.node(Op::Binary(binary), &[x, parameter]);
            }
            Self::Position => {
                let shape = t.by_place();
                let parameter = t.weights(&shape)?;
                t.x = t.node(Op::Binary(Binary::Add), &[parameter, x]);
            }
            Self::Clip => {
                let (min, max) = (f32::NEG_INFINITY, f32::INFINITY);
                let bounds = [t.number(-1.0)?, t.number(2.0)?];
                t.x = t.node(Op::Clip { min, max }, &[x, bounds[0], bounds[1]]);
            }
            Self::PRelu => {
                let shape = t.by_channel();
                let slopes = t.powers(&shape)?;
                t.x = t.node(Op::PRelu, &[x, slopes]);
            }
            Self::Where => {
                let shape = t.by_place();
                let (condition, other) = (t.truths(&shape)?, t.number(0.5)?);
                t.x = t.node(Op::Where, &[condition, x, other]);
            }
            Self::Choose => {
                let (bound, other) = (t.number(0.25)?, t.number(-0.5)?);
                let above = t.node(Op::Binary(Binary::Greater), &[x, bound]);
                t.b.builder.of_type(above, Element::Bool);
                t.x = t.node(Op::Where, &[above, x, other]);
            }
            Self::Cast => {
                let bound = t.number(0.25)?;
                let above = t.node(Op::Binary(Binary::Greater), &[x, bound]);
                t.b.builder.of_type(above, Element::Bool);
                let gate = t.node(Op::Cast { to: Element::F32 }, &[above]);
                t.b.builder.of_type(gate, Element::F32);
                t.x = t.node(Op::Binary(Binary::Mul), &[x, gate]);
            }
            Self::Reorder => {
                let order = t.b.stream.order(t.width);
                let order = t.list(&order.iter().map(|&i| i as i64).collect::<Vec<_>>())?;
                t.x = t.node(Op::Gather { axis: axis as i64 }, &[x, order]);
            }
            Self::First if t.width > 1 => {
                let left = t.width - 1;
                let (starts, ends, axes) = (
                    t.list(&[0])?,
                    t.list(&[left as i64])?,
                    t.list(&[axis as i64])?,
                );
                t.x = t.node(Op::Slice { bounds: None }, &[x, starts, ends, axes]);
                t.width = left;
            }
            Self::Twice if t.width <= 6 => {
                let mut times = vec![1; t.rank()];
                times[axis] = 2;
                let times = t.list(&times)?;
                t.x = t.node(Op::Tile, &[x, times]);
                t.width *= 2;
            }
            Self::Filled => {
                let ones = vec![1; t.rank() - 1];
                let shape = t.shape_of_rows(x, &ones)?;
                let (value, element) = (0.5, Element::F32);
                let filling = Op::Index(Index::ConstantOfShape { value, element });
                let filled = t.node(filling, &[shape]);
                t.b.builder.of_type(filled, Element::F32);
                t.x = t.node(Op::Binary(Binary::Add), &[x, filled]);
            }
            Self::Unused => {
                t.weights(&[t.width])?;
                t.node(Op::Unary(Unary::Neg), &[x]);
            }
            Self::First | Self::Twice => {}
        }
        Ok(())
    }
}
