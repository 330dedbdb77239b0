//! Steps in which constants stand beside activations, or several of them meet.

use secateur_graph::{Binary, Element, Op, Pad, PadMode, Result};

use super::trunk::Trunk;

/// A step in which constants stand beside activations, or several of them meet.
#[derive(Debug, Clone, PartialEq)]
pub enum Constants {
    /// Further numbers before or behind the value, where there is always the same number of rows.
    Beside {
        /// Whether they are channels, or else places along the first axis of those.
        channels: bool,
        /// Whether they come before the value.
        before: bool,
    },
    /// What went in, with as many channels of zeros before and behind, added to a layer of that width.
    Shortcut(usize, usize),
    /// A product with a constant of three or four axes that holds a matrix for each of two heads.
    Heads(usize),
    /// A product with a constant of three axes on the left.
    Left,
    /// A constant in two parts, one of which meets constants only.
    Packed,
}

impl Constants {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, width, axis) = (t.x, t.width, t.axis());
        match *self {
            Self::Beside { channels, before } => {
                let Some(rows) = t.rows else { return Ok(()) };
                let along = if channels { axis } else { t.first_place() };
                let mut shape = [vec![rows], t.places.clone()].concat();
                shape.insert(axis, width);
                shape[along] = 2;
                let constant = t.weights(&shape)?;
                let inputs = if before { [constant, x] } else { [x, constant] };
                let axis = along as i64;
                t.x = t.node(Op::Concat { axis }, &inputs);
                match channels {
                    true => t.width += 2,
                    false => t.places[0] += 2,
                }
            }
            Self::Shortcut(before, behind) => {
                let wide = before + width + behind;
                let branch = t.linear(x, width, wide)?;
                let mut pads = vec![0; 2 * t.rank()];
                (pads[axis], pads[t.rank() + axis]) = (before as i64, behind as i64);
                let pads = t.list(&pads)?;
                let mode = PadMode::Constant(0.0);
                let padded = t.node(Op::Pad(Pad { mode, pads: None }), &[x, pads]);
                t.x = t.node(Op::Binary(Binary::Add), &[branch, padded]);
                t.width = wide;
            }
            Self::Heads(axes) if t.is_last && t.places.len() == 1 && width % 2 == 0 => {
                let own = width / 2;
                let heads = t.reshape(x, &[0, 0, 2, own as i64])?;
                let order = vec![0, 2, 1, 3];
                let turned = t.node(Op::Transpose { order }, &[heads]);
                let shape = [vec![1; axes.saturating_sub(3)], vec![2, own, 3]].concat();
                let weights = t.weights(&shape)?;
                let made = t.node(Op::MatMul, &[turned, weights]);
                let order = vec![0, 2, 1, 3];
                let back = t.node(Op::Transpose { order }, &[made]);
                t.x = t.reshape(back, &[0, 0, 6])?;
                t.width = 6;
            }
            Self::Left if !t.is_last && t.places.len() == 1 => {
                let weights = t.weights(&[1, 3, width])?;
                t.x = t.node(Op::MatMul, &[weights, x]);
                t.width = 3;
            }
            Self::Packed => {
                let shape = t.by_channel();
                let mut both = shape.clone();
                let along = if t.is_last { shape.len() - 1 } else { 0 };
                both[along] *= 2;
                let packed = t.weights(&both)?;
                let parts = t.split_along(packed, along, (&[width; 2], false))?;
                for &part in &parts {
                    t.b.builder.of_type(part, Element::F32);
                }
                let other = t.weights(&shape)?;
                let add = Op::Binary(Binary::Add);
                let constant = t.node(add.clone(), &[other, parts[0]]);
                t.b.builder.of_type(constant, Element::F32);
                let shifted = t.node(add.clone(), &[x, parts[1]]);
                t.x = t.node(add, &[shifted, constant]);
            }
            Self::Heads(_) | Self::Left => {}
        }
        Ok(())
    }
}
