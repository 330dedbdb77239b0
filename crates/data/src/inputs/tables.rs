//! Tables of text as rows of an input.

use std::path::Path;

use super::fit::{Rows, Wanted};
use super::{InputOptions, drawn, of_data_set};
use crate::error::{Error, ErrorKind, Result};
use crate::load::table_bytes;
use crate::table::Plain;

/// What to do about another number of columns.
const HINT: &str = "give a column of numbers for each that is read; one more, the last, is left out as what is predicted; secateur inspect shows \
                    what a network reads";

/// Reads a table: all columns where there are as many as numbers are read, all but the last where there is one more. Where there are
/// columns of text among them, or another number, it is read as a data set, with an input for each value of text.
pub(super) fn read(path: &Path, wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    let bytes = table_bytes(path, options.max_bytes, options.expansion)?;
    let table = Plain::new(&bytes)?;
    let width = table.width();
    let last = width - 1;
    let left_out = || format!("the last column, `{}`, is left out", table.label(last));
    let read = wanted.features().unwrap_or(width);
    let is_text = table.text().is_some_and(|column| column < read);
    if is_text || (read != width && read != last) {
        return others(path, &table, wanted, options).map(|rows| rows.noted([left_out()]));
    }
    let note = (read == last).then(left_out);
    let picked = drawn(table.count(), options.rows, options.seed);
    let bytes = (picked.len() as u64).saturating_mul(4 * read as u64);
    if bytes > options.max_bytes {
        let message = format!(
            "{} rows of {read} numbers take {bytes} bytes, more than {}",
            picked.len(),
            options.max_bytes
        );
        return Err(Error::new(ErrorKind::Limit, message).hint("use fewer: --rows 500"));
    }
    let found = table.numbers(read, &picked)?;
    let rows = Rows::fitted(vec![picked.len(), read], found.values, wanted)?;
    let rows = rows.scaled(&options.pixels.of_numbers())?;
    let lines = found.lines.iter().map(|line| format!("line {line}"));
    let notes = table.note().cloned().into_iter().chain(note);
    let rows = rows.drawn_from(table.count());
    Ok(rows.named(lines.collect()).noted(notes))
}

