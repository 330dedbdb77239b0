//! What a network without some of its units can get back by formula.

mod front;
mod greedy;
mod layout;
mod least_squares;
mod lockstep;
mod memory;
mod moments;
mod narrowed;
mod offset;
mod product;
mod queries;
mod readers;
mod reconstruction;
mod ridge;
mod samples;
mod site;
mod statistics;
mod taps;
mod variances;
mod view;
mod wide;

pub use greedy::{Reader, greedy};
pub use least_squares::{Solution, solve};
pub use lockstep::{
    Batch, Compiled, Effort, MadeSpread, Outcome, Parts, Repaired, Repairer, Runner, Step,
};
pub use memory::held_bytes;
pub use moments::{About, Moments};
pub use reconstruction::reconstruction;
pub use samples::Activation;
pub use site::{Kept, Untouched};
pub use statistics::re_estimated;
pub use variances::variances;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
