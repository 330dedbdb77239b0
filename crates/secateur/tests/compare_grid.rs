//! Grids: finished cells are never run twice, shards join to the whole, arms meet at equal MACs, and folders
//! that do not belong together are refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use secateur::compare::{
    Cell, Comparison, Grid, GridEvent, Outcome, Quantity, Ready, Role, Shard, Store, overview,
    tables,
};
use secateur::{Config, ErrorKind, Flow};

fn grid(parts: &[&str], at: &[f64]) -> Grid {
    let list = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    let axes = [
        ("penalty".to_owned(), list(&["group-lasso"])),
        ("part".to_owned(), list(parts)),
    ];
    Grid {
        shared: Config {
            net: Some("24-12".into()),
            epochs: Some(6),
            threads: Some(1),
            ..Config::default()
        },
        data: vec!["digits".parse().unwrap()],
        arms: Grid::arms(&axes),
        seeds: 2,
        at: at.to_vec(),
    }
}

/// Runs the units of a shard in a folder; how many cells were run.
fn run(grid: &Grid, folder: &Path, shard: Shard, jobs: usize, stop_after: usize) -> usize {
    let units = shard.take(grid.units());
    let store = Store::open(folder, grid).unwrap();
    let ready = Ready::new(grid.clone(), None, &|_| {}).unwrap();
    let begun = AtomicUsize::new(0);
    let finished = AtomicUsize::new(0);
    let count = |event: &GridEvent<'_>| match event {
        GridEvent::Begin(..) => drop(begun.fetch_add(1, Ordering::SeqCst)),
        GridEvent::Finished(..) => drop(finished.fetch_add(1, Ordering::SeqCst)),
        GridEvent::Loading(_) | GridEvent::Epoch(..) => {}
    };
    let flow = || match finished.load(Ordering::SeqCst) >= stop_after {
        true => Flow::Stop,
        false => Flow::Continue,
    };
    ready.run(&units, store, jobs, &count, &flow).unwrap();
    begun.into_inner()
}

/// What a cell came to, times left out: arm, seed, share, units and test score.
type Came = (String, u64, Option<String>, Vec<usize>, f64);

fn results(folders: &[PathBuf]) -> Vec<Came> {
    let comparison = Comparison::read(folders).unwrap();
    let of = |c: &Cell| {
        let m = c.measured();
        (
            c.unit.arm.label(),
            c.unit.seed,
            c.unit.at.map(|at| at.to_string()),
            m.map_or(vec![], |m| m.units.clone()),
            m.map_or(0.0, |m| m.test),
        )
    };
    let mut all: Vec<_> = comparison.cells.iter().map(of).collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

#[test]
fn a_finished_cell_is_never_run_twice_and_a_stopped_grid_goes_on() {
    let parent = tempfile::tempdir().unwrap();
    let (whole, parts) = (parent.path().join("whole"), parent.path().join("parts"));
    let grid = grid(&["full", "spare-last:8"], &[]);
    assert_eq!(run(&grid, &whole, Shard::ALL, 2, usize::MAX), 6);
    assert_eq!(run(&grid, &whole, Shard::ALL, 2, usize::MAX), 0);

    assert!(run(&grid, &parts, Shard::ALL, 1, 2) <= 3);
    assert_eq!(results(std::slice::from_ref(&parts)).len(), 2);
    // A crash in the middle of a line.
    let cells = parts.join("cells.jsonl");
    let text = std::fs::read_to_string(&cells).unwrap();
    std::fs::write(&cells, &text[..text.len() - 40]).unwrap();
    assert_eq!(run(&grid, &parts, Shard::ALL, 1, usize::MAX), 5);
    assert_eq!(results(&[parts]), results(&[whole]));
}

#[test]
fn a_run_that_diverges_half_way_is_a_finished_cell() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("grid");
    // The rate rises over the epochs: the first ends with numbers, a later one does not.
    let shared = Config {
        net: Some("8".into()),
        optimizer: Some("sgd".into()),
        learning_rate: Some(1.0),
        warm_up: Some(6),
        epochs: Some(12),
        threads: Some(1),
        ..Config::default()
    };
    let grid = Grid {
        shared,
        data: vec!["diabetes".parse().unwrap()],
        seeds: 1,
        ..grid(&["full"], &[])
    };
    assert_eq!(run(&grid, &folder, Shard::ALL, 1, usize::MAX), 2);
    let cells = Comparison::read(std::slice::from_ref(&folder))
        .unwrap()
        .cells;
    assert_eq!(cells.len(), 2, "{cells:?}");
    assert_eq!(cells[0].result, Outcome::Diverged);
    assert_eq!(run(&grid, &folder, Shard::ALL, 1, usize::MAX), 0);
}

