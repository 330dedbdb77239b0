//! Units by layer, before and after.

use secateur::RunRecord;

use super::SIZE;
use super::history::layer_name;
use crate::input::Table;
use crate::number::grouped;
use crate::outline::{Block, Figure};
use crate::plot::{Bar, Ink, Mark, bars};

pub(super) fn blocks(run: &RunRecord) -> Vec<Block> {
    let (before, after) = (&run.report.before.units, &run.report.after.units);
    let layers: Vec<(String, usize, usize)> = before
        .iter()
        .zip(after)
        .enumerate()
        .map(|(i, (&before, &after))| (layer_name(&run.report, i), before, after))
        .collect();
    vec![Block::Figure(figure("layer", &layers))]
}

/// Units of layers or groups, with the name of each, before and after.
pub(super) fn figure(of: &str, layers: &[(String, usize, usize)]) -> Figure {
    let drawn: Vec<Bar> = layers
        .iter()
        .map(|(name, before, after)| Bar {
            name: name.clone(),
            value: format!("{} of {}", grouped(*after as u64), grouped(*before as u64)),
            parts: vec![
                (Ink::Fill(0), *after as f64),
                (Ink::Absent, before.saturating_sub(*after) as f64),
            ],
        })
        .collect();
    let words: Vec<String> = layers
        .iter()
        .map(|(name, before, after)| format!("{name} {after} of {before}"))
        .collect();
    let rows = layers.iter().map(|(name, before, after)| {
        let share = 100.0 * *after as f64 / (*before).max(1) as f64;
        vec![
            name.clone(),
            grouped(*before as u64),
            grouped(*after as u64),
            format!("{share:.1}"),
        ]
    });
    let numbers = Table::of(&[of, "before", "after", "left (%)"], rows.collect());
    let legend = vec![
        (Mark::Area(Ink::Fill(0)), "left".to_owned()),
        (Mark::Area(Ink::Absent), "removed".to_owned()),
    ];
    let figure = Figure::new(
        &format!("Units by {of}, before and after"),
        format!("Units by {of} that are left: {}.", words.join(", ")),
        bars(SIZE.0, "units", &drawn),
        numbers,
    );
    figure.legend(legend)
}
