//! What came out, at a glance and as a table.

use secateur::{Report, RunRecord};

use crate::input::Table;
use crate::number::{grouped, joined, seconds, tiny};
use crate::outline::{Block, Tile};

pub(super) fn blocks(run: &RunRecord) -> Vec<Block> {
    let report = &run.report;
    let d = &report.data;
    let rows = format!(
        "{} features; {} rows to train, {} to validate, {} to test. Scores are on the test rows.",
        grouped(d.features as u64),
        grouped(d.train_rows as u64),
        grouped(d.validation_rows as u64),
        grouped(d.test_rows as u64),
    );
    let mut blocks = vec![Block::Text(rows), Block::Tiles(tiles(report))];
    let remarks: Vec<String> = report
        .remarks()
        .into_iter()
        .chain(report.collapses())
        .chain(d.notes.clone())
        .collect();
    if !remarks.is_empty() {
        blocks.push(Block::List(remarks));
    }
    blocks.push(Block::Table(arms(report)));
    blocks.push(Block::Text(verified(report)));
    blocks
}

fn tiles(report: &Report) -> Vec<Tile> {
    let (before, after) = (&report.before, &report.after);
    let (name, unit) = match report.higher_is_better() {
        true => ("Test accuracy", " %"),
        false => ("Test RMSE", ""),
    };
    let of_dense = |text: &dyn Fn(&secateur::Arm) -> String| match &report.dense {
        Some(dense) => format!("dense {}", text(dense)),
        None => String::new(),
    };
    let fewer = |name: &str, from: u64, to: u64| Tile {
        name: name.to_owned(),
        value: format!("{} ×", times(from as f64 / to.max(1) as f64)),
        note: format!("fewer: {} of {}", grouped(to), grouped(from)),
    };
    let score = |arm: &secateur::Arm| format!("{}{unit}", report.score_text(arm.test_score));
    let mut tiles = vec![
        Tile {
            name: name.to_owned(),
            value: score(after),
            note: of_dense(&score),
        },
        fewer("MACs a row", before.macs, after.macs),
        fewer("Parameters", before.params, after.params),
    ];
    tiles.extend(units(report));
    tiles.push(Tile {
        name: "Training time".to_owned(),
        value: format!("{} s", seconds(report.seconds.search)),
        note: of_dense(&|dense| format!("{} s", seconds(dense.train_seconds))),
    });
    tiles
}

/// What is left of inputs and layers; of groups of channels, which other networks have, how many units in all.
fn units(report: &Report) -> Vec<Tile> {
    let (before, after) = (&report.before.units, &report.after.units);
    if !report.is_chain() {
        let sum = |units: &[usize]| grouped(units.iter().sum::<usize>() as u64);
        return vec![Tile {
            name: "Units".to_owned(),
            value: sum(after),
            note: format!("of {}, in {} groups", sum(before), after.len()),
        }];
    }
    vec![
        Tile {
            name: "Hidden units".to_owned(),
            value: joined(&after[1..]),
            note: format!("of {}", joined(&before[1..])),
        },
        Tile {
            name: "Inputs read".to_owned(),
            value: grouped(after[0] as u64),
            note: format!("of {}", grouped(report.data.features as u64)),
        },
    ]
}

/// How many times, with as many digits as mean something.
fn times(factor: f64) -> String {
    match factor {
        ..9.95 => format!("{factor:.2}"),
        ..99.5 => format!("{factor:.1}"),
        _ => grouped(factor.round() as u64),
    }
}

fn arms(report: &Report) -> Table {
    let mut header = vec![String::new()];
    header.extend(report.columns().into_iter().map(ToOwned::to_owned));
    let rows = report.rows().into_iter().map(|row| {
        let mut cells = vec![row.name];
        cells.extend(row.cells);
        cells
    });
    Table {
        title: "Arms".to_owned(),
        note: None,
        header,
        rows: rows.collect(),
    }
}

fn verified(report: &Report) -> String {
    let v = &report.verify;
    format!(
        "Verified: {} {}, each unchanged on real rows; the written file on {} gives the outputs of the naive \
         f64 evaluator within {} (relative, {} rows).",
        report.removals.len(),
        if report.removals.len() == 1 {
            "removal"
        } else {
            "removals"
        },
        v.runtime,
        tiny(v.runtime_difference),
        v.rows
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_digits_that_mean_something() {
        assert_eq!(times(1.0), "1.00");
        assert_eq!(times(12.345), "12.3");
        assert_eq!(times(1_234.5), "1,235");
    }
}
