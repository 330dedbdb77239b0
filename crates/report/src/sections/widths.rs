//! Hidden widths that are left, by the network that a run started from.

use super::SIZE;
use crate::input::{Table, WidthPlot};
use crate::number::{rounded, short, spread, with_spread};
use crate::outline::Figure;
use crate::plot::{Axis, Layer, Mark, chart};

pub(super) fn figure(plot: &WidthPlot) -> Figure {
    let starts: Vec<(&str, Vec<(f64, f64)>)> = plot
        .starts
        .iter()
        .map(|(name, seeds)| (name.as_str(), by_layer(seeds)))
        .collect();
    let deepest = starts
        .iter()
        .map(|(_, layers)| layers.len())
        .max()
        .unwrap_or(0);
    let mut layers = vec![];
    let mut all = vec![];
    for (series, (_, widths)) in starts.iter().enumerate() {
        // Side by side, as most of them would else hide each other.
        let aside = 0.09 * (series as f64 - (starts.len() as f64 - 1.0) / 2.0).clamp(-4.5, 4.5);
        let at = |layer: usize| (layer + 1) as f64 + aside;
        let line = widths
            .iter()
            .enumerate()
            .map(|(l, &(mean, _))| (at(l), mean));
        layers.push(Layer::Line(series, line.collect()));
        for (layer, &(mean, sd)) in widths.iter().enumerate() {
            all.push(mean + sd);
            layers.push(Layer::Point {
                series,
                at: (at(layer), mean),
                reach: (0.0, sd),
            });
        }
    }
    let svg = chart(
        SIZE,
        &Axis::places("hidden layer", deepest),
        &Axis::from_zero("units that are left", &all),
        &layers,
    );
    let words: Vec<String> = starts
        .iter()
        .map(|(name, widths)| {
            let means: Vec<String> = widths.iter().map(|(m, _)| short(rounded(*m, 3))).collect();
            format!("from {name} {}", means.join("-"))
        })
        .collect();
    let legend = starts.iter().enumerate();
    let legend = legend.map(|(series, (name, _))| (Mark::Point(series), (*name).to_owned()));
    let title = format!("{}: hidden widths that are left", plot.title);
    Figure::new(
        &title,
        format!("{title}, {}.", words.join("; ")),
        svg,
        numbers(&starts, deepest),
    )
    .note("Means over seeds; bars are one standard deviation.")
    .legend(legend.collect())
}

/// Mean and standard deviation over seeds of each layer's width; a layer that a seed lacks is left out there.
fn by_layer(seeds: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let depth = seeds.iter().map(Vec::len).max().unwrap_or(0);
    let widths = |layer: usize| seeds.iter().filter_map(|s| s.get(layer)).copied().collect();
    (0..depth)
        .map(|layer| {
            let widths: Vec<f64> = widths(layer);
            spread(&widths)
        })
        .collect()
}

fn numbers(starts: &[(&str, Vec<(f64, f64)>)], deepest: usize) -> Table {
    let names: Vec<String> = (1..=deepest).map(|l| format!("layer {l}")).collect();
    let mut header = vec!["start"];
    header.extend(names.iter().map(String::as_str));
    let row = |(name, widths): &(&str, Vec<(f64, f64)>)| {
        let mut row = vec![(*name).to_owned()];
        row.extend((0..deepest).map(|layer| match widths.get(layer) {
            Some(&(mean, sd)) => with_spread(mean, sd),
            None => String::new(),
        }));
        row
    };
    Table::of(&header, starts.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_means_over_seeds_layer_by_layer() {
        let plot = WidthPlot {
            title: "digits".into(),
            starts: vec![
                ("64".into(), vec![vec![10.0], vec![14.0]]),
                ("99-30".into(), vec![vec![20.0, 8.0]]),
            ],
        };
        let figure = figure(&plot);
        assert_eq!(
            figure.pictures[0].alternative,
            "digits: hidden widths that are left, from 64 12; from 99-30 20-8."
        );
        assert_eq!(figure.numbers.rows[0], ["64", "12.00 ± 2.8", ""]);
        assert_eq!(figure.numbers.rows[1], ["99-30", "20.00", "8.000"]);
    }
}
