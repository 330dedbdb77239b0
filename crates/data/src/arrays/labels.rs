//! What an array of targets means: classes or numbers.

use std::collections::BTreeSet;

use crate::arrays::array::Array;
use crate::dataset::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::options::Task;

/// The most classes that are read, as from tables.
const MOST_CLASSES: usize = 1_000;

/// Reads the targets of training rows and, behind them, of test rows: whole numbers alone in a row are classes unless a
/// `task` says otherwise, all others are values.
///
/// The second value says what was inferred.
///
/// # Errors
/// Arrays of other shapes than rows or rows x columns; several columns or fractions as classes; too many classes; a
/// class of the test rows that training lacks.
pub(crate) fn target(arrays: Vec<Array>, task: Option<Task>) -> Result<(Target, Option<String>)> {
    let width = width(&arrays)?;
    let whole = !arrays.iter().any(|array| array.number().is_float());
    let train_rows = arrays[0].rows();
    let within = {
        let place = arrays[0].error(ErrorKind::Value, "");
        move |error: Error| error.in_file(place.file().unwrap_or_default())
    };
    if width > 1 && task == Some(Task::Classification) {
        let message = format!("{width} targets a row cannot be classes");
        return Err(arrays[0]
            .error(ErrorKind::Usage, message)
            .hint("give one whole number a row, or choose regression"));
    }
    let classes = task.map_or(whole && width == 1, |task| task == Task::Classification);
    if classes && whole {
        let labels = all::<i64>(arrays)?;
        let note = task
            .is_none()
            .then(|| "`y` holds whole numbers, which are taken for classes; choose the task regression to predict numbers".into());
        return Ok((of_labels(&labels, train_rows).map_err(within)?, note));
    }
    let values = all::<f32>(arrays)?;
    if classes {
        if values.iter().any(|value| value.fract() != 0.0) {
            let message = "the target has fractions, which are no classes";
            return Err(within(
                Error::new(ErrorKind::Usage, message).hint("choose regression"),
            ));
        }
        let labels: Vec<i64> = values.iter().map(|&value| value as i64).collect();
        return Ok((of_labels(&labels, train_rows).map_err(within)?, None));
    }
    let columns = match width {
        1 => vec!["y".into()],
        _ => (1..=width).map(|column| format!("y{column}")).collect(),
    };
    Ok((Target::Values { columns, values }, None))
}

/// The targets of a row.
fn width(arrays: &[Array]) -> Result<usize> {
    let mut widths = arrays.iter().map(|array| match *array.shape() {
        [_] => Ok(1),
        [_, width] if width > 0 => Ok(width),
        _ => {
            let message = format!("targets of shape {:?}", array.shape());
            Err(array
                .error(ErrorKind::Malformed, message)
                .hint("give one target a row, or rows x targets"))
        }
    });
    let first = widths.next().unwrap_or(Ok(1))?;
    for (width, array) in widths.zip(&arrays[1..]) {
        let width = width?;
        if width != first {
            let message = format!("{width} targets a row where training has {first}");
            return Err(array.error(ErrorKind::Malformed, message));
        }
    }
    Ok(first)
}

fn all<T: crate::arrays::array::Cell>(arrays: Vec<Array>) -> Result<Vec<T>> {
    let mut values = Vec::new();
    for array in arrays {
        array.read_into(&mut values)?;
    }
    Ok(values)
}

/// The labels that occur in the first `train` rows, in order of value, as classes.
fn of_labels(labels: &[i64], train: usize) -> Result<Target> {
    let mut known = BTreeSet::new();
    for &label in &labels[..train] {
        known.insert(label);
        if known.len() > MOST_CLASSES {
            let message = format!("the target has more than {MOST_CLASSES} different values");
            return Err(Error::new(ErrorKind::Limit, message)
                .hint("choose regression if it holds numbers, not classes"));
        }
    }
    let known: Vec<i64> = known.into_iter().collect();
    let class = |(row, label): (usize, &i64)| match known.binary_search(label) {
        Ok(class) => Ok(class as u32),
        Err(_) => {
            let message = format!(
                "label {label} of test row {} is beyond the {} classes of training",
                row + 1 - train,
                known.len()
            );
            Err(Error::new(ErrorKind::Value, message)
                .hint("the arrays are not of one set, or training lacks a class"))
        }
    };
    Ok(Target::Classes {
        labels: labels
            .iter()
            .enumerate()
            .map(class)
            .collect::<Result<_>>()?,
        names: known.iter().map(i64::to_string).collect(),
    })
}
