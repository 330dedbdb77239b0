//! Comparisons: a grid of data, arms and seeds, run cell by cell and read as paired differences.

mod author;
mod cell;
mod claims;
mod grid;
mod matched;
mod pairs;
mod probe;
mod run;
mod store;
mod tables;
mod unit;

pub use author::author_arms;
pub use cell::{Cell, Measured, Outcome};
pub use claims::{Claim, claims};
pub use grid::{Arm, Choices, DataChoice, Grid, Role, Shard, Unit, share};
pub use pairs::{Pair, pairs};
pub use run::{GridEvent, Ready};
pub use store::{Comparison, Head, Store};
pub use tables::{Table, tables};
