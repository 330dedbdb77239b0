//! What must be known of every operation: its shape, its channels, its cost, its value.
//!
//! One file per family, always in the order attributes, shape rule, channel rule, slice rule, cost,
//! value. The matches here have no wildcard arms: the compiler names every rule that a new operation
//! still lacks.

mod attention;
mod batch_norm;
mod batch_statistics;
mod binary;
mod broadcast;
mod cast;
mod concat;
mod conv;
mod conv_transpose;
mod dense;
mod depth;
mod einsum;
mod expand;
mod flatten;
mod gather;
mod gemm;
mod identity;
mod index;
mod matmul;
mod mix;
mod movement;
mod norm;
mod opaque;
mod pad;
mod pool;
mod prelu;
mod recurrent;
mod reduce;
mod reshape;
mod resize;
mod sample;
mod select;
mod shape_of;
mod slice;
mod softmax;
mod split;
mod squeeze;
mod transpose;
mod unary;
mod variadic;
mod window;

pub(crate) use batch_norm::MOMENTUM;
pub(crate) use dense::Dense;
pub(crate) use gather::{is_own as is_own_list, positions as picked};
pub(crate) use movement::along;
pub(crate) use sample::is_heavy as samples_long;

pub use attention::Attention;
pub use binary::Binary;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use depth::{Depth, DepthWay};
pub use einsum::Einsum;
pub use gemm::Gemm;
pub use index::{Index, Merge};
pub use mix::Mix;
pub use norm::Norm;
pub use opaque::Opaque;
pub use pad::{Pad, PadMode};
pub use pool::{Pool, PoolKind};
pub use recurrent::is_recurrent;
pub use reduce::{Reduce, ReduceAxes, ReduceKind};
pub use resize::{Nearest, Resize, ResizeForm, ResizeMode, ResizePlaces};
pub use sample::{GridMode, GridPadding, GridSample, MaxUnpool, RoiAlign, Sample};
pub use slice::Bounds;
pub use split::Split;
pub use squeeze::Squeeze;
pub use unary::Unary;
pub use variadic::Variadic;
pub use window::{Padding, Window};

use std::collections::BTreeMap;

use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, NodeId, Op, Result, Tensor, ValueId};

/// For axes whose positions change: the old position of every new one.
pub(crate) type Sources = BTreeMap<(ValueId, usize), Vec<usize>>;

/// The shapes of the node's outputs, as far as they can be known.
pub(crate) fn shapes(graph: &Graph, node: &Node) -> Result<Vec<Option<Vec<Dim>>>> {
    match &node.op {
        Op::Split(attributes) => split::shapes(graph, node, attributes),
        Op::Index(index @ Index::TopK { .. }) => index::shapes(graph, node, *index),
        Op::Opaque(opaque) if recurrent::is_recurrent(opaque) => recurrent::shapes(graph, node),
        Op::Opaque(opaque) if attention::is_attention(opaque) => {
            Ok(attention::shapes_unread(graph, node, opaque))
        }
        Op::Opaque(_) => Ok(opaque::shapes(graph, node)),
        // Places are as many as numbers.
        Op::Pool(_) => Ok(vec![shape(graph, node)?; node.outputs.len()]),
        _ => Ok(vec![shape(graph, node)?]),
    }
}

