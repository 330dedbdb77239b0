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
                let reached = model.parts().size();
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
        held(report, trained.is_complete()).map(Some)
    }
}

/// What became of a limit on what is counted, which training holds exactly.
///
/// # Errors
/// If a complete run is not within it.
fn held(report: BudgetReport, is_complete: bool) -> Result<BudgetReport> {
    match report.is_met || !is_complete {
        true => Ok(report),
        false => Err(Error::new(ErrorKind::Verification, report.sentence())
            .at(PLACE)
            .hint("nothing was written; this is a defect: please report it with the config")),
    }
}

#[cfg(test)]
mod tests {
    use secateur_train::{Ended, Flow};

    use super::*;
    use crate::compress::{Outcome, compress};
    use crate::prepare::Prepared;
    use crate::{Config, Plan, load_data};

    fn config(budget: Option<String>) -> Config {
        Config {
            data: Some("digits".into()),
            net: Some("12-6".into()),
            part: budget.is_none().then(|| "full".into()),
            budget,
            strength: Some("1e-6".into()),
            epochs: Some(2),
            threads: Some(1),
            ..Config::default()
        }
    }

    /// A run without a budget, whose network is held to budgets afterwards.
    fn outcome() -> Outcome {
        compress(&config(None), None, &mut |_| Flow::Continue).unwrap()
    }

    /// What becomes of `budget` where that network came out.
    fn judged(budget: String, outcome: &Outcome) -> Result<BudgetReport> {
        let config = config(Some(budget));
        let dataset = load_data(&config, None).unwrap();
        let prepared = Prepared::new(dataset, &config).unwrap();
        let rows = prepared.split.train.len();
        let plan = Plan::new(&config, &prepared.dataset, rows).unwrap();
        let job = Job::new(plan, prepared).unwrap();
        let before = job.start().unwrap();
        let report = job.budget_report(&before, &outcome.trained, &outcome.model);
        report.map(Option::unwrap)
    }

    #[test]
    fn a_limit_is_met_by_as_many_and_missed_by_one_more() {
        let mut outcome = outcome();
        let (start, small) = (&outcome.report.before, &outcome.report.after);
        let counted = [
            ("macs", "MACs a row", start.macs, small.macs),
            ("params", "parameters", start.params, small.params),
            ("bytes", "bytes", start.bytes, small.bytes),
        ];
        for (name, unit, start, reached) in counted {
            let told = |report: &BudgetReport| (report.most, report.start, report.reached);
            let met = judged(format!("{name}={reached}"), &outcome).unwrap();
            let [start, all] = [start, reached].map(|n| n as f64);
            assert!(met.is_met && met.unit == unit, "{met:?}");
            assert_eq!(told(&met), (all, start, all), "{name}");

            let least = reached - 1;
            let error = judged(format!("{name}={least}"), &outcome).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification, "{name}");
            assert!(error.to_string().contains("not met"), "{error}");

            // A run that was cut short may end before units go to meet it.
            outcome.trained.ended = Ended::Interrupted { epoch: 1 };
            let missed = judged(format!("{name}={least}"), &outcome).unwrap();
            assert!(!missed.is_met, "{missed:?}");
            assert_eq!(told(&missed), (least as f64, start, all), "{name}");
            outcome.trained.ended = Ended::Complete;
        }
    }
}
