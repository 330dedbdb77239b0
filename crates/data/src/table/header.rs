//! What the columns of a text table are called.

use csv::StringRecord;

use crate::error::{Error, ErrorKind, Result};
use crate::table::columns::Cell;
use crate::table::rows::Rows;

/// How many rows after the first are compared with it.
const SAMPLE: usize = 10;

/// The names of a table's columns and how many rows stand before the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// One name a column; `x1`, `x2`, ... where the file has none.
    pub(crate) names: Vec<String>,
    /// Rows before the data: 1 with a header, else 0.
    pub(crate) skip: usize,
    /// Names of the classes 0, 1, ... of the last column, which scikit-learn writes into the first line.
    pub(crate) classes: Option<Vec<String>>,
    /// What the user should know.
    pub(crate) note: Option<String>,
}

impl Header {
    /// Reads the header, if there is one: the first row has text in a column that otherwise starts with numbers.
    ///
    /// `given` says whether there is one instead.
    ///
    /// # Errors
    /// A file without any row.
    pub(crate) fn find(rows: &Rows<'_>, given: Option<bool>) -> Result<Self> {
        let head = rows.head(SAMPLE + 1)?;
        let Some((first, rest)) = head.split_first() else {
            return Err(Error::new(ErrorKind::Degenerate, "the file has no rows"));
        };
        if given.is_none()
            && let Some(header) = scikit(rows, first, rest)?
        {
            return Ok(header);
        }
        if !given.unwrap_or_else(|| names_columns(first, rest)) {
            return Ok(Self::unnamed(first.len(), 0));
        }
        let mut header = Self::unnamed(first.len(), 1);
        for (name, cell) in header.names.iter_mut().zip(first) {
            if !cell.trim().is_empty() {
                cell.trim().clone_into(name);
            }
        }
        let numbers = first
            .iter()
            .any(|cell| matches!(Cell::of(cell), Cell::Number(_)));
        if given.is_none() && numbers {
            header.note = Some(
                "the first line is taken for column names, although it has numbers; say whether there is a header if that is wrong".into(),
            );
        }
        Ok(header)
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// What errors call a column: its name in the file, or its number from 1.
    pub(crate) fn label(&self, column: usize) -> String {
        if self.skip == 1 && self.classes.is_none() {
            self.names[column].clone()
        } else {
            (column + 1).to_string()
        }
    }

    fn unnamed(width: usize, skip: usize) -> Self {
        Self {
            names: (1..=width).map(|column| format!("x{column}")).collect(),
            skip,
            classes: None,
            note: None,
        }
    }
}

fn names_columns(first: &StringRecord, rest: &[StringRecord]) -> bool {
    (0..first.len()).any(|column| {
        let below = || {
            rest.iter()
                .filter_map(|row| Some(Cell::of(row.get(column)?)))
        };
        matches!(Cell::of(&first[column]), Cell::Text(_))
            && !below().any(|cell| matches!(cell, Cell::Text(_)))
            && (rest.is_empty() || below().any(|cell| matches!(cell, Cell::Number(_))))
    })
}

/// The first line of scikit-learn's own tables: rows, features, then the names of the classes.
fn scikit(rows: &Rows<'_>, first: &StringRecord, rest: &[StringRecord]) -> Result<Option<Header>> {
    let whole = |cell: usize| {
        first
            .get(cell)
            .and_then(|cell| cell.trim().parse::<usize>().ok())
    };
    let (Some(count), Some(features), Some(second)) = (whole(0), whole(1), rest.first()) else {
        return Ok(None);
    };
    let classes: Vec<String> = first
        .iter()
        .skip(2)
        .map(|name| name.trim().to_owned())
        .collect();
    let named = classes.len() > 1
        && classes
            .iter()
            .all(|name| matches!(Cell::of(name), Cell::Text(_)));
    if !named || second.len().checked_sub(1) != Some(features) {
        return Ok(None);
    }
    let mut header = Header::unnamed(second.len(), 1);
    let mut found = 0;
    rows.each(1, second.len(), |_, _| {
        found += 1;
        Ok(())
    })?;
    header.classes = Some(classes);
    Ok((found == count).then_some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Header {
        Header::find(&Rows::new(text.as_bytes()).unwrap(), None).unwrap()
    }

    #[test]
    fn a_header_is_text_above_numbers() {
        assert_eq!(find("a,\"b c\"\n1,x\n2,y\n").names, ["a", "b c"]);
        assert_eq!(find("a,,c\n1,2,3\n").names, ["a", "x2", "c"]);
        assert_eq!(find("1,2\n3,4\n").names, ["x1", "x2"]);
        assert_eq!(find("x,1\ny,2\n").skip, 0);
        assert_eq!(find("a,b\n?,NA\n1,2\n").skip, 1);
        assert_eq!(find("a,b\n").skip, 1);
    }

    #[test]
    fn a_first_line_of_names_and_numbers_is_noted() {
        assert!(find("0,1,label\n1,2,3\n").note.is_some());
        assert!(find("a,b,label\n1,2,3\n").note.is_none());
    }

    #[test]
    fn scikit_learn_names_its_classes_in_the_first_line() {
        let header = find("2,3,no,yes\n1,2,3,0\n4,5,6,1\n");
        assert_eq!(header.classes.unwrap(), ["no", "yes"]);
        assert_eq!((header.names.len(), header.skip), (4, 1));
        assert_eq!(find("3,3,no,yes\n1,2,3,0\n4,5,6,1\n").classes, None);
    }
}
