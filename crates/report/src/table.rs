//! A table as HTML.

use maud::{Markup, html};

use crate::input::Table;

/// A table in a box of its own, which scrolls where the page is too narrow.
pub(crate) fn table(t: &Table, name: &str) -> Markup {
    let number = t.numeric();
    let right = |column: usize| number.get(column).copied().unwrap_or(false);
    html! {
        @if !t.title.is_empty() || t.note.is_some() {
            p.above {
                @if !t.title.is_empty() { strong { (t.title) } " " }
                @if let Some(note) = &t.note { span.note { (note) } }
            }
        }
        div.scroll tabindex="0" role="region" aria-label={ "Table: " (name) } {
            table {
                thead {
                    tr {
                        @for (column, cell) in t.header.iter().enumerate() {
                            th scope="col" class=[right(column).then_some("number")] { (cell) }
                        }
                    }
                }
                tbody {
                    @for row in &t.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @let class = right(column).then_some("number");
                                @if column == 0 { th scope="row" class=[long(cell).then_some("long")] { (cell) } }
                                @else { td class=[class] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A table whose title stands elsewhere.
pub(crate) fn untitled(t: &Table) -> Table {
    Table {
        title: String::new(),
        ..t.clone()
    }
}

/// Whether a name needs room even where a narrow page has little.
fn long(name: &str) -> bool {
    name.chars().count() > 14
}
