//! What a reader of the page, or of Markdown, finds: tables, tiles and text.

/// Lines of cells, headings first.
pub(crate) type Cells = Vec<Vec<String>>;

/// The table of that name on a page.
pub(crate) fn on_page(page: &str, name: &str) -> Cells {
    let begin = format!("aria-label=\"Table: {name}\"");
    let mut tables = page.split(&begin).skip(1);
    let table = tables.next().unwrap_or_else(|| panic!("no table {name}"));
    assert!(tables.next().is_none(), "two tables {name}");
    let table = table.split("</table>").next().unwrap();
    let rows = table.split("<tr>").skip(1);
    rows.map(|row| texts(row, &["<th", "<td"])).collect()
}

/// The table under those headings in Markdown.
pub(crate) fn in_markdown(text: &str, header: &[String]) -> Cells {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().strip_prefix('|').unwrap();
        let inner = inner.strip_suffix('|').unwrap();
        inner.split('|').map(|c| c.trim().to_owned()).collect()
    };
    let mut blocks = text.split("\n\n").map(|block| {
        let lines = block.lines().filter(|l| l.starts_with('|'));
        lines.map(cells).collect::<Cells>()
    });
    let mut table = blocks
        .find(|table| table.first().is_some_and(|first| first == header))
        .unwrap_or_else(|| panic!("no table {header:?} in\n{text}"));
    // The rule under the headings.
    table.remove(1);
    table
}

/// Names, values and notes of the tiles on a page.
pub(crate) fn tiles(page: &str) -> Cells {
    let list = page.split("<dl class=\"tiles\">").nth(1).unwrap();
    let list = list.split("</dl>").next().unwrap();
    let tiles = list.split("<div>").skip(1);
    tiles.map(|tile| texts(tile, &["<dt", "<dd"])).collect()
}

/// What stands in elements that begin so.
fn texts(html: &str, begins: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for element in html.split('<').skip(1) {
        let is_one = begins.iter().any(|begin| {
            let rest = element.strip_prefix(&begin[1..]);
            rest.is_some_and(|rest| rest.starts_with(['>', ' ']))
        });
        if is_one {
            let text = element.split_once('>').unwrap().1;
            found.push(text.trim().to_owned());
        }
    }
    found
}

/// Rows as they are written in a test.
pub(crate) fn cells<const N: usize>(rows: Vec<[String; N]>) -> Cells {
    rows.into_iter().map(|row| row.to_vec()).collect()
}

/// Words as they are written in a test.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> [String; N] {
    words.map(str::to_owned)
}
