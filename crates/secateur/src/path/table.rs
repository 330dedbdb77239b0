//! A path as a table, and as text that reads well as it is.

use std::fmt::Write;

use super::record::{PathEnd, PathPoint, PathReport};
use crate::markdown::{grouped, significant};

impl PathReport {
    /// Headings of [`PathReport::rows`]; all but the first and the last are over numbers.
    pub fn columns(&self) -> Vec<&'static str> {
        let scores = match self.higher_is_better() {
            true => ["validation accuracy (%)", "test accuracy (%)"],
            false => ["validation RMSE", "test RMSE"],
        };
        let mut columns = vec!["point", "MACs a row", "share (%)", "params", "bytes"];
        columns.extend(scores);
        columns.extend(["seconds", "remark"]);
        columns
    }

    /// A row for each point.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let row = |point: &PathPoint| {
            vec![
                point.name.clone(),
                grouped(point.macs),
                format!("{:.1}", 100.0 * point.share),
                grouped(point.params),
                grouped(point.bytes),
                self.score_text(point.validation_score),
                self.score_text(point.test_score),
                format!("{:.2}", point.seconds),
                self.remark(point),
            ]
        };
        self.points.iter().map(row).collect()
    }

    /// A score as the table prints it: per cent for accuracies, four digits for errors.
    pub fn score_text(&self, score: f64) -> String {
        match self.higher_is_better() {
            true => format!("{:.2}", 100.0 * score),
            false => significant(score),
        }
    }

    /// What there is to say of a point: whether it is the start, the knee, chosen, or dominated.
    pub fn remark(&self, point: &PathPoint) -> String {
        let is = |name: Option<&String>| name == Some(&point.name);
        let chosen = self.chosen.as_ref();
        let start = match self.starts_trained() {
            true => "as given",
            false => "dense",
        };
        let remarks = [
            (point.from.is_none(), start),
            (is(self.knee.as_ref()), "knee"),
            (is(chosen.and_then(|c| c.point.as_ref())), "chosen"),
            (is(chosen.and_then(|c| c.nearest.as_ref())), "nearest"),
            (point.is_dominated, "dominated"),
        ];
        let words = remarks.iter().filter(|(is, _)| *is).map(|(_, word)| *word);
        words.collect::<Vec<_>>().join(", ")
    }

    /// Sentences on how the path ended, its knee, and what the drop chose.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![];
        match self.ended {
            PathEnd::Complete => {}
            PathEnd::OutOfReach => remarks.push("The path ended where layers keep their least."),
            PathEnd::Interrupted => remarks.push("The path was interrupted."),
            PathEnd::Failed => remarks.push("The path ended where a point failed."),
        }
        let mut remarks: Vec<String> = remarks.into_iter().map(str::to_owned).collect();
        remarks.push(match self.knee.as_deref().and_then(|k| self.point(k)) {
            Some(p) => format!(
                "Knee: {}, at {:.1} % of the MACs with {} on validation rows.",
                p.name,
                100.0 * p.share,
                self.score_words(p.validation_score)
            ),
            None => "No knee: fewer than three points are not dominated, or none of them lies above the line between the ends of the curve.".into(),
        });
        if let Some(chosen) = &self.chosen {
            let limit = self.score_words(chosen.limit);
            let named = |name: &Option<String>| name.as_deref().and_then(|n| self.point(n));
            remarks.push(match (named(&chosen.point), named(&chosen.nearest)) {
                (Some(p), _) => format!(
                    "Smallest within {} ({limit} on validation rows): {}, at {:.1} % of the MACs with {}.",
                    chosen.drop,
                    p.name,
                    100.0 * p.share,
                    self.score_words(p.validation_score)
                ),
                (None, Some(p)) => format!(
                    "No smaller network is within {} ({limit} on validation rows); nearest is {}, with {}.",
                    chosen.drop,
                    p.name,
                    self.score_words(p.validation_score)
                ),
                (None, None) => format!("No smaller network is within {}.", chosen.drop),
            });
        }
        remarks
    }

    /// The whole path as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_markdown(&mut text);
        text
    }

    fn score_words(&self, score: f64) -> String {
        match self.higher_is_better() {
            true => format!("{} %", self.score_text(score)),
            false => format!("an RMSE of {}", self.score_text(score)),
        }
    }

    fn write_markdown(&self, to: &mut String) -> std::fmt::Result {
        let d = &self.data;
        writeln!(to, "# Path on {}\n", d.name)?;
        writeln!(
            to,
            "{} features; {} rows to train, {} to validate, {} to test. Validation rows decide on knee, choice and domination.\n",
            d.features, d.train_rows, d.validation_rows, d.test_rows
        )?;
        for line in self.remarks().iter().chain(&self.notes).chain(&d.notes) {
            writeln!(to, "- {line}")?;
        }
        writeln!(to)?;
        let columns: Vec<String> = self.columns().into_iter().map(str::to_owned).collect();
        let last = columns.len() - 1;
        let rows = self.rows();
        let width = |c: usize| {
            let cells = std::iter::once(&columns).chain(&rows).map(|row| &row[c]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let is_word = |c: usize| c == 0 || c == last;
        let line = |row: &[String]| {
            let cell = |(c, cell): (usize, &String)| match is_word(c) {
                true => format!("{cell:<0$}", widths[c]),
                false => format!("{cell:>0$}", widths[c]),
            };
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            format!("| {} |", cells.join(" | "))
        };
        writeln!(to, "{}", line(&columns))?;
        let rule = |(c, &width): (usize, &usize)| match is_word(c) {
            true => "-".repeat(width + 2),
            false => format!("{}:", "-".repeat(width + 1)),
        };
        let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
        writeln!(to, "|{}|", rules.join("|"))?;
        for row in &rows {
            writeln!(to, "{}", line(row))?;
        }
        writeln!(
            to,
            "\nEvery point is a file that was read back and run by an independent runtime with the outputs of the naive f64 evaluator. \
             Strength {:.3e}. Config {}, {} threads, {}, peak memory {} MiB.",
            self.strength,
            self.config_hash,
            self.machine.threads,
            self.machine.instruction_set,
            self.machine.peak_memory_bytes >> 20
        )
    }
}
