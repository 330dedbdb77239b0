//! Runs and differentiates a network graph on the CPU.
//!
//! A [`Chain`] is a graph compiled for at most a given number of rows. A training step is
//! [`Chain::forward_backward`], which leaves the gradients of all activations behind, followed by
//! [`Chain::update`], which turns them into weight gradients block by block and hands each block to
//! the caller's optimiser while it is in the cache.
//!
//! Weights are `[in, out]`, row-major: row `i` holds the outgoing weights of unit `i` of the layer
//! before, so a penalised share of a layer is one contiguous range.

mod activation;
mod aligned;
mod chain;
mod error;
mod instruction_set;
pub mod kernels;
mod matrix;
mod network;
mod phases;
mod threads;

pub use activation::Activation;
pub use chain::{BlockKind, Chain, Dense, MAX_STATE_SLOTS, RowBlock};
pub use error::{Error, ErrorKind, Result};
pub use instruction_set::instruction_set;
pub use network::{
    Block, Fill, Gradients, Network, Parameter, ParameterKind, ParameterParts, Pass, Training,
};
pub use phases::Phases;
pub use threads::Threads;
