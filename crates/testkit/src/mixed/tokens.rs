//! Steps on sequences of tokens, whose channels come last.

use secateur_graph::{Binary, Einsum, Op, Result, Tensor, Unary, ValueId};

use super::trunk::Trunk;

/// A step on sequences of tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Tokens {
    /// Attention of two heads, added to what went in.
    Attention {
        /// Channels of a head.
        dimension: usize,
        /// Whether queries, keys and values are made by one product.
        fused: bool,
        /// Whether products are written by letters.
        by_letters: bool,
        /// Whether a token sees those before it only.
        masked: bool,
    },
    /// Attention of two heads of two channels, with queries, keys and values from one layer.
    Packed {
        /// How many parts of the layer there are: all three, or keys and values beside queries from a layer of their own.
        parts: usize,
        /// Whether parts are sliced, and not split.
        sliced: bool,
        /// Whether a token sees those before it only.
        masked: bool,
    },
    /// Attention of two heads whose weights have an axis for heads and one for the channels of a head.
    Letters {
        /// Channels of a head.
        dimension: usize,
    },
    /// Two layers with so many channels between, added to what went in.
    Feedforward(usize),
    /// A token of its own before the others.
    ClassToken,
    /// A bare parameter for each token and channel.
    Position,
    /// The first token only.
    First,
}

const HEADS: usize = 2;

impl Tokens {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        if !t.is_last || t.places.len() != 1 {
            return Ok(());
        }
        let (x, width, tokens) = (t.x, t.width, t.places[0]);
        match *self {
            Self::Attention {
                dimension,
                fused,
                by_letters,
                masked,
            } => {
                let inner = HEADS * dimension;
                let three = match fused {
                    true => {
                        let all = t.linear(x, width, 3 * inner)?;
                        t.split(all, &[inner; 3])?
                    }
                    false => {
                        let each = (0..3).map(|_| t.linear(x, width, inner));
                        each.collect::<Result<_>>()?
                    }
                };
                let mut heads = vec![];
                for each in three {
                    heads.push(t.reshape(each, &[0, 0, HEADS as i64, dimension as i64])?);
                }
                let made = match by_letters {
                    true => t.attend_by_letters([heads[0], heads[1], heads[2]], masked)?,
                    false => t.attend([heads[0], heads[1], heads[2]], masked)?,
                };
                let folded = t.reshape(made, &[0, 0, inner as i64])?;
                let branch = t.linear(folded, inner, width)?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, branch]);
            }
            Self::Packed {
                parts,
                sliced,
                masked,
            } => {
                let inner = 2 * HEADS;
                let all = t.linear(x, width, parts * inner)?;
                let mut made = match sliced {
                    true => t.slices(all, parts, inner)?,
                    false => t.split(all, &vec![inner; parts])?,
                };
                while made.len() < 3 {
                    made.insert(0, t.linear(x, width, inner)?);
                }
                let mut heads = vec![];
                for each in made {
                    heads.push(t.reshape(each, &[0, 0, HEADS as i64, 2])?);
                }
                let made = t.attend([heads[0], heads[1], heads[2]], masked)?;
                let folded = t.reshape(made, &[0, 0, inner as i64])?;
                let branch = t.linear(folded, inner, width)?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, branch]);
            }
            Self::Letters { dimension } => {
                let shape = [width, HEADS, dimension];
                let mut heads = vec![];
                for _ in 0..3 {
                    let weights = t.weights(&shape)?;
                    heads.push(t.by_letters("ntc,chd->nthd", [x, weights])?);
                }
                let made = t.attend_by_letters([heads[0], heads[1], heads[2]], false)?;
                let weights = t.weights(&[HEADS, dimension, width])?;
                let branch = t.by_letters("nthd,hdc->ntc", [made, weights])?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, branch]);
            }
            Self::Feedforward(inner) => {
                let hidden = t.linear(x, width, inner)?;
                let hidden = t.node(Op::Unary(Unary::Gelu { tanh: false }), &[hidden]);
                let branch = t.linear(hidden, inner, width)?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, branch]);
            }
            Self::ClassToken => {
                let token = t.weights(&[1, 1, width])?;
                let shape = t.shape_of_rows(x, &[1, width as i64])?;
                let rows = t.node(Op::Expand, &[token, shape]);
                t.x = t.node(Op::Concat { axis: 1 }, &[rows, x]);
                t.places[0] += 1;
            }
            Self::Position => {
                let parameter = t.weights(&[1, tokens, width])?;
                t.x = t.node(Op::Binary(Binary::Add), &[x, parameter]);
            }
            Self::First => {
                let first = t.list(&[0])?;
                t.x = t.node(Op::Gather { axis: 1 }, &[x, first]);
                t.places[0] = 1;
            }
        }
        Ok(())
    }
}

