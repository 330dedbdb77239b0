//! Lengths of units by layer, at the start and at the end.

use secateur::{LayerReport, NormReport, Report};

use crate::input::Table;
use crate::number::{grouped, significant};
use crate::outline::Block;

/// The table of penalised layers; none for runs without a penalty, and for those of versions that did not tell.
pub(super) fn table(report: &Report) -> Option<Block> {
    if report.layers.is_empty() {
        return None;
    }
    let scale_free = report.layers.iter().filter(|l| l.scale_free).count();
    let mut note = "A unit's norm is that of the weights that are penalised together for it; start and end of the run. Units lose \
                    norm with the readers that go, too."
        .to_owned();
    if scale_free > 0 {
        note += " In front of a normalisation norms can shrink at no loss: there only differences between units tell which are of \
                 use.";
    }
    let header = [
        "layer",
        "normalised behind",
        "units",
        "units left",
        "root mean square at the start",
        "root mean square at the end",
        "largest at the start",
        "largest at the end",
        "smallest at the start",
        "smallest at the end",
    ];
    Some(Block::Aside(Table {
        title: "Norms of units by layer".to_owned(),
        note: Some(note),
        ..Table::of(&header, report.layers.iter().map(row).collect())
    }))
}

fn row(layer: &LayerReport) -> Vec<String> {
    let (start, end) = (&layer.start, &layer.end);
    let mut cells = vec![
        layer.name.clone(),
        if layer.scale_free { "yes" } else { "no" }.to_owned(),
        grouped(start.units as u64),
        grouped(end.units as u64),
    ];
    let norms: [fn(&NormReport) -> f64; 3] = [|n| n.rms, |n| n.largest, |n| n.smallest];
    for norm in norms {
        cells.extend([start, end].map(|n| significant(norm(n))));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_a_row_with_start_and_end_side_by_side() {
        let norms = |units, rms| NormReport {
            units,
            weights: 9,
            rms,
            largest: 2.0 * rms,
            smallest: 0.0,
        };
        let layer = LayerReport {
            name: "conv1".into(),
            scale_free: true,
            start: norms(64, 1.5),
            end: norms(9, 0.25),
            collapse: None,
        };
        assert_eq!(
            row(&layer),
            [
                "conv1", "yes", "64", "9", "1.500", "0.2500", "3.000", "0.5000", "0", "0"
            ]
        );
    }
}
