//! Comparisons: a grid of data, arms and seeds, run cell by cell and read as paired differences.

mod agreement;
mod arm;
mod author;
mod cell;
mod claims;
mod data;
mod floor;
mod grid;
mod groups;
mod matched;
mod overview;
mod pairs;
mod probe;
mod run;
mod shard;
mod store;
mod structure;
mod tables;
mod tally;
#[cfg(test)]
mod testing;
mod unit;

pub use arm::{Arm, Choices, Role};
pub use author::author_arms;
pub use cell::{Cell, Measured, Outcome};
pub use claims::{Claim, WithinSeeds, claims};
pub use data::DataChoice;
pub use grid::{Grid, Unit, share};
pub use overview::{Quantity, overview};
pub use pairs::{Pair, pairs};
pub use run::{GridEvent, Ready};
pub use shard::Shard;
pub use store::{Comparison, Head, Store};
pub use structure::{Wanted, retraining, structure_tables, wanted};
pub use tables::{Table, tables};
pub use tally::tally;
