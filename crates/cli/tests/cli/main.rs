//! The command as a user meets it: what it prints, how it exits, what it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod bench;
mod budgets;
mod exits;
mod grids;
mod harness;
mod help;
mod interrupt;
mod models;
mod new;
mod path;
mod refusals;
mod repair;
mod resume;
mod resume_path;
mod runs;
mod same_bytes;
mod streams;
mod told;
