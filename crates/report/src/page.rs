//! A report as one HTML file.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use secateur::RunRecord;

use crate::contents::{contents, preface};
use crate::input::Comparison;
use crate::outline::{Block, Figure, Picture, Section, Tile};
use crate::plot::key;
use crate::table::{table, untitled};

/// The report on `runs`, and on arms that were compared, as one HTML file.
///
/// It needs no network and no script, follows the reader's choice of light or dark, and prints. Every picture
/// has a text alternative, and its numbers as a table. Text from outside (names of data, features, arms) is
/// escaped. Runs on different data, or with different metrics, get parts and tables of their own.
pub fn page(title: &str, runs: &[RunRecord], comparison: Option<&Comparison>) -> String {
    document(title, &preface(runs), &contents(runs, comparison))
}

/// A whole page of sections, with sentences that stand above them.
pub(crate) fn document(title: &str, lead: &[String], sections: &[Section]) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    @for sentence in lead { p { (sentence) } }
                    @if sections.len() > 1 || sections.iter().any(|s| s.sections.iter().any(|s| s.folded)) {
                        (directory(sections))
                    }
                }
                main {
                    @for section in sections {
                        // A lone section may be named as the page is, which need not be said twice.
                        @if section.title == title && sections.len() == 1 { (untold(section)) }
                        @else { (part(section, 2)) }
                    }
                }
                footer {
                    p { "Made by secateur " (env!("CARGO_PKG_VERSION")) "." }
                }
            }
        }
    }
    .into_string()
}

fn directory(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for section in sections {
                    li { a href={ "#" (section.id) } { (section.title) } }
                }
            }
        }
    }
}

fn part(section: &Section, level: u8) -> Markup {
    let body = html! {
        (blocks(&section.blocks))
        @for inner in &section.sections { (part(inner, level + 1)) }
    };
    html! {
        section id=(section.id) {
            @if section.folded {
                details.run { summary { (heading(&section.title, level)) } (body) }
            } @else {
                (heading(&section.title, level))
                (body)
            }
        }
    }
}

/// A section without its heading.
fn untold(section: &Section) -> Markup {
    html! {
        section id=(section.id) {
            (blocks(&section.blocks))
            @for inner in &section.sections { (part(inner, 2)) }
        }
    }
}

fn heading(title: &str, level: u8) -> Markup {
    match level {
        2 => html! { h2 { (title) } },
        3 => html! { h3 { (title) } },
        _ => html! { h4 { (title) } },
    }
}

/// Blocks in their order; figures that follow each other share a grid.
fn blocks(blocks: &[Block]) -> Markup {
    let figures = |block: &Block| matches!(block, Block::Figure(_));
    html! {
        @for run in blocks.chunk_by(|a, b| figures(a) && figures(b)) {
            @match &run[0] {
                Block::Figure(_) => div.figures {
                    @for block in run { @if let Block::Figure(f) = block { (figure(f)) } }
                },
                Block::Text(text) => p { (text) },
                Block::List(items) => ul.remarks { @for item in items { li { (item) } } },
                Block::Verdicts(pairs) => dl.verdicts {
                    @for (claim, words) in pairs { div { dt { (claim) } dd { (words) } } }
                },
                Block::Tiles(all) => (tiles(all)),
                Block::Table(t) => (table(t, &t.title)),
                Block::Aside(t) => details { summary { (t.title) } (table(&untitled(t), &t.title)) },
            }
        }
    }
}

fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        dl.tiles {
            @for tile in tiles {
                div {
                    dt { (tile.name) }
                    dd.value { (tile.value) }
                    @if !tile.note.is_empty() { dd.note { (tile.note) } }
                }
            }
        }
    }
}

fn figure(f: &Figure) -> Markup {
    let several = f.pictures.len() > 1;
    html! {
        figure.wide[several] {
            figcaption {
                strong { (f.title) }
                @if !f.note.is_empty() { " " span.note { (f.note) } }
            }
            div.pictures { @for p in &f.pictures { (picture(p)) } }
            @if !f.legend.is_empty() {
                ul.legend {
                    @for (mark, name) in &f.legend {
                        li { (unnamed(&key(mark))) span { (name) } }
                    }
                }
            }
            details { summary { "Numbers" } (table(&f.numbers, &f.title)) }
        }
    }
}

fn picture(p: &Picture) -> Markup {
    // `html!` escapes; the attribute goes into an element that the drawing made.
    let name = html! { (p.alternative) }.into_string();
    let named = p.svg.replacen(
        "<svg",
        &format!("<svg role=\"img\" aria-label=\"{name}\""),
        1,
    );
    html! {
        div {
            @if !p.heading.is_empty() { p.heading { (p.heading) } }
            (PreEscaped(named))
        }
    }
}

/// A mark of a legend: the words beside it say what it is.
fn unnamed(svg: &str) -> Markup {
    PreEscaped(svg.replacen("<svg", "<svg aria-hidden=\"true\"", 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Table;

    #[test]
    fn headings_have_their_level() {
        let levels = [2, 3, 4, 5].map(|level| heading("a", level).into_string());
        assert_eq!(
            levels,
            ["<h2>a</h2>", "<h3>a</h3>", "<h4>a</h4>", "<h4>a</h4>"]
        );
    }

    #[test]
    fn names_from_outside_are_text_wherever_they_stand() {
        let evil = "<script>alert(1)</script> & \"x\" 'y'";
        let table = Table {
            title: evil.into(),
            note: Some(evil.into()),
            header: vec![evil.into()],
            rows: vec![vec![evil.into()]],
        };
        let comparison = Comparison {
            title: evil.into(),
            notes: vec![evil.into()],
            verdicts: vec![crate::Verdict {
                claim: evil.into(),
                words: evil.into(),
            }],
            tables: vec![table],
            trade_offs: vec![crate::TradeOff {
                title: evil.into(),
                score_name: evil.into(),
                points: vec![crate::Point {
                    arm: evil.into(),
                    macs: 9.0,
                    ..crate::Point::default()
                }],
                ..crate::TradeOff::default()
            }],
            times: vec![crate::TimeBar {
                arm: evil.into(),
                parts: vec![(evil.into(), 1.0)],
            }],
            widths: vec![crate::WidthPlot {
                title: evil.into(),
                starts: vec![(evil.into(), vec![vec![3.0]])],
            }],
        };
        let page = page(evil, &[], Some(&comparison));
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("& "), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"));
        // Every attribute still ends where it began: no name carries a bare quote out of one.
        let labels = page.split("aria-label=\"").skip(1);
        for label in labels {
            let (label, rest) = label.split_once('"').unwrap();
            assert!(
                label.contains("&quot;x&quot;") || !label.contains("alert"),
                "{label}"
            );
            assert!(rest.starts_with(['>', ' ']), "{label}");
        }
    }

    #[test]
    fn what_the_title_says_is_not_said_twice() {
        let comparison = Comparison {
            title: "Comparison".into(),
            ..Comparison::default()
        };
        let headings = |title| page(title, &[], Some(&comparison)).matches("<h2>").count();
        assert_eq!((headings("Comparison"), headings("Other")), (0, 1));
    }
}
