//! What a model is run on: rows of its inputs, divided by row into those that are fitted on, chosen on and tested on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use secateur_data::{Rows, Wanted};
use secateur_prune::repair::{Activation, Batch};

use super::memory::MEMORY;
use crate::{Error, ErrorKind, Result};

/// Of each of so many rows, these are chosen on and tested on; moments are measured on the others.
const CYCLE: usize = 20;
const CHOSEN_ON: [usize; 3] = [3, 10, 17];
const TESTED_ON: [usize; 3] = [6, 13, 19];
/// The part that is tested on.
const TEST: usize = 2;
/// Runs without which there is nothing in one of the three parts, or next to nothing.
const FEWEST: usize = 16;
/// With fewer inputs to count on, that is told.
const FEW: usize = 30;
/// Rows that are run at once, where the batch is open.
const BATCH: usize = 8;

/// Rows of all inputs of a model, as it is run on them.
#[derive(Debug, Clone)]
pub struct RepairInputs {
    pub(super) fit: Vec<Batch>,
    pub(super) choose: Vec<Batch>,
    pub(super) test: Vec<Batch>,
    /// Rows in each part.
    pub(super) rows: [usize; 3],
    /// What those that are tested on are called.
    pub(super) tested: Vec<String>,
    /// What goes in: how many rows of what shape, and which numbers.
    pub(super) fed: Vec<String>,
    /// What the user should know of how they were read.
    pub(super) notes: Vec<String>,
    /// Whether a batch may have any number of rows.
    is_open: bool,
    pub(super) seed: u64,
    /// Bytes of activations that may be held at once.
    pub(super) memory: u64,
}

impl RepairInputs {
    /// What goes in: how many rows of what shape, and which numbers.
    pub fn fed(&self) -> &[String] {
        &self.fed
    }

    /// The first batch that nothing is fitted or chosen on, or so many rows of it where a batch may have any number.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn first(&self, rows: usize) -> Result<Batch> {
        let Some(batch) = self.test.first() else {
            let message = "there are no inputs to verify on";
            return Err(Error::new(ErrorKind::Verification, message));
        };
        let mut batch = batch.clone();
        for x in batch.iter_mut().filter(|_| self.is_open) {
            let all = x.shape[0];
            let some = rows.min(all);
            x.values.truncate(x.values.len() / all.max(1) * some);
            x.shape[0] = some;
        }
        Ok(batch)
    }
}

