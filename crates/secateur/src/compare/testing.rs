//! Made-up measurements for tests.

use super::arm::{Arm, Choices};
use super::cell::{Cell, Measured, Outcome};
use super::grid::{Grid, Unit};
use super::store::{Comparison, Head};
use crate::{Config, Seconds};

/// A network of one weight that took no time.
pub(super) fn measured() -> Measured {
    Measured {
        test: 0.0,
        validation: 0.0,
        train: 0.0,
        r2: None,
        units: vec![1],
        units_before: vec![1],
        live_units: vec![1],
        params: 1,
        macs: 1,
        macs_all_inputs: 1,
        macs_before: 1,
        weights: 1,
        zero_weights: 0,
        small_weights: 0,
        penalised_share: 1.0,
        strength: 1.0,
        epochs: 1,
        seconds: Seconds {
            total: 0.0,
            search: 0.0,
            forward: 0.0,
            backward: 0.0,
            update: 0.0,
            penalty: 0.0,
            shrink: 0.0,
            score: 0.0,
            load: 0.0,
            verify: 0.0,
        },
        alone: false,
        threads: 1,
        instruction_set: String::new(),
        narrow_test: None,
        right_rows: None,
        tries: vec![],
    }
}

/// A classifier that came to a test score.
fn cell(data: &str, arm: &[(&str, &str)], seed: u64, test: f64) -> Cell {
    let choices: Choices = arm
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    Cell {
        unit: Unit {
            data: data.into(),
            arm: Arm::new(choices),
            at: None,
            seed,
        },
        fingerprint: String::new(),
        metric: "accuracy".into(),
        result: Outcome::Done(Box::new(Measured {
            test,
            narrow_test: Some(test - 0.02),
            ..measured()
        })),
    }
}

/// Two data sets, a dense network, the full penalty and a part that is worse on the one and diverges on the other.
pub(super) fn comparison() -> Comparison {
    let dense = [("penalty", "none")];
    let arm = |part| [("penalty", "group-lasso"), ("part", part)];
    let mut cells = vec![];
    for seed in 0..5 {
        let noise = 1e-4 * seed as f64;
        for data in ["a", "b"] {
            cells.push(cell(data, &dense, seed, 0.90));
            cells.push(cell(data, &arm("full"), seed, 0.91 + noise));
        }
        cells.push(cell("b", &arm("spare-last:8"), seed, 0.90));
    }
    cells.push(Cell {
        result: Outcome::Diverged,
        ..cell("a", &arm("spare-last:8"), 0, 0.0)
    });
    let grid = Grid {
        shared: Config::default(),
        data: vec![
            "a=x".parse().unwrap(),
            "b=y".parse().unwrap(),
            "c=z".parse().unwrap(),
        ],
        arms: vec![],
        seeds: 5,
        at: vec![],
    };
    Comparison {
        head: Head::of(&grid),
        cells,
    }
}
