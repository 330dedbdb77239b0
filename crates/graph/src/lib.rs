//! What a network is and which of its channels live together.
//!
//! A [`Graph`] is a list of nodes over values, some of them constants. Everything here is pure: no
//! files, no random numbers, no training. Derived graphs share unchanged constants.
//!
//! [`ChannelGroups::of`] finds the units that can be removed; a [`Keep`] says which ones stay; [`mask`]
//! silences the others, [`shrink`] removes them, and [`evaluate`] shows that both compute the same.
#![forbid(unsafe_code)]

mod channels;
mod collect;
mod cost;
mod error;
mod eval;
mod fold;
mod graph;
mod groups;
mod keep;
mod lower;
mod mask;
mod op;
mod ops;
mod permute;
mod raise;
mod reindex;
mod shapes;
mod shrink;
mod tensor;
mod text;
mod union_find;

pub use cost::{Cost, NodeCost, cost};
pub use error::{Error, ErrorKind, Result};
pub use eval::{Array, evaluate, evaluate_all};
pub use fold::{Folded, fold_constants};
pub use graph::{Dim, Graph, GraphBuilder, Node, NodeId, Value, ValueId};
pub use groups::{Activation, ChannelGroups, Freeze, Group, GroupId, GroupKind, Member, Role};
pub use keep::Keep;
pub use lower::from_model;
pub use mask::mask;
pub use op::Op;
pub use ops::{Binary, Gemm, Opaque, Unary};
pub use permute::{Permuted, permute};
pub use raise::{ModelMeta, to_model};
pub use reindex::Cut;
pub use shapes::infer_shapes;
pub use shrink::{InputCut, Shrunk, shrink};
pub use tensor::{Data, Tensor};
