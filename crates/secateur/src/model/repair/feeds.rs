//! What a model is run on: rows of its inputs, divided by row into those that are fitted on, chosen on and tested on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use secateur_data::{InputOptions, Pixels, Rows, Wanted, array_rows, read_input, read_inputs};
use secateur_graph::{Dim, Element, Graph, ValueId, from_tensor};
use secateur_onnx::{Limits, read_tensor_file};
use secateur_prune::repair::{Activation, Batch};

use super::memory::MEMORY;
use crate::job::RUN_PROPERTY;
use crate::model::ModelFile;
use crate::model::draw::table_rows;
use crate::spelt::by_channel;
use crate::{Config, Error, ErrorKind, Result};

/// Of each of so many rows, these are chosen on and tested on; moments are measured on the others.
const CYCLE: usize = 20;
const CHOSEN_ON: [usize; 3] = [3, 10, 17];
const TESTED_ON: [usize; 3] = [6, 13, 19];
/// The part that is tested on.
const TEST: usize = 2;
/// Runs without which there is nothing in one of the three parts, or next to nothing.
const FEWEST: usize = 16;
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
    /// What the user should know of how they were read.
    pub(super) notes: Vec<String>,
    pub(super) seed: u64,
    /// Bytes of activations that may be held at once.
    pub(super) memory: u64,
}

impl ModelFile {
    /// Reads inputs to repair on: `sources` are `NAME=DATA` for each input of the model, or `DATA` alone where it has one or where
    /// an archive has an array for each. For what data may be, see [`read_input`]; tensors as in ONNX's own test data as well.
    ///
    /// # Errors
    /// If data cannot be read, do not fit an input, or are too few.
    pub fn read_inputs(&self, sources: &[String], options: &InputOptions) -> Result<RepairInputs> {
        let inputs = self.graph().inputs();
        let axes: Vec<Vec<Option<usize>>> = inputs.iter().map(|&id| self.axes(id)).collect();
        let name = |id: ValueId| self.graph().value(id).name.as_str();
        let wanted = inputs.iter().zip(&axes);
        let wanted = wanted.map(|(&id, axes)| Wanted {
            name: name(id),
            axes,
        });
        let wanted: Vec<Wanted<'_>> = wanted.collect();
        let named = |source: &str| {
            let (before, data) = source.split_once('=')?;
            let at = wanted.iter().position(|w| w.name == before)?;
            Some((at, data.to_owned()))
        };
        let rows = match sources {
            [only] if named(only).is_none() => match (&wanted[..], is_tensor(only)) {
                ([input], true) => vec![read_tensor(only, input, options)?],
                _ => read_inputs(only, &wanted, options)?,
            },
            _ => {
                let mut found: Vec<Option<Rows>> = wanted.iter().map(|_| None).collect();
                for source in sources {
                    let Some((at, data)) = named(source) else {
                        return Err(unnamed(source, &wanted));
                    };
                    if found[at].is_some() {
                        let message = format!("'{}' has inputs twice", wanted[at].name);
                        return Err(Error::usage(message)
                            .at("--repair")
                            .hint("give each input one"));
                    }
                    found[at] = Some(match is_tensor(&data) {
                        true => read_tensor(&data, &wanted[at], options)?,
                        false => read_input(&data, &wanted[at], options)?,
                    });
                }
                let missing = |at: usize| {
                    let message = format!("nothing is given for '{}'", wanted[at].name);
                    let hint = "give each input of the model its own, as NAME=FILE";
                    Error::usage(message).at("--repair").hint(hint)
                };
                let all = found.into_iter().enumerate();
                all.map(|(at, rows)| rows.ok_or_else(|| missing(at)))
                    .collect::<Result<_>>()?
            }
        };
        for (&id, rows) in inputs.iter().zip(&rows) {
            check_whole(rows, self.graph(), id)?;
        }
        divided(&rows, &wanted, options.seed)
    }

    /// Rows of the only input: their number and the lengths of one, their numbers, and what each is called.
    ///
    /// # Errors
    /// If they do not fit it, are too few, or there is another input.
    pub(crate) fn inputs_of(
        &self,
        (shape, values): (Vec<usize>, Vec<f32>),
        names: Vec<String>,
        seed: u64,
    ) -> Result<RepairInputs> {
        let &[input] = self.graph().inputs() else {
            let message = format!(
                "has {} inputs, and the rows are for one",
                self.graph().inputs().len()
            );
            return Err(Error::new(ErrorKind::Input, message).at(&self.name));
        };
        let axes = self.axes(input);
        let wanted = Wanted {
            name: &self.graph().value(input).name,
            axes: &axes,
        };
        let rows = Rows::fitted(shape, values, &wanted)?.named(names);
        divided(&[rows], &[wanted], seed)
    }

