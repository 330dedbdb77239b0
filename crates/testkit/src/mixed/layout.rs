//! Steps after which the axes have another order or number.

use secateur_graph::{Op, ReduceKind, Result, Squeeze};

use super::trunk::Trunk;

/// A step after which the axes have another order or number.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// Places become tokens: `[N, C, ...]` to `[N, T, C]`, by a computed shape or a plain one.
    ToTokens {
        /// Whether the shape is computed.
        computed: bool,
    },
    /// Tokens become places: `[N, T, C]` to `[N, C, T]`.
    ToPlaces,
    /// An axis of one place more.
    More,
    /// The largest number along the last axis of places, which then goes.
    Less,
}

impl Layout {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let x = t.x;
        match *self {
            Self::ToTokens { computed } if !t.is_last => {
                let width = t.width as i64;
                let folded = match computed {
                    true => {
                        let shape = t.shape_of_rows(x, &[width, -1])?;
                        t.node(Op::Reshape { allow_zero: false }, &[x, shape])
                    }
                    false => t.reshape(x, &[0, width, -1])?,
                };
                let order = vec![0, 2, 1];
                t.x = t.node(Op::Transpose { order }, &[folded]);
                t.places = vec![t.places.iter().product()];
                t.is_last = true;
            }
            Self::ToPlaces if t.is_last && t.places.len() == 1 => {
                let order = vec![0, 2, 1];
                t.x = t.node(Op::Transpose { order }, &[x]);
                t.is_last = false;
            }
            Self::More if t.places.len() < 3 && !t.is_last => {
                let axis = t.rank() as i64;
                let axes = t.list(&[axis])?;
                t.x = t.node(Op::Squeeze(Squeeze::In(vec![axis])), &[x, axes]);
                t.places.push(1);
            }
            Self::Less if t.places.len() > 1 && !t.is_last => {
                let axis = [t.rank() as i64 - 1];
                let largest = t.reduce(ReduceKind::Max, x, &axis)?;
                let axes = t.list(&axis)?;
                t.x = t.node(Op::Squeeze(Squeeze::Out(axis.to_vec())), &[largest, axes]);
                t.places.pop();
            }
            _ => {}
        }
        Ok(())
    }
}
