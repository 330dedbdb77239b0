//! What the columns of a text table hold: numbers or text, and what is wrong in them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::options::Missing;
use crate::table::header::Header;
use crate::table::rows::Rows;

/// One cell, read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'t> {
    Number(f64),
    /// Infinite, or beyond the range of `f32`.
    Infinite,
    Missing,
    Text(&'t str),
}

impl<'t> Cell<'t> {
    pub(crate) fn of(cell: &'t str) -> Self {
        let cell = cell.trim();
        let missing = ["", "?", "na", "n/a", "nan", "-nan", "null"];
        if missing.iter().any(|word| cell.eq_ignore_ascii_case(word)) {
            return Self::Missing;
        }
        match cell.parse::<f64>() {
            Ok(number) if (number as f32).is_finite() => Self::Number(number),
            Ok(_) => Self::Infinite,
            Err(_) => Self::Text(cell),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
}

/// What one column holds over all rows, with the line and text of the first cell of each doubtful sort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    numbers: usize,
    texts: usize,
    pub(crate) missing: usize,
    fractions: usize,
    first_text: Option<(u64, String)>,
    first_missing: Option<(u64, String)>,
    first_infinite: Option<(u64, String)>,
}

impl Census {
    fn add(&mut self, line: u64, cell: &str) {
        let first = match Cell::of(cell) {
            Cell::Number(number) => {
                self.numbers += 1;
                self.fractions += usize::from(number.fract() != 0.0);
                return;
            }
            Cell::Infinite => &mut self.first_infinite,
            Cell::Missing => {
                self.missing += 1;
                &mut self.first_missing
            }
            Cell::Text(_) => {
                self.texts += 1;
                &mut self.first_text
            }
        };
        first.get_or_insert_with(|| (line, cell.trim().to_owned()));
    }

    /// Text where most cells are; a table with decimal commas is one of numbers that cannot be read.
    pub(crate) fn kind(&self) -> Kind {
        let commas = |text: &(u64, String)| text.1.replacen(',', ".", 1).parse::<f64>().is_ok();
        if self.texts <= self.numbers || self.first_text.as_ref().is_some_and(commas) {
            Kind::Number
        } else {
            Kind::Text
        }
    }

    /// Whether all numbers are whole.
    pub(crate) fn whole(&self) -> bool {
        self.fractions == 0
    }

    /// The first cell that cannot be used.
    fn fault(&self, missing: Missing) -> Option<(u64, Error)> {
        let number = self.kind() == Kind::Number;
        let value = |message| Error::new(ErrorKind::Value, message);
        let text = self
            .first_text
            .as_ref()
            .filter(|_| number)
            .map(|(line, cell)| {
                let error = value(format!("`{cell}` is not a number"));
                (*line, error.hint(if cell.contains(',') {
                "write numbers with a decimal point and without thousands separators"
            } else {
                "correct the cell, or leave it empty and let missing cells take their column's mean"
            }))
            });
        let infinite = self.first_infinite.as_ref().map(|(line, cell)| {
            let error = value(format!(
                "`{cell}` is infinite or beyond the range of 32-bit floats"
            ));
            (*line, error.hint("correct the cell or remove the row"))
        });
        let empty = self
            .first_missing
            .as_ref()
            .filter(|_| missing == Missing::Error);
        let empty = empty.map(|(line, cell)| {
            let error = value(if cell.is_empty() {
                "a cell is empty".to_owned()
            } else {
                format!("`{cell}` is a missing value")
            });
            (*line, error.hint("fill it in, remove the row, or let missing cells take their column's mean (`--missing mean`)"))
        });
        text.into_iter()
            .chain(infinite)
            .chain(empty)
            .min_by_key(|(line, _)| *line)
    }
}

/// Looks at every cell once.
///
/// # Errors
/// Ragged rows, or none.
pub(crate) fn survey(rows: &Rows<'_>, header: &Header) -> Result<(usize, Vec<Census>)> {
    let mut columns = vec![Census::default(); header.width()];
    let mut count = 0;
    rows.each(header.skip, header.width(), |line, row| {
        count += 1;
        for (census, cell) in columns.iter_mut().zip(row) {
            census.add(line, cell);
        }
        Ok(())
    })?;
    if count == 0 {
        return Err(Error::new(ErrorKind::Degenerate, "the table has no rows"));
    }
    Ok((count, columns))
}

/// Checks the first columns of a table of `count` rows.
///
/// # Errors
/// The first cell, in the order of the file, that cannot be used; a column without any value.
pub(crate) fn check(
    columns: &[Census],
    count: usize,
    header: &Header,
    missing: Missing,
) -> Result<()> {
    let faults = columns.iter().enumerate();
    let first = faults
        .filter_map(|(column, census)| Some((census.fault(missing)?, column)))
        .min_by_key(|((line, _), column)| (*line, *column));
    if let Some(((line, error), column)) = first {
        return Err(error.at_line(line).in_column(header.label(column)));
    }
    if let Some(column) = columns.iter().position(|census| census.missing == count) {
        return Err(Error::new(ErrorKind::Value, "the column has no value")
            .in_column(header.label(column))
            .hint("remove the column"));
    }
    Ok(())
}

/// What tells two cells of a column apart when it is read as names: the text, or the number however it is written.
pub(crate) fn level(cell: &str) -> Cow<'_, str> {
    match Cell::of(cell) {
        // Adding zero takes the sign off a negative zero.
        Cell::Number(number) => Cow::Owned((number + 0.0).to_string()),
        Cell::Infinite | Cell::Missing | Cell::Text(_) => Cow::Borrowed(cell.trim()),
    }
}

