//! `Attention`: scaled products of queries and keys, weighted by which values are added up, head by head.

mod channels;
mod value;

use secateur_onnx::{Limits, read_node};
use serde::{Deserialize, Serialize};

pub(super) use self::channels::channels;
pub(super) use self::value::evaluate;
use super::{Opaque, Sources, input_shape};
use crate::{Dim, Error, Graph, Node, Op, Result};

/// Attributes of [`Op::Attention`]. Inputs are queries, keys, values and, if there is one, a mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Heads of queries, and of keys and values: needed where these have three axes, of which the last holds heads and their
    /// dimensions. With four axes, the second holds the heads.
    pub heads: Option<(usize, usize)>,
    /// What products are scaled by; none for one over the root of the dimensions of a head.
    pub scale: Option<f32>,
    /// Beyond which products are bent back; 0 for none.
    pub softcap: f32,
    /// Whether queries see keys up to their own place only.
    pub causal: bool,
    /// How many keys before and behind their own place queries see; none for all.
    pub reach: [Option<usize>; 2],
    /// Whether the mask says which keys are seen, and is not added to the products.
    pub truth_mask: bool,
    /// The type in which the softmax is taken, by its number in the format.
    pub softmax_precision: Option<i64>,
}

impl Attention {
    /// Plain attention over operands of four axes, or of three with that many heads.
    pub fn plain(heads: Option<(usize, usize)>) -> Self {
        Self {
            heads,
            scale: None,
            softcap: 0.0,
            causal: false,
            reach: [None, None],
            truth_mask: false,
            softmax_precision: None,
        }
    }

    /// What products are scaled by, in the precision of attributes.
    fn scale(&self, dimensions: usize) -> f32 {
        let by_default = || (1.0 / (dimensions as f64).sqrt()) as f32;
        self.scale.unwrap_or_else(by_default)
    }
}

/// How many heads and dimensions there are.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lengths {
    /// Whether heads and dimensions share the last of three axes.
    is_flat: bool,
    /// Heads of keys and values.
    heads: usize,
    /// Heads of queries for each of them.
    repeats: usize,
    /// Dimensions of a head of queries and keys.
    dimensions: usize,
    /// Dimensions of a head of values.
    value: usize,
}

impl Lengths {
    /// None where a length is not known.
    fn of(heads: Option<(usize, usize)>, shapes: [&[Dim]; 3]) -> Result<Option<Self>> {
        let [q, k, v] = shapes;
        let known = match (heads, q, k, v) {
            (Some((of_q, of_kv)), [_, _, q], [_, _, k], [_, _, v]) => {
                let lengths = [q, k, v].map(Dim::fixed);
                let [Some(q), Some(k), Some(v)] = lengths else {
                    return Ok(None);
                };
                let divided = |whole: usize, heads: usize| match whole.checked_div(heads) {
                    Some(each) if each * heads == whole => Ok(each),
                    _ => Err(Error::invalid(format!(
                        "Attention of {whole} channels in {heads} heads"
                    ))),
                };
                let each = (divided(q, of_q)?, divided(k, of_kv)?, divided(v, of_kv)?);
                Some((true, (of_q, of_kv, of_kv), each))
            }
            (None, [_, _, _], [_, _, _], [_, _, _]) => {
                return Err(Error::invalid(
                    "Attention over three axes lacks the attributes 'q_num_heads' and 'kv_num_heads'",
                ));
            }
            (_, [_, hq, _, q], [_, hk, _, k], [_, hv, _, v]) => {
                let lengths = [hq, hk, hv, q, k, v].map(Dim::fixed);
                let [Some(hq), Some(hk), Some(hv), Some(q), Some(k), Some(v)] = lengths else {
                    return Ok(None);
                };
                Some((false, (hq, hk, hv), (q, k, v)))
            }
            _ => None,
        };
        let Some((is_flat, (of_q, of_k, of_v), (q, k, v))) = known else {
            return Err(Error::invalid(
                "Attention takes queries, keys and values of three axes each, or of four",
            ));
        };
        if of_k != of_v || of_k == 0 || !of_q.is_multiple_of(of_k) {
            let message =
                format!("Attention of {of_q} heads over {of_k} of keys, {of_v} of values");
            return Err(Error::invalid(message));
        }
        if q != k {
            let message = format!("Attention of queries of {q} dimensions and keys of {k}");
            return Err(Error::invalid(message));
        }
        Ok(Some(Self {
            is_flat,
            heads: of_k,
            repeats: of_q / of_k,
            dimensions: q,
            value: v,
        }))
    }

    fn at(graph: &Graph, node: &Node, attention: &Attention) -> Result<Option<Self>> {
        match operands(graph, node)? {
            Some(shapes) => Self::of(attention.heads, shapes),
            None => Ok(None),
        }
    }
}

