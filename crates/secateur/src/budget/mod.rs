//! What a run's network may keep at most: of multiply-adds, of parameters, of the bytes of its
//! file or of the time of a row.

mod bytes;
mod latency;
mod outcome;
mod record;
mod run;
mod text;
mod units;

use std::time::Duration;

use secateur_prox::{Amount, Limit, Quantity, Share};

pub use record::{BudgetReport, EngineTime};
pub(crate) use text::PLACE;
pub use units::bytes_of;

/// A limit that a run keeps within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// Of something that the network itself tells.
    Counted(Limit),
    /// Of the file, with what lies beside it; a share is one of the file of the network that the run starts from.
    Bytes(Amount),
    /// Of the time that 90 % of the runs of one row do not exceed, on the engine and on the independent runtime.
    Latency(Duration),
}

impl Budget {
    /// What units are ranked by: how much they free of this.
    pub(crate) fn ranking(self) -> Limit {
        match self {
            Self::Counted(limit) => limit,
            // All that it has, and of that what the answers to a question allow.
            Self::Bytes(_) => Limit {
                of: Quantity::Params,
                most: Amount::Share(Share::ALL),
            },
            Self::Latency(_) => Limit::macs(Share::ALL),
        }
    }
}
