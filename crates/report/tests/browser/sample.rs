//! Records and a comparison that make every kind of picture, with names that are hard to place.

use std::path::Path;

use secateur::{Config, Flow, Predictions, RunFolder, RunRecord, TargetPredictions, compress};
use secateur_report::{Comparison, Point, Table, TimeBar, TradeOff, Verdict, WidthPlot};

/// A name that is long, cannot be broken at spaces, and is full of marks.
pub(crate) const HARD: &str = "group-lasso_on_<script>every&layer</script>_\"with\"_a_name_that_nobody_would_choose_but_somebody_has";

/// A short real run on embedded data.
pub(crate) fn run(folder: &Path, data: &str, strength: &str) -> RunRecord {
    let config = Config {
        data: Some(data.into()),
        net: Some("24-12".into()),
        strength: Some(strength.into()),
        epochs: Some(12),
        threads: Some(1),
        baseline: Some(true),
        control: Some("narrow".into()),
        ..Config::default()
    };
    let outcome = compress(&config, None, &mut |_| Flow::Continue).unwrap();
    RunFolder::create(folder, true)
        .unwrap()
        .finish(&outcome)
        .unwrap();
    RunRecord::read(folder).unwrap()
}

/// `run` as if its data had been drawn from a known function of `features` features.
pub(crate) fn drawn(run: &RunRecord, features: usize) -> RunRecord {
    let mut run = run.clone();
    let rows = 450;
    let x = |i: usize| (i * 37 % rows) as f32 / rows as f32;
    let y = |i: usize| (i * 101 % rows) as f32 / rows as f32;
    let truth: Vec<f32> = (0..rows)
        .map(|i| (6.0 * x(i)).sin() + if features == 2 { y(i) } else { 0.0 })
        .collect();
    let noisy = |by: f32| {
        truth
            .iter()
            .enumerate()
            .map(move |(i, t)| t + by * (y(i) - 0.5))
    };
    run.predictions = Some(Predictions {
        features: ["x", HARD][..features].iter().map(|&n| n.into()).collect(),
        inputs: vec![(0..rows).map(x).collect(), (0..rows).map(y).collect()][..features].to_vec(),
        targets: vec![TargetPredictions {
            name: "height_above_the_sea_in_thousands_of_feet_by_the_older_definition".into(),
            measured: noisy(0.8).collect(),
            predicted: truth.iter().map(|t| t.clamp(-0.8, 1.7)).collect(),
            truth: Some(truth.clone()),
        }],
        drawn_from: Some(format!("y = g({HARD})")),
    });
    run.report.data.name = format!("drawn, {features} features");
    run.report.data.fingerprint = format!("{features}{features}{features}");
    run
}

/// Nine arms over seeds.
pub(crate) fn comparison() -> Comparison {
    let names = [
        "sparse group lasso, part exits",
        "l1",
        "none, pruned at the end",
        "group SCAD",
    ];
    let arm = |i: usize| match i {
        4 => HARD.to_owned(),
        i => format!("{} {}", names[i % names.len()], i / names.len() + 1),
    };
    let point = |i: usize| Point {
        arm: arm(i),
        macs: 400_000.0 / 1.9f64.powi(i as i32),
        macs_sd: 90_000.0 / 1.8f64.powi(i as i32),
        score: 98.4 - 0.05 * (i * i) as f64,
        score_sd: 0.15 + 0.03 * i as f64,
    };
    let row = |i: usize| {
        let mut row = vec![arm(i)];
        row.extend((0..14).map(|c| format!("{:.2} ± {:.2}", 90.0 + c as f64 + i as f64, 0.31)));
        row
    };
    let mut header = vec!["arm".to_owned()];
    header.extend((0..14).map(|c| format!("data set {c} (%)")));
    let part = |name: &str, seconds: f64| (name.to_owned(), seconds);
    let widths = |scale: f64| {
        (0..3)
            .map(|s| vec![60.0 * scale + s as f64, 31.0 * scale, 12.0])
            .collect::<Vec<_>>()
    };
    Comparison {
        title: format!("All arms, and {HARD}"),
        notes: vec![
            format!("Five seeds an arm. {HARD}{HARD}"),
            "Test rows decide nothing.".into(),
        ],
        verdicts: vec![
            Verdict {
                claim: "A penalty on a part of the network keeps the score of the full one".into(),
                words: "holds on digits (+0.1 points, 5 seeds)".into(),
            },
            Verdict {
                claim: format!("{HARD} is faster"),
                words: "does not hold".into(),
            },
        ],
        tables: vec![Table {
            title: "Scores by data".into(),
            note: Some("Means with standard deviations over 5 seeds.".into()),
            header,
            rows: (0..6).map(row).collect(),
        }],
        trade_offs: vec![TradeOff {
            title: "digits, 300-100".into(),
            score_name: "test accuracy (%)".into(),
            higher_is_better: true,
            points: (0..9).map(point).collect(),
            dense: Some((98.3, 0.2)),
        }],
        times: (0..4)
            .map(|i| TimeBar {
                arm: arm(i + 2),
                parts: vec![
                    part("forward", 1.2 / (i + 1) as f64),
                    part("backward", 2.3 / (i + 1) as f64),
                    part("update", 0.8),
                    part("penalty", 0.1),
                    part(HARD, 0.2),
                ],
            })
            .collect(),
        widths: vec![WidthPlot {
            title: "Widths that are left, digits".into(),
            starts: vec![
                ("64-64".into(), vec![vec![40.0, 21.0], vec![44.0, 19.0]]),
                ("300-100-50".into(), widths(0.7)),
                (HARD.into(), widths(1.1)),
            ],
        }],
    }
}
