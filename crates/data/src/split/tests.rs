//! Shares, strata, repeated rows and given test sets, by example and by law.

use proptest::prelude::*;

use super::*;
use crate::features::{Features, Storage};

fn dataset(cells: Vec<u8>, labels: Vec<u32>) -> Dataset {
    let names = (0..=labels.iter().copied().max().unwrap_or(0))
        .map(|class| class.to_string())
        .collect();
    let features = Features::new(Storage::U8(cells), 1).unwrap();
    Dataset::new("t", features, Target::Classes { labels, names }).unwrap()
}

fn distinct(rows: usize, class: impl Fn(usize) -> u32) -> Dataset {
    let cells = (0..rows).map(|row| row as f32 + 0.5).collect();
    let labels: Vec<u32> = (0..rows).map(class).collect();
    let names = (0..=labels.iter().copied().max().unwrap())
        .map(|class| class.to_string())
        .collect();
    let features = Features::new(Storage::F32(cells), 1).unwrap();
    Dataset::new("t", features, Target::Classes { labels, names }).unwrap()
}

fn sizes(split: &Split) -> (usize, usize, usize) {
    (split.train.len(), split.validation.len(), split.test.len())
}

#[test]
fn shares_are_met_overall_and_within_each_class() {
    let data = distinct(1_000, |row| u32::from(row % 10 == 0));
    let split = split(&data, 7, &SplitOptions::default()).unwrap();
    assert_eq!(sizes(&split), (700, 100, 200));
    let rare = |rows: &[u32]| rows.iter().filter(|&&row| row % 10 == 0).count();
    assert_eq!(
        (
            rare(&split.train),
            rare(&split.validation),
            rare(&split.test)
        ),
        (70, 10, 20)
    );
    assert_eq!(split.notes, [""; 0]);
}

#[test]
fn the_seed_alone_decides() {
    let data = distinct(200, |row| row as u32 % 3);
    let draw = |seed| split(&data, seed, &SplitOptions::default()).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1).test, draw(2).test);
}

#[test]
fn a_test_set_of_its_own_stays_whole_and_its_copies_leave_training() {
    let mut cells: Vec<u8> = (0..100).collect();
    // Two copies of the first test row, of which the second repeats the first.
    cells[8] = 5;
    cells.extend([5, 200, 201]);
    let labels = (0..103).map(|row| row % 2).collect();
    let data = dataset(cells, labels).with_test_rows(100..103);
    let split = split(&data, 0, &SplitOptions::default()).unwrap();
    assert_eq!(split.test, [100, 101, 102]);
    assert_eq!(sizes(&split), (88, 10, 3));
    for copy in [5, 8] {
        assert!(!split.train.contains(&copy) && !split.validation.contains(&copy));
    }
    assert_eq!(
        split.notes[1],
        "2 training rows repeat a row of the test set and are left out"
    );
}

/// 10 of 100 rows to draw from, however many test rows there are beside them.
#[test]
fn the_validation_share_is_of_the_rows_that_are_no_test_set() {
    let data = distinct(400, |row| row as u32 % 2).with_test_rows(100..400);
    let split = split(&data, 0, &SplitOptions::default()).unwrap();
    assert_eq!(sizes(&split), (90, 10, 300));
    assert!(
        split
            .train
            .iter()
            .chain(&split.validation)
            .all(|&row| row < 100)
    );
}

/// As the documentation promises of MNIST.
#[test]
fn by_default_no_more_than_5_000_rows_validate() {
    let data = distinct(70_000, |row| row as u32 % 10).with_test_rows(60_000..70_000);
    let split = split(&data, 0, &SplitOptions::default()).unwrap();
    assert_eq!(sizes(&split), (55_000, 5_000, 10_000));
}

/// Otherwise a run of an older version could not be had again, and a trainer's order could follow the split's.
#[test]
fn a_seed_gives_the_rows_that_it_always_gave() {
    let data = distinct(20, |row| row as u32 % 2);
    let split = split(&data, 5, &SplitOptions::default()).unwrap();
    assert_eq!(split.validation, [8, 13]);
    assert_eq!(split.test, [3, 4, 15, 18]);
}

/// Rows that trained a model must not be tested on because numbers elsewhere changed.
#[test]
fn inputs_and_numbers_to_predict_do_not_move_the_split() {
    let numbers = |factor: f32| {
        let cells = (0..90).map(|row| factor * (row as f32 + 0.5)).collect();
        let features = Features::new(Storage::F32(cells), 1).unwrap();
        let target = Target::Values {
            columns: vec!["y".into()],
            values: (0..90).map(|row| factor * row as f32).collect(),
        };
        let data = Dataset::new("t", features, target).unwrap();
        split(&data, 3, &SplitOptions::default()).unwrap()
    };
    assert_eq!(sizes(&numbers(1.0)), (63, 9, 18));
    assert_eq!(numbers(1.0), numbers(-7.5));
}

#[test]
fn validation_stops_at_its_most() {
    let data = distinct(1_000, |row| row as u32 % 2);
    let options = SplitOptions {
        validation_at_most: 20,
        ..SplitOptions::default()
    };
    assert_eq!(sizes(&split(&data, 0, &options).unwrap()), (780, 20, 200));
}

#[test]
fn a_class_of_one_row_trains_and_a_note_says_so() {
    let data = distinct(50, |row| u32::from(row == 17));
    let split = split(&data, 3, &SplitOptions::default()).unwrap();
    assert!(split.train.contains(&17));
    assert_eq!(
        split.notes,
        [
            "class `1` has no validation row",
            "class `1` has no test row"
        ]
    );
}

#[test]
fn every_class_keeps_a_row_for_training() {
    let data = distinct(20, |row| row as u32 / 2);
    let split = split(&data, 0, &SplitOptions::default()).unwrap();
    assert_eq!(sizes(&split), (14, 2, 4));
    let labels = data.labels().unwrap();
    let mut trained: Vec<u32> = split
        .train
        .iter()
        .map(|&row| labels[row as usize])
        .collect();
    trained.dedup();
    assert_eq!(trained.len(), 10);
}

#[test]
fn too_few_rows_and_shares_out_of_range_are_refused() {
    let data = distinct(2, |row| row as u32);
    let error = split(&data, 0, &SplitOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Degenerate);
    for (test, validation) in [(0.0, 0.1), (0.9, 0.1), (f64::NAN, 0.1), (0.2, -0.1)] {
        let options = SplitOptions {
            test,
            validation,
            ..SplitOptions::default()
        };
        let error = split(&data, 0, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}

proptest! {
    /// Whatever repeats, the parts cover the rows once each and no value lies in two of them.
    #[test]
    fn parts_are_disjoint_and_equal_rows_stay_together(
        cells in prop::collection::vec(0u8..40, 30..120),
        seed in any::<u64>(),
    ) {
        let labels: Vec<u32> = cells.iter().enumerate().map(|(row, _)| row as u32 % 3).collect();
        let data = dataset(cells.clone(), labels);
        let Ok(split) = split(&data, seed, &SplitOptions::default()) else {
            return Err(TestCaseError::reject("too few different rows"));
        };
        let mut owner = [None; 40];
        let mut seen = 0;
        for (part, rows) in [&split.train, &split.validation, &split.test].into_iter().enumerate() {
            prop_assert!(rows.is_sorted() && !rows.is_empty());
            for &row in rows {
                seen += 1;
                let owner = owner[cells[row as usize] as usize].get_or_insert(part);
                prop_assert_eq!(*owner, part);
            }
        }
        prop_assert_eq!(seen, cells.len());
    }
}
