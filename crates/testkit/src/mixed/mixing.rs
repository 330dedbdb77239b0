//! Steps that read channels without weights, so that none of them may go.

use secateur_graph::{Binary, Index, Mix, Op, ReduceKind, Result, Unary};

use super::trunk::Trunk;

/// A step that reads channels without weights.
#[derive(Debug, Clone, PartialEq)]
pub enum Mixing {
    /// `Softmax` over channels.
    Softmax,
    /// `LogSoftmax` over channels.
    LogSoftmax,
    /// `LpNormalization` over channels.
    Lp,
    /// `LRN`, on places.
    Lrn,
    /// What is taken of all channels of a place, subtracted from each.
    Reduce(ReduceKind),
    /// Running sums over channels.
    CumSum,
}

impl Mixing {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, axis) = (t.x, t.axis() as i64);
        match *self {
            Self::Softmax => t.x = t.node(Op::Softmax { axis }, &[x]),
            Self::LogSoftmax => t.x = t.node(Op::LogSoftmax { axis }, &[x]),
            Self::Lp => t.x = t.node(Op::Mix(Mix::Lp { axis, p: 2 }), &[x]),
            Self::Lrn if !t.is_last => {
                let lrn = Mix::Lrn {
                    size: 3,
                    alpha: 0.5,
                    beta: 0.75,
                    bias: 1.0,
                };
                t.x = t.node(Op::Mix(lrn), &[x]);
            }
            Self::Reduce(kind) => {
                let bounded = match kind {
                    // Of sums that cancel there would be no logarithm.
                    ReduceKind::LogSum => t.node(Op::Unary(Unary::Sigmoid), &[x]),
                    _ => x,
                };
                let all = t.reduce(kind, bounded, &[axis])?;
                t.x = t.node(Op::Binary(Binary::Sub), &[x, all]);
            }
            Self::CumSum => {
                let along = t.list(&[axis])?;
                let (exclusive, reverse) = (false, true);
                let sums = Op::Index(Index::CumSum { exclusive, reverse });
                t.x = t.node(sums, &[x, along]);
            }
            Self::Lrn => {}
        }
        Ok(())
    }
}
