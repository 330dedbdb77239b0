//! What a run tells of its budget.

use serde::{Deserialize, Serialize};

use crate::markdown::{grouped, significant};

/// A limit, and what the written network has of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// As it is typed behind `--budget`.
    pub asked: String,
    /// Of all numbers below: `MACs a row`, `parameters`, `bytes` or `ms a row`.
    pub unit: String,
    /// The most that is allowed.
    pub most: f64,
    /// What the network had at the start of the run.
    pub start: f64,
    /// What the written network has.
    pub reached: f64,
    /// Whether that is within the limit; a run that was cut short may end before units go to meet it.
    pub is_met: bool,
    /// Of a limit on time, what each engine took; the slower one is told above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<EngineTime>,
    /// What makes a measured time doubtful, such as a busy machine; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The time that 90 % of the runs of one row did not exceed on one engine, in the unit of the budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineTime {
    /// `secateur`, or the independent runtime with its version.
    pub engine: String,
    /// Of the network at the start of the run.
    pub start: f64,
    /// Of the written network.
    pub reached: f64,
}

impl BudgetReport {
    /// One line: the limit, what was reached, and how far that is below or above it.
    pub fn sentence(&self) -> String {
        let share = 100.0 * (self.reached - self.most).abs() / self.most.max(f64::MIN_POSITIVE);
        let by = match self.is_met {
            true => format!("met, {share:.1} % below"),
            false => format!("not met, {share:.1} % above"),
        };
        let engine = |e: &EngineTime| format!("{} on {}", self.text(e.reached), e.engine);
        let engines: Vec<String> = self.engines.iter().map(engine).collect();
        let engines = match engines.is_empty() {
            true => String::new(),
            false => format!("; 90 % of runs within {}", engines.join(" and ")),
        };
        format!(
            "{}, {} of at most {} {} ({by}); {} at the start{engines}",
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
            engines: vec![],
            warnings: vec![],
        };
        let met =
            "params=10%, 3,900 of at most 4,000 parameters (met, 2.5 % below); 40,012 at the start";
        assert_eq!(report(3_900.0).sentence(), met);
        let missed = "params=10%, 4,100 of at most 4,000 parameters (not met, 2.5 % above); 40,012 at the start";
        assert_eq!(report(4_100.0).sentence(), missed);
        let timed = BudgetReport {
            asked: "latency=2ms".into(),
            unit: "ms a row".into(),
            most: 2.0,
            start: 5.25,
            engines: [("secateur", 1.9), ("rten", 1.5)]
                .map(|(engine, reached)| EngineTime {
                    engine: engine.into(),
                    start: 5.25,
                    reached,
                })
                .to_vec(),
            ..report(1.9)
        };
        assert_eq!(
            timed.sentence(),
            "latency=2ms, 1.900 of at most 2 ms a row (met, 5.0 % below); 5.250 at the start; \
             90 % of runs within 1.900 on secateur and 1.500 on rten"
        );
        assert!(report(4_000.0).sentence().contains("(met, 0.0 % below)"));
    }
}
