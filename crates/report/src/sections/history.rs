//! Loss, score, units and MACs by epoch.

use secateur::{EpochRecord, Report, RunRecord};

use super::SIZE;
use crate::input::Table;
use crate::number::{grouped, percent, short, significant};
use crate::outline::{Block, Figure};
use crate::plot::{Axis, Ink, Layer, Mark, SERIES, chart};

/// Rows of a table of epochs, at most.
const ROWS: usize = 50;

pub(super) fn blocks(run: &RunRecord) -> Vec<Block> {
    let (Some(first), Some(last)) = (run.epochs.first(), run.epochs.last()) else {
        return vec![Block::Text("No epoch was finished.".to_owned())];
    };
    let mut figures = vec![loss(run, first, last)];
    figures.extend(score(run, first, last));
    figures.push(units(run, first, last));
    figures.push(macs(run, first, last));
    figures.into_iter().map(Block::Figure).collect()
}

/// A series by epoch: its name, and its value in an epoch.
type Series<'a> = (String, Box<dyn Fn(&EpochRecord) -> f64 + 'a>);

/// The chart and its legend; `y` is made of all values.
fn by_epoch(
    epochs: &[EpochRecord],
    series: &[Series<'_>],
    more: &[Layer],
    y: impl Fn(&[f64]) -> Axis,
) -> (String, Vec<(Mark, String)>) {
    let numbers: Vec<f64> = epochs.iter().map(|e| e.epoch as f64).collect();
    let mut values: Vec<f64> = vec![];
    let mut layers: Vec<Layer> = settling(epochs)
        .into_iter()
        .chain(more.iter().cloned())
        .collect();
    let mut legend = vec![];
    for (index, (name, value)) in series.iter().enumerate() {
        let own: Vec<f64> = epochs.iter().map(value).collect();
        layers.push(Layer::Line(
            index,
            numbers.iter().copied().zip(own.iter().copied()).collect(),
        ));
        values.extend(own);
        legend.push((Mark::Line(index), name.clone()));
    }
    for layer in more {
        if let Layer::Level { at, .. } = layer {
            values.push(*at);
        }
    }
    if settling(epochs).is_some() {
        legend.push((
            Mark::Area(Ink::Band),
            "settling, without penalty".to_owned(),
        ));
    }
    let svg = chart(
        SIZE,
        &Axis::counted("epoch", &numbers),
        &y(&values),
        &layers,
    );
    (svg, legend)
}

/// The epochs at the end that have no penalty, if others had one.
fn settling(epochs: &[EpochRecord]) -> Option<Layer> {
    let penalised = epochs.iter().rposition(|e| e.strength > 0.0)?;
    let (from, to) = (epochs.get(penalised), epochs.last()?);
    let from = from.filter(|e| e.epoch < to.epoch)?;
    Some(Layer::Band(from.epoch as f64, to.epoch as f64))
}

/// Numbers by epoch, thinned to [`ROWS`] rows, the last among them.
fn table(
    epochs: &[EpochRecord],
    header: &[&str],
    cells: impl Fn(&EpochRecord) -> Vec<String>,
) -> Table {
    let count = epochs.len();
    let stride = count.div_ceil(ROWS).max(1);
    let kept =
        |index: &usize| *index == 0 || (index + 1).is_multiple_of(stride) || index + 1 == count;
    let row = |epoch: &EpochRecord| {
        let mut row = vec![epoch.epoch.to_string()];
        row.extend(cells(epoch));
        row
    };
    let mut table = Table::of(
        &[&["epoch"], header].concat(),
        (0..count).filter(kept).map(|i| row(&epochs[i])).collect(),
    );
    if stride > 1 {
        table.note = Some(format!("One epoch in {stride} is listed."));
    }
    table
}

fn loss(run: &RunRecord, first: &EpochRecord, last: &EpochRecord) -> Figure {
    let series: [Series<'_>; 2] = [
        (
            "training rows, penalty apart".to_owned(),
            Box::new(|e| e.train_loss),
        ),
        (
            "validation rows".to_owned(),
            Box::new(|e| e.validation_loss),
        ),
    ];
    let (svg, legend) = by_epoch(&run.epochs, &series, &[], |v| Axis::fitting("mean loss", v));
    let alternative = format!(
        "Loss by epoch: on training rows from {} to {}, on validation rows from {} to {}, over {} epochs.",
        significant(first.train_loss),
        significant(last.train_loss),
        significant(first.validation_loss),
        significant(last.validation_loss),
        run.epochs.len(),
    );
    let numbers = table(&run.epochs, &["training loss", "validation loss"], |e| {
        vec![significant(e.train_loss), significant(e.validation_loss)]
    });
    Figure::new("Loss by epoch", alternative, svg, numbers).legend(legend)
}

fn score(run: &RunRecord, first: &EpochRecord, last: &EpochRecord) -> Option<Figure> {
    let accuracy = |e: &EpochRecord| e.validation_accuracy.map(|a| 100.0 * a);
    let rmse = |e: &EpochRecord| e.validation_rmse_standardised;
    let is_accuracy = last.validation_accuracy.is_some();
    let of = |e: &EpochRecord| if is_accuracy { accuracy(e) } else { rmse(e) };
    let (first, last) = (of(first)?, of(last)?);
    let text = |v: f64| {
        if is_accuracy {
            percent(v / 100.0)
        } else {
            significant(v)
        }
    };
    let (name, unit) = match is_accuracy {
        true => ("validation accuracy", " (%)"),
        false => ("validation RMSE", " (standardised)"),
    };
    let series: [Series<'_>; 1] = [(name.to_owned(), Box::new(|e| of(e).unwrap_or(f64::NAN)))];
    // A dense run's RMSE is in the target's units, and would not fit the axis.
    let dense = run.report.dense.as_ref().filter(|_| is_accuracy);
    let dense = dense.map(|d| 100.0 * d.validation_score);
    let level = dense.map(|at| Layer::Level {
        from: at,
        at,
        to: at,
    });
    let level: Vec<Layer> = level.into_iter().collect();
    let label = format!("{name}{unit}");
    let (svg, mut legend) = by_epoch(&run.epochs, &series, &level, |v| Axis::around(&label, v));
    let mut alternative = format!(
        "Score by epoch: {label} from {} to {}, best {}.",
        text(first),
        text(last),
        text(best(run, of, is_accuracy)),
    );
    if let Some(dense) = dense {
        alternative += &format!(" The dense network ends at {}.", text(dense));
        legend.push((Mark::Level, "dense network, at its end".to_owned()));
    }
    let numbers = table(&run.epochs, &[&label], |e| {
        vec![of(e).map(text).unwrap_or_default()]
    });
    Some(Figure::new("Score by epoch", alternative, svg, numbers).legend(legend))
}

fn best(run: &RunRecord, of: impl Fn(&EpochRecord) -> Option<f64>, highest: bool) -> f64 {
    let scores = run.epochs.iter().filter_map(of);
    let best = match highest {
        true => scores.max_by(f64::total_cmp),
        false => scores.min_by(f64::total_cmp),
    };
    best.unwrap_or(f64::NAN)
}

/// The epochs, and before them the untrained network as epoch 0: the first epoch may already remove a lot.
fn from_start(run: &RunRecord, first: &EpochRecord) -> Vec<EpochRecord> {
    let start = EpochRecord {
        epoch: 0,
        units: run.report.before.units.clone(),
        macs: run.report.before.macs,
        ..first.clone()
    };
    std::iter::once(start)
        .chain(run.epochs.iter().cloned())
        .collect()
}

fn units(run: &RunRecord, first: &EpochRecord, last: &EpochRecord) -> Figure {
    let layers = first.units.len();
    let name = |layer| layer_name(&run.report, layer);
    // Layers beyond the last colour are in the table.
    let series: Vec<Series<'_>> = (0..layers.min(SERIES))
        .map(|layer| {
            let count = move |e: &EpochRecord| e.units.get(layer).map_or(f64::NAN, |u| *u as f64);
            (
                name(layer),
                Box::new(count) as Box<dyn Fn(&EpochRecord) -> f64>,
            )
        })
        .collect();
    let (svg, legend) = by_epoch(&from_start(run, first), &series, &[], |v| {
        Axis::from_zero("units that are left", v)
    });
    let start = |layer: usize| run.report.before.units.get(layer).copied();
    let parts: Vec<String> = (0..layers)
        .map(|layer| {
            let from = start(layer).unwrap_or(first.units[layer]);
            let to = last.units.get(layer).copied().unwrap_or_default();
            format!("{} from {from} to {to}", name(layer))
        })
        .collect();
    let names: Vec<String> = (0..layers).map(name).collect();
    let header: Vec<&str> = names.iter().map(String::as_str).collect();
    let numbers = table(&from_start(run, first), &header, |e| {
        e.units.iter().map(ToString::to_string).collect()
    });
    let alternative = format!("Units by epoch: {}.", parts.join(", "));
    Figure::new("Units by epoch", alternative, svg, numbers).legend(legend)
}

/// What the entries of a list of units are: of a chain its inputs and layers, else groups of channels.
pub(super) fn layer_name(report: &Report, index: usize) -> String {
    match (report.is_chain(), index) {
        (true, 0) => "inputs read".to_owned(),
        (true, layer) => format!("hidden layer {layer}"),
        (false, group) => format!("group {}", group + 1),
    }
}

fn macs(run: &RunRecord, first: &EpochRecord, last: &EpochRecord) -> Figure {
    let series: [Series<'_>; 1] = [("MACs a row".to_owned(), Box::new(|e| e.macs as f64))];
    let (svg, legend) = by_epoch(&from_start(run, first), &series, &[], |v| {
        Axis::fitting("MACs a row", v)
    });
    let start = run.report.before.macs;
    let alternative = format!(
        "Multiply-accumulate operations a row by epoch: {} at the start, {} after the first epoch, {} at the \
         end, {} times fewer.",
        grouped(start),
        grouped(first.macs),
        grouped(last.macs),
        short((100.0 * start as f64 / last.macs.max(1) as f64).round() / 100.0),
    );
    let numbers = table(&from_start(run, first), &["MACs a row", "strength"], |e| {
        let strength = if e.epoch == 0 {
            String::new()
        } else {
            short(e.strength)
        };
        vec![grouped(e.macs), strength]
    });
    Figure::new("MACs by epoch", alternative, svg, numbers).legend(legend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_behind_the_last_penalty_are_marked() {
        let of = |strengths: &[f64]| {
            let epoch = |(index, &strength): (usize, &f64)| EpochRecord {
                epoch: index + 1,
                train_loss: 1.0,
                validation_loss: 1.0,
                validation_accuracy: None,
                validation_rmse_standardised: None,
                strength,
                units: vec![],
                norms: vec![],
                macs: 0,
                seconds: 0.0,
            };
            let epochs: Vec<EpochRecord> = strengths.iter().enumerate().map(epoch).collect();
            settling(&epochs)
        };
        assert_eq!(of(&[0.1, 0.2, 0.0, 0.0]), Some(Layer::Band(2.0, 4.0)));
        assert_eq!(of(&[0.0, 0.2, 0.0]), Some(Layer::Band(2.0, 3.0)));
        for none in [&[0.1, 0.2][..], &[0.0, 0.0], &[]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
