//! What does the user read at the end of a run?

use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use secateur::{Report, Row};

/// The table of arms, where the time went, what was checked, what is remarkable, and what to do next.
pub(crate) fn summary(report: &Report, folder: &Path) -> String {
    let data = &report.data;
    let mut lines = vec![format!(
        "{}: {} features; {} rows to train, {} to validate, {} to test",
        data.name, data.features, data.train_rows, data.validation_rows, data.test_rows
    )];
    lines.push(String::new());
    lines.push(aligned(&report.columns(), report.rows()));
    lines.push(String::new());
    lines.push(format!("seconds: {}", seconds(report)));
    lines.push(format!("strength: {}", strength(report)));
    let budget = report.budget.iter();
    lines.extend(budget.map(|b| format!("budget: {}", b.sentence())));
    lines.push(format!("verified: {}", verified(report)));
    lines.extend(report.remarks());
    lines.push(String::new());
    lines.push(format!("results: {}", folder.display()));
    lines.push(format!("next: {}", next(report, folder)));
    lines.join("\n") + "\n"
}

/// The table of arms, with a column for their names.
fn aligned(columns: &[&str], rows: Vec<Row>) -> String {
    let header = std::iter::once("").chain(columns.iter().copied());
    let row = |row: Row| std::iter::once(row.name).chain(row.cells).collect();
    let rows: Vec<Vec<String>> = rows.into_iter().map(row).collect();
    plain(&header.map(str::to_owned).collect::<Vec<_>>(), &rows)
}

/// Names to the left, numbers to the right, nothing but spaces between.
pub(crate) fn plain(header: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        if i == 0 {
            column.set_padding((0, 1));
        } else {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn seconds(report: &Report) -> String {
    let parts = report.time_split();
    let text: Vec<String> = parts
        .iter()
        .map(|(name, seconds)| format!("{name} {seconds:.2}"))
        .collect();
    text.join(", ")
}

fn strength(report: &Report) -> String {
    let lambda = report.strength;
    match report.tries.len() {
        0 => format!("{lambda:.2e}"),
        tries => format!(
            "{lambda:.2e}, chosen on the validation rows (tried {tries}, in {:.2} s)",
            report.seconds.search
        ),
    }
}

fn verified(report: &Report) -> String {
    let verify = &report.verify;
    format!(
        "every removal ({}), and small.onnx on {} within {:.0e} of the f64 evaluator (relative, {} rows)",
        report.removals.len(),
        verify.runtime,
        verify.runtime_difference,
        verify.rows
    )
}

/// The most useful command that the user has not given yet.
fn next(report: &Report, folder: &Path) -> String {
    let config = folder.join("config.toml");
    let again = format!("secateur compress --config {}", config.display());
    if report.ended != "complete" {
        format!("{again} runs it again")
    } else if report.dense.is_none() {
        format!("{again} --baseline compares with the dense network")
    } else if report.narrow.is_none() {
        format!("{again} --control narrow compares with a dense network of equal MACs")
    } else {
        format!("{} has the details", folder.join("report.md").display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_end_at_the_right() {
        let row = |name: &str, cells: [&str; 3]| Row {
            name: name.to_owned(),
            cells: cells.map(str::to_owned).to_vec(),
        };
        let table = aligned(
            &["before", "after", "before / after"],
            vec![
                row("test accuracy (%)", ["untrained", "97.50", ""]),
                row("MACs a row", ["40,000", "4,000", "10.00"]),
                row("  with all inputs read", ["40,000", "16,000", "2.50"]),
            ],
        );
        let wanted = [
            "                           before   after  before / after",
            "test accuracy (%)       untrained   97.50",
            "MACs a row                 40,000   4,000           10.00",
            "  with all inputs read     40,000  16,000            2.50",
        ];
        assert_eq!(table, wanted.join("\n"));
    }

    /// A run in which no two numbers are equal.
    fn distinct() -> Report {
        let text = include_str!("../../report/tests/fixture/distinct/report.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_number_stands_beside_its_own_label() {
        let told = summary(&distinct(), Path::new("run"));
        let wanted = "\
made-up: 67 features; 1258 rows to train, 181 to validate, 359 to test

                          dense     before   after  narrow  before / after
test accuracy (%)         93.21  untrained   89.76   86.54
balanced accuracy (%)     92.98              87.89   84.32
params                   52,347     61,789   7,321   7,456            8.44
MACs a row               51,234     60,123   6,543   6,789            9.19
  with all inputs read   51,678     60,987   8,643   6,911            7.06
bytes on disk           213,456    251,001  30,123  29,876            8.33
inputs read                  61         64      33      62
hidden units              38-27      41-29   19-11    12-9
training seconds          12.70              21.20    9.51

seconds: forward 5.13, backward 7.21, update 1.31, penalty 0.92, shrink 0.83, scoring 0.48, rest 4.52, total 20.40, \
total with the search for the strength 83.60
strength: 3.47e-3, chosen on the validation rows (tried 3, in 83.60 s)
budget: macs=15%, 8,765 of at most 9,018 MACs a row (met, 2.8 % below); 59,999 at the start
verified: every removal (2), and small.onnx on rten 0.27 within 5e-7 of the f64 evaluator (relative, 251 rows)
A uniformly narrowed dense network of equal MACs does worse in this run.

results: run
next: run/report.md has the details
";
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_control_that_does_as_well_is_told_and_what_was_cut_short_first() {
        let mut report = distinct();
        let after = report.after.test_score;
        report.narrow.as_mut().unwrap().test_score = after;
        report.ended = "interrupted".into();
        let told = summary(&report, Path::new("run"));
        let lines: Vec<&str> = told.lines().rev().take(5).collect();
        let wanted = [
            "next: secateur compress --config run/config.toml runs it again",
            "results: run",
            "",
            "A uniformly narrowed dense network of equal MACs does as well or better in this run.",
            "The run was cut short (interrupted) after epoch 23.",
        ];
        assert_eq!(lines, wanted);
    }
}
