//! Loops over plain slices, compiled for several instruction sets and chosen at run time.
//!
//! A kernel is an `#[inline(always)]` function over slices and a version of it under
//! `#[multiversion]`, so that what it calls, the caller's closures included, is compiled for the same
//! instructions. Element-wise arithmetic is not fused or reordered: every version gives the same bits.

pub(crate) mod pointwise;
pub mod update;

pub use update::{Adam, Nesterov, Sgd};
