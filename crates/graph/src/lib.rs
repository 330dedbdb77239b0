//! What a network is and which of its channels live together.
//!
//! A [`Graph`] is a list of nodes over values, some of them constants. Everything here is pure: no
//! files, no random numbers, no training. Derived graphs share unchanged constants.
#![forbid(unsafe_code)]

mod error;
mod graph;
mod op;
mod tensor;

pub use error::{Error, ErrorKind, Result};
pub use graph::{Dim, Graph, GraphBuilder, Node, NodeId, Value, ValueId};
pub use op::{Binary, Gemm, Op, Opaque, Unary};
pub use tensor::{Data, Tensor};
