//! Runs and differentiates a network graph on the CPU.
//!
//! A [`Network`] is a graph compiled for at most a given number of rows. A training step is
//! [`Network::forward_backward`], which leaves the gradients of all activations behind, followed by
//! [`Network::update`], which turns them into weight gradients block by block and hands each block to
//! the caller's optimiser while it is in the cache.
//!
//! Weights are `[in, out]`, row-major: row `i` holds the outgoing weights of unit `i` of the layer
//! before, so a penalised share of a layer is one contiguous range.

mod activation;
mod cut;
mod dense;
mod error;
mod forward;
mod instruction_set;
pub mod kernels;
mod matrix;
mod network;
mod phases;
mod plan;
mod read;
mod threads;
mod update;

pub use activation::Activation;
pub use dense::{Dense, MAX_STATE_SLOTS};
pub use error::{Error, ErrorKind, Result};
pub use instruction_set::instruction_set;
pub use network::Network;
pub use phases::Phases;
pub use threads::Threads;
pub use update::{BlockKind, RowBlock};