/// The distinct values of each of `columns`, sorted (numbers by value, before text); `None` past `most`.
pub(crate) fn levels(
    rows: &Rows<'_>,
    header: &Header,
    columns: &[usize],
    most: usize,
) -> Result<Vec<Option<Vec<String>>>> {
    let mut found: Vec<Option<BTreeSet<String>>> = vec![Some(BTreeSet::new()); columns.len()];
    rows.each(header.skip, header.width(), |_, row| {
        for (&column, found) in columns.iter().zip(&mut found) {
            let Some(names) = found else { continue };
            if Cell::of(&row[column]) == Cell::Missing {
                continue;
            }
            let name = level(&row[column]);
            if !names.contains(name.as_ref()) {
                names.insert(name.into_owned());
            }
            if names.len() > most {
                *found = None;
            }
        }
        Ok(())
    })?;
    let sorted = |names: BTreeSet<String>| {
        let mut names: Vec<String> = names.into_iter().collect();
        let value = |name: &String| name.parse().unwrap_or(f64::INFINITY);
        names.sort_by(|a, b| value(a).total_cmp(&value(b)));
        names
    };
    Ok(found.into_iter().map(|names| names.map(sorted)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, missing: Missing) -> String {
        let rows = Rows::new(text.as_bytes()).unwrap();
        let header = Header::find(&rows, None).unwrap();
        let checked = survey(&rows, &header)
            .and_then(|(count, census)| check(&census, count, &header, missing));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn the_first_fault_of_the_file_is_named() {
        let error = |text| error(text, Missing::Error);
        assert_eq!(
            error("a,b\n1,2\n3,x\n?,4\n"),
            "line 3: column `b`: `x` is not a number"
        );
        assert_eq!(
            error("a,b\n1,2\n?,4\n3,x\n5,6\n"),
            "line 3: column `a`: `?` is a missing value"
        );
        assert_eq!(error("1,2\n3,\n"), "line 2: column `2`: a cell is empty");
        assert_eq!(
            error("a,b\n1,2\n3,-inf\n"),
            "line 3: column `b`: `-inf` is infinite or beyond the range of 32-bit floats"
        );
        assert_eq!(
            error("a;b\n1;2,5\n3;4,5\n"),
            "line 2: column `b`: `2,5` is not a number"
        );
        assert_eq!(error("a,b\n"), "the table has no rows");
    }

    #[test]
    fn missing_cells_may_be_allowed_but_not_whole_columns_or_infinities() {
        let error = |text| error(text, Missing::Mean);
        assert_eq!(
            error("a,b\n1,\n3,NaN\n"),
            "column `b`: the column has no value"
        );
        assert_eq!(
            error("a,b\nNA,1e39\n3,4\n"),
            "line 2: column `b`: `1e39` is infinite or beyond the range of 32-bit floats"
        );
    }

    #[test]
    fn levels_are_sorted_by_value_and_spelling_does_not_matter() {
        let rows = Rows::new(b"10,b\n2.0,a\n2,b\n-0,?\n0,a\n").unwrap();
        let header = Header::find(&rows, Some(false)).unwrap();
        let found = levels(&rows, &header, &[0, 1], 3).unwrap();
        let names = |names: &[&str]| Some(names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
        assert_eq!(found, [names(&["0", "2", "10"]), names(&["a", "b"])]);
        assert_eq!(levels(&rows, &header, &[0], 2).unwrap(), [None]);
    }
}
