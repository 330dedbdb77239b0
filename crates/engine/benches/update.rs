//! What the fused update, momentum and group-lasso step cost beside merely moving the same bytes.
//!
//! `cargo bench -p secateur-engine --bench update [-- SECONDS]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]

mod common;

fn main() {
    println!("{}", common::drawn(1, 1)[0]);
}
