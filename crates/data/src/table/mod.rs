//! Text tables: delimited or spaced columns of numbers and names.
//!
//! The text is walked a few times instead of being held as cells: once for what each column holds, once more for the
//! names in text columns, once to fill the table.

mod columns;
mod header;
mod plain;
mod rows;
mod target;

use std::collections::HashMap;

use csv::StringRecord;

use crate::dataset::{Dataset, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::options::LoadOptions;
use columns::{Cell, Census, Kind, check, level, levels, survey};
use header::Header;
pub(crate) use plain::Plain;
use rows::Rows;
use target::Plan;

/// A text column becomes one input a value; with more values than this it is taken for an identifier.
const MOST_VALUES: usize = 100;

/// Reads a table from the bytes of a text file.
///
/// # Errors
/// What is wrong with the text by line and column, and targets that it does not have.
pub(crate) fn read(bytes: &[u8], name: &str, options: &LoadOptions) -> Result<Dataset> {
    let rows = Rows::new(bytes)?;
    let header = Header::find(&rows, options.header)?;
    let (count, census) = survey(&rows, &header)?;
    check(&census, count, &header, options.missing)?;
    let (plan, inferred) = Plan::make(&rows, count, &header, &census, options)?;
    let inputs = inputs(&rows, &header, &census, &plan)?;
    let mut notes: Vec<String> = header.note.iter().cloned().chain(inferred).collect();
    notes.extend(notes_on_inputs(&inputs, &header, &census));

    let mut filler = Filler::new(count, &header, inputs, plan, options)?;
    rows.each(header.skip, header.width(), |line, row| {
        filler.add(line, row)
    })?;
    let (features, names, target) = filler.finish()?;
    notes.extend(constant_columns(&features, &names));
    Ok(Dataset::new(name, features.compact(), target)?
        .with_feature_names(names)
        .with_notes(notes))
}

/// How one column of the file becomes inputs.
enum Input {
    /// One input with the cell's number.
    Number { column: usize },
    /// One input for each value of a text column: 1 for the cell's own, 0 for the others.
    OneHot { column: usize, values: Vec<String> },
}

fn inputs(rows: &Rows<'_>, header: &Header, census: &[Census], plan: &Plan) -> Result<Vec<Input>> {
    let columns = || (0..header.width()).filter(|&column| !plan.contains(column));
    let texts: Vec<usize> = columns()
        .filter(|&c| census[c].kind() == Kind::Text)
        .collect();
    let mut values = match texts.as_slice() {
        [] => Vec::new(),
        texts => levels(rows, header, texts, MOST_VALUES)?,
    }
    .into_iter();
    columns()
        .map(|column| match census[column].kind() {
            Kind::Number => Ok(Input::Number { column }),
            Kind::Text => match values.next().flatten() {
                Some(values) => Ok(Input::OneHot { column, values }),
                None => Err(Error::new(
                    ErrorKind::Limit,
                    format!("a text column of more than {MOST_VALUES} different values"),
                )
                .in_column(header.label(column))
                .hint(
                    "remove the column if it holds identifiers or free text, or group its values",
                )),
            },
        })
        .collect()
}

fn notes_on_inputs(inputs: &[Input], header: &Header, census: &[Census]) -> Vec<String> {
    let mut notes = Vec::new();
    for input in inputs {
        let (Input::Number { column } | Input::OneHot { column, .. }) = input;
        let label = header.label(*column);
        if let Input::OneHot { values, .. } = input {
            notes.push(format!(
                "column `{label}` is text: one input for each of its {} values",
                values.len()
            ));
        }
        match census[*column].missing {
            0 => {}
            1 => notes.push(format!(
                "column `{label}` has 1 missing cell, which takes the mean of the training rows"
            )),
            missing => notes.push(format!(
                "column `{label}` has {missing} missing cells, which take the mean of the training rows"
            )),
        }
    }
    notes
}

fn constant_columns(features: &Features, names: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    let constant: Vec<String> = (0..features.columns())
        .filter(|&column| {
            let first = features.cell(0, column);
            (1..features.rows()).all(|row| features.cell(row, column) == first)
        })
        .map(|column| format!("`{}`", names[column]))
        .collect();
    let shown = constant[..constant.len().min(SHOWN)].join(", ");
    match constant.len() {
        0 => None,
        1 => Some(format!(
            "column {shown} is constant; it is kept, but tells nothing"
        )),
        n => Some(format!(
            "{n} columns are constant; they are kept, but tell nothing: {shown}{}",
            if n > SHOWN { ", ..." } else { "" }
        )),
    }
}

/// The table as it grows row by row.
struct Filler<'h> {
    header: &'h Header,
    inputs: Vec<(Input, HashMap<String, usize>)>,
    names: Vec<String>,
    cells: Vec<f32>,
    target: Target,
    target_columns: Vec<usize>,
    classes: HashMap<String, u32>,
}

