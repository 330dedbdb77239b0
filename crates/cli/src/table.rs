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
}
