//! A network at many sizes: one trade-off of cost and quality, every point of it a verified model.
//!
//! [`path`] carries out the whole walk, [`path_in`] one that can be gone on with, and [`PathFolder`] holds its results. Which points are worth having is decided by
//! [`dominated`] and [`knee`], the smallest within a loss of quality by [`smallest_within`]; all look at validation rows alone.

mod curve;
mod folder;
mod options;
mod point;
mod progress;
mod quality_drop;
mod record;
mod stretch;
mod table;
mod walk;

pub use curve::{Spot, dominated, knee};
pub use folder::PathFolder;
pub use options::PathOptions;
pub use progress::{Leg, PathProgress};
pub use quality_drop::{QualityDrop, nearest, smallest_within};
pub use record::{Chosen, PATH_FORMAT, PathEnd, PathPoint, PathReport};
pub use walk::{PathOutcome, path, path_in};
