//! Which columns of a text table are predicted, and whether as classes or as numbers.

use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use crate::options::{LoadOptions, Task};
use crate::table::columns::{Census, Kind, levels};
use crate::table::header::Header;
use crate::table::rows::Rows;

/// Whole numbers with more different values than this are taken for numbers, not classes.
const INFERRED_CLASSES: usize = 20;
/// A whole number is taken for a class only where classes have this many rows on average.
const INFERRED_ROWS_PER_CLASS: usize = 5;
/// The most classes that are read at all.
const MOST_CLASSES: usize = 1_000;

/// What to predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The values of one column, whose spellings are `spellings`; class `i` is called `names[i]`.
    Classes {
        column: usize,
        spellings: Vec<String>,
        names: Vec<String>,
    },
    /// One or several columns of numbers.
    Values(Vec<usize>),
}

impl Plan {
    /// Chooses the target columns and the task.
    ///
    /// Without a target in `options` it is the last column. Without a task it is classification where the column is text,
    /// or holds at most 20 different whole numbers that have 5 rows each on average; else, and with several columns,
    /// it is regression. The second value says what was inferred.
    ///
    /// # Errors
    /// No such column, a column named twice, text where numbers are to be predicted, fractions as classes.
    pub(crate) fn make(
        rows: &Rows<'_>,
        count: usize,
        header: &Header,
        columns: &[Census],
        options: &LoadOptions,
    ) -> Result<(Self, Option<String>)> {
        let chosen = match &options.target {
            Some(names) if !names.is_empty() => choose(header, names)?,
            _ => vec![header.width() - 1],
        };
        let label = |column: usize| format!("`{}`", header.label(column));
        let text = chosen
            .iter()
            .find(|&&column| columns[column].kind() == Kind::Text);
        if let Some(&column) = text
            && (chosen.len() > 1 || options.task == Some(Task::Regression))
        {
            let error = Error::new(ErrorKind::Value, "the target is text, not a number");
            return Err(error
                .in_column(header.label(column))
                .hint("predict it alone, as classes, or choose columns of numbers"));
        }
        let &[column] = chosen.as_slice() else {
            if options.task == Some(Task::Classification) {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "several target columns cannot be classes",
                )
                .hint("name one target, or choose regression"));
            }
            return Ok((Self::Values(chosen), None));
        };
        let which = match options.target {
            None => format!("the last column, {}, is predicted", label(column)),
            Some(_) => format!("{} is predicted", label(column)),
        };
        match options.task {
            Some(Task::Regression) => {
                let note = options
                    .target
                    .is_none()
                    .then(|| format!("{which} as a number"));
                Ok((Self::Values(chosen), note))
            }
            Some(Task::Classification) => {
                let note = options
                    .target
                    .is_none()
                    .then(|| format!("{which} as a class"));
                Ok((Self::classes(rows, header, columns, column)?, note))
            }
            None if text.is_some() || header.classes.is_some() => {
                let note = format!("{which} as a class");
                Ok((Self::classes(rows, header, columns, column)?, Some(note)))
            }
            None => {
                let few = match columns[column].whole() {
                    true => levels(rows, header, &[column], INFERRED_CLASSES)?
                        .pop()
                        .flatten(),
                    false => None,
                };
                match few.filter(|names| count >= INFERRED_ROWS_PER_CLASS * names.len()) {
                    Some(names) => {
                        let note = format!(
                            "{which} as a class: it has {} different whole values; choose the task regression to predict a number",
                            names.len()
                        );
                        Ok((Self::classes(rows, header, columns, column)?, Some(note)))
                    }
                    None => Ok((Self::Values(chosen), Some(format!("{which} as a number")))),
                }
            }
        }
    }

    fn classes(
        rows: &Rows<'_>,
        header: &Header,
        columns: &[Census],
        column: usize,
    ) -> Result<Self> {
        let named = header
            .classes
            .as_ref()
            .filter(|_| column + 1 == header.width());
        if let Some(names) = named {
            return Ok(Self::Classes {
                column,
                spellings: (0..names.len()).map(|class| class.to_string()).collect(),
                names: names.clone(),
            });
        }
        if columns[column].kind() == Kind::Number && !columns[column].whole() {
            let error = Error::new(
                ErrorKind::Usage,
                "the target has fractions, which are no classes",
            );
            return Err(error
                .in_column(header.label(column))
                .hint("choose regression"));
        }
        match levels(rows, header, &[column], MOST_CLASSES)?
            .pop()
            .flatten()
        {
            Some(names) => Ok(Self::Classes {
                column,
                spellings: names.clone(),
                names,
            }),
            None => Err(Error::new(
                ErrorKind::Limit,
                format!("the target has more than {MOST_CLASSES} different values"),
            )
            .in_column(header.label(column))
            .hint("choose another target, or regression if it holds numbers")),
        }
    }

    /// Whether `column` is predicted and thus no input.
    pub(crate) fn contains(&self, column: usize) -> bool {
        match self {
            Self::Classes { column: target, .. } => *target == column,
            Self::Values(targets) => targets.contains(&column),
        }
    }
}

/// Finds each wanted column by its name, or else by its number from 1.
fn choose(header: &Header, wanted: &[String]) -> Result<Vec<usize>> {
    let mut chosen = Vec::with_capacity(wanted.len());
    for name in wanted {
        let mut named = (0..header.width()).filter(|&column| header.names[column] == *name);
        let number = || {
            name.parse::<usize>()
                .ok()?
                .checked_sub(1)
                .filter(|&c| c < header.width())
        };
        let column = match (named.next(), named.next()) {
            (Some(column), None) => column,
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("several columns are called `{name}`"),
                )
                .hint("give the number of the column, from 1"));
            }
            (None, _) => number().ok_or_else(|| unknown(header, name))?,
        };
        if chosen.contains(&column) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the target `{name}` is named twice"),
            ));
        }
        chosen.push(column);
    }
    Ok(chosen)
}

fn unknown(header: &Header, name: &str) -> Error {
    const SHOWN: usize = 30;
    let mut known = header
        .names
        .iter()
        .take(SHOWN)
        .map(|n| format!("`{n}`"))
        .collect::<Vec<_>>();
    if header.width() > SHOWN {
        known.push("...".into());
    }
    let message = match nearest(name, header.names.iter().map(String::as_str)) {
        Some(near) => format!("no column `{name}`, but there is `{near}`"),
        None => format!("no column `{name}`"),
    };
    Error::new(ErrorKind::Usage, message).hint(format!(
        "the columns are {}; a number from 1 to {} will do as well",
        known.join(", "),
        header.width()
    ))
}
