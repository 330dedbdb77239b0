//! A report before it is HTML or Markdown: sections of blocks.

use crate::input::Table;
use crate::plot::Mark;

/// Part of a report, with parts of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    /// Of the anchor; unique in the report.
    pub id: String,
    pub title: String,
    /// Whether a reader has to open it; for reports of many runs.
    pub folded: bool,
    pub blocks: Vec<Block>,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone)]
pub(crate) enum Block {
    Text(String),
    List(Vec<String>),
    /// Claims with what came out.
    Verdicts(Vec<(String, String)>),
    Tiles(Vec<Tile>),
    Table(Table),
    Figure(Figure),
    /// A table that few need, behind a disclosure of its title.
    Aside(Table),
}

/// A number that should be seen first.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub name: String,
    pub value: String,
    pub note: String,
}

/// Pictures that belong together, with all that a reader without eyes or colours needs.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub title: String,
    /// What to look for; may be empty.
    pub note: String,
    pub pictures: Vec<Picture>,
    pub legend: Vec<(Mark, String)>,
    pub numbers: Table,
}

#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// What it shows, in words, with its main numbers.
    pub alternative: String,
    /// Shown above it where a figure has several; may be empty.
    pub heading: String,
    /// An `svg` element without a name.
    pub svg: String,
}

impl Figure {
    /// A figure of one picture.
    pub(crate) fn new(title: &str, alternative: String, svg: String, numbers: Table) -> Self {
        let picture = Picture {
            alternative,
            heading: String::new(),
            svg,
        };
        Self {
            title: title.to_owned(),
            note: String::new(),
            pictures: vec![picture],
            legend: vec![],
            numbers,
        }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn legend(mut self, legend: Vec<(Mark, String)>) -> Self {
        self.legend = legend;
        self
    }
}

impl Table {
    /// A table of numbers that belongs to a picture.
    pub(crate) fn of(header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self {
            title: String::new(),
            note: None,
            header: header.iter().map(|&h| h.to_owned()).collect(),
            rows,
        }
    }

    /// Which columns hold numbers for the most part.
    pub(crate) fn numeric(&self) -> Vec<bool> {
        let number = |cell: &&String| {
            cell.as_str() == "–" || cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        };
        let column = |c: usize| {
            // The first column names the rows; values of choices and versions are of all kinds.
            if c == 0 || self.header[c] == "value" {
                return false;
            }
            let cells = self.rows.iter().filter_map(|row| row.get(c));
            let told: Vec<&String> = cells.filter(|cell| !cell.is_empty()).collect();
            2 * told.iter().copied().filter(number).count() > told.len()
        };
        (0..self.header.len()).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_numbers_are_told_from_words() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["a", "1", ""]),
            row(["2", "-3.5", "untrained"]),
            row(["b", "word", "7"]),
        ];
        let table = Table::of(&["", "x", "y"], rows);
        assert_eq!(table.numeric(), [false, true, false]);
    }
}
