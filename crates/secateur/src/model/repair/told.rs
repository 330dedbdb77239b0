//! What repairing came to, for people and for scripts.

use std::fmt;

use serde_json::{Value, json};

use super::Repair;
use super::lost::{Loss, OutputLoss};
use crate::compare::Table;
use crate::markdown::grouped;

impl Repair {
    /// For each output, how far it is from what it was: without repair, with statistics alone, and as it is written.
    pub fn table(&self) -> Table {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let row = |loss: &OutputLoss, way: &str, of: &Loss| {
            let count = grouped(loss.places as u64);
            let agreement = of.agreement.map_or_else(
                || "-".to_owned(),
                |share| format!("{} of {count}", percent(share)),
            );
            vec![
                loss.name.clone(),
                way.to_owned(),
                agreement,
                format!("{:.3}", of.error),
            ]
        };
        let rows = self.outputs.iter().flat_map(|loss| {
            let mut rows = vec![row(loss, "none", &loss.none)];
            // Where statistics are all that was repaired, they are the last line.
            if let Some(of) = loss.statistics.filter(|_| self.way != "statistics") {
                rows.push(row(loss, "statistics", &of));
            }
            rows.push(row(loss, self.way, &loss.repaired));
            rows
        });
        Table {
            title: "what it lost".into(),
            note: format!(
                "on {} inputs that nothing was fitted or chosen on; the error is squared, as a share of the variance",
                grouped(self.rows[2] as u64)
            ),
            header: ["output", "repair", "agreement", "error"]
                .map(Into::into)
                .to_vec(),
            rows: rows.collect(),
        }
    }

    /// What the user should know of the inputs: how they were read, and what is odd about them.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Readers that are further from what they made than without repair, on inputs that nothing was fitted or chosen on.
    pub fn worse(&self) -> impl Iterator<Item = &str> {
        let is_worse = |r: &&secateur_prune::repair::Repaired| r.tested[1] > r.tested[0];
        self.readers
            .iter()
            .filter(is_worse)
            .map(|r| r.node.as_str())
    }

