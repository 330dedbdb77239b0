//! Score against cost, all arms in one picture.

use super::SIZE;
use crate::input::{Point, Table, TradeOff};
use crate::number::{short, significant, with_spread};
use crate::outline::Figure;
use crate::plot::{Axis, Layer, Mark, chart, letter};

/// Arms that the text alternative names one by one.
const NAMED: usize = 6;

pub(super) fn figure(trade_off: &TradeOff) -> Figure {
    let points = &trade_off.points;
    let reach = |mean: f64, sd: f64| [mean - sd.max(0.0), mean, mean + sd.max(0.0)];
    let mut scores: Vec<f64> = points
        .iter()
        .flat_map(|p| reach(p.score, p.score_sd))
        .collect();
    let mut macs: Vec<f64> = points.iter().map(|p| p.macs + p.macs_sd.max(0.0)).collect();
    // A bar that would reach to zero is cut at a logarithmic axis instead of making it useless.
    macs.extend(points.iter().map(|p| {
        if p.macs_sd < p.macs {
            p.macs - p.macs_sd
        } else {
            p.macs
        }
    }));
    let mut layers = vec![];
    let mut legend: Vec<(Mark, String)> = points
        .iter()
        .enumerate()
        .map(|(series, point)| (Mark::Point(series), point.arm.clone()))
        .collect();
    if let Some((at, sd)) = trade_off.dense {
        scores.extend(reach(at, sd));
        layers.push(Layer::Level {
            from: at - sd,
            at,
            to: at + sd,
        });
        let words = match sd > 0.0 {
            true => "dense network, with one standard deviation",
            false => "dense network",
        };
        legend.push((Mark::Level, words.to_owned()));
    }
    layers.extend(points.iter().enumerate().map(|(series, p)| Layer::Point {
        series,
        at: (p.macs, p.score),
        reach: (p.macs_sd.max(0.0), p.score_sd.max(0.0)),
    }));
    let svg = chart(
        SIZE,
        &Axis::fitting("MACs a row", &macs),
        &Axis::around(&trade_off.score_name, &scores),
        &layers,
    );
    let better = match trade_off.higher_is_better {
        true => "Higher and further left is better.",
        false => "Lower and further left is better.",
    };
    let bars = points.iter().any(|p| p.score_sd > 0.0 || p.macs_sd > 0.0);
    let note = match bars {
        true => format!("{better} Bars are one standard deviation over seeds."),
        false => better.to_owned(),
    };
    let title = format!("{}: score against cost", trade_off.title);
    Figure::new(
        &title,
        alternative(&title, trade_off),
        svg,
        numbers(trade_off),
    )
    .note(note)
    .legend(legend)
}

fn alternative(title: &str, trade_off: &TradeOff) -> String {
    let describe = |p: &Point| {
        format!(
            "{} {} at {} MACs",
            p.arm,
            with_spread(p.score, p.score_sd),
            significant(p.macs)
        )
    };
    let points = &trade_off.points;
    let arms: Vec<String> = match points.len() {
        ..=NAMED => points.iter().map(describe).collect(),
        _ => {
            let sign = if trade_off.higher_is_better {
                1.0
            } else {
                -1.0
            };
            let best = points
                .iter()
                .max_by(|a, b| (sign * a.score).total_cmp(&(sign * b.score)));
            let cheapest = points.iter().min_by(|a, b| a.macs.total_cmp(&b.macs));
            let part = |name: &str, p: Option<&Point>| p.map(|p| format!("{name} {}", describe(p)));
            [part("best", best), part("cheapest", cheapest)]
                .into_iter()
                .flatten()
                .collect()
        }
    };
    let count = points.len();
    let mut words = format!(
        "{title}, {} against MACs a row, {count} {}: {}.",
        trade_off.score_name,
        if count == 1 { "arm" } else { "arms" },
        arms.join("; ")
    );
    if let Some((score, sd)) = trade_off.dense {
        words += &format!(" Dense network: {}.", with_spread(score, sd));
    }
    words
}

fn numbers(trade_off: &TradeOff) -> Table {
    let row = |(series, p): (usize, &Point)| {
        vec![
            p.arm.clone(),
            letter(series),
            significant(p.score),
            short(p.score_sd),
            significant(p.macs),
            short(p.macs_sd),
        ]
    };
    let mut rows: Vec<Vec<String>> = trade_off.points.iter().enumerate().map(row).collect();
    if let Some((score, sd)) = trade_off.dense {
        let blank = String::new;
        rows.push(vec![
            "dense network".to_owned(),
            blank(),
            significant(score),
            short(sd),
            blank(),
            blank(),
        ]);
    }
    let name = trade_off.score_name.as_str();
    Table::of(
        &[
            "arm",
            "letter",
            name,
            "sd of the score",
            "MACs a row",
            "sd of the MACs",
        ],
        rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arms(count: usize) -> TradeOff {
        let point = |i: usize| Point {
            arm: format!("arm {i}"),
            macs: 1_000.0 * (i + 1) as f64,
            macs_sd: 10.0,
            score: 90.0 + i as f64,
            score_sd: 0.5,
        };
        TradeOff {
            title: "digits".into(),
            score_name: "test accuracy (%)".into(),
            higher_is_better: true,
            points: (0..count).map(point).collect(),
            dense: Some((99.0, 0.2)),
        }
    }

    #[test]
    fn few_arms_are_named_and_of_many_the_best_and_the_cheapest() {
        let words = |count| figure(&arms(count)).pictures[0].alternative.clone();
        assert_eq!(
            words(2),
            "digits: score against cost, test accuracy (%) against MACs a row, 2 arms: arm 0 90.00 ± 0.5 at 1,000 MACs; \
             arm 1 91.00 ± 0.5 at 2,000 MACs. Dense network: 99.00 ± 0.2."
        );
        assert!(words(8).contains("best arm 7 97.00"), "{}", words(8));
        assert!(words(8).contains("cheapest arm 0 90.00"), "{}", words(8));
    }

    #[test]
    fn every_arm_is_in_picture_legend_and_table() {
        let figure = figure(&arms(3));
        for name in [">A</text>", ">B</text>", ">C</text>"] {
            assert!(figure.pictures[0].svg.contains(name), "{name}");
        }
        assert_eq!(figure.legend.len(), 4);
        assert_eq!(figure.numbers.rows.len(), 4);
    }
}
