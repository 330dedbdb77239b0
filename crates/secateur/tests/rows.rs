//! Row hygiene as laws: test rows decide nothing, validation rows never train, and files are verified on test rows.
//!
//! A data set is written, run, and written anew with the rows of one part of the split changed and all others as they
//! were. The seed draws the same split of it, so that whatever comes out otherwise looked at those rows.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "rows/case.rs"]
mod case;
#[path = "rows/controls.rs"]
mod controls;
#[path = "rows/criteria.rs"]
mod criteria;
#[path = "rows/data.rs"]
mod data;
#[path = "rows/decided.rs"]
mod decided;
#[path = "rows/evidence.rs"]
mod evidence;
#[path = "rows/grid.rs"]
mod grid;
#[path = "rows/many_tests.rs"]
mod many_tests;
#[path = "rows/models.rs"]
mod models;
#[path = "rows/path.rs"]
mod path;
#[path = "rows/scaling.rs"]
mod scaling;
#[path = "rows/test_rows.rs"]
mod test_rows;
#[path = "rows/validation_rows.rs"]
mod validation_rows;