/// The shape of the node's first output, if it can be known.
fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    match &node.op {
        Op::Gemm(attributes) => gemm::shape(graph, node, attributes),
        Op::MatMul => matmul::shape(graph, node),
        Op::Attention(attributes) => attention::shape(graph, node, attributes),
        Op::Conv(attributes) => conv::shape(graph, node, attributes),
        Op::BatchNorm { .. } => batch_norm::shape(graph, node),
        Op::Pool(attributes) => pool::shape(graph, node, attributes),
        Op::Reduce(attributes) => reduce::shape(graph, node, attributes),
        Op::Reshape { allow_zero } => reshape::shape(graph, node, *allow_zero),
        Op::Transpose { order } => transpose::shape(graph, node, order),
        Op::Squeeze(attributes) => squeeze::shape(graph, node, attributes),
        Op::Concat { axis } => concat::shape(graph, node, *axis),
        Op::Binary(_) => binary::shape(graph, node),
        Op::Variadic(_) => variadic::shape(graph, node),
        Op::Einsum(attributes) => einsum::shape(graph, node, attributes),
        Op::Mix(attributes) => mix::shape(graph, node, attributes),
        Op::Unary(_) | Op::Cast { .. } => unary::shape(graph, node),
        Op::PRelu => prelu::shape(graph, node),
        Op::Clip { .. } => prelu::clip_shape(graph, node),
        Op::ConvTranspose(attributes) => conv_transpose::shape(graph, node, attributes),
        Op::Norm(attributes) => norm::shape(graph, node, *attributes),
        Op::Slice { bounds } => slice::shape(graph, node, bounds.as_ref()),
        Op::Depth(attributes) => depth::shape(graph, node, *attributes),
        Op::Pad(attributes) => pad::shape(graph, node, attributes),
        Op::Resize(attributes) => resize::shape(graph, node, attributes),
        Op::Sample(attributes) => sample::shape(graph, node, attributes),
        Op::Expand => expand::shape(graph, node),
        Op::Tile => expand::tile_shape(graph, node),
        Op::Where => select::shape(graph, node),
        Op::Shape { start, end } => shape_of::shape(graph, node, *start, *end),
        Op::Index(attributes) => index::shape(graph, node, *attributes),
        // Shapes of their own: see `shapes`.
        Op::Split(_) | Op::Opaque(_) => Ok(None),
        Op::Softmax { .. } | Op::LogSoftmax { .. } => softmax::shape(graph, node),
        Op::Flatten { axis } => flatten::shape(graph, node, *axis),
        Op::Gather { axis } => gather::shape(graph, node, *axis),
        Op::Identity => identity::shape(graph, node),
    }
}

/// States to the walk which channels the node makes, passes on, reads or mixes.
pub(crate) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    if has_settings(&node.op) {
        for &setting in node.inputs.iter().skip(1).flatten() {
            if !walk.is_parameter(setting) {
                walk.freeze(setting, node, "tells how an operator works");
            }
        }
    }
    match &node.op {
        Op::Gemm(attributes) => gemm::channels(node, attributes, walk),
        Op::MatMul => matmul::channels(node, walk),
        Op::Attention(attributes) => attention::channels(node, attributes, walk),
        Op::Conv(attributes) => conv::channels(node, attributes, walk),
        Op::BatchNorm { .. } => batch_norm::channels(node, walk),
        Op::Pool(_) => pool::channels(node, walk),
        Op::Reduce(attributes) => reduce::channels(node, attributes, walk),
        Op::Reshape { allow_zero } => reshape::channels(node, *allow_zero, walk),
        Op::Transpose { order } => transpose::channels(node, order, walk),
        Op::Squeeze(attributes) => squeeze::channels(node, attributes, walk),
        Op::Concat { axis } => concat::channels(node, *axis, walk),
        Op::PRelu => prelu::channels(node, walk),
        Op::Clip { .. } => prelu::clip_channels(node, walk),
        Op::Binary(_) => binary::channels(node, walk),
        Op::Variadic(_) => variadic::channels(node, walk),
        Op::Einsum(attributes) => einsum::channels(node, attributes, walk),
        Op::Mix(attributes) => mix::channels(node, attributes, walk),
        Op::Unary(_) => unary::channels(node, walk),
        Op::Softmax { axis } | Op::LogSoftmax { axis } => softmax::channels(node, *axis, walk),
        Op::Flatten { axis } => flatten::channels(node, *axis, walk),
        Op::Gather { axis } => gather::channels(node, *axis, walk),
        Op::ConvTranspose(attributes) => conv_transpose::channels(node, attributes, walk),
        Op::Norm(attributes) => norm::channels(node, *attributes, walk),
        Op::Slice { bounds } => slice::channels(node, bounds.as_ref(), walk),
        Op::Split(attributes) => split::channels(node, attributes, walk),
        Op::Depth(attributes) => depth::channels(node, *attributes, walk),
        Op::Pad(attributes) => pad::channels(node, attributes, walk),
        Op::Resize(attributes) => resize::channels(node, attributes, walk),
        Op::Sample(attributes) => sample::channels(node, attributes, walk),
        Op::Expand => expand::channels(node, walk),
        Op::Tile => expand::tile_channels(node, walk),
        Op::Where => select::channels(node, walk),
        Op::Shape { start, end } => shape_of::channels(node, *start, *end, walk),
        Op::Index(attributes) => index::channels(node, *attributes, walk),
        Op::Identity | Op::Cast { .. } => identity::channels(node, walk),
        Op::Opaque(opaque) if recurrent::is_recurrent(opaque) => recurrent::channels(node, walk),
        Op::Opaque(_) => opaque::channels(node, walk),
    }
}

