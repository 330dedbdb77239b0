//! What is measured of the data before anything is trained is measured on training rows.

use secateur::path::{PathOptions, path};
use secateur::{Config, Flow, Prepared, compress, load_data};
use secateur_data::Split;

use crate::case::{Case, pictures, pixels, short, table, values};
use crate::data::{Data, Targets, numbers};

fn prepared(case: &Case, data: &Data) -> Prepared {
    data.write(case.place());
    Prepared::new(load_data(&case.config, None).unwrap(), &case.config).unwrap()
}

/// Pixels are scaled by their largest one, or per channel; columns, missing cells and targets by means and deviations.
#[test]
fn scaling_is_that_of_training_rows() {
    for (name, case) in [
        ("table", table()),
        ("values", values()),
        ("pixels", pixels()),
        ("pictures", pictures()),
    ] {
        let first = prepared(&case, &case.data);
        let with = |rows: fn(&Split) -> &[u32]| {
            let changed = case.with(|data, split| data.with_scaled_features(rows(split), 3.0));
            prepared(&case, &changed).standardiser
        };
        assert_eq!(with(|s| &s.test), first.standardiser, "{name}");
        assert_eq!(with(|s| &s.validation), first.standardiser, "{name}");
        assert_ne!(with(|s| &s.train), first.standardiser, "{name}");
    }
}

#[test]
fn missing_cells_take_the_mean_of_training_rows() {
    let case = values();
    let prepared = prepared(&case, &case.data);
    let column = case.data.cells.iter().step_by(case.data.width());
    let column: Vec<f32> = column.copied().collect();
    assert!(column.iter().any(|c| c.is_nan()));
    let known = prepared
        .split
        .train
        .iter()
        .map(|&r| f64::from(column[r as usize]));
    let known: Vec<f64> = known.filter(|c| !c.is_nan()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    assert_eq!(prepared.standardiser.fill()[0], mean as f32);
}

#[test]
fn targets_are_scaled_by_those_of_training_rows() {
    let case = values();
    let scaler = |data: &Data| prepared(&case, data).target_scaler.unwrap();
    let first = scaler(&case.data);
    let with = |rows: fn(&Split) -> &[u32]| {
        scaler(&case.with(|data, split| data.with_other_targets(rows(split))))
    };
    assert_eq!(with(|s| &s.test), first);
    assert_eq!(with(|s| &s.validation), first);
    assert_ne!(with(|s| &s.train), first);
    let Targets::Numbers(values, 2) = &case.data.targets else {
        panic!("two numbers a row");
    };
    let train = case.split().train;
    let sum: f64 = train
        .iter()
        .map(|&r| f64::from(values[2 * r as usize]))
        .sum();
    assert_eq!(first.shift()[0], (sum / train.len() as f64) as f32);
}

/// The defaults of batch and epochs follow the rows that train: with the test set's they would be others.
#[test]
fn defaults_follow_the_number_of_training_rows() {
    let plan = |own_test: usize| {
        let config = Config {
            epochs: None,
            ..short()
        };
        let case = Case::new(numbers(1100 + own_test, 2, own_test), config);
        let prepared = prepared(&case, &case.data);
        assert_eq!(prepared.split.train.len(), 990);
        let outcome = compress(&case.config, None, &mut |_| Flow::Stop).unwrap();
        let options = PathOptions::new(1, "50%", None).unwrap();
        // It cuts by budgets of its own.
        let open = Config {
            part: None,
            ..case.config.clone()
        };
        let path = path(&open, &options, None, &mut |_| Flow::Stop).unwrap();
        let of = |config: &Config| (config.batch, config.epochs);
        assert_eq!(of(&outcome.plan.config), of(&path.config));
        of(&path.config)
    };
    // 6,000 steps of 31 an epoch.
    assert_eq!(plan(1500), (Some(32), Some(194)));
    assert_eq!(plan(20), plan(1500));
}
