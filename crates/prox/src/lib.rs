//! Penalties on groups of weights and their proximal operators.
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
pub use part::{LayerUnits, Part, Share, Which, Widths};
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
