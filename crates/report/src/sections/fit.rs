//! How a regression fits: a curve over one feature, dots over two, else predicted against measured.

use secateur::{Predictions, TargetPredictions};

use super::SIZE;
use super::inputs::scale;
use super::residuals::{in_words, numbers, r2, residuals, rms};
use crate::input::Table;
use crate::number::{grouped, significant};
use crate::outline::{Block, Figure, Picture};
use crate::plot::{Axis, Ink, Layer, Mark, chart};

/// Columns that are drawn.
const COLUMNS: usize = 4;
/// Dots a picture.
const DOTS: usize = 400;
/// Width and height of one of three panels.
const PANEL: (i32, i32) = (340, 300);

pub(super) fn blocks(predictions: &Predictions) -> Vec<Block> {
    let mut blocks = vec![];
    if let Some(formula) = &predictions.drawn_from {
        blocks.push(Block::Text(format!(
            "The data were drawn from {formula}, which is the least RMSE to be expected on rows that were not trained on."
        )));
    }
    for target in predictions.targets.iter().take(COLUMNS) {
        let figure = match predictions.inputs.as_slice() {
            [x] => curve(&predictions.features[0], x, target),
            [x, y] => panels(&predictions.features, x, y, target),
            _ => against_measured(target),
        };
        let rows = target.measured.len();
        let stride = stride(rows);
        let note = match stride {
            1 => format!("{} test rows.", grouped(rows as u64)),
            _ => format!(
                "{} test rows; one in {stride} is drawn as a dot.",
                grouped(rows as u64)
            ),
        };
        blocks.push(Block::Figure(figure.note(note)));
    }
    let more = predictions.targets.len().saturating_sub(COLUMNS);
    if more > 0 {
        let rows = predictions.targets.iter().skip(COLUMNS).map(|t| {
            let residuals = residuals(&t.predicted, &t.measured);
            vec![t.name.clone(), significant(rms(&residuals)), r2(t)]
        });
        blocks.push(Block::Aside(Table {
            title: format!("{more} more target columns"),
            ..Table::of(&["column", "RMSE", "R²"], rows.collect())
        }));
    }
    blocks
}

fn stride(rows: usize) -> usize {
    rows.div_ceil(DOTS).max(1)
}

/// Pairs for dots, thinned.
fn dots(x: &[f32], y: &[f32]) -> Vec<(f64, f64)> {
    pairs(x, y).into_iter().step_by(stride(x.len())).collect()
}

pub(super) fn pairs(x: &[f32], y: &[f32]) -> Vec<(f64, f64)> {
    x.iter()
        .zip(y)
        .map(|(&x, &y)| (f64::from(x), f64::from(y)))
        .collect()
}

pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

