//! Every number of a page and of its Markdown is the one of `report.json` (or `path.json`) that its label tells.
//!
//! `fixture/distinct` is a run in which no two numbers are equal, which no run has: before and after, parameters and multiply-adds,
//! validation and test, search and training cannot be mistaken for each other unseen.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod comparison;
mod epochs;
mod path;
mod read;
mod record;
mod run;
mod several;
