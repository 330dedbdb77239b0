//! Generators, gradient checks and tiny models for the tests of the workspace.
#![forbid(unsafe_code)]

mod gradient;
mod models;
mod plan;
mod stream;

pub use gradient::{directional, taylor_slope};
pub use models::{mlp, rows, some_keep};
pub use plan::{Form, Plan, Step, piecewise_linear, smooth};
pub use stream::Stream;