    /// Everything, for scripts.
    pub fn to_json(&self) -> Value {
        let readers = self.readers.iter().map(|r| {
            json!({
                "node": r.node,
                "moments_of": r.moments_of,
                // An infinite one is no number in JSON.
                "ridge": r.ridge.map(|ridge| match ridge.is_finite() {
                    true => json!(ridge),
                    false => json!("bias only"),
                }),
                "condition": r.condition,
                "error_chosen_on": { "cut": r.chosen[0], "repaired": r.chosen[1] },
                "error_tested_on": { "cut": r.tested[0], "repaired": r.tested[1] },
            })
        });
        let untouched = self.untouched.iter();
        let untouched = untouched.map(|u| json!({ "node": u.node, "why": u.why }));
        json!({
            "by": self.way,
            "inputs": { "fitted_on": self.rows[0], "chosen_on": self.rows[1], "tested_on": self.rows[2], "numbers": self.fed },
            "outputs": self.outputs,
            "notes": self.notes,
            "norms": self.norms,
            "readers": readers.collect::<Vec<_>>(),
            "untouched": untouched.collect::<Vec<_>>(),
            "worse": self.worse().collect::<Vec<_>>(),
            "verified": self.evidence,
            "seconds": self.seconds,
        })
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |is_it: &dyn Fn(f64) -> bool| {
            let ridges = self.readers.iter().filter_map(|r| r.ridge);
            ridges.filter(|ridge| is_it(*ridge)).count()
        };
        write!(
            f,
            "repaired by {} on {} inputs in {:.0} s",
            self.way,
            grouped(self.rows[0] as u64),
            self.seconds
        )?;
        if !self.readers.is_empty() {
            let (solved, bias) = (count(&f64::is_finite), count(&f64::is_infinite));
            let all = self.readers.len();
            write!(
                f,
                ": {solved} of {all} readers by least squares, {bias} by their bias alone"
            )?;
        }
        let worse = self.worse().count();
        if worse > 0 {
            write!(
                f,
                "; {worse} are further from what they made than without repair"
            )?;
        }
        if let [first, ..] = &self.untouched[..] {
            let count = self.untouched.len();
            write!(
                f,
                "; {count} keep their weights: '{}', as {}",
                first.node, first.why
            )?;
        }
        write!(f, "\ninputs: {}", self.fed.join("; "))?;
        let evidence = &self.evidence;
        let (by, difference) = match (evidence.naive_difference, evidence.engine_difference) {
            (Some(difference), _) => ("the f64 evaluator", difference),
            (None, difference) => (
                "the engine, which is held to the f64 evaluator node by node",
                difference.unwrap_or(0.0),
            ),
        };
        write!(
            f,
            "\nverified: outputs of the file as it reads back on {} are within {difference:.0e} (relative) of those of its network on {by}",
            evidence.runtime
        )?;
        match evidence.rounded {
            Some(rounded) => write!(
                f,
                "; {} of {} inputs left out, where rounding alone moves outputs by up to {:.0e}",
                rounded.rows, rounded.of, rounded.rounding
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_prune::repair::{Repaired, Untouched};

    use super::*;
    use crate::model::RepairEvidence;
    use crate::model::repair::Rounded;

    fn repair(tested: &[[f64; 2]]) -> Repair {
        let ridges = [Some(0.1), Some(f64::INFINITY), None];
        let reader = |(at, tested): (usize, &[f64; 2])| Repaired {
            node: format!("r{at}"),
            moments_of: "channels",
            ridge: ridges[at % 3],
            condition: 2.0,
            chosen: [0.5, 0.25],
            tested: *tested,
        };
        Repair {
            rows: [1070, 15, 16],
            way: "formula",
            readers: tested.iter().enumerate().map(reader).collect(),
            untouched: vec![],
            norms: 0,
            outputs: vec![],
            notes: vec!["odd".into()],
            fed: vec!["'x': 3 rows".into()],
            evidence: RepairEvidence {
                runtime: "a runtime",
                naive_difference: Some(2e-7),
                engine_difference: None,
                engine_sampled: None,
                rounded: None,
                tolerance: 1e-4,
            },
            seconds: 2.0,
        }
    }

    #[test]
    fn readers_that_got_worse_are_counted_and_named() {
        let told = repair(&[[0.5, 0.25], [0.5, 0.625], [0.5, 0.5], [0.125, 0.25]]);
        assert_eq!(told.worse().collect::<Vec<_>>(), ["r1", "r3"]);
        assert_eq!(
            told.to_string(),
            "repaired by formula on 1,070 inputs in 2 s: 2 of 4 readers by least squares, 1 by their bias alone; 2 are further from what \
             they made than without repair\ninputs: 'x': 3 rows\nverified: outputs of the file as it reads back on a runtime are within 2e-7 (relative) of those \
             of its network on the f64 evaluator"
        );
        let json = told.to_json();
        assert_eq!(json["worse"], json!(["r1", "r3"]));
        assert_eq!(json["notes"], json!(["odd"]));
        let reader = &json["readers"][1];
        assert_eq!(reader["ridge"], "bias only");
        assert_eq!(
            reader["error_tested_on"],
            json!({ "cut": 0.5, "repaired": 0.625 })
        );
        assert_eq!(
            reader["error_chosen_on"],
            json!({ "cut": 0.5, "repaired": 0.25 })
        );
        let better = repair(&[[0.5, 0.25]]);
        assert_eq!(better.worse().count(), 0);
        assert!(!better.to_string().contains("further"), "{better}");
        assert_eq!(better.to_json()["worse"], json!([]));
    }

    #[test]
    fn readers_that_keep_their_weights_and_who_verified_are_told() {
        let mut told = repair(&[]);
        told.untouched = vec![Untouched {
            node: "shared".into(),
            why: "several nodes share its weights",
        }];
        told.evidence.naive_difference = None;
        told.evidence.engine_difference = Some(3e-6);
        told.evidence.rounded = Some(Rounded {
            rows: 1,
            of: 16,
            rounding: 2e-4,
            difference: 3e-4,
        });
        assert_eq!(
            told.to_string(),
            "repaired by formula on 1,070 inputs in 2 s; 1 keep their weights: 'shared', as several nodes share its weights\ninputs: 'x': 3 rows\nverified: outputs \
             of the file as it reads back on a runtime are within 3e-6 (relative) of those of its network on the engine, which is held to the f64 evaluator \
             node by node; 1 of 16 inputs left out, where rounding alone moves outputs by up to 2e-4"
        );
    }
}
