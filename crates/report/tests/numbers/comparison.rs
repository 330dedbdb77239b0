//! A comparison, as it is drawn.

use secateur::Config;
use secateur::compare::{Arm, Cell, Comparison, Grid, Head, Outcome, Unit};
use secateur_report::{Point, of_comparison};
use serde_json::json;

/// A network of which no two numbers are equal; `more` is added to each.
fn cell(choices: &[(&str, &str)], seed: u64, more: f64) -> Cell {
    let whole = |number: u64| number + more as u64;
    let measured = json!({
        "test": 0.91 + 1e-3 * more, "validation": 0.81, "train": 0.71, "units": [21, 11], "units_before": [64, 32],
        "live_units": [20, 10], "params": whole(7000), "macs": whole(1000), "macs_all_inputs": whole(2000), "macs_before": 5500,
        "weights": 900, "zero_weights": 120, "small_weights": 340, "penalised_share": 0.5, "strength": 1e-3, "epochs": 60,
        "seconds": {
            "total": 70.0 + more, "search": 80.0 + more, "forward": 1.5 + more, "backward": 2.5 + more, "update": 3.5 + more,
            "penalty": 4.5 + more, "shrink": 5.5 + more, "score": 6.5 + more, "load": 7.5 + more, "verify": 8.5 + more
        },
        "alone": true, "threads": 1, "instruction_set": "x"
    });
    let choices = choices.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    Cell {
        unit: Unit {
            data: "a".into(),
            arm: Arm::new(choices.collect()),
            at: None,
            seed,
        },
        fingerprint: String::new(),
        metric: "accuracy".into(),
        result: Outcome::Done(Box::new(serde_json::from_value(measured).unwrap())),
    }
}

fn compared() -> secateur_report::Comparison {
    let grid = Grid {
        shared: Config::default(),
        data: vec!["a=x".parse().unwrap()],
        arms: vec![],
        seeds: 2,
        at: vec![],
    };
    let full = [("penalty", "group-lasso"), ("part", "full")];
    let dense = [("penalty", "none")];
    of_comparison(&Comparison {
        head: Head::of(&grid),
        cells: vec![
            cell(&dense, 0, 40.0),
            cell(&dense, 1, 42.0),
            cell(&full, 0, 10.0),
            cell(&full, 1, 14.0),
        ],
    })
}

#[test]
fn arms_lie_at_their_own_cost_and_test_score() {
    let [trade_off] = &compared().trade_offs[..] else {
        panic!("one data set");
    };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let [
        Point {
            arm,
            macs,
            macs_sd,
            score,
            score_sd,
        },
    ] = &trade_off.points[..]
    else {
        panic!("{trade_off:?}");
    };
    assert_eq!(arm, "group-lasso, full");
    assert!(
        near(*macs, 1012.0) && near(*macs_sd, 8f64.sqrt()),
        "{trade_off:?}"
    );
    assert!(
        near(*score, 92.2) && near(*score_sd, 0.08f64.sqrt()),
        "{trade_off:?}"
    );
    let (dense, sd) = trade_off.dense.unwrap();
    assert!(
        near(dense, 95.1) && near(sd, 0.02f64.sqrt()),
        "{trade_off:?}"
    );
    assert!(trade_off.higher_is_better && trade_off.score_name == "test accuracy (%)");
}

#[test]
fn seconds_of_arms_are_the_means_of_their_own_parts() {
    let times = compared().times;
    let names: Vec<&str> = times.iter().map(|t| t.arm.as_str()).collect();
    assert_eq!(names, ["dense", "group-lasso, full"]);
    for (bar, more) in times.iter().zip([41.0, 12.0]) {
        let parts: Vec<_> = bar.parts.iter().map(|(n, s)| (n.as_str(), *s)).collect();
        let wanted = [
            ("forward", 1.5 + more),
            ("backward", 2.5 + more),
            ("update", 3.5 + more),
            ("penalty", 4.5 + more),
            ("shrink", 5.5 + more),
            ("scoring", 6.5 + more),
        ];
        assert_eq!(parts, wanted);
    }
}
