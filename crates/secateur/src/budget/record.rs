//! What a run tells of its budget.

use serde::{Deserialize, Serialize};

use crate::markdown::{grouped, significant};

/// A limit, and what the written network has of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// As it is typed behind `--budget`.
    pub asked: String,
    /// Of all numbers below: `MACs a row`, `parameters` or `bytes`.
    pub unit: String,
    /// The most that is allowed.
    pub most: f64,
    /// What the network had at the start of the run.
    pub start: f64,
    /// What the written network has.
    pub reached: f64,
    /// Whether that is within the limit; a run that was cut short may end before units go to meet it.
    pub is_met: bool,
}

impl BudgetReport {
    /// One line: the limit, what was reached, and how far that is below or above it.
    pub fn sentence(&self) -> String {
        let share = 100.0 * (self.reached - self.most).abs() / self.most.max(f64::MIN_POSITIVE);
        let by = match self.is_met {
            true => format!("met, {share:.1} % below"),
            false => format!("not met, {share:.1} % above"),
        };
        format!(
            "{}, {} of at most {} {} ({by}); {} at the start",
            self.asked,
            self.text(self.reached),
            self.text(self.most),
            self.unit,
            self.text(self.start),
        )
    }

    /// A number in the unit.
    fn text(&self, number: f64) -> String {
        match number.fract() == 0.0 {
            true => grouped(number as u64),
            false => significant(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_tells_by_how_much() {
        let report = |reached: f64| BudgetReport {
            asked: "params=10%".into(),
            unit: "parameters".into(),
            most: 4_000.0,
            start: 40_012.0,
            reached,
            is_met: reached <= 4_000.0,
        };
        let met =
            "params=10%, 3,900 of at most 4,000 parameters (met, 2.5 % below); 40,012 at the start";
        assert_eq!(report(3_900.0).sentence(), met);
        let missed = "params=10%, 4,100 of at most 4,000 parameters (not met, 2.5 % above); 40,012 at the start";
        assert_eq!(report(4_100.0).sentence(), missed);
        assert!(report(4_000.0).sentence().contains("(met, 0.0 % below)"));
    }
}