    /// How pixels of inputs are scaled: as the mean and standard deviation of `config` say, behind a largest pixel of `top`, which is 1
    /// unless the model scales pixels itself, as those do that a run wrote and those that take whole numbers.
    ///
    /// # Errors
    /// If one of them is no number that can be used.
    pub fn pixels(&self, config: &Config, top: Option<f32>) -> Result<Pixels> {
        let of = |flag, text: &Option<String>, plain: f32| match text {
            Some(text) => by_channel(flag, text),
            None => Ok(vec![plain]),
        };
        let mut properties = self.model.metadata_props.iter();
        let is_run = properties.any(|p| p.key.as_deref() == Some(RUN_PROPERTY));
        let is_whole = |&id: &ValueId| {
            let element = self.graph().value(id).element;
            self.axes(id).len() == 4 && element.is_some_and(|e| !e.is_float())
        };
        let takes_bytes = is_run || self.graph().inputs().iter().any(is_whole);
        let pixels = Pixels {
            top: top.unwrap_or(if takes_bytes { 255.0 } else { 1.0 }),
            mean: of("--mean", &config.mean, 0.0)?,
            std: of("--std", &config.std, 1.0)?,
        };
        let is_above = |v: &f32| v.is_finite() && *v > 0.0;
        let is_fine = [
            ("--scale", is_above(&pixels.top)),
            ("--mean", pixels.mean.iter().all(|m| m.is_finite())),
            ("--std", pixels.std.iter().all(is_above)),
        ];
        match is_fine.iter().find(|(_, is_fine)| !is_fine) {
            None => Ok(pixels),
            Some((flag, _)) => {
                let message = "a mean is a finite number, a largest pixel and a standard deviation are above 0";
                Err(Error::usage(message).at(*flag))
            }
        }
    }

    /// Lengths of an input's axes; none where one is open.
    fn axes(&self, id: ValueId) -> Vec<Option<usize>> {
        let shape = self.sized().value(id).shape.as_deref();
        shape.unwrap_or_default().iter().map(Dim::fixed).collect()
    }
}

fn is_tensor(path: &str) -> bool {
    path.ends_with(".pb")
}

fn read_tensor(path: &str, wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    let bad = |message: String| Error::new(ErrorKind::Input, message).at(path);
    let message =
        read_tensor_file(Path::new(path), &Limits::default()).map_err(|e| bad(e.to_string()))?;
    let tensor = from_tensor(&message).map_err(|e| bad(e.to_string()))?;
    let tensor = tensor.ok_or_else(|| bad("holds no numbers that can be computed with".into()))?;
    let values = tensor.numbers().into_iter().map(|v| v as f32).collect();
    let shape = tensor.shape().to_vec();
    let are_bytes = tensor.element() == Element::U8;
    let rows = array_rows((shape, values), are_bytes, wanted, options);
    Ok(rows.map_err(|e| e.in_file(path))?)
}

/// Refuses rows for an input of whole numbers that hold others, or what is beyond its type or the table that it looks up.
fn check_whole(rows: &Rows, graph: &Graph, id: ValueId) -> Result<()> {
    let value = graph.value(id);
    let name = &value.name;
    let Some(element) = value.element.filter(|element| !element.is_float()) else {
        return Ok(());
    };
    let table = table_rows(graph, id);
    // Negative positions count from the end.
    let is_in = |v: f64| table.is_none_or(|rows| (-(rows as f64)..rows as f64).contains(&v));
    for row in 0..rows.count() {
        let (_, values) = rows.pick(&[row]);
        let mut values = values.iter().map(|&v| f64::from(v));
        let Some(odd) = values.find(|&v| !element.holds(v) || !is_in(v)) else {
            continue;
        };
        let known = rows.name(row);
        let row = known.map_or_else(|| format!("row {}", row + 1), str::to_owned);
        let (message, hint) = match (element.holds(odd), table) {
            (true, Some(table)) => (
                format!(
                    "'{name}' looks up a table of {table} rows, counted from 0, and {row} holds {odd}"
                ),
                "give numbers as the model was trained on them",
            ),
            _ => (
                format!(
                    "'{name}' takes whole numbers ({}), and {row} holds {odd}",
                    element.name()
                ),
                "give whole numbers; pixels stay what they are with --scale 255, without --mean and --std",
            ),
        };
        return Err(Error::new(ErrorKind::Input, message)
            .at("--repair")
            .hint(hint));
    }
    Ok(())
}

fn unnamed(source: &str, wanted: &[Wanted<'_>]) -> Error {
    let names: Vec<&str> = wanted.iter().map(|w| w.name).collect();
    let message = format!("'{source}' does not say which input it is for");
    Error::usage(message).at("--repair").hint(format!(
        "write NAME=FILE; the inputs are {}",
        names.join(", ")
    ))
}

/// Rows as the model is run on them.
fn divided(rows: &[Rows], wanted: &[Wanted<'_>], seed: u64) -> Result<RepairInputs> {
    let count = rows
        .iter()
        .map(Rows::count)
        .filter(|&n| n > 1)
        .min()
        .unwrap_or(1);
    for (rows, wanted) in rows.iter().zip(wanted) {
        if rows.count() > 1 && rows.count() != count {
            let message = format!(
                "'{}' has {} rows, and another input {count}",
                wanted.name,
                rows.count()
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
    let [fit, choose, test] = parts;
    let of_input = |(rows, wanted): (&Rows, &Wanted<'_>)| {
        let of = format!("'{}': ", wanted.name);
        let notes = rows.notes().iter();
        notes.map(|note| of.clone() + note).collect::<Vec<_>>()
    };
    Ok(RepairInputs {
        fit,
        choose,
        test,
        rows: counts,
        tested,
        notes: rows.iter().zip(wanted).flat_map(of_input).collect(),
        seed,
        memory: MEMORY,
    })
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
