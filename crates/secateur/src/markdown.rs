//! The report as text that reads well as it is: a table of arms, where the time went, and what was checked.

use std::fmt::Write;

use crate::report::{Arm, Report};

/// One row of the table of arms: a name, then a cell for each arm, the last of them the ratio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is compared.
    pub name: String,
    /// As in [`Report::columns`].
    pub cells: Vec<String>,
}

impl Report {
    /// The arms that were run, by name: `dense`, `before`, `after`, `narrow`.
    pub fn arms(&self) -> Vec<(&'static str, &Arm)> {
        let dense = self.dense.iter().map(|arm| ("dense", arm));
        let own = [("before", &self.before), ("after", &self.after)];
        let narrow = self.narrow.iter().map(|arm| ("narrow", arm));
        dense.chain(own).chain(narrow).collect()
    }

    /// Headings of the cells of [`Report::rows`].
    pub fn columns(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.arms().iter().map(|(name, _)| *name).collect();
        names.push("before / after");
        names
    }

    /// The table of arms.
    pub fn rows(&self) -> Vec<Row> {
        let arms = self.arms();
        let row = |name: &str, cell: &dyn Fn(&str, &Arm) -> String, ratio: String| {
            let mut cells: Vec<String> = arms.iter().map(|&(n, a)| cell(n, a)).collect();
            cells.push(ratio);
            Row {
                name: name.to_owned(),
                cells,
            }
        };
        let over = |of: &dyn Fn(&Arm) -> u64| {
            format!(
                "{:.2}",
                of(&self.before) as f64 / of(&self.after).max(1) as f64
            )
        };
        let none = String::new;
        let score_name = match self.higher_is_better() {
            true => "test accuracy (%)",
            false => "test RMSE",
        };
        let score = |name: &str, a: &Arm| match name {
            "before" if !self.starts_trained() => "untrained".to_owned(),
            _ => self.score_text(a.test_score),
        };
        let mut rows = vec![row(score_name, &score, none())];
        // An untrained network has nothing to say about imbalance.
        if arms.iter().any(|(name, a)| {
            *name != "before"
                && a.balanced_accuracy
                    .is_some_and(|b| (b - a.test_score).abs() > 5e-3)
        }) {
            let balanced = |name: &str, a: &Arm| match (name, a.balanced_accuracy) {
                ("before", _) | (_, None) => String::new(),
                (_, Some(b)) => self.score_text(b),
            };
            rows.push(row("balanced accuracy (%)", &balanced, none()));
        }
        rows.push(row(
            "params",
            &|_, a| grouped(a.params),
            over(&|a| a.params),
        ));
        rows.push(row(
            "MACs a row",
            &|_, a| grouped(a.macs),
            over(&|a| a.macs),
        ));
        if self.is_chain() {
            rows.push(row(
                "  with all inputs read",
                &|_, a| grouped(a.macs_all_inputs),
                over(&|a| a.macs_all_inputs),
            ));
        }
        rows.push(row(
            "bytes on disk",
            &|_, a| grouped(a.bytes),
            over(&|a| a.bytes),
        ));
        if self.is_chain() {
            rows.push(row(
                "inputs read",
                &|_, a| grouped(a.units[0] as u64),
                none(),
            ));
            rows.push(row("hidden units", &|_, a| joined(&a.units[1..]), none()));
        } else {
            rows.push(row("units", &|_, a| few(&a.units), none()));
        }
        let seconds = |name: &str, a: &Arm| match name {
            "before" => String::new(),
            _ => format!("{:.2}", a.train_seconds),
        };
        rows.push(row("training seconds", &seconds, none()));
        rows
    }

    /// Where the time of the compressing run went, in seconds.
    pub fn time_split(&self) -> Vec<(&'static str, f64)> {
        let s = &self.seconds;
        let named = s.forward + s.backward + s.update + s.penalty + s.shrink + s.score;
        vec![
            ("forward", s.forward),
            ("backward", s.backward),
            ("update", s.update),
            ("penalty", s.penalty),
            ("shrink", s.shrink),
            ("scoring", s.score),
            ("rest", (s.total - named).max(0.0)),
            ("total", s.total),
            ("total with the search for the strength", s.search),
        ]
    }