/// A table of other columns than are read.
fn others(
    path: &Path,
    table: &Plain<'_>,
    wanted: &Wanted<'_>,
    options: &InputOptions,
) -> Result<Rows> {
    let Some(text) = table.text() else {
        let message = format!(
            "'{}' reads {}, and the table has {} columns",
            wanted.name,
            wanted.row(),
            table.width()
        );
        return Err(Error::new(ErrorKind::Value, message).hint(HINT));
    };
    of_data_set(&path.to_string_lossy(), wanted, options).map_err(|error| match error.column() {
        Some(_) => error,
        None => error.in_column(table.label(text)).hint("text is an input for each of its values: leave the column out, or write numbers in its place"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pixels;
    use crate::inputs::read_input;

    /// Reads a table for three numbers a row.
    fn read_as(name: &str, text: &str, options: &InputOptions) -> Result<Rows> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let axes = [None, Some(3)];
        let wanted = Wanted {
            name: "x",
            axes: &axes,
        };
        read_input(&path.to_string_lossy(), &wanted, options)
    }

    fn read(text: &str) -> Rows {
        read_as("t.csv", text, &InputOptions::default()).unwrap()
    }

    /// What is wrong, without the folder, and what to do.
    fn refused(text: &str) -> (String, String) {
        let error = read_as("t.csv", text, &InputOptions::default()).unwrap_err();
        let told = error.to_string();
        let at = told.find("t.csv").unwrap();
        (told[at..].to_owned(), error.hint_text().unwrap().to_owned())
    }

    #[test]
    fn as_many_columns_as_are_read_are_all_read_as_they_stand() {
        for text in ["a,b,c\n0,7.5,-2\n255,1e3,3\n", "0 7.5 -2\n255 1e3 3\n"] {
            let rows = read(text);
            let all = vec![0.0, 7.5, -2.0, 255.0, 1000.0, 3.0];
            assert_eq!(rows.pick(&[0, 1]), (vec![2, 3], all));
            assert_eq!(rows.notes(), [""; 0]);
        }
        let rows = read("a,b,c\n1,2,3\n\n4,5,6\n");
        assert_eq!(
            [0, 1].map(|row| rows.name(row)),
            [Some("line 2"), Some("line 4")]
        );
    }

    #[test]
    fn one_column_more_is_left_out_and_told() {
        for (text, column) in [
            ("a,b,c,y\n1,2,3,4\n5,6,7,8\n", "y"),
            ("1,2,3,red\n5,6,7,blue\n", "4"),
            ("a,b,c,y\n1,2,3,\n5,6,7,8\n", "y"),
        ] {
            let rows = read(text);
            assert_eq!(rows.pick(&[1]).1, [5.0, 6.0, 7.0]);
            assert!(rows.name(1).is_some_and(|name| name.starts_with("line ")));
            let told = format!("the last column, `{column}`, is left out");
            assert_eq!(rows.notes(), [told]);
        }
        // What is told of the header comes along.
        let rows = read("a,2,3\n1,2,3\n4,5,6\n");
        assert!(rows.notes()[0].starts_with("the first line is taken for column names"));
    }

    #[test]
    fn numbers_are_scaled_if_that_is_asked_for_and_some_rows_are_drawn() {
        let options = InputOptions {
            rows: 5,
            pixels: Pixels {
                top: 1.0,
                mean: vec![1.0],
                std: vec![2.0],
            },
            ..InputOptions::default()
        };
        let text: String = (0..40).map(|n| format!("{n},5,5\n")).collect();
        let rows = read_as("t.csv", &text, &options).unwrap();
        assert_eq!(rows.count(), 5);
        let row = rows.pick(&[4]).1;
        assert_eq!(row[1..], [2.0, 2.0]);
        let line = 2.0 * row[0] + 2.0;
        assert_eq!(rows.name(4), Some(format!("line {line}").as_str()));
        let options = InputOptions {
            max_bytes: 600,
            ..InputOptions::default()
        };
        let text: String = (0..51).map(|_| "1,2,3\n").collect();
        let error = read_as("t.csv", &text, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(
            error
                .to_string()
                .ends_with("51 rows of 3 numbers take 612 bytes, more than 600"),
            "{error}"
        );
        read_as("t.csv", &text[6..], &options).unwrap();
    }

    #[test]
    fn text_makes_an_input_of_each_value_where_that_fits_as_in_training() {
        let rows = read("colour,size,y\nred,1,0.5\nblue,2,1\nred,3,2\n");
        assert_eq!(rows.pick(&[1]).1, [1.0, 0.0, 2.0]);
        assert_eq!(rows.notes(), ["the last column, `y`, is left out"]);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place_and_both_shapes() {
        let (told, hint) = refused("a,b\n1,2\n");
        assert_eq!(told, "t.csv: 'x' reads 3, and the table has 2 columns");
        assert!(hint.starts_with("give a column of numbers for each"));
        let (told, hint) = refused("a,b,c\n1,2,x\n4,5,6\n7,8,9\n");
        assert_eq!(told, "t.csv: line 2: column `c`: `x` is not a number");
        assert!(hint.starts_with("a network reads numbers"), "{hint}");
        let (told, _) = refused("a,b,c,y\n1,2,3,0\n4,,6,0\n");
        assert_eq!(told, "t.csv: line 3: column `b`: a cell is empty");
        let (told, hint) = refused("colour,y\nred,1\nblue,2\n");
        assert_eq!(
            told,
            "t.csv: column `colour`: 'x' reads 3, and the rows are 2"
        );
        assert!(hint.starts_with("text is an input for each of its values"));
        let (told, _) = refused("colour,a,b,c,y\nred,,1,1,1\nblue,2,2,2,2\n");
        assert_eq!(told, "t.csv: line 2: column `a`: a cell is empty");
        let (told, hint) = refused("\0\0\u{8}\u{3}");
        assert!(told.ends_with("IDX data is read by folder, images and labels together"));
        assert!(hint.starts_with("give the folder"));
    }
}