#[test]
fn shards_join_to_the_whole() {
    let parent = tempfile::tempdir().unwrap();
    let folder = |name: &str| parent.path().join(name);
    let grid = grid(&["full", "spare-last:8", "budget"], &[0.3]);
    run(&grid, &folder("whole"), Shard::ALL, 2, usize::MAX);
    let shards: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let shard = Shard { number, of: 3 };
            let folder = folder(&number.to_string());
            run(&grid, &folder, shard, 1, usize::MAX);
            folder
        })
        .collect();
    assert_eq!(results(&shards), results(&[folder("whole")]));
}

#[test]
fn arms_meet_at_equal_macs_or_say_why_not() {
    let parent = tempfile::tempdir().unwrap();
    let grid = grid(&["full", "spare-last:2", "budget"], &[0.3, 0.02]);
    run(&grid, parent.path(), Shard::ALL, 2, usize::MAX);
    let comparison = Comparison::read(&[parent.path().to_owned()]).unwrap();
    let dense = 64.0 * 24.0 + 24.0 * 12.0 + 12.0 * 10.0;
    let mut met = 0;
    for cell in &comparison.cells {
        let part = cell.unit.arm.choices.get("part").map(String::as_str);
        match (&cell.result, cell.unit.at) {
            (Outcome::Done(m), Some(at)) => {
                let share = m.macs as f64 / dense;
                assert_eq!(m.narrow_test, None);
                if cell.unit.arm.role == Role::Narrow {
                    assert_eq!(m.tries.len(), 3);
                } else if part != Some("budget") {
                    assert!(
                        (share / at).ln().abs() < 1.1f64.ln(),
                        "{part:?} {at}: {share}"
                    );
                    met += 1;
                } else {
                    assert!(share <= at, "{share}");
                }
            }
            (Outcome::NotReachable { floor }, Some(at)) => {
                assert_eq!((part, at), (Some("spare-last:2"), 0.02));
                assert_eq!(*floor, 12 + 12 * 6 + 6 * 10);
            }
            (Outcome::Done(m), None) => assert_eq!(m.macs as f64, dense),
            // So small a network loses many MACs with a unit.
            (Outcome::NotReached { nearest }, Some(at)) => {
                assert!(
                    (*nearest as f64 / dense / at).ln().abs() > 1.1f64.ln(),
                    "{nearest}"
                );
            }
            (result, at) => panic!("{part:?} {at:?}: {result:?}"),
        }
    }
    assert!(met >= 3, "{met}");
    let text = format!("{:?}", tables(&comparison));
    assert!(
        text.contains("spare-last:2, 2 %: not reachable (floor 144 MACs)"),
        "{text}"
    );
    let floors = overview(&comparison, Quantity::Floor).rows;
    let of = |name: &str| {
        floors
            .iter()
            .find(|row| row[0] == name)
            .map(|row| row[1].as_str())
    };
    // The same whether it was worked out before a run that did not take place, or after one.
    for at in ["30 %", "2 %"] {
        assert_eq!(of(&format!("group-lasso, full, {at}")), Some("12"));
        assert_eq!(of(&format!("group-lasso, budget, {at}")), Some("12"));
        assert_eq!(of(&format!("group-lasso, spare-last:2, {at}")), Some("144"));
    }
    assert_eq!(of("dense"), None);
}