    /// A score as the table prints it: per cent for accuracies, four digits for errors.
    pub fn score_text(&self, score: f64) -> String {
        match self.higher_is_better() {
            true => format!("{:.2}", 100.0 * score),
            false => significant(score),
        }
    }

    /// Sentences on what the narrowed control says, and on how the run ended.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![];
        if self.ended != "complete" {
            remarks.push(format!(
                "The run was cut short ({}) after epoch {}.",
                self.ended, self.epochs
            ));
        }
        if let Some(narrow) = &self.narrow {
            let better = match self.higher_is_better() {
                true => narrow.test_score >= self.after.test_score,
                false => narrow.test_score <= self.after.test_score,
            };
            remarks.push(match better {
                true => "A uniformly narrowed dense network of equal MACs does as well or better \
                         in this run."
                    .to_owned(),
                false => "A uniformly narrowed dense network of equal MACs does worse in this run."
                    .to_owned(),
            });
        }
        remarks
    }

    /// The whole report.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn write_markdown(&self, to: &mut String) -> std::fmt::Result {
        let d = &self.data;
        writeln!(to, "# {}\n", d.name)?;
        writeln!(
            to,
            "{} features; {} rows to train, {} to validate, {} to test. Scores are on the test rows.\n",
            d.features, d.train_rows, d.validation_rows, d.test_rows
        )?;
        let mut remarks = self.remarks();
        remarks.extend(self.collapses());
        remarks.extend(d.notes.iter().cloned());
        for remark in &remarks {
            writeln!(to, "- {remark}")?;
        }
        if !remarks.is_empty() {
            writeln!(to)?;
        }
        writeln!(to, "| | {} |", self.columns().join(" | "))?;
        writeln!(to, "|---|{}", "---:|".repeat(self.columns().len()))?;
        for row in self.rows() {
            writeln!(to, "| {} | {} |", row.name.trim(), row.cells.join(" | "))?;
        }
        if let Some(budget) = &self.budget {
            writeln!(to, "\nBudget: {}.", budget.sentence())?;
            for warning in &budget.warnings {
                writeln!(to, "\nIts time is doubtful: {warning}.")?;
            }
        }
        self.write_layers(to)?;
        writeln!(to, "\nSeconds: ")?;
        for (name, seconds) in self.time_split() {
            writeln!(to, "- {name} {seconds:.3}")?;
        }
        let v = &self.verify;
        writeln!(
            to,
            "\nVerified: {} removals, each unchanged on real rows; the written file on {} gives the \
             outputs of the naive f64 evaluator within {:.1e} (relative, {} rows).\n",
            self.removals.len(),
            v.runtime,
            v.runtime_difference,
            v.rows
        )?;
        writeln!(
            to,
            "Strength {:.3e}; {:.1} % of the weights penalised at the start. Config {}, {} threads, {}, \
             peak memory {} MiB.",
            self.strength,
            100.0 * self.penalised_share,
            self.config_hash,
            self.machine.threads,
            self.machine.instruction_set,
            self.machine.peak_memory_bytes >> 20
        )
    }
}

/// A whole number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn joined(units: &[usize]) -> String {
    units
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("-")
}

/// Units of each group, as far as they fit a table; else their sum.
fn few(units: &[usize]) -> String {
    const MOST: usize = 5;
    match units.len() <= MOST {
        true => joined(units),
        false => format!(
            "{} in {} groups",
            grouped(units.iter().sum::<usize>() as u64),
            units.len()
        ),
    }
}

/// Four significant digits.
pub(crate) fn significant(value: f64) -> String {
    let magnitude = value.abs().max(1e-12).log10().floor() as i32;
    format!("{value:.*}", (3 - magnitude).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(464_600), "464,600");
        assert_eq!(grouped(12), "12");
        assert_eq!(significant(0.012_345), "0.01235");
        assert_eq!(significant(48_213.7), "48214");
        assert_eq!(joined(&[43, 79]), "43-79");
    }
}
