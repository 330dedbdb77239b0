//! Did the run keep within its budget?

use secateur_graph::{Cost, Graph, cost};
use secateur_prox::Quantity;
use secateur_train::Trained;

use super::latency::Watch;
use super::{Budget, BudgetReport, PLACE};
use crate::job::Job;
use crate::verify::Verified;
use crate::{Error, ErrorKind, Result};

/// A quantity of a network, and its unit.
fn counted(of: Quantity, cost: &Cost) -> (u64, &'static str) {
    match of {
        Quantity::Macs => (cost.macs, "MACs a row"),
        Quantity::Params => (cost.params, "parameters"),
    }
}

impl Job {
    /// What became of the budget of a run from one network to another, and to a file; none where it had none.
    ///
    /// # Errors
    /// If a complete run is not within it; the message tells how far it came.
    pub(crate) fn budget_report(
        &self,
        before: &Graph,
        trained: &Trained,
        model: &Verified,
    ) -> Result<Option<BudgetReport>> {
        let Some(budget) = self.plan.budget else {
            return Ok(None);
        };
        let (most, [start, reached], unit) = match budget {
            Budget::Counted(limit) => {
                let (start, unit) = counted(limit.of, &cost(before)?);
                let (reached, _) = counted(limit.of, &cost(&trained.graph)?);
                (limit.most.of(start), [start, reached], unit)
            }
            // Missed by a network that is good: it is written, and the report tells.
            Budget::Latency(most) => {
                let limit = (most, &self.watch() as Watch<'_>);
                return Ok(Some(self.time_report(before, model.parts(), limit)?));
            }
            Budget::Bytes(most) => {
                let start = self.file_size(before)?;
                let reached = (model.bytes().len() + model.data().len()) as u64;
                (most.of(start), [start, reached], "bytes")
            }
        };
        let report = BudgetReport {
            asked: budget.to_string(),
            unit: unit.to_owned(),
            most: most as f64,
            start: start as f64,
            reached: reached as f64,
            is_met: reached <= most,
            engines: vec![],
            warnings: vec![],
        };
        match report.is_met || !trained.is_complete() {
            true => Ok(Some(report)),
            false => Err(Error::new(ErrorKind::Verification, report.sentence())
                .at(PLACE)
                .hint("nothing was written; this is a defect: please report it with the config")),
        }
    }
}