#[test]
fn networks_by_name_are_compared_with_narrowed_ones() {
    let parent = tempfile::tempdir().unwrap();
    let mut grid = grid(&["full", "budget:40%"], &[]);
    grid.seeds = 1;
    grid.shared = Config {
        net: Some("resnet20".into()),
        epochs: Some(2),
        settle: Some(1),
        batch: Some(128),
        control: Some("narrow-same-decay".into()),
        ..grid.shared
    };
    let folder = parent.path().join("grid");
    run(&grid, &folder, Shard::ALL, 2, usize::MAX);
    let comparison = Comparison::read(&[folder]).unwrap();
    let cell = |wanted: &str| {
        let cells = comparison.cells.iter();
        let mut labelled = cells.filter(|c| c.unit.arm.label().contains(wanted));
        labelled.next().unwrap().measured().unwrap()
    };
    let (dense, cut) = (cell("dense"), cell("budget"));
    assert_eq!(dense.macs, dense.macs_before);
    let share = cut.macs as f64 / dense.macs as f64;
    assert!((0.36..=0.4).contains(&share), "{share}");
    assert!(cut.narrow_test.is_some() && dense.narrow_test.is_none());
    let table = &tables(&comparison)[0];
    assert!(table.header.iter().any(|h| h.starts_with("narrowed")));

    grid.at = vec![0.4];
    let refused = Ready::new(grid, None, &|_| {}).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(refused.hint_text().unwrap().contains("budget:50%"));
}

/// Two at once would run the same cells.
#[test]
fn a_folder_takes_cells_of_one_process_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("one");
    let grid = grid(&["full"], &[]);
    let first = Store::open(&folder, &grid).unwrap();
    let error = Store::open(&folder, &grid).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(
        error
            .to_string()
            .ends_with("another run is writing this folder"),
        "{error}"
    );
    drop(first);
    Store::open(&folder, &grid).unwrap();
}

#[test]
fn folders_that_do_not_belong_together_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("first");
    let small = grid(&["full"], &[]);
    run(&small, &folder, Shard::ALL, 1, usize::MAX);

    let mut other = small.clone();
    other.shared.epochs = Some(7);
    let error = Store::open(&folder, &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(
        error
            .to_string()
            .contains("(epochs = 6) than asked for (epochs = 7)"),
        "{error}"
    );

    let mut renamed = small.clone();
    renamed.data = vec!["digits=diabetes".parse().unwrap()];
    let error = Store::open(&folder, &renamed).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("'digits' was digits there, and is diabetes here"),
        "{error}"
    );

    // The same name for other numbers.
    let cells = folder.join("cells.jsonl");
    let text = std::fs::read_to_string(&cells).unwrap();
    let print = Comparison::read(std::slice::from_ref(&folder))
        .unwrap()
        .cells[0]
        .fingerprint
        .clone();
    std::fs::write(&cells, text.replacen(&print, "0", 1)).unwrap();
    let error = Comparison::read(std::slice::from_ref(&folder)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "two different data sets are called 'digits'"
    );

    let head = folder.join("comparison.json");
    let text = std::fs::read_to_string(&head).unwrap();
    std::fs::write(&head, text.replacen("\"format\": 2", "\"format\": 1", 1)).unwrap();
    let error = Comparison::read(std::slice::from_ref(&folder)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        error
            .to_string()
            .contains("in format 1; this version reads format 2"),
        "{error}"
    );

    std::fs::write(parent.path().join("thesis.tex"), "").unwrap();
    let error = Store::open(parent.path(), &small).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("something else than the folder of a comparison"),
        "{error}"
    );
    let error = Comparison::read(&[parent.path().join("nowhere")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn an_arm_that_makes_no_sense_for_the_data_is_told_before_anything_runs() {
    let mut wrong = grid(&["full"], &[]);
    wrong.shared.loss = Some("mse".into());
    let seen = Mutex::new(0);
    let error = Ready::new(wrong, None, &|_| *seen.lock().unwrap() += 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(seen.into_inner().unwrap(), 1);
}
