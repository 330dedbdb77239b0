//! Runs a grid: cells in parallel where threads allow, each kept as it finishes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secateur_data::Dataset;
use secateur_train::{Event, Flow};

use super::arm::{Arm, Role};
use super::cell::{Cell, Outcome};
use super::grid::{Grid, Unit};
use super::probe::probe;
use super::store::Store;
use super::unit::{Task, config, full_of};
use crate::budget::PLACE;
use crate::prepare::Prepared;
use crate::{Config, Error, Origin, Plan, Progress, Result, load_data};

/// Runs that a search for a strength takes, on average.
const TRIES: f64 = 3.5;
/// Runs of a narrowed control: one a weight decay.
const DECAYS: f64 = 3.0;

/// What a running grid tells.
#[derive(Debug)]
pub enum GridEvent<'a> {
    /// A data set is being read.
    Loading(&'a str),
    /// A worker, by its number, begins a unit.
    Begin(usize, &'a Unit),
    /// A worker is at this epoch of so many.
    Epoch(usize, usize, usize),
    /// A worker has finished a cell.
    Finished(usize, &'a Cell),
}

/// A grid with its data in memory, every choice checked.
#[derive(Debug)]
pub struct Ready {
    grid: Grid,
    datasets: BTreeMap<String, Arc<Dataset>>,
}

impl Ready {
    /// Reads the data and checks the choices of every arm on each of them.
    ///
    /// # Errors
    /// If data cannot be read, or an arm makes no sense for some.
    pub fn new(
        grid: Grid,
        data_dir: Option<&Path>,
        observer: &(dyn Fn(&GridEvent<'_>) + Sync),
    ) -> Result<Self> {
        takes_parts_only(&grid)?;
        let mut datasets = BTreeMap::new();
        for data in &grid.data {
            observer(&GridEvent::Loading(&data.name));
            let named = Config {
                data: Some(data.path.clone()),
                target: (!data.target.is_empty()).then(|| data.target.clone()),
                ..grid.shared.clone()
            };
            if !(grid.at.is_empty() || Origin::of(&named)?.is_chain()) {
                return Err(Error::usage(
                    "comparisons at equal MACs are of chains of dense layers so far",
                )
                .at("--at")
                .hint(
                    "leave --at out and give parts that are budgets: --parts budget:50%,budget:25%",
                ));
            }
            let dataset = load_data(&named, data_dir)?;
            let prepared = Prepared::new(
                Arc::clone(&dataset),
                &Config {
                    seed: Some(0),
                    ..named.clone()
                },
            )?;
            if datasets.insert(data.name.clone(), dataset).is_some() {
                return Err(
                    Error::usage(format!("two data sets are called '{}'", data.name))
                        .at("--data")
                        .hint("give one of them another name: NAME=PATH"),
                );
            }
            for arm in &grid.arms {
                let unit = Unit {
                    data: data.name.clone(),
                    arm: arm.clone(),
                    at: None,
                    seed: 0,
                };
                let config = config(&grid, &unit)?;
                Plan::new(&config, &prepared.dataset, prepared.split.train.len())?;
            }
        }
        Ok(Self { grid, datasets })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Seconds that these units will take at most, if as many as `jobs` run at a time: measured on a few
    /// steps of every data set.
    ///
    /// # Errors
    /// If a run cannot begin.
    pub fn estimate(&self, units: &[Unit], jobs: usize) -> Result<f64> {
        let mut known: Vec<(&str, &str, f64)> = vec![];
        let mut sum = 0.0;
        for unit in units {
            let epochs = unit.arm.choices.get("epochs").map_or("", String::as_str);
            let found = known.iter().find(|k| k.0 == unit.data && k.1 == epochs);
            let seconds = match found {
                Some(&(_, _, seconds)) => seconds,
                None => {
                    let mut config = config(&self.grid, unit)?;
                    config.penalty = Some("none".into());
                    config.settle = None;
                    let probe = probe(&config, self.dataset(&unit.data)?)?;
                    known.push((&unit.data, epochs, probe.seconds));
                    probe.seconds
                }
            };
            sum += seconds
                * match (unit.arm.role, unit.at) {
                    (Role::Narrow, Some(at)) => at * DECAYS,
                    (Role::Penalised, Some(_)) => TRIES,
                    _ => 1.0,
                };
        }
        Ok(sum / jobs.max(1) as f64)
    }

    /// Runs the units that the store does not have yet, `jobs` at a time. Whether all are finished:
    /// `flow` may stop it.
    ///
    /// # Errors
    /// The first one that any unit ends with; what was finished before is kept.
    pub fn run(
        &self,
        units: &[Unit],
        store: Store,
        jobs: usize,
        observer: &(dyn Fn(&GridEvent<'_>) + Sync),
        flow: &(dyn Fn() -> Flow + Sync),
    ) -> Result<bool> {
        let todo: Vec<&Unit> = units.iter().filter(|u| store.cell(u).is_none()).collect();
        let next = AtomicUsize::new(0);
        let store = Mutex::new(store);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        let finished = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for worker in 0..jobs.min(todo.len()) {
                let (todo, next, store, failed, finished) =
                    (&todo, &next, &store, &failed, &finished);
                scope.spawn(move || {
                    while flow() == Flow::Continue && lock(failed).is_none() {
                        let Some(unit) = todo.get(next.fetch_add(1, Ordering::Relaxed)) else {
                            break;
                        };
                        observer(&GridEvent::Begin(worker, unit));
                        let done = self
                            .one(unit, store, jobs == 1, worker, observer, flow)
                            .and_then(|cell| {
                                let Some(cell) = cell else { return Ok(()) };
                                lock(store).add(cell.clone())?;
                                finished.fetch_add(1, Ordering::Relaxed);
                                observer(&GridEvent::Finished(worker, &cell));
                                Ok(())
                            });
                        if let Err(error) = done {
                            lock(failed).get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(finished.into_inner() == todo.len()),
        }
    }

    fn one(
        &self,
        unit: &Unit,
        store: &Mutex<Store>,
        alone: bool,
        worker: usize,
        observer: &(dyn Fn(&GridEvent<'_>) + Sync),
        flow: &(dyn Fn() -> Flow + Sync),
    ) -> Result<Option<Cell>> {
        let full_strength = lock(store)
            .cell(&full_of(unit))
            .and_then(|cell| match &cell.result {
                Outcome::Done(measured) => Some(measured.strength),
                Outcome::NotReachable { .. } | Outcome::NotReached { .. } | Outcome::Diverged => {
                    None
                }
            });
        let task = Task {
            grid: &self.grid,
            unit,
            dataset: self.dataset(&unit.data)?,
            alone,
            full_strength,
        };
        task.run(&mut |progress| {
            if let Progress::Train {
                event: Event::Epoch(epoch),
                ..
            } = &progress
            {
                observer(&GridEvent::Epoch(worker, epoch.number, epoch.of));
            }
            flow()
        })
        .map_err(|e| {
            let place = format!("{}, {}", unit.data, unit.arm.label());
            let hint = e.hint_text().unwrap_or_default().to_owned();
            Error::new(e.kind(), e.to_string()).at(place).hint(hint)
        })
    }

    fn dataset(&self, name: &str) -> Result<&Arc<Dataset>> {
        self.datasets
            .get(name)
            .ok_or_else(|| Error::usage(format!("there are no data called '{name}'")).at("--data"))
    }
}

/// A worker that panics does so for all.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks that no budget stands beside the parts that a comparison is of: one of the two would be left out.
fn takes_parts_only(grid: &Grid) -> Result<()> {
    let varied = |arm: &Arm| arm.choices.contains_key("budget");
    match grid.shared.budget.is_some() || grid.arms.iter().any(varied) {
        false => Ok(()),
        true => Err(Error::usage("comparisons take budgets as parts")
            .at(PLACE)
            .hint(
                "such as --parts budget:25%,budget:params=10%; files and times are for compress",
            )),
    }
}
