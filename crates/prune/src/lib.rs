//! Which units of a network go, and what the others get back.

mod costs;
mod criterion;
mod curves;
mod error;
mod fill;
mod limit;
mod nothing;
mod rank;
pub mod repair;
mod select;

pub use costs::UnitCosts;
pub use criterion::{Criterion, Measured, Needs, norms};
pub use error::{Error, ErrorKind, Result};
pub use fill::Nearest;
pub use limit::{Allocation, Limit};
pub use select::{Choice, Costs, Selection, first_not_a_number};
