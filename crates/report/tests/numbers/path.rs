//! A path.

use secateur::path::PathReport;
use secateur_report::path_page;

use crate::read::{Cells, in_markdown, on_page, tiles, words};
use crate::record::Json;

fn report() -> PathReport {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/distinct");
    serde_json::from_slice(&std::fs::read(folder.join("path.json")).unwrap()).unwrap()
}

/// In the order of the file, from the largest to the smallest.
fn points() -> Cells {
    let of = Json::of("path.json");
    let remarks = ["dense", "dominated", "knee", "chosen"];
    let row = |(i, remark): (usize, &str)| {
        let at = |name: &str| format!("/points/{i}/{name}");
        vec![
            of.text(&at("name")),
            of.count(&at("macs")),
            format!("{:.1}", 100.0 * of.float(&at("share"))),
            of.count(&at("params")),
            of.count(&at("bytes")),
            of.percent(&at("validation_score")),
            of.percent(&at("test_score")),
            format!("{:.2}", of.float(&at("seconds"))),
            remark.to_owned(),
        ]
    };
    let header = [
        "point",
        "MACs a row",
        "share (%)",
        "params",
        "bytes",
        "validation accuracy (%)",
        "test accuracy (%)",
        "seconds",
        "remark",
    ];
    let rows = remarks.into_iter().enumerate().map(row);
    std::iter::once(words(header).to_vec())
        .chain(rows)
        .collect()
}

#[test]
fn every_point_has_its_own_numbers_in_its_row() {
    let wanted = points();
    assert_eq!(on_page(&path_page(&report()), "Points"), wanted);
    assert_eq!(in_markdown(&report().to_markdown(), &wanted[0]), wanted);
    let drawn = on_page(&path_page(&report()), "Quality against cost");
    let column = |of: usize| -> Vec<&String> { wanted.iter().map(|row| &row[of]).collect() };
    let shown = |of: usize| -> Vec<&String> { drawn.iter().map(|row| &row[of]).collect() };
    // Name, multiply-adds, validation score and remark.
    let same = [(0, 0), (1, 1), (2, 5), (3, 8)];
    for (drawn, whole) in same {
        assert_eq!(shown(drawn), column(whole));
    }
}

#[test]
fn the_start_the_knee_and_the_chosen_point_stand_first() {
    let wanted = [
        [
            "start, validation accuracy (%)",
            "96.12",
            "81,234 MACs, 99.7 % of the start",
        ],
        [
            "knee, validation accuracy (%)",
            "95.44",
            "24,534 MACs, 30.2 % of the start",
        ],
        [
            "chosen, validation accuracy (%)",
            "90.12",
            "8,855 MACs, 10.9 % of the start",
        ],
    ];
    assert_eq!(tiles(&path_page(&report())), wanted.map(words));
}

#[test]
fn sentences_tell_validation_rows_and_the_settings() {
    let (page, own) = (path_page(&report()), report().to_markdown());
    for told in [
        "67 features; 1258 rows to train, 181 to validate, 359 to test.",
        "Knee: point-01, at 30.2 % of the MACs with 95.44 % on validation rows.",
        "Smallest within 6pt (89.98 % on validation rows): point-03, at 10.9 % of the MACs with 90.12 %.",
        "a note",
        "a constant feature",
    ] {
        assert!(page.contains(told) && own.contains(told), "{told}\n{own}");
    }
    let told = "from point-00 96.12 at 81,234 MACs to point-03 90.12 at 8,855 MACs; knee: point-01 95.44 at 24,534 MACs.";
    assert!(page.contains(told), "{page}");
    let told =
        "Strength 2.190e-3. Config fedcba9876543210, 36 threads, avx2, peak memory 123 MiB.\n";
    assert!(own.ends_with(told), "{own}");
    let mut none = report();
    let chosen = none.chosen.as_mut().unwrap();
    (chosen.point, chosen.nearest) = (None, Some("point-01".into()));
    let told = "No smaller network is within 6pt (89.98 % on validation rows); nearest is point-01, with 95.44 %.";
    assert!(none.to_markdown().contains(told));
}

/// Errors are told in the unit of the target.
#[test]
fn errors_stand_where_accuracies_do() {
    let mut report = report();
    report.metric = "rmse".into();
    let table = on_page(&path_page(&report), "Points");
    assert_eq!(table[0][5..7], words(["validation RMSE", "test RMSE"]));
    assert_eq!(table[1][5..7], words(["0.9612", "0.9511"]));
    let told = "Knee: point-01, at 30.2 % of the MACs with an RMSE of 0.9544 on validation rows.";
    assert!(report.to_markdown().contains(told));
}
