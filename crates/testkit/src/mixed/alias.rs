//! Two layers with weights in common, of which the second reads what a node makes of them.

use secateur_graph::{Binary, Conv, Element, Op, Result, Unary, ValueId, Window};

use super::trunk::Trunk;

/// What stands between the weights in common and the second layer that reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alias {
    /// The weights themselves.
    Identity,
    /// The weights turned, twice.
    Transpose,
    /// The weights turned once, for a layer that goes back behind the first.
    Turned,
    /// The weights in another shape, twice.
    Reshape,
    /// The weights in another type, twice.
    Cast,
}

impl Alias {
    pub(super) fn add(self, t: &mut Trunk) -> Result<()> {
        let (x, width) = (t.x, t.width);
        let weights = match t.is_last {
            true => t.weights(&[width, width])?,
            false => t.weights(&[vec![width, width], vec![1; t.places.len()]].concat())?,
        };
        let bias = t.weights(&[width])?;
        let first = t.biased(x, [weights, bias]);
        let inner = t.node(Op::Unary(Unary::Relu), &[first]);
        let other = [self.of(t, weights)?, t.known(Op::Identity, &[bias])];
        let (read, beside) = match self {
            Self::Turned => (inner, x),
            Self::Identity | Self::Transpose | Self::Reshape | Self::Cast => (x, inner),
        };
        let second = t.biased(read, other);
        let second = t.node(Op::Unary(Unary::Abs), &[second]);
        t.x = t.node(
            Op::Concat {
                axis: t.axis() as i64,
            },
            &[beside, second],
        );
        t.width = 2 * width;
        Ok(())
    }

    fn of(self, t: &mut Trunk, weights: ValueId) -> Result<ValueId> {
        let (width, axes) = (t.width as i64, t.places.len());
        let rank = if t.is_last { 2 } else { 2 + axes };
        Ok(match self {
            Self::Identity => t.known(Op::Identity, &[weights]),
            Self::Transpose | Self::Turned => {
                let order: Vec<usize> = [1, 0].into_iter().chain(2..rank).collect();
                let turn = Op::Transpose { order };
                let turned = t.known(turn.clone(), &[weights]);
                match self {
                    Self::Turned => turned,
                    _ => t.known(turn, &[turned]),
                }
            }
            Self::Reshape => {
                let reshape = Op::Reshape { allow_zero: false };
                let (flat, whole) = (t.list(&[-1])?, [vec![width; 2], vec![1; rank - 2]].concat());
                let whole = t.list(&whole)?;
                let folded = t.known(reshape.clone(), &[weights, flat]);
                t.known(reshape, &[folded, whole])
            }
            Self::Cast => {
                let mut made = weights;
                for to in [Element::F64, Element::F32] {
                    made = t.node(Op::Cast { to }, &[made]);
                    t.b.builder.of_type(made, to);
                }
                made
            }
        })
    }
}

impl Trunk {
    /// A node whose type is known, as files let it be known.
    fn known(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let made = self.node(op, inputs);
        self.b.builder.of_type(made, Element::F32);
        made
    }

    /// A layer of these weights.
    fn biased(&mut self, x: ValueId, [weights, bias]: [ValueId; 2]) -> ValueId {
        match self.is_last {
            true => {
                let product = self.node(Op::MatMul, &[x, weights]);
                self.node(Op::Binary(Binary::Add), &[product, bias])
            }
            false => {
                let conv = Conv {
                    window: Window::plain(self.places.len()),
                    conv_groups: 1,
                };
                self.node(Op::Conv(conv), &[x, weights, bias])
            }
        }
    }
}
