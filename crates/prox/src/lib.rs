//! Penalties on groups of weights and their proximal operators.
//!
//! A penalty that zeroes a whole group of weights removes what the group stands for: here, a unit of a
//! neural network, whose outgoing weights are the group. This crate knows the penalties and nothing of
//! networks: slices of `f32` or `f64` go in, and after a proximal step the groups that have to go are
//! exactly `0.0`.
//!
//! ```
//! use secateur_prox::{Penalty, Strength};
//!
//! let penalty: Penalty = "group-lasso".parse()?;
//! let strength = Strength::new(2.5, 1.0)?;
//! let mut groups = [[3.0f32, 4.0], [0.1, -0.2]];
//! for group in &mut groups {
//!     penalty.prox_in_place(group, strength, 1.0);
//! }
//! assert_eq!(groups, [[1.5, 2.0], [0.0, 0.0]]);
//! # Ok::<(), secateur_prox::Error>(())
//! ```
//!
//! # Design
//!
//! - Most penalties of groups are a scalar penalty of the norm. Such a penalty states three formulas in one
//!   dimension and one function lifts them to groups; only the penalties that also see single weights
//!   have steps of their own.
//! - Every step is the *global* minimiser for every step size. The textbook formulas of MCP and SCAD are not, once
//!   the step is long.
//! - A NaN comes out as a NaN: a diverged group must never look like a removed one.
//! - [`Penalty`] is a closed enum, so that a caller's loop over groups compiles to straight code; a
//!   penalty of your own is checked through [`check::Prox`].
//! - Three accounts of every penalty, its step, its subdifferential and its conjugate, are written
//!   apart from each other and held against each other by [`check`]; [`naive`] is a fourth.
//! - Groups do not overlap. A sum of norms of overlapping groups has no cheap step, and none is offered.
#![forbid(unsafe_code)]

pub mod check;
mod choices;
mod elementwise;
mod error;
mod group_penalty;
mod group_weights;
mod metric;
pub mod naive;
mod names;
pub mod part;
mod penalties;
mod penalty;
mod radial;
mod real;
mod strength;

pub use choices::{Compensation, Inputs, Members};
pub use error::{Error, ErrorKind, Result};
pub use group_weights::{GroupSize, GroupWeights};
pub use part::{Amount, LayerUnits, Limit, Part, Quantity, Share, Which, Widths};
pub use penalties::cges::Cges;
pub use penalties::exclusive::Exclusive;
pub use penalties::group_l0::GroupL0;
pub use penalties::group_lasso::GroupLasso;
pub use penalties::group_log_sum::GroupLogSum;
pub use penalties::group_mcp::GroupMcp;
pub use penalties::group_scad::GroupScad;
pub use penalties::l1::L1;
pub use penalties::sparse_group_lasso::SparseGroupLasso;
pub use penalties::squared_l2::SquaredL2;
pub use penalty::Penalty;
pub use real::Real;
pub use strength::Strength;
