//! How a text file divides into rows and cells.

use csv::{ReaderBuilder, StringRecord};

use crate::error::{Error, ErrorKind, Result};

/// How many lines are looked at to find the delimiter.
const SAMPLE: usize = 20;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One byte; cells may be quoted.
    Delimited(u8),
    /// Runs of spaces and tabs; no quotes.
    Spaces,
}

/// The rows of a text, blank lines left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'t> {
    text: &'t str,
    layout: Layout,
}

impl<'t> Rows<'t> {
    /// Checks that `bytes` are text and finds the delimiter.
    ///
    /// # Errors
    /// Bytes that are not UTF-8, with their line.
    pub(crate) fn new(bytes: &'t [u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text =
            std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))?;
        if let Some(at) = text.find('\0') {
            return Err(not_text(bytes, at));
        }
        Ok(Self {
            text,
            layout: sniff(text),
        })
    }

    /// The first `count` rows at most.
    pub(crate) fn head(&self, count: usize) -> Result<Vec<StringRecord>> {
        let mut head = Vec::with_capacity(count);
        self.walk(|_, row| {
            head.push(row.clone());
            Ok(head.len() < count)
        })?;
        Ok(head)
    }

    /// Calls `visit` with the line number and the cells of each row after the first `skip`, until an error.
    ///
    /// # Errors
    /// A row that has not `width` cells, and whatever `visit` returns.
    pub(crate) fn each(
        &self,
        skip: usize,
        width: usize,
        mut visit: impl FnMut(u64, &StringRecord) -> Result<()>,
    ) -> Result<()> {
        let mut seen = 0;
        self.walk(|line, row| {
            seen += 1;
            if seen <= skip {
                return Ok(true);
            }
            if row.len() != width {
                return Err(self.ragged(line, row.len(), width));
            }
            visit(line, row)?;
            Ok(true)
        })
    }

    /// Calls `visit` until it returns false.
    fn walk(&self, mut visit: impl FnMut(u64, &StringRecord) -> Result<bool>) -> Result<()> {
        let mut row = StringRecord::new();
        let Layout::Delimited(delimiter) = self.layout else {
            for (line, text) in (1..).zip(self.text.lines()) {
                row.clear();
                text.split_ascii_whitespace()
                    .for_each(|cell| row.push_field(cell));
                if !row.is_empty() && !visit(line, &row)? {
                    break;
                }
            }
            return Ok(());
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(self.text.as_bytes());
        loop {
            let more = reader
                .read_record(&mut row)
                .map_err(|error| Error::new(ErrorKind::Malformed, error.to_string()))?;
            if !more {
                return Ok(());
            }
            let blank = row.len() == 1 && row[0].trim().is_empty();
            let start = row.position().map_or(0, csv::Position::byte);
            let line = self.line_at(
                start as usize,
                row.position().map_or(1, csv::Position::line),
            );
            if !blank && !visit(line, &row)? {
                return Ok(());
            }
        }
    }

    /// The line of the first cell: the parser's positions are those before the blank lines that it skips.
    fn line_at(&self, start: usize, line: u64) -> u64 {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let blank = rest
            .iter()
            .take_while(|&&byte| byte == b'\n' || byte == b'\r');
        line + blank.filter(|&&byte| byte == b'\n').count() as u64
    }

    fn ragged(&self, line: u64, cells: usize, width: usize) -> Error {
        let between = match self.layout {
            Layout::Delimited(b'\t') => "tabs".to_owned(),
            Layout::Delimited(byte) => format!("`{}`", char::from(byte)),
            Layout::Spaces => "spaces".to_owned(),
        };
        Error::new(
            ErrorKind::Malformed,
            format!("{cells} cells where {width} are expected"),
        )
        .at_line(line)
        .hint(format!(
            "cells are divided by {between}; look for a cell that is missing, or one that needs quotes"
        ))
    }
}

fn not_text(bytes: &[u8], at: usize) -> Error {
    let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
    Error::new(ErrorKind::Malformed, "not UTF-8 text")
        .at_line(line)
        .hint("save the table as UTF-8 text, gzipped or not")
}

