//! What a run's network may keep at most: of multiply-adds or of parameters.

mod outcome;
mod record;
mod text;

use secateur_prox::Limit;

pub use record::BudgetReport;
pub(crate) use text::PLACE;

/// A limit that a run keeps within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// Of something that the network itself tells.
    Counted(Limit),
}

impl Budget {
    /// What units are ranked by: how much they free of this.
    pub(crate) fn ranking(self) -> Limit {
        match self {
            Self::Counted(limit) => limit,
        }
    }
}