/// Rows as the model is run on them.
pub(super) fn divided(rows: &[Rows], wanted: &[Wanted<'_>], seed: u64) -> Result<RepairInputs> {
    let many = || rows.iter().filter(|rows| rows.total() > 1);
    let count = many().map(Rows::count).min().unwrap_or(1);
    let total = many().map(Rows::total).min().unwrap_or(1);
    for (rows, wanted) in rows.iter().zip(wanted) {
        // Of other numbers other rows would be drawn.
        if rows.total() > 1 && rows.total() != total {
            let message = format!(
                "'{}' has {} rows, and another input {total}",
                wanted.name,
                rows.total()
            );
            return Err(Error::new(ErrorKind::Input, message)
                .at("--repair")
                .hint("rows of the same number belong together"));
        }
    }
    let fixed = wanted.iter().zip(rows).filter(|(_, rows)| !rows.is_whole());
    let fixed = fixed
        .filter_map(|(wanted, _)| wanted.axes.first().copied().flatten())
        .max();
    if fixed == Some(0) {
        let message = "the model takes no rows: the first axis of an input is 0 long";
        return Err(Error::new(ErrorKind::Input, message)
            .at("--repair")
            .hint("export it with an open batch axis, or one of a row"));
    }
    let at_once = match rows.iter().any(Rows::is_whole) {
        true => 1,
        false => fixed.unwrap_or(BATCH),
    };
    let needed = FEWEST * fixed.unwrap_or(1);
    if count < needed {
        let message = format!("{count} inputs are too few: repairing takes {needed} at least");
        return Err(Error::new(ErrorKind::Input, message)
            .at("--repair")
            .hint("some hundred inputs as the model will see them serve well"));
    }
    let different = different(rows, count);
    if different < FEWEST {
        let message =
            format!("only {different} of {count} inputs differ: repairing takes {FEWEST} at least");
        return Err(Error::new(ErrorKind::Input, message)
            .at("--repair")
            .hint("give inputs as the model will see them"));
    }
    let (mut parts, mut counts, mut tested) = ([vec![], vec![], vec![]], [0; 3], vec![]);
    let name = |row: usize| {
        let known = rows.iter().find_map(|rows| rows.name(row));
        known.map_or_else(|| format!("row {}", row + 1), str::to_owned)
    };
    let part_of = |row: usize| match row / fixed.unwrap_or(1) % CYCLE {
        place if CHOSEN_ON.contains(&place) => 1,
        place if TESTED_ON.contains(&place) => TEST,
        _ => 0,
    };
    for (part, batches) in parts.iter_mut().enumerate() {
        let own: Vec<usize> = (0..count).filter(|&row| part_of(row) == part).collect();
        for some in own.chunks(at_once) {
            // What does not fill a batch that is fixed cannot be run.
            if fixed.is_some_and(|n| n != some.len() && at_once == n) {
                continue;
            }
            counts[part] += some.len();
            if part == TEST {
                tested.extend(some.iter().map(|&row| name(row)));
            }
            let each = rows.iter().map(|rows| {
                let (shape, values) = rows.pick(some);
                Activation { shape, values }
            });
            batches.push(each.collect::<Batch>());
        }
    }
    let of_input = |(rows, wanted): (&Rows, &Wanted<'_>)| {
        let of = format!("'{}': ", wanted.name);
        let notes = rows.notes().iter();
        notes.map(|note| of.clone() + note).collect::<Vec<_>>()
    };
    let [fit, choose, test] = parts;
    let mut notes: Vec<String> = rows.iter().zip(wanted).flat_map(of_input).collect();
    if counts[TEST] < FEW {
        notes.push(format!(
            "what was lost is counted on {} inputs alone: give more to know it better",
            counts[TEST]
        ));
    }
    Ok(RepairInputs {
        fit,
        choose,
        test,
        rows: counts,
        tested,
        fed: rows.iter().zip(wanted).map(fed).collect(),
        notes,
        is_open: fixed.is_none() && at_once > 1,
        seed,
        memory: MEMORY,
    })
}

/// What goes into an input, in words.
fn fed((rows, wanted): (&Rows, &Wanted<'_>)) -> String {
    let values = || rows.values().iter().map(|&v| f64::from(v));
    let count = rows.values().len().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let spread = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let (least, most) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    let shape: Vec<String> = rows.shape().iter().skip(1).map(usize::to_string).collect();
    let shape = match &shape[..] {
        [] => "numbers".to_owned(),
        all => all.join("x"),
    };
    format!(
        "'{}': {} rows of {shape}, from {least:.3} to {most:.3}, mean {mean:.3}, standard deviation {spread:.3}",
        wanted.name,
        rows.count()
    )
}

/// How many of the first `count` rows, those of all inputs taken together, are no copies of others.
fn different(rows: &[Rows], count: usize) -> usize {
    let own = rows.iter().filter(|rows| rows.count() == count);
    let own: Vec<&Rows> = own.collect();
    let print = |row: usize| {
        let mut hasher = DefaultHasher::new();
        for rows in &own {
            let (_, values) = rows.pick(&[row]);
            values.iter().for_each(|v| v.to_bits().hash(&mut hasher));
        }
        hasher.finish()
    };
    (0..count).map(print).collect::<HashSet<u64>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, axes: &[Option<usize>]) -> Rows {
        let values = (0..count * 2).map(|n| n as f32).collect();
        Rows::fitted(vec![count, 2], values, &Wanted { name: "x", axes }).unwrap()
    }

    #[test]
    fn rows_are_divided_by_row_and_each_is_in_one_part() {
        for fixed in [None, Some(1), Some(3)] {
            let axes = [fixed, Some(2)];
            let wanted = [Wanted {
                name: "x",
                axes: &axes,
            }];
            let inputs = divided(&[rows(100, &axes)], &wanted, 0).unwrap();
            let each = [&inputs.fit, &inputs.choose, &inputs.test];
            let firsts = |batches: &Vec<Batch>| -> Vec<usize> {
                let values = batches.iter().flat_map(|b| b[0].values.chunks(2));
                values.map(|row| row[0] as usize / 2).collect()
            };
            let found = each.map(firsts);
            assert_eq!(found.each_ref().map(Vec::len), inputs.rows);
            let names: Vec<String> = found[2]
                .iter()
                .map(|row| format!("row {}", row + 1))
                .collect();
            assert_eq!(inputs.tested, names);
            let mut all = found.concat();
            all.sort_unstable();
            all.dedup();
            let whole = if fixed == Some(3) {
                90..=100
            } else {
                100..=100
            };
            assert!(whole.contains(&all.len()), "{}", all.len());
            assert!(
                inputs.rows[1] >= 12 && inputs.rows[2] >= 12,
                "{:?}",
                inputs.rows
            );
            if let Some(n) = fixed {
                assert!(each.iter().all(|b| b.iter().all(|b| b[0].shape == [n, 2])));
            }
        }
    }

    #[test]
    fn the_first_inputs_are_as_many_as_are_asked_for_where_a_batch_is_open() {
        for (fixed, wanted_rows, rows_there) in [
            (None, 1, 1),
            (None, 99, 8),
            (Some(1), 99, 1),
            (Some(3), 1, 3),
        ] {
            let axes = [fixed, Some(2)];
            let wanted = [Wanted {
                name: "x",
                axes: &axes,
            }];
            let inputs = divided(&[rows(100, &axes)], &wanted, 0).unwrap();
            let batch = inputs.first(wanted_rows).unwrap();
            assert_eq!(batch[0].shape, [rows_there, 2], "{fixed:?}");
            assert_eq!(batch[0].values, inputs.test[0][0].values[..2 * rows_there]);
        }
    }

    #[test]
    fn what_goes_in_and_how_little_it_is_are_told() {
        let axes = [None, Some(2)];
        let wanted = [Wanted {
            name: "x",
            axes: &axes,
        }];
        let of = |count| divided(&[rows(count, &axes)], &wanted, 0).unwrap();
        let few = of(199);
        assert_eq!(
            few.fed(),
            ["'x': 199 rows of 2, from 0.000 to 397.000, mean 198.500, standard deviation 114.892"]
        );
        assert_eq!(
            few.notes,
            ["what was lost is counted on 29 inputs alone: give more to know it better"]
        );
        assert!(of(200).notes.is_empty());
    }

    #[test]
    fn copies_of_inputs_are_too_few_however_many() {
        let axes = [None, Some(2)];
        let wanted = [Wanted {
            name: "x",
            axes: &axes,
        }];
        let of = |different: usize| {
            let values = (0..60).flat_map(|row| [1.0, (row % different) as f32]);
            let rows = Rows::fitted(vec![60, 2], values.collect(), &wanted[0]).unwrap();
            divided(&[rows], &wanted, 0)
        };
        let error = of(15).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--repair: only 15 of 60 inputs differ: repairing takes 16 at least"
        );
        of(16).unwrap();
    }

    #[test]
    fn too_few_rows_and_rows_that_differ_in_number_are_told() {
        let axes = [Some(2), Some(2)];
        let wanted = [Wanted {
            name: "x",
            axes: &axes,
        }];
        let error = divided(&[rows(31, &axes)], &wanted, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--repair: 31 inputs are too few: repairing takes 32 at least"
        );
        let none = [Some(0), Some(2)];
        let wanted = [Wanted {
            name: "x",
            axes: &none,
        }];
        let error = divided(&[rows(40, &axes)], &wanted, 0).unwrap_err();
        assert!(error.to_string().contains("takes no rows"), "{error}");
        let open = [None, Some(2)];
        let both = ["x", "y"].map(|name| Wanted { name, axes: &open });
        let error = divided(&[rows(20, &open), rows(30, &open)], &both, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--repair: 'y' has 30 rows, and another input 20"
        );
        divided(&[rows(20, &open), rows(1, &open)], &both, 0).unwrap();
    }
}