impl<'h> Filler<'h> {
    fn new(
        count: usize,
        header: &'h Header,
        inputs: Vec<Input>,
        plan: Plan,
        options: &LoadOptions,
    ) -> Result<Self> {
        let mut names = Vec::new();
        for input in &inputs {
            match input {
                Input::Number { column } => names.push(header.names[*column].clone()),
                Input::OneHot { column, values } => {
                    names.extend(
                        values
                            .iter()
                            .map(|v| format!("{}={v}", header.names[*column])),
                    );
                }
            }
        }
        let bytes = count
            .saturating_mul(names.len())
            .saturating_mul(size_of::<f32>());
        if bytes as u64 > options.max_bytes {
            let error = Error::new(
                ErrorKind::Limit,
                format!("{count} rows of {} inputs take {bytes} bytes", names.len()),
            );
            return Err(error.hint(format!("the limit is {} bytes", options.max_bytes)));
        }
        // What the limit allows for may still be more than there is.
        let mut cells = Vec::new();
        let room = cells.try_reserve_exact(count.saturating_mul(names.len()));
        room.map_err(|_| Error::new(ErrorKind::Limit, "no memory for the table"))?;
        let (target, target_columns, classes) = match plan {
            Plan::Classes {
                column,
                spellings,
                names,
            } => {
                let labels = Vec::with_capacity(count);
                let classes = spellings.into_iter().zip(0..).collect();
                (Target::Classes { labels, names }, vec![column], classes)
            }
            Plan::Values(targets) => {
                let columns = targets.iter().map(|&c| header.names[c].clone()).collect();
                let values = Vec::with_capacity(count * targets.len());
                (Target::Values { columns, values }, targets, HashMap::new())
            }
        };
        let index = |input| match input {
            Input::Number { .. } => (input, HashMap::new()),
            Input::OneHot { ref values, .. } => {
                let index = values.iter().cloned().zip(0..).collect();
                (input, index)
            }
        };
        Ok(Self {
            header,
            cells,
            inputs: inputs.into_iter().map(index).collect(),
            names,
            target,
            target_columns,
            classes,
        })
    }

    fn add(&mut self, line: u64, row: &StringRecord) -> Result<()> {
        for (input, index) in &self.inputs {
            match input {
                Input::Number { column } => self.cells.push(number(&row[*column])),
                Input::OneHot { column, values } => {
                    let start = self.cells.len();
                    let missing = Cell::of(&row[*column]) == Cell::Missing;
                    let rest = if missing { f32::NAN } else { 0.0 };
                    self.cells.resize(start + values.len(), rest);
                    if let Some(value) = index.get(level(&row[*column]).as_ref()) {
                        self.cells[start + value] = 1.0;
                    }
                }
            }
        }
        for &column in &self.target_columns {
            let value = |message: String| {
                let error = Error::new(ErrorKind::Value, message).at_line(line);
                error.in_column(self.header.label(column))
            };
            let cell = &row[column];
            if Cell::of(cell) == Cell::Missing {
                return Err(value("the target is missing".into()).hint("remove the row"));
            }
            match &mut self.target {
                Target::Values { values, .. } => values.push(number(cell)),
                Target::Classes { labels, names } => {
                    let Some(&class) = self.classes.get(level(cell).as_ref()) else {
                        return Err(value(format!(
                            "label `{}` is beyond the {} classes of the first line",
                            cell.trim(),
                            names.len()
                        )));
                    };
                    labels.push(class);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(Features, Vec<String>, Target)> {
        let features = Features::new(Storage::F32(self.cells), self.names.len())?;
        Ok((features, self.names, self.target))
    }
}

/// The number of a cell of a column that was surveyed; NaN where it is missing.
fn number(cell: &str) -> f32 {
    match Cell::of(cell) {
        Cell::Number(number) => number as f32,
        Cell::Infinite | Cell::Missing | Cell::Text(_) => f32::NAN,
    }
}

#[cfg(test)]
mod tests;