/// The delimiter that divides most sampled lines alike; the earlier of `;`, tab and `,` where they tie, and runs of
/// spaces only where neither `;` nor `,` occurs.
fn sniff(text: &str) -> Layout {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(SAMPLE)
        .collect();
    let mut best = (0, Layout::Delimited(b','));
    for layout in [b';', b'\t', b','].map(Layout::Delimited) {
        let alike = alike(lines.iter().map(|line| count(line, layout)));
        if alike > best.0 {
            best = (alike, layout);
        }
    }
    let spaces = alike(lines.iter().map(|line| count(line, Layout::Spaces)));
    let plain = lines.iter().all(|line| !line.contains([';', ',']));
    if plain && spaces > best.0 {
        best.1 = Layout::Spaces;
    }
    best.1
}

/// How many lines share the most frequent number of cells, if that is more than one.
fn alike(counts: impl Iterator<Item = usize>) -> usize {
    let mut counts: Vec<usize> = counts.filter(|&cells| cells > 1).collect();
    counts.sort_unstable();
    counts
        .chunk_by(|a, b| a == b)
        .map(<[usize]>::len)
        .max()
        .unwrap_or(0)
}

fn count(line: &str, layout: Layout) -> usize {
    let Layout::Delimited(delimiter) = layout else {
        return line.split_ascii_whitespace().count();
    };
    let mut quoted = false;
    let mut cells = 1;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        cells += usize::from(byte == delimiter && !quoted);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut all = Vec::new();
        Rows::new(text.as_bytes())
            .unwrap()
            .walk(|line, row| {
                all.push((line, row.iter().map(str::to_owned).collect()));
                Ok(true)
            })
            .unwrap();
        all
    }

    #[test]
    fn delimiters_are_found() {
        let two = |line, a: &str, b: &str| (line, vec![a.to_owned(), b.to_owned()]);
        let wanted = [two(1, "1.5", "a b"), two(2, "2", "c")];
        for text in [
            "1.5,a b\n2,c\n",
            "1.5;a b\r\n2;c",
            "1.5\ta b\n2\tc\n",
            "\"1.5\",\"a b\"\n2,c\n",
            "\u{feff}1.5,a b\n2,c\n",
        ] {
            assert_eq!(rows(text), wanted, "{text:?}");
        }
        assert_eq!(
            rows(" 1  2\n3 \t4 \n"),
            [two(1, "1", "2"), two(2, "3", "4")]
        );
        assert_eq!(rows("a;b\n1,5;2,5\n")[1], two(2, "1,5", "2,5"));
        assert_eq!(
            rows("\u{feff}1 2\n3 4"),
            [two(1, "1", "2"), two(2, "3", "4")]
        );
        assert_eq!(rows("\"a;b\",1\n\"c;d\",2\n")[1], two(2, "c;d", "2"));
        // Spaces within cells divide nothing, even where the commas do not agree.
        assert_eq!(rows("a b,1\nc d,2,3\n")[0], two(1, "a b", "1"));
        // Two tabs in a row are no empty cell where the lines only agree without it.
        assert_eq!(rows("1\t2\n3\t\t4\n5\t\t\t6\n").len(), 3);
        assert_eq!(rows("1\t2\n3\t\t4\n5\t\t\t6\n")[1], two(2, "3", "4"));
    }

    #[test]
    fn lines_are_counted_across_blank_ones_and_quoted_breaks() {
        let lines = |text| rows(text).iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!(lines("\n\n1,2\n\n\r\n3,4\n  \n5,6\n\n"), [3, 6, 8]);
        assert_eq!(lines("\"a\nb\",2\n3,4\n"), [1, 3]);
        assert_eq!(lines("1 2\n\n3 4"), [1, 3]);
    }

    #[test]
    fn ragged_rows_and_binary_files_name_their_line() {
        let text = "1,2\n3,4\n5\n";
        let rows = Rows::new(text.as_bytes()).unwrap();
        let error = rows.each(0, 2, |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "line 3: 1 cells where 2 are expected");
        let error = Rows::new(b"1,2\n3,\xff\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: not UTF-8 text");
        assert!(Rows::new(b"1,\0").is_err());
    }
}