fn curve(feature: &str, x: &[f32], target: &TargetPredictions) -> Figure {
    let line = |y: &[f32]| {
        let mut points = pairs(x, y);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let mut layers = vec![Layer::Dots(Ink::Muted, dots(x, &target.measured))];
    let mut legend = vec![
        (Mark::Dot(Ink::Muted), "measured".to_owned()),
        (Mark::Line(0), "small network".to_owned()),
    ];
    let mut values = wide(&target.measured);
    values.extend(wide(&target.predicted));
    layers.push(Layer::Line(0, line(&target.predicted)));
    if let Some(truth) = &target.truth {
        // On top, as it is dashed.
        layers.push(Layer::Line(1, line(truth)));
        legend.push((Mark::Line(1), "truth, without noise".to_owned()));
        values.extend(wide(truth));
    }
    let svg = chart(
        SIZE,
        &Axis::around(feature, &wide(x)),
        &Axis::around(&target.name, &values),
        &layers,
    );
    let alternative = format!("{} over {feature}: {}", target.name, in_words(target));
    Figure::new(
        &format!("Fit of {}", target.name),
        alternative,
        svg,
        numbers(target),
    )
    .legend(legend)
}

fn panels(features: &[String], x: &[f32], y: &[f32], target: &TargetPredictions) -> Figure {
    let mut shown: Vec<(&str, &[f32])> = vec![];
    if let Some(truth) = &target.truth {
        shown.push(("truth, without noise", truth));
    }
    shown.push(("measured", &target.measured));
    shown.push(("small network", &target.predicted));
    let all: Vec<f64> = shown.iter().flat_map(|(_, values)| wide(values)).collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let axes = (
        Axis::around(&features[0], &wide(x)),
        Axis::around(&features[1], &wide(y)),
    );
    let pictures = shown.iter().map(|(name, values)| {
        let points = dots(x, y);
        let own = wide(values);
        let inks = own.iter().map(|&value| Ink::of_scale(value, least, most));
        let blots = points.iter().zip(inks.step_by(stride(x.len())));
        let blots = blots.filter_map(|(&at, ink)| Some((at, ink?))).collect();
        Picture {
            heading: (*name).to_owned(),
            alternative: format!(
                "{}, {name}, over {} and {}: {} to {}. {}",
                target.name,
                features[0],
                features[1],
                significant(own.iter().copied().fold(f64::INFINITY, f64::min)),
                significant(own.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
                in_words(target),
            ),
            svg: chart(PANEL, &axes.0, &axes.1, &[Layer::Blots(blots)]),
        }
    });
    Figure {
        title: format!("Fit of {}", target.name),
        note: String::new(),
        pictures: pictures.collect(),
        legend: scale(least, most, None),
        numbers: numbers(target),
    }
}

fn against_measured(target: &TargetPredictions) -> Figure {
    let mut values = wide(&target.measured);
    values.extend(wide(&target.predicted));
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let layers = [
        Layer::Line(1, vec![(least, least), (most, most)]),
        Layer::Dots(Ink::Fill(0), dots(&target.measured, &target.predicted)),
    ];
    let x = Axis::around(&format!("{}, measured", target.name), &values);
    let y = Axis::around("predicted", &values);
    let alternative = format!(
        "{}, predicted against measured: {}",
        target.name,
        in_words(target)
    );
    let title = format!("Fit of {}", target.name);
    Figure::new(
        &title,
        alternative,
        chart(SIZE, &x, &y, &layers),
        numbers(target),
    )
    .legend(vec![
        (Mark::Dot(Ink::Fill(0)), "a test row".to_owned()),
        (Mark::Line(1), "as measured".to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> TargetPredictions {
        TargetPredictions {
            name: "y".into(),
            measured: vec![3.0, 1.0, 2.0],
            predicted: vec![3.0, 2.0, 2.0],
            truth: None,
        }
    }

    #[test]
    fn known_formulas_are_told() {
        let predictions = Predictions {
            features: vec!["x".into()],
            inputs: vec![vec![9.0, 5.0, 7.0]],
            targets: vec![line()],
            drawn_from: Some("y = sin(x), with Gaussian noise of standard deviation 0.1".into()),
        };
        let Block::Text(text) = &blocks(&predictions)[0] else {
            panic!("the formula comes first");
        };
        assert!(text.contains(
            "sin(x), with Gaussian noise of standard deviation 0.1, which is the least RMSE"
        ));
    }

    #[test]
    fn one_feature_gives_a_curve_from_left_to_right() {
        let figure = curve("x", &[9.0, 5.0, 7.0], &line());
        let svg = &figure.pictures[0].svg;
        let points = svg
            .split("#030000")
            .nth(1)
            .unwrap()
            .split('"')
            .find(|p| p.contains(','));
        let xs: Vec<i32> = points
            .unwrap()
            .split_whitespace()
            .map(|p| p.split(',').next().unwrap().parse().unwrap())
            .collect();
        assert!(xs.is_sorted() && xs.len() == 3, "{xs:?}");
        assert_eq!(figure.legend.len(), 2);
    }

    #[test]
    fn two_features_give_panels_with_one_scale() {
        let target = TargetPredictions {
            truth: Some(vec![2.0, 1.0, 6.0]),
            ..line()
        };
        let names = ["a".to_owned(), "b".to_owned()];
        let figure = panels(&names, &[1.0, 2.0, 3.0], &[0.0, 5.0, 1.0], &target);
        let headings: Vec<&str> = figure.pictures.iter().map(|p| p.heading.as_str()).collect();
        assert_eq!(
            headings,
            ["truth, without noise", "measured", "small network"]
        );
        // Only the truth reaches the end of the scale.
        assert!(figure.pictures[0].svg.contains("#040006"));
        assert!(!figure.pictures[1].svg.contains("#040006"));
        assert_eq!(figure.legend.last().unwrap().1, "to 6.000");
    }
}
