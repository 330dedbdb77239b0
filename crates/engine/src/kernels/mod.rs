//! Loops over plain slices, compiled for several instruction sets and chosen at run time.
//!
//! A kernel is an `#[inline(always)]` function over slices, and a version of it under `#[multiversion]`,
//! so that all that it calls is compiled for the same instructions. A closure that is handed in has to
//! be `#[inline(always)]` too, as have the functions that it calls: what the compiler leaves outside is
//! compiled for the least of processors.
//!
//! Element-wise arithmetic is neither fused nor reordered, so every version gives the same bits.

mod blocks;
pub(crate) mod channels;
pub mod conv;
mod exponential;
pub(crate) mod functions;
mod groups;
pub(crate) mod lines;
pub(crate) mod pointwise;
pub(crate) mod pooling;
pub mod separate;
pub mod update;

pub use update::{Adam, Nesterov, Sgd};