/// Whether the inputs behind the first are lengths, positions and bounds, not numbers that are computed with.
fn has_settings(op: &Op) -> bool {
    match op {
        Op::Reduce(_)
        | Op::Reshape { .. }
        | Op::Squeeze(_)
        | Op::Slice { .. }
        | Op::Split(_)
        | Op::Pad(_)
        | Op::Resize(_)
        | Op::Expand
        | Op::Tile
        | Op::Clip { .. } => true,
        Op::Gemm(_)
        | Op::MatMul
        | Op::Attention(_)
        | Op::Sample(_)
        | Op::Conv(_)
        | Op::ConvTranspose(_)
        | Op::BatchNorm { .. }
        | Op::Norm(_)
        | Op::Pool(_)
        | Op::Binary(_)
        | Op::Unary(_)
        | Op::Variadic(_)
        | Op::Einsum(_)
        | Op::Mix(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Flatten { .. }
        | Op::Gather { .. }
        | Op::Transpose { .. }
        | Op::Concat { .. }
        | Op::Depth(_)
        | Op::Where
        | Op::Cast { .. }
        | Op::Shape { .. }
        | Op::Index(_)
        | Op::PRelu
        | Op::Identity
        | Op::Opaque(_) => false,
    }
}

/// An input that must be another constant.
pub(crate) struct Rewrite {
    /// Whose input it is; none for the node that asks.
    pub(crate) reader: Option<NodeId>,
    pub(crate) slot: usize,
    pub(crate) tensor: Tensor,
}

/// The inputs that must be other constants, beyond their own cuts, when positions of activations change.
pub(crate) fn slice(graph: &Graph, node: &Node, sources: &Sources) -> Result<Vec<Rewrite>> {
    let own = |(slot, tensor)| Rewrite {
        reader: None,
        slot,
        tensor,
    };
    let own_inputs = match &node.op {
        Op::Resize(attributes) => return resize::slice(graph, node, attributes, sources),
        Op::Expand => return expand::slice(graph, node, 1, sources),
        Op::Index(Index::ConstantOfShape { .. }) => {
            return expand::slice(graph, node, 0, sources);
        }
        Op::Reshape { .. } => return reshape::slice(graph, node, sources),
        Op::Gather { axis } => gather::slice(graph, node, *axis, sources),
        Op::Slice { bounds } => slice::slice(graph, node, bounds.as_ref(), sources),
        Op::Split(attributes) => split::slice(graph, node, attributes, sources),
        Op::Pad(attributes) => pad::slice(graph, node, attributes, sources),
        Op::Sample(attributes) => sample::slice(graph, node, attributes, sources),
        Op::Attention(_)
        | Op::Gemm(_)
        | Op::MatMul
        | Op::Conv(_)
        | Op::ConvTranspose(_)
        | Op::BatchNorm { .. }
        | Op::Norm(_)
        | Op::Pool(_)
        | Op::Reduce(_)
        | Op::Transpose { .. }
        | Op::Squeeze(_)
        | Op::Concat { .. }
        | Op::Depth(_)
        | Op::Tile
        | Op::Where
        | Op::Cast { .. }
        | Op::Shape { .. }
        | Op::Index(_)
        | Op::PRelu
        | Op::Clip { .. }
        | Op::Binary(_)
        | Op::Variadic(_)
        | Op::Einsum(_)
        | Op::Mix(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Flatten { .. }
        | Op::Identity
        | Op::Opaque(_) => Ok(vec![]),
    };
    Ok(own_inputs?.into_iter().map(own).collect())
}

/// The operation itself, where its attributes count positions and some of those change.
pub(crate) fn rewritten(graph: &Graph, node: &Node, sources: &Sources) -> Option<Op> {
    match &node.op {
        Op::Conv(attributes) => conv::rewritten(graph, node, attributes, sources),
        Op::ConvTranspose(attributes) => {
            conv_transpose::rewritten(graph, node, attributes, sources)
        }
        Op::Norm(norm) => norm::rewritten(graph, node, *norm, sources),
        Op::Attention(attributes) => attention::rewritten(graph, node, attributes, sources),
        Op::Split(attributes) => split::rewritten(graph, node, attributes, sources),
        Op::Slice { bounds } => slice::rewritten(graph, node, bounds.as_ref(), sources),
        Op::Pad(attributes) => pad::rewritten(graph, node, attributes, sources),
        _ => None,
    }
}

/// Whether so little comes out of a node, whatever goes in, that it need not be looked at before.
pub(crate) fn makes_little(node: &Node) -> bool {
    matches!(node.op, Op::Index(index) if index::makes_little(index))
}

/// Of the lengths of all axes, those that a `Shape` asks for.
pub(crate) fn part_of_shape(node: &Node, whole: &Array) -> Option<Array> {
    match node.op {
        Op::Shape { start, end } => Some(shape_of::part(start, end, whole)),
        _ => None,
    }
}

/// Multiply-accumulates of the node for one row; `None` where nobody knows.
pub(crate) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    match &node.op {
        Op::Gemm(attributes) => gemm::macs(graph, node, attributes),
        Op::MatMul => matmul::macs(graph, node),
        Op::Attention(attributes) => attention::macs(graph, node, attributes),
        Op::Conv(_) => conv::macs(graph, node),
        Op::Einsum(attributes) => einsum::macs(graph, node, attributes),
        Op::ConvTranspose(_) => conv_transpose::macs(graph, node),
        Op::BatchNorm { .. }
        | Op::Norm(_)
        | Op::Slice { .. }
        | Op::Split(_)
        | Op::Depth(_)
        | Op::Pad(_)
        | Op::Resize(_)
        | Op::Sample(_)
        | Op::Expand
        | Op::Tile
        | Op::Where
        | Op::Cast { .. }
        | Op::Shape { .. }
        | Op::Index(_)
        | Op::Pool(_)
        | Op::Reduce(_)
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Squeeze(_)
        | Op::Concat { .. }
        | Op::PRelu
        | Op::Clip { .. }
        | Op::Binary(_)
        | Op::Variadic(_)
        | Op::Mix(_)
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Flatten { .. }
        | Op::Gather { .. }
        | Op::Identity => Some(0),
        Op::Opaque(opaque) if recurrent::is_recurrent(opaque) => recurrent::macs(graph, node),
        Op::Opaque(_) => None,
    }
}

/// The node's outputs in double precision.
pub(crate) fn evaluate(node: &Node, inputs: &[Option<&Array>]) -> Result<Vec<Array>> {
    match (&node.op, inputs.first()) {
        (Op::Split(attributes), Some(Some(x))) => {
            split::evaluate(attributes, x, node.outputs.len())
        }
        (Op::Index(Index::TopK { largest, axis }), _) => index::top_k(*largest, *axis, inputs),
        (Op::Pool(attributes), Some(Some(x))) if node.outputs.len() > 1 => {
            pool::evaluate_with_places(attributes, x)
        }
        (Op::Opaque(opaque), _) if is_recurrent(opaque) => recurrent::evaluate(opaque, inputs),
        _ => Ok(vec![evaluate_one(node, inputs)?]),
    }
}

fn evaluate_one(node: &Node, inputs: &[Option<&Array>]) -> Result<Array> {
    let input =
        |index: usize| {
            inputs.get(index).copied().flatten().ok_or_else(|| {
                Error::invalid(format!("{} has no input {index}", node.op.onnx_name()))
            })
        };
    let all = || -> Result<Vec<&Array>> { (0..inputs.len()).map(input).collect() };
    match &node.op {
        Op::Gemm(attributes) => {
            let c = inputs.get(2).copied().flatten();
            gemm::evaluate(attributes, input(0)?, input(1)?, c)
        }
        Op::MatMul => matmul::evaluate(input(0)?, input(1)?),
        Op::Attention(attributes) => attention::evaluate(attributes, inputs),
        Op::Conv(attributes) => {
            let bias = inputs.get(2).copied().flatten();
            conv::evaluate(attributes, input(0)?, input(1)?, bias)
        }
        Op::BatchNorm { epsilon, .. } => {
            let parameters = [input(1)?, input(2)?, input(3)?, input(4)?];
            batch_norm::evaluate(*epsilon, input(0)?, parameters)
        }
        Op::Pool(attributes) => pool::evaluate(attributes, input(0)?),
        Op::Reduce(attributes) => reduce::evaluate(attributes, input(0)?),
        Op::Reshape { allow_zero } => reshape::evaluate(*allow_zero, input(0)?, input(1)?),
        Op::Transpose { order } => transpose::evaluate(order, input(0)?),
        Op::Squeeze(attributes) => squeeze::evaluate(attributes, input(0)?),
        Op::Concat { axis } => concat::evaluate(*axis, &all()?),
        Op::Variadic(variadic) => variadic::evaluate(*variadic, &all()?),
        Op::Einsum(attributes) => einsum::evaluate(attributes, &all()?),
        Op::Mix(attributes) => mix::evaluate(attributes, input(0)?),
        Op::PRelu => prelu::evaluate(input(0)?, input(1)?),
        Op::Clip { min, max } => {
            let given = |index: usize| inputs.get(index).copied().flatten();
            prelu::clip((*min, *max), input(0)?, [given(1), given(2)])
        }
        Op::Binary(binary) => binary.evaluate(input(0)?, input(1)?),
        Op::Unary(unary) => Ok(unary.evaluate(input(0)?)),
        Op::Softmax { axis } => softmax::evaluate(*axis, input(0)?, false),
        Op::LogSoftmax { axis } => softmax::evaluate(*axis, input(0)?, true),
        Op::Flatten { axis } => flatten::evaluate(*axis, input(0)?),
        Op::Gather { axis } => gather::evaluate(*axis, input(0)?, input(1)?),
        Op::ConvTranspose(attributes) => {
            let bias = inputs.get(2).copied().flatten();
            conv_transpose::evaluate(attributes, input(0)?, input(1)?, bias)
        }
        Op::Norm(attributes) => {
            let shift = inputs.get(2).copied().flatten();
            norm::evaluate(*attributes, input(0)?, input(1)?, shift)
        }
        Op::Slice { bounds } => slice::evaluate(bounds.as_ref(), inputs),
        Op::Depth(attributes) => depth::evaluate(*attributes, input(0)?),
        Op::Pad(attributes) => pad::evaluate(attributes, inputs),
        Op::Resize(attributes) => resize::evaluate(attributes, inputs),
        Op::Sample(attributes) => sample::evaluate(attributes, inputs),
        Op::Expand => expand::evaluate(input(0)?, input(1)?),
        Op::Tile => expand::tile_evaluate(input(0)?, input(1)?),
        Op::Where => select::evaluate(input(0)?, input(1)?, input(2)?),
        Op::Cast { to } => Ok(cast::evaluate(*to, input(0)?)),
        Op::Shape { start, end } => Ok(shape_of::evaluate(*start, *end, input(0)?)),
        Op::Index(attributes) => index::evaluate(*attributes, inputs),
        Op::Split(_) => Err(Error::invalid("Split has no input 0")),
        Op::Identity => Ok(input(0)?.clone()),
        Op::Opaque(opaque) => Err(opaque::no_value(opaque)),
    }
}

/// Lengths that are all known.
fn dims(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&n| Dim::Fixed(n)).collect()
}

/// The shape of a node's input, if it is known.
fn input_shape<'g>(graph: &'g Graph, node: &Node, index: usize) -> Result<Option<&'g [Dim]>> {
    Ok(graph.value(node.input(index)?).shape.as_deref())
}
