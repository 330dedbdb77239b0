//! Comparisons find strengths and controls without test rows, and tell each score of its own rows.

use secateur::Flow;
use secateur::compare::{Cell, Grid, Measured, Outcome, Ready, Role, Store, Unit};

use crate::case::{Case, short};
use crate::data::{Data, classes, numbers};
use crate::decided::NO_TIME;

fn grid(case: &Case, at: &[f64]) -> Grid {
    let list = |value: &str| vec![value.to_owned()];
    let axes = [
        ("penalty".to_owned(), list("group-lasso")),
        ("part".to_owned(), list("full")),
    ];
    let place = format!("set={}", case.place().display());
    Grid {
        shared: secateur::Config {
            data: None,
            part: None,
            strength: None,
            ..case.config.clone()
        },
        data: vec![place.parse().unwrap()],
        arms: Grid::arms(&axes),
        seeds: 1,
        at: at.to_vec(),
    }
}

fn cells(case: &Case, data: &Data, at: &[f64], name: &str) -> Vec<Cell> {
    cells_of(case, data, (at, 1), name, |_| true)
}

fn cells_of(
    case: &Case,
    data: &Data,
    (at, seeds): (&[f64], u64),
    name: &str,
    is_meant: fn(&Unit) -> bool,
) -> Vec<Cell> {
    data.write(case.place());
    let grid = Grid {
        seeds,
        ..grid(case, at)
    };
    let folder = case.room().join(name);
    let store = Store::open(&folder, &grid).unwrap();
    let ready = Ready::new(grid.clone(), None, &|_| {}).unwrap();
    let units: Vec<Unit> = grid.units().into_iter().filter(is_meant).collect();
    ready
        .run(&units, store, 1, &|_| {}, &|| Flow::Continue)
        .unwrap();
    let mut cells = Store::finished(&folder, &grid).unwrap();
    cells.sort_by_key(|c| c.unit.arm.label());
    cells
}

/// All that test rows must not move.
fn decided(cell: &Cell) -> Cell {
    let mut cell = cell.clone();
    cell.fingerprint.clear();
    if let Outcome::Done(measured) = &mut cell.result {
        let mut tries = measured.tries.clone();
        tries.iter_mut().for_each(|t| t.seconds = 0.0);
        **measured = Measured {
            test: 0.0,
            r2: None,
            narrow_test: None,
            right_rows: None,
            seconds: NO_TIME,
            tries,
            ..(**measured).clone()
        };
    }
    cell
}

fn cases() -> [Case; 2] {
    [
        Case::new(classes(200, &[5], 0.4, 0), short()),
        Case::new(
            numbers(200, 4, 0),
            secateur::Config {
                net: Some("16".into()),
                ..short()
            },
        ),
    ]
}

#[test]
fn other_test_rows_leave_a_comparison_as_it_was() {
    for case in cases() {
        for at in [&[][..], &[0.5]] {
            let first = cells(&case, &case.data, at, &format!("first{}", at.len()));
            let other = cells(
                &case,
                &case.with_spoilt_tests(),
                at,
                &format!("other{}", at.len()),
            );
            assert_eq!(first.len(), 2 + at.len());
            for (first, other) in first.iter().zip(&other) {
                assert_eq!(decided(first), decided(other));
                let (Some(a), Some(b)) = (first.measured(), other.measured()) else {
                    // No strength comes near enough to this share.
                    assert_eq!(first.unit.arm.role, Role::Penalised);
                    continue;
                };
                assert_ne!(a.test, b.test);
                assert_eq!(
                    a.narrow_test.is_some(),
                    at.is_empty() && first.unit.arm.removes_units()
                );
                assert!(a.narrow_test.is_none() || a.narrow_test != b.narrow_test);
            }
        }
    }
}

/// Of several seeds: by chance the same decay is the best on test rows, too.
#[test]
fn the_narrow_arm_is_the_best_of_its_tries_on_validation_rows() {
    for case in cases() {
        let is_narrow = |unit: &Unit| unit.arm.role == Role::Narrow;
        let cells = cells_of(&case, &case.data, (&[0.5], 4), "best", is_narrow);
        assert_eq!(cells.len(), 4);
        for cell in &cells {
            let narrow = cell.measured().unwrap();
            let tried = narrow.tries.iter().map(|t| t.validation_quality);
            let worse = |a: f64, b: f64| (a > b) != cell.higher_is_better();
            let best = tried.clone().reduce(|a, b| if worse(a, b) { b } else { a });
            assert_eq!((Some(narrow.validation), tried.len()), (best, 3));
        }
    }
}

#[test]
fn validation_rows_do_not_train_the_arms_of_a_comparison() {
    let [_, case] = cases();
    let changed = case.with(|data, split| data.with_exchanged_features(&split.validation));
    let first = cells(&case, &case.data, &[], "before");
    for (first, other) in first.iter().zip(cells(&case, &changed, &[], "after")) {
        let (a, b) = (first.measured().unwrap(), other.measured().unwrap());
        assert_eq!((a.test, a.train, a.strength), (b.test, b.train, b.strength));
        assert_ne!(a.validation, b.validation);
    }
}
