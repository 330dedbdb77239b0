//! What a network is and which of its channels live together.
//!
//! A [`Graph`] is a list of nodes over values, some of them constants. Everything here is pure: no
//! files, no random numbers, no training. Derived graphs share unchanged constants.
//!
//! [`ChannelGroups::of`] finds the units that can be removed; a [`Keep`] says which ones stay; [`mask()`]
//! silences the others, [`shrink()`] removes them, and [`evaluate`] shows that both compute the same.
//!
//! ```
//! use secateur_graph::*;
//!
//! let mut b = GraphBuilder::new("two layers");
//! let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
//! let w1 = b.constant("w1", Tensor::f32([1, 3], vec![1.0, 2.0, 3.0])?);
//! let w2 = b.constant("w2", Tensor::f32([3, 1], vec![1.0, 0.0, 1.0])?);
//! let hidden = b.node("hidden", Op::MatMul, &[x, w1]);
//! let y = b.node("y", Op::MatMul, &[hidden, w2]);
//! b.output(y);
//! let graph = b.build()?;
//!
//! let groups = ChannelGroups::of(&graph)?;
//! let keep = Keep::unread(&graph, &groups, 1);
//! let small = shrink(&graph, &groups, &keep)?.graph;
//! assert_eq!((cost(&graph)?.macs, cost(&small)?.macs), (6, 4));
//!
//! let row = [Array::new([1, 1], vec![2.0])?];
//! assert_eq!(evaluate(&graph, &row)?, evaluate(&small, &row)?);
//! # Ok::<(), Error>(())
//! ```
#![forbid(unsafe_code)]

mod apart;
mod at_lengths;
mod branches;
mod channels;
mod collect;
mod cost;
mod derived;
mod element;
mod error;
mod eval;
mod factors;
mod fold;
mod graph;
mod groups;
mod inline;
mod keep;
mod known;
mod lighten;
mod links;
mod lower;
mod mask;
mod new_forms;
mod op;
mod ops;
mod patch;
mod permute;
mod pieces;
mod raise;
mod reindex;
mod settle;
mod shapes;
mod shrink;
mod single;
mod tensor;
mod text;
mod union_find;
mod zeros;

pub use apart::set_apart;
pub use at_lengths::{at_lengths, at_shapes};
pub use cost::{Cost, NodeCost, cost};
pub use element::Element;
pub use error::{Error, ErrorKind, Result};
pub use eval::{Array, evaluate, evaluate_all, evaluate_node};
pub use fold::{Folded, fold_constants};
pub use graph::{Dim, Graph, GraphBuilder, Node, NodeId, Value, ValueId};
pub use groups::{Activation, ChannelGroups, Freeze, Group, GroupId, GroupKind, Member, Role};
pub use inline::inline_branches;
pub use keep::Keep;
pub use lighten::lighten;
pub use lower::{from_model, from_tensor};
pub use mask::mask;
pub use op::Op;
pub use ops::{
    Attention, Binary, Bounds, Conv, ConvTranspose, Depth, DepthWay, Einsum, Gemm, GridMode,
    GridPadding, GridSample, Index, MaxUnpool, Merge, Mix, Nearest, Norm, Opaque, Pad, PadMode,
    Padding, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, Resize, ResizeForm, ResizeMode,
    ResizePlaces, RoiAlign, Sample, Split, Squeeze, Unary, Variadic, Window, is_recurrent,
};
pub use patch::patch;
pub use permute::{Permuted, permute};
pub use pieces::{Pieces, pieces};
pub use raise::{ModelMeta, to_model};
pub use reindex::Cut;
pub use settle::settle;
pub use shapes::infer_shapes;
pub use shrink::{InputCut, Shrunk, kept_positions, shrink};
pub use tensor::{Data, Tensor};
