//! Trains a network under a penalty on a part of its units, and removes dead units on the way.
//!
//! [`fit`] takes a graph and rows of numbers and returns a network that is already small: every
//! removal was made by [`secateur_graph::shrink`] and checked at once against the masked network.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod bench;
mod budget;
mod chain;
mod checkpoint;
mod collapse;
mod error;
mod evaluate;
mod incoming;
mod learner;
mod loss;
mod metric;
mod net;
mod network;
mod order;
mod penalised;
mod record;
mod removal;
mod row_loss;
mod rows;
mod schedule;
mod score;
mod settings;
mod step;
mod strength;
mod table;
mod trainer;
mod unit_norms;
mod update;

pub use budget::question::Question;
pub use checkpoint::Checkpoint;
pub use collapse::Collapse;
pub use error::{Error, ErrorKind, Result};
pub use evaluate::{outputs, right_rows, score, widths};
pub use learner::planned_bytes;
pub use loss::{ClassLoss, RegressionLoss, Targets};
pub use net::{activation_variances, strongest_last, taylor_scores};
pub use network::{Architecture, ImageSize, Init, Mlp, narrowed};
pub use record::{Ended, Epoch, Event, Flow, Seconds, Trained};
pub use removal::Removal;
pub use row_loss::Scalar;
pub use rows::{Gather, Order, Rows};
pub use schedule::{Decay, Schedule};
pub use score::Score;
pub use secateur_prune::Criterion;
pub use settings::{AdamMetric, Optimizer, PenaltySettings, PenaltyStep, RemovalTime, Settings};
pub use strength::StrengthChoice;
pub use table::Table;
pub use trainer::{Rest, Start, fit, fit_within, resume};
pub use unit_norms::{LayerNorms, UnitNorms};
