//! Every number of a comparison stands under its own heading.

use std::collections::BTreeMap;

use super::super::Unit;
use super::super::arm::Arm;
use super::super::cell::{Cell, Outcome};
use super::super::grid::Grid;
use super::super::store::Head;
use super::super::testing::measured;
use super::*;
use crate::{Config, Seconds};

/// A network of which no two numbers are equal, nor equal to those of another step.
fn distinct(step: u64) -> Measured {
    let share = |number: f64| number + 1e-4 * step as f64;
    let second = |number: f64| number + 0.01 * step as f64;
    Measured {
        test: share(0.91),
        validation: share(0.92),
        train: share(0.93),
        r2: Some(share(0.94)),
        units: vec![21 + step as usize, 11 + step as usize],
        units_before: vec![64, 32],
        live_units: vec![41 + step as usize, 31 + step as usize],
        params: 7000 + step,
        macs: 1000 + 100 * step,
        macs_all_inputs: 2000 + step,
        macs_before: 5500,
        weights: 1000,
        zero_weights: 120 + 10 * step,
        small_weights: 340 + 10 * step,
        penalised_share: 0.51 + 0.01 * step as f64,
        strength: 1e-3 * (5 + step) as f64,
        epochs: 60 + step as usize,
        seconds: Seconds {
            total: second(70.1),
            search: second(80.1),
            forward: second(1.1),
            backward: second(2.1),
            update: second(3.1),
            penalty: second(4.1),
            shrink: second(5.1),
            score: second(6.1),
            load: second(7.1),
            verify: second(8.1),
        },
        alone: true,
        narrow_test: Some(share(0.83)),
        ..measured()
    }
}

/// A dense network and one that was penalised by a subgradient, on one seed.
fn comparison(metric: &str) -> Comparison {
    let cell = |choices: &[(&str, &str)], step| Cell {
        unit: Unit {
            data: "a".into(),
            arm: Arm::new(
                choices
                    .iter()
                    .map(|(k, v)| ((*k).into(), (*v).into()))
                    .collect(),
            ),
            at: None,
            seed: 0,
        },
        fingerprint: String::new(),
        metric: metric.into(),
        result: Outcome::Done(Box::new(distinct(step))),
    };
    let grid = Grid {
        shared: Config::default(),
        data: vec!["a=x".parse().unwrap()],
        arms: vec![],
        seeds: 1,
        at: vec![],
    };
    let penalised = [
        ("penalty", "group-lasso"),
        ("part", "full"),
        ("penalty-step", "subgradient"),
    ];
    Comparison {
        head: Head::of(&grid),
        cells: vec![cell(&[("penalty", "none")], 1), cell(&penalised, 2)],
    }
}

/// The cells of each arm by their headings.
fn by_heading(table: &Table) -> Vec<BTreeMap<String, String>> {
    let row = |row: &Vec<String>| {
        assert_eq!(row.len(), table.header.len(), "{row:?}");
        table
            .header
            .iter()
            .cloned()
            .zip(row.iter().cloned())
            .collect()
    };
    table.rows.iter().map(row).collect()
}

/// Holds the arms of a table to pairs of headings and cells; all headings are named.
fn hold(table: &Table, wanted: &[(&str, [&str; 2])]) {
    let mut headings: Vec<&str> = wanted.iter().map(|(heading, _)| *heading).collect();
    let mut own: Vec<&str> = table.header.iter().map(String::as_str).collect();
    headings.sort_unstable();
    own.sort_unstable();
    assert_eq!(own, headings);
    for (heading, cells) in wanted {
        let told = by_heading(table);
        let told: Vec<&str> = told.iter().map(|row| row[*heading].as_str()).collect();
        assert_eq!(told, cells, "{heading}");
    }
}

#[test]
fn every_number_of_an_arm_stands_under_its_own_heading() {
    let all = tables(&comparison("accuracy"));
    let [scores, sizes, times] = &all[..] else {
        panic!("{all:?}");
    };
    let name = (
        "arm",
        ["dense", "group-lasso, full, penalty-step subgradient"],
    );
    hold(
        scores,
        &[
            name,
            ("test accuracy, %", ["91.01", "91.02"]),
            ("train accuracy, %", ["93.01", "93.02"]),
            ("narrowed dense of equal MACs, test", ["83.01", "83.02"]),
            ("MACs", ["1,100", "unchanged"]),
            ("dense / MACs", ["5.0", "unchanged"]),
        ],
    );
    hold(
        sizes,
        &[
            name,
            ("inputs and units", ["22-12", "23-13"]),
            ("params", ["7,001", "7,002"]),
            ("zero weights, %", ["13.0", "14.0"]),
            ("units above 1e-3", ["42-32", "43-33"]),
            ("weights below 1e-3, %", ["35.0", "36.0"]),
            ("strength", ["-", "7.00e-3"]),
            ("penalised weights, %", ["52", "53"]),
            ("seconds", ["70.11", "70.12"]),
        ],
    );
    hold(
        times,
        &[
            name,
            ("total", ["70.11", "70.12"]),
            ("forward", ["1.11", "1.12"]),
            ("backward", ["2.11", "2.12"]),
            ("update", ["3.11", "3.12"]),
            ("penalty", ["4.11", "4.12"]),
            ("shrink", ["5.11", "5.12"]),
            ("scoring", ["6.11", "6.12"]),
        ],
    );
    assert!(times.note.starts_with("No other run"), "{}", times.note);
}

#[test]
fn errors_and_what_they_explain_stand_under_their_own_headings() {
    let all = tables(&comparison("rmse"));
    let told = &by_heading(&all[0])[0];
    let wanted = [
        ("test RMSE", "0.9101"),
        ("train RMSE", "0.9301"),
        ("test R²", "0.940"),
        ("narrowed dense of equal MACs, test", "0.8301"),
    ];
    for (heading, cell) in wanted {
        assert_eq!(told[heading], cell, "{heading}");
    }
}
