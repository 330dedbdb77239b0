//! A report as Markdown: what the page says, without pictures.

use std::fmt::Write;

use secateur::RunRecord;

use crate::contents::{contents, preface};
use crate::input::{Comparison, Table};
use crate::outline::{Block, Figure, Section};

/// The report on `runs`, and on arms that were compared, as Markdown.
///
/// It says what [`crate::page`] says; for each picture there are its text alternative and, behind a disclosure
/// where the reader's program knows those, its numbers.
pub fn markdown(runs: &[RunRecord], comparison: Option<&Comparison>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for sentence in preface(runs) {
        let _ = writeln!(text, "{}\n", plain(&sentence));
    }
    for section in contents(runs, comparison) {
        let _ = part(&mut text, &section, 1);
    }
    let _ = writeln!(text, "Made by secateur {}.", env!("CARGO_PKG_VERSION"));
    text
}

fn part(to: &mut String, section: &Section, level: usize) -> std::fmt::Result {
    writeln!(to, "{} {}\n", "#".repeat(level), plain(&section.title))?;
    for block in &section.blocks {
        write_block(to, block)?;
    }
    for inner in &section.sections {
        part(to, inner, level + 1)?;
    }
    Ok(())
}

fn write_block(to: &mut String, block: &Block) -> std::fmt::Result {
    match block {
        Block::Text(text) => writeln!(to, "{}\n", plain(text)),
        Block::List(items) => {
            for item in items {
                writeln!(to, "- {}", plain(item))?;
            }
            writeln!(to)
        }
        Block::Verdicts(pairs) => {
            for (claim, words) in pairs {
                writeln!(to, "- {}: **{}**", plain(claim), plain(words))?;
            }
            writeln!(to)
        }
        // The table of arms, which follows, has these numbers too.
        Block::Tiles(_) => Ok(()),
        Block::Table(table) => {
            if !table.title.is_empty() {
                writeln!(to, "**{}**\n", plain(&table.title))?;
            }
            write_table(to, table)
        }
        Block::Aside(table) => disclosure(to, &table.title, table),
        Block::Figure(figure) => write_figure(to, figure),
    }
}

fn write_figure(to: &mut String, figure: &Figure) -> std::fmt::Result {
    for (index, picture) in figure.pictures.iter().enumerate() {
        let words = picture.alternative.as_str();
        match (index, words.strip_prefix(&figure.title)) {
            (0, Some(rest)) => write!(to, "**{}**{}", plain(&figure.title), plain(rest))?,
            (0, None) => write!(to, "**{}.** {}", plain(&figure.title), plain(words))?,
            _ => write!(to, " {}", plain(words))?,
        }
    }
    match figure.note.is_empty() {
        true => writeln!(to, "\n")?,
        false => writeln!(to, " {}\n", plain(&figure.note))?,
    }
    disclosure(to, "Numbers", &figure.numbers)
}

fn disclosure(to: &mut String, summary: &str, table: &Table) -> std::fmt::Result {
    writeln!(to, "<details><summary>{}</summary>\n", plain(summary))?;
    write_table(to, table)?;
    writeln!(to, "</details>\n")
}

fn write_table(to: &mut String, table: &Table) -> std::fmt::Result {
    if let Some(note) = &table.note {
        writeln!(to, "{}\n", plain(note))?;
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|c| plain(c)).collect();
        format!("| {} |", cells.join(" | "))
    };
    writeln!(to, "{}", line(&table.header))?;
    let numeric = table.numeric().into_iter();
    let rule: String = numeric
        .map(|right| if right { "---:|" } else { "---|" })
        .collect();
    writeln!(to, "|{rule}")?;
    for row in &table.rows {
        writeln!(to, "{}", line(row))?;
    }
    writeln!(to)
}

/// Text that stays text: on one line, and without what Markdown or HTML would take for marks.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_break_neither_tables_nor_pages() {
        let evil = "a|b\n<script>*x*";
        let table = Table::of(&[evil], vec![vec![evil.into()]]);
        let comparison = Comparison {
            title: evil.into(),
            tables: vec![table],
            ..Comparison::default()
        };
        let text = markdown(&[], Some(&comparison));
        assert!(
            text.starts_with("# a\\|b &lt;script&gt;\\*x\\*\n"),
            "{text}"
        );
        assert!(
            text.contains("\n| a\\|b &lt;script&gt;\\*x\\* |\n|---|\n| a"),
            "{text}"
        );
    }
}
