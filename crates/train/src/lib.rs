//! Trains a network under a penalty on a part of its units, and removes dead units on the way.
#![forbid(unsafe_code)]

mod error;
mod loss;
mod network;
mod schedule;

pub use error::{Error, ErrorKind, Result};
pub use loss::{RegressionLoss, Scalar, Targets};
pub use network::Mlp;
pub use schedule::{Decay, Schedule};