impl Trunk {
    /// So many parts of the channels, each by a slice of its own.
    fn slices(&mut self, x: ValueId, parts: usize, length: usize) -> Result<Vec<ValueId>> {
        let axis = self.axis() as i64;
        let mut made = vec![];
        for part in 0..parts {
            let (first, end) = (part * length, (part + 1) * length);
            let bounds = [
                self.list(&[first as i64])?,
                self.list(&[end as i64])?,
                self.list(&[axis])?,
            ];
            let inputs = [&[x], &bounds[..]].concat();
            made.push(self.node(Op::Slice { bounds: None }, &inputs));
        }
        Ok(made)
    }

    /// Attention of heads `[N, T, H, D]` by matrix products, in the same order of axes.
    fn attend(&mut self, [q, k, v]: [ValueId; 3], masked: bool) -> Result<ValueId> {
        let mut turned = |x: ValueId, order: &[usize]| {
            let order = order.to_vec();
            self.node(Op::Transpose { order }, &[x])
        };
        let (q, k, v) = (
            turned(q, &[0, 2, 1, 3]),
            turned(k, &[0, 2, 3, 1]),
            turned(v, &[0, 2, 1, 3]),
        );
        let scores = self.node(Op::MatMul, &[q, k]);
        let shares = self.shares(scores, masked)?;
        let made = self.node(Op::MatMul, &[shares, v]);
        let order = vec![0, 2, 1, 3];
        Ok(self.node(Op::Transpose { order }, &[made]))
    }

    /// The same by letters.
    fn attend_by_letters(&mut self, [q, k, v]: [ValueId; 3], masked: bool) -> Result<ValueId> {
        let scores = self.by_letters("nqhd,nkhd->nhqk", [q, k])?;
        let shares = self.shares(scores, masked)?;
        self.by_letters("nhqk,nkhd->nqhd", [shares, v])
    }

    fn by_letters(&mut self, equation: &str, inputs: [ValueId; 2]) -> Result<ValueId> {
        Ok(match Einsum::of(equation, 2)? {
            Some(einsum) => self.node(Op::Einsum(einsum), &inputs),
            None => inputs[0],
        })
    }

    /// What each token takes of the others.
    fn shares(&mut self, scores: ValueId, masked: bool) -> Result<ValueId> {
        let half = self.number(0.5)?;
        let mut scores = self.node(Op::Binary(Binary::Mul), &[scores, half]);
        if masked {
            let tokens = self.places[0];
            let hidden = (0..tokens * tokens).map(|at| {
                let (query, key) = (at / tokens, at % tokens);
                if key > query { -1e9 } else { 0.0 }
            });
            let tensor = Tensor::f32([tokens, tokens], hidden.collect())?;
            let name = self.b.name("mask");
            let mask = self.b.builder.constant(name, tensor);
            scores = self.node(Op::Binary(Binary::Add), &[scores, mask]);
        }
        Ok(self.node(Op::Softmax { axis: -1 }, &[scores]))
    }
}
