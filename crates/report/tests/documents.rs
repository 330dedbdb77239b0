//! Are the numbers in the documents those of the committed runs?
//!
//! Between `<!-- overview FOLDER...: QUANTITY -->` and `<!-- end -->`, and likewise after `tally`, `tables`, `structure`, `sizes` and
//! `file`, stands what the runs below `docs/runs` come to; `source_text` says which is which. A `| TEXT` behind it keeps the
//! rows whose name holds the text. `UPDATE_DOCS=1` writes these blocks anew. In the prose around them a number with a
//! decimal point must stand in a block of the same document, or be named in a comment `<!-- not measured: ... -->`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use secateur::compare::{Comparison, Table, overview, structure_tables, tables, tally, wanted};

const END: &str = "<!-- end -->\n";

#[test]
fn tables_are_those_of_the_committed_runs() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    for path in documents() {
        let name = path.display();
        let text = fs::read_to_string(&path).unwrap();
        let made = remade(&text, &source_text);
        if update {
            fs::write(&path, &made).unwrap();
        }
        assert!(
            made == text || update,
            "{name} is not what the runs say; UPDATE_DOCS=1 cargo test -p secateur-report --test documents mends it"
        );
    }
}

#[test]
fn numbers_in_prose_stand_in_a_table() {
    let mut all = vec![];
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let strangers = strangers(&text);
        all.extend((!strangers.is_empty()).then(|| (path.display().to_string(), strangers)));
    }
    assert!(all.is_empty(), "numbers of no run: {all:#?}");
}

#[test]
fn every_committed_run_is_told_of() {
    let mut texts = String::new();
    for path in documents() {
        texts += &fs::read_to_string(path).unwrap();
    }
    for entry in fs::read_dir(root().join("docs/runs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let told = texts.lines().any(|line| {
            let words: Vec<&str> = line.split([' ', ':']).collect();
            line.starts_with("<!-- ") && words.contains(&name.as_str())
        });
        assert!(told, "no document tells of docs/runs/{name}");
    }
}

/// Every page of the project: those beside the README, and those below `docs` that no run wrote.
fn documents() -> Vec<PathBuf> {
    let docs = root().join("docs");
    let folders = [
        root(),
        docs.clone(),
        docs.join("guide"),
        docs.join("decisions"),
    ];
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut pages: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text with every block made anew by `source`.
fn remade(text: &str, source: &dyn Fn(&str) -> String) -> String {
    let mut made = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Prose(prose) => made += prose,
            Piece::Block { mark, .. } => made += &format!("<!-- {mark} -->\n{}{END}", source(mark)),
        }
    }
    made
}

/// Prose, or a block with what its mark says.
enum Piece<'a> {
    Prose(&'a str),
    Block { mark: &'a str, content: &'a str },
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let mut rest = text;
    while let Some(end) = rest.find(END) {
        let start = rest[..end].rfind("<!-- ").unwrap();
        let (mark, content) = rest[start + 5..end].split_once(" -->\n").unwrap();
        pieces.push(Piece::Prose(&rest[..start]));
        pieces.push(Piece::Block { mark, content });
        rest = &rest[end + END.len()..];
    }
    pieces.push(Piece::Prose(rest));
    pieces
}

/// What a block says, by its mark.
fn source_text(mark: &str) -> String {
    let (mark, filter) = mark.split_once(" | ").unwrap_or((mark, ""));
    let (kind, rest) = mark.split_once(' ').unwrap();
    let (folders, what) = rest.split_once(": ").unwrap_or((rest, ""));
    let runs = root().join("docs/runs");
    if kind == "file" {
        let text = fs::read_to_string(runs.join(folders)).unwrap();
        return match folders.ends_with(".md") {
            true => format!("{}\n", text.trim()),
            false => format!("```text\n{}\n```\n", text.trim_end()),
        };
    }
    let folders: Vec<PathBuf> = folders.split(' ').map(|f| runs.join(f)).collect();
    let comparison = Comparison::read(&folders).unwrap();
    let titled = |all: Vec<Table>| {
        let known: Vec<String> = all.iter().map(|t| t.title.clone()).collect();
        let found = all.into_iter().find(|t| t.title == what);
        found.unwrap_or_else(|| panic!("no table is called '{what}': {known:?}"))
    };
    let mut table = match kind {
        // One quantity, an arm a row and a data set a column.
        "overview" => overview(&comparison, what.parse().unwrap()),
        // A table of `compare`, by its title.
        "tables" => titled(tables(&comparison)),
        // How often parts are better than the full penalty.
        "tally" => tally(&comparison),
        // A table of `structure`, by its title.
        "structure" => titled(structure_tables(&comparison)),
        // The closing lines of `structure`.
        "sizes" => {
            let lines: Vec<String> = wanted(&comparison)
                .iter()
                .map(|w| format!("- {w}\n"))
                .collect();
            return lines.concat();
        }
        other => {
            panic!(
                "blocks are made by overview, tally, tables, structure, sizes and file, not '{other}'"
            )
        }
    };
    table.rows.retain(|row| row[0].contains(filter));
    assert!(!table.rows.is_empty(), "nothing is left for '{mark}'");
    format!("{}\n{}\n", table.to_markdown(), table.note)
}

/// Numbers with a decimal point in prose, outside `code`, that neither a block nor a comment has.
fn strangers(text: &str) -> Vec<String> {
    let (mut prose, mut known) = (String::new(), String::new());
    for piece in pieces(text) {
        match piece {
            Piece::Prose(text) => prose += text,
            Piece::Block { content, .. } => known += content,
        }
    }
    let comments = prose
        .lines()
        .filter_map(|l| l.strip_prefix("<!-- not measured: "));
    known += &comments.collect::<Vec<_>>().join(" ");
    let known = numbers(&known);
    let outside = prose.split("```").step_by(2).collect::<String>();
    let outside: Vec<&str> = outside.split('`').step_by(2).collect();
    let told = numbers(&outside.concat());
    told.into_iter().filter(|n| !known.contains(n)).collect()
}

/// Words that are numbers with a decimal point, without their signs and what stands around them.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == '|');
    let bare = words.map(|w| w.trim_start_matches(|c: char| !c.is_alphanumeric()));
    let number = |word: &str| {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
        let number = word[..end.unwrap_or(word.len())].trim_end_matches(['.', ',']);
        number.contains('.').then(|| number.to_owned())
    };
    bare.filter_map(number).collect()
}

#[test]
fn a_changed_table_and_a_made_up_number_are_found() {
    let text = "Gains of +1.25 and (3.5), `0.1`, MIT-2.0.\n<!-- tables x: y -->\n| 1.25 |\n<!-- end -->\nNot [9.99, x].\n\
                <!-- not measured: 3.5 -->\n";
    assert_eq!(strangers(text), ["9.99"]);
    let same = |mark: &str| {
        assert_eq!(mark, "tables x: y");
        "| 1.25 |\n".to_owned()
    };
    assert_eq!(remade(text, &same), text);
    assert_ne!(remade(text, &|_| "| 1.26 |\n".to_owned()), text);
}