/// The shapes of queries, keys and values, if all are known.
fn operands<'g>(graph: &'g Graph, node: &Node) -> Result<Option<[&'g [Dim]; 3]>> {
    let shape = |slot| input_shape(graph, node, slot);
    Ok(match [shape(0)?, shape(1)?, shape(2)?] {
        [Some(q), Some(k), Some(v)] => Some([q, k, v]),
        _ => None,
    })
}

pub(super) fn shape(graph: &Graph, node: &Node, attention: &Attention) -> Result<Option<Vec<Dim>>> {
    made(graph, node, attention.heads)
}

/// Places and heads of queries with dimensions of values.
fn made(graph: &Graph, node: &Node, heads: Option<(usize, usize)>) -> Result<Option<Vec<Dim>>> {
    let Some(shapes) = operands(graph, node)? else {
        return Ok(None);
    };
    let lengths = Lengths::of(heads, shapes)?;
    Ok(match shapes {
        [[rows, places, _], ..] => {
            let width = match lengths {
                Some(l) => Dim::Fixed((l.heads * l.repeats).saturating_mul(l.value)),
                None => Dim::Named(format!("{}:2", node.name)),
            };
            Some(vec![rows.clone(), places.clone(), width])
        }
        [[rows, heads, places, _], _, [_, _, _, value]] => {
            Some([rows, heads, places, value].map(Clone::clone).to_vec())
        }
        _ => None,
    })
}

/// Whether an operator that is not understood as a whole is attention, whose first output has a shape that is known.
pub(super) fn is_attention(opaque: &Opaque) -> bool {
    opaque.domain.is_empty() && opaque.op_type == "Attention"
}

/// Of attention with a past, a present or what lies between, the shape of the result.
pub(super) fn shapes_unread(graph: &Graph, node: &Node, opaque: &Opaque) -> Vec<Option<Vec<Dim>>> {
    let mut shapes = vec![None; node.outputs.len()];
    let Ok(message) = read_node(&opaque.message, &Limits::default()) else {
        return shapes;
    };
    let heads = |name: &str| {
        let mut all = message.attribute.iter();
        let found = all.find(|a| a.name.as_deref() == Some(name))?;
        usize::try_from(found.i?).ok()
    };
    let heads = heads("q_num_heads").zip(heads("kv_num_heads"));
    if let Some(first) = shapes.first_mut() {
        *first = made(graph, node, heads).unwrap_or_default();
    }
    shapes
}

/// As many heads as are left; where dimensions of queries went, the scale that they had.
pub(super) fn rewritten(
    graph: &Graph,
    node: &Node,
    attention: &Attention,
    sources: &Sources,
) -> Option<Op> {
    let lengths = Lengths::at(graph, node, attention).ok()??;
    let [q, k] = [node.input(0).ok()?, node.input(1).ok()?];
    let left = |value, axis, length: usize| sources.get(&(value, axis)).map_or(length, Vec::len);
    // Of a product of heads and dimensions, those of either that some position is left of.
    let parts = |value, heads: usize| {
        let whole = heads * lengths.dimensions;
        let Some(kept) = sources.get(&(value, 2)).filter(|_| whole > 0) else {
            return (heads, lengths.dimensions);
        };
        let count = |of: &dyn Fn(usize) -> usize| {
            let parts: std::collections::BTreeSet<usize> = kept.iter().map(|&p| of(p)).collect();
            parts.len()
        };
        let dimensions = lengths.dimensions;
        (count(&|p| p / dimensions), count(&|p| p % dimensions))
    };
    let of_q = lengths.heads * lengths.repeats;
    let (heads, dimensions) = match lengths.is_flat {
        true => {
            let (of_q, dimensions) = parts(q, of_q);
            ((of_q, parts(k, lengths.heads).0), dimensions)
        }
        false => {
            let heads = (left(q, 1, of_q), left(k, 1, lengths.heads));
            (heads, left(q, 3, lengths.dimensions))
        }
    };
    let is_scaled_anew = attention.scale.is_none() && dimensions != lengths.dimensions;
    Some(Op::Attention(Attention {
        heads: attention.heads.map(|_| heads),
        scale: match is_scaled_anew {
            true => Some(attention.scale(lengths.dimensions)),
            false => attention.scale,
        },
        ..attention.clone()
    }))
}

/// Both products, for every head of queries.
pub(super) fn macs(graph: &Graph, node: &Node, attention: &Attention) -> Option<u64> {
    let lengths = Lengths::at(graph, node, attention).ok()??;
    let [q, k, _] = operands(graph, node).ok()??;
    let places = if lengths.is_flat { 1 } else { 2 };
    let length = |dim: &Dim| dim.fixed().unwrap_or(1) as u64;
    let pairs = length(&q[0])
        .checked_mul((lengths.heads * lengths.repeats) as u64)?
        .checked_mul(length(&q[places]))?
        .checked_mul(length(&k[places]))?;
    pairs.checked_mul(lengths.dimensions as u64 + lengths.value as u64)
}
