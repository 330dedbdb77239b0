//! Tables of numbers alone, of which nothing is predicted.

use crate::error::Result;
use crate::options::Missing;
use crate::table::columns::{Census, Kind, check, survey};
use crate::table::header::Header;
use crate::table::number;
use crate::table::rows::Rows;

/// What to do about a cell that is no number.
const HINT: &str = "a network reads numbers: correct the cell, or leave out the row or the column";

/// A table whose cells were looked at once.
pub(crate) struct Plain<'t> {
    rows: Rows<'t>,
    header: Header,
    count: usize,
    census: Vec<Census>,
}

/// Some rows of a table.
#[derive(Debug, PartialEq)]
pub(crate) struct Numbers {
    /// Row after row.
    pub(crate) values: Vec<f32>,
    /// The line of each row in the file.
    pub(crate) lines: Vec<u64>,
}

impl<'t> Plain<'t> {
    /// # Errors
    /// Bytes that are no text, ragged rows, or none.
    pub(crate) fn new(bytes: &'t [u8]) -> Result<Self> {
        let rows = Rows::new(bytes)?;
        let header = Header::find(&rows, None)?;
        let (count, census) = survey(&rows, &header)?;
        Ok(Self {
            rows,
            header,
            count,
            census,
        })
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.header.width()
    }

    /// What a column is called, or its number from 1.
    pub(crate) fn label(&self, column: usize) -> String {
        self.header.label(column)
    }

    /// The first column of text.
    pub(crate) fn text(&self) -> Option<usize> {
        self.census.iter().position(|c| c.kind() == Kind::Text)
    }

    /// What the user should know of the header.
    pub(crate) fn note(&self) -> Option<&String> {
        self.header.note.as_ref()
    }

    /// The first `columns` of some rows, whose positions rise; none of them may be one of text.
    ///
    /// # Errors
    /// The first cell of these columns that is no finite number, whichever rows are wanted.
    pub(crate) fn numbers(&self, columns: usize, wanted: &[usize]) -> Result<Numbers> {
        let own = &self.census[..columns];
        check(own, self.count, &self.header, Missing::Error).map_err(|error| error.hint(HINT))?;
        let mut found = Numbers {
            values: Vec::with_capacity(wanted.len() * columns),
            lines: Vec::with_capacity(wanted.len()),
        };
        let (mut at, mut left) = (0, wanted.iter().copied().peekable());
        self.rows
            .each(self.header.skip, self.width(), |line, row| {
                if left.next_if_eq(&at).is_some() {
                    found.values.extend(row.iter().take(columns).map(number));
                    found.lines.push(line);
                }
                at += 1;
                Ok(())
            })?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, columns: usize) -> String {
        let table = Plain::new(text.as_bytes()).unwrap();
        let error = table.numbers(columns, &[0]).unwrap_err();
        assert_eq!(error.hint_text(), Some(HINT));
        error.to_string()
    }

    #[test]
    fn wanted_rows_are_given_with_their_lines() {
        let table = Plain::new(b"a;b;c\n1;2;x\n\n3;4;y\n5;6;z\n").unwrap();
        assert_eq!((table.count(), table.width()), (3, 3));
        assert_eq!((table.text(), table.label(2)), (Some(2), "c".to_owned()));
        let found = table.numbers(2, &[1, 2]).unwrap();
        let values = vec![3.0, 4.0, 5.0, 6.0];
        let lines = vec![4, 5];
        assert_eq!(found, Numbers { values, lines });
        // Nothing is named where there is no header.
        let bare = Plain::new(b"1 0.25\n2 1e-3\n").unwrap();
        assert_eq!((bare.text(), bare.label(1)), (None, "2".to_owned()));
        assert_eq!(bare.numbers(2, &[0]).unwrap().values, [1.0, 0.25]);
    }

    #[test]
    fn cells_that_are_no_numbers_are_told_with_their_place() {
        assert_eq!(
            told("a,b\n1,2\n3,red\n", 2),
            "line 3: column `b`: `red` is not a number"
        );
        assert_eq!(
            told("a,b\n1,2\n3,\n", 2),
            "line 3: column `b`: a cell is empty"
        );
        assert_eq!(
            told("a,b\n1,2\n3,inf\n", 2),
            "line 3: column `b`: `inf` is infinite or beyond the range of 32-bit floats"
        );
        // What is left out may hold anything.
        let table = Plain::new(b"a,b\n1,\n3,7\n").unwrap();
        assert_eq!(table.numbers(1, &[0, 1]).unwrap().values, [1.0, 3.0]);
    }
}
