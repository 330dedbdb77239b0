//! Opens pages in a real browser, narrow and wide, light and dark, and looks for what a reader would stumble over.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chromium;
mod sample;

use std::path::Path;

/// What is wrong on purpose in the page that shows whether the measuring finds anything.
const FAULTS: [(&str, &str); 8] = [
    ("<div style='width:2000px'>wide</div>", "page is 20"),
    (
        "<p style='white-space:nowrap;width:50px'>too long for its box</p>",
        "content wider than its box",
    ),
    (
        "<svg width='50' height='50'></svg>",
        "picture without a name",
    ),
    (
        "<figure><figcaption>x</figcaption></figure>",
        "figure without its numbers",
    ),
    (
        "<p style='color:#888;background:#999'>faint</p>",
        "contrast of text",
    ),
    (
        "<svg role='img' aria-label='one text that sticks out, of 1' viewBox='0 0 50 50' width='50'>\
         <text x='20' y='20'>sticks out</text></svg>",
        "text sticks out of its picture",
    ),
    (
        "<svg role='img' aria-label='letters of 5 pixels, far too small' viewBox='0 0 50 50' width='50'>\
         <text x='2' y='20' style='font-size:5px'>tiny</text></svg>",
        "letters of 5.0 pixels",
    ),
    (
        "<p><a href='other.html'>elsewhere</a></p>",
        "a reference: href=other.html",
    ),
];

#[test]
fn nothing_overflows_and_every_picture_has_words_and_numbers() {
    let Some(browser) = chromium::find() else {
        secateur_testkit::skipped("no chromium");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let run = |name: &str, data: &str, strength: &str| {
        sample::run(&scratch.path().join(name), data, strength)
    };
    let runs = [
        run("digits-24-12-seed0", "digits", "0.004"),
        run(&"long-".repeat(40), "diabetes", "0.004"),
        run("digits-24-12-mild", "digits", "0.001"),
    ];
    let real = secateur_report::page("Three runs", &runs, None);
    let drawn = [1, 2].map(|features| sample::drawn(&runs[1], features));
    let all = [&runs[..], &drawn[..], &runs[..1]].concat();
    let hard = secateur_report::page(sample::HARD, &all, Some(&sample::comparison()));
    for page in [&real, &hard] {
        assert!(
            !page.contains("<script") && !page.contains("http"),
            "not on its own"
        );
    }
    // To look at them: CARGO_TARGET_TMPDIR is below the target folder.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(kept.join("real.html"), &real).unwrap();
    std::fs::write(kept.join("hard.html"), &hard).unwrap();
    let faults: String = FAULTS.iter().map(|(html, _)| *html).collect();
    let broken = real.replace("</main>", &format!("{faults}</main>"));
    let pages = [("real", &real), ("hard", &hard), ("broken", &broken)];
    for dark in [false, true] {
        let lines = measured(&browser, &pages, dark, scratch.path());
        let scheme = if dark { "dark" } else { "light" };
        for (name, width) in [("real", 400), ("real", 1600), ("hard", 400), ("hard", 1600)] {
            let place = format!("measured: {name} at {width}, {scheme}, ");
            let line = lines.iter().find(|line| line.starts_with(&place));
            let line = line.unwrap_or_else(|| panic!("no {place} in {lines:#?}"));
            assert!(
                !line.contains(" 0 figures") && !line.contains(" 0 texts"),
                "{line}"
            );
        }
        let (wanted, found): (Vec<&String>, Vec<&String>) = lines
            .iter()
            .filter(|line| line.starts_with("finding: "))
            .partition(|line| line.starts_with("finding: broken"));
        assert!(found.is_empty(), "{scheme}: {found:#?}");
        for (_, fault) in FAULTS {
            assert!(
                wanted.iter().any(|line| line.contains(fault)),
                "{fault} in {wanted:#?}"
            );
        }
    }
}

/// The lines that `measure.js` writes about `pages` at both widths.
fn measured(browser: &Path, pages: &[(&str, &String)], dark: bool, scratch: &Path) -> Vec<String> {
    let mut frames = String::new();
    for (name, page) in pages {
        let page = page.replace('&', "&amp;").replace('"', "&quot;");
        for width in [400, 1600] {
            frames += &format!(
                "<iframe title=\"{name}\" width=\"{width}\" height=\"900\" style=\"border:0\" \
                 srcdoc=\"{page}\"></iframe>\n"
            );
        }
    }
    let script = include_str!("measure.js");
    let path = scratch.join("frames.html");
    let text = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\">{frames}<pre id=\"findings\"></pre>\
         <script>addEventListener('load', () => {{ {script} }});</script>"
    );
    std::fs::write(&path, text).unwrap();
    let document = chromium::document(browser, &path, dark, scratch);
    let (_, rest) = document.split_once("<pre id=\"findings\">").unwrap();
    let (findings, _) = rest.split_once("</pre>").unwrap();
    findings.lines().map(ToOwned::to_owned).collect()
}
