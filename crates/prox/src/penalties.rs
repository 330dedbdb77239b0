//! One penalty per file: formula, checked constructor, operators, and the tests that only it needs.

pub(crate) mod cges;
pub(crate) mod exclusive;
pub(crate) mod group_l0;
pub(crate) mod group_lasso;
pub(crate) mod group_log_sum;
pub(crate) mod group_mcp;
pub(crate) mod group_scad;
pub(crate) mod l1;
pub(crate) mod sparse_group_lasso;
pub(crate) mod squared_l2;
