//! What a path tells while it goes.

use secateur_train::Event;

use super::record::PathPoint;
use crate::Plan;
use crate::prepare::Prepared;

/// Which point of a path is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leg {
    /// The network that the path starts from.
    Dense,
    /// A smaller one.
    Cut {
        /// From 1, in the order of training; its folder has this number.
        number: usize,
        /// The share of the starting MACs that it may keep.
        share: f64,
    },
}

/// What a path tells.
#[derive(Debug)]
pub enum PathProgress<'a> {
    /// The data is read; nothing is trained yet.
    Loaded {
        /// The plan that is about to be carried out.
        plan: &'a Plan,
        /// The data with its split.
        prepared: &'a Prepared,
        /// Multiply-adds of a row in the network that the path starts from.
        macs: u64,
    },
    /// Training goes on.
    Train {
        /// Of which point.
        leg: Leg,
        /// Where it is.
        event: Event<'a>,
    },
    /// A point is trained and verified.
    Reached(&'a PathPoint),
}
