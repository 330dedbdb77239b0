//! Several runs on the same data.

use secateur::RunRecord;
use secateur_report::{markdown, page};

use crate::read::{in_markdown, on_page, words};
use crate::record::run;

/// The same run in another folder, with other numbers where arms are compared.
fn other() -> RunRecord {
    let mut run = run();
    run.folder.set_file_name("second");
    run.config.seed = Some(78);
    run.config.strength = Some("0.5".into());
    let report = &mut run.report;
    report.strength = 0.5;
    report.after.test_score = 0.8712;
    report.after.macs = 5432;
    report.before.macs = 61234;
    report.after.units = vec![31, 17, 10];
    report.seconds.search = 91.7;
    let dense = report.dense.as_mut().unwrap();
    dense.test_score = 0.9234;
    run
}

#[test]
fn runs_stand_side_by_side_under_the_right_headings() {
    let runs = [run(), other()];
    let header = [
        "run",
        "penalty",
        "part",
        "strength",
        "seed",
        "test accuracy (%)",
        "dense",
        "MACs a row",
        "times fewer",
        "hidden units",
        "inputs read",
        "seconds",
    ];
    let wanted = [
        header,
        [
            "distinct",
            "group-lasso",
            "macs=15%",
            "0.00347",
            "77",
            "89.76",
            "93.21",
            "6,543",
            "9.19",
            "19-11",
            "33",
            "83.6",
        ],
        [
            "second",
            "group-lasso",
            "macs=15%",
            "0.5",
            "78",
            "87.12",
            "92.34",
            "5,432",
            "11.27",
            "17-10",
            "31",
            "91.7",
        ],
    ]
    .map(|row| words(row).to_vec());
    assert_eq!(
        on_page(&page("t", &runs, None), "Runs on this data"),
        wanted
    );
    assert_eq!(in_markdown(&markdown(&runs, None), &wanted[0]), wanted);
}

#[test]
fn runs_that_have_groups_of_channels_have_no_layers() {
    let [mut first, mut second] = [run(), other()];
    let last = |runs: &[RunRecord]| {
        let table = on_page(&page("t", runs, None), "Runs on this data");
        let behind = |row: &Vec<String>| row[9..].to_vec();
        table.iter().map(behind).collect::<Vec<_>>()
    };
    first.report.start = "resnet20".into();
    let mixed = [
        ["hidden units", "inputs read", "seconds"],
        ["63 in 3 groups", "", "83.6"],
        ["17-10", "31", "91.7"],
    ];
    assert_eq!(last(&[first.clone(), second.clone()]), mixed.map(words));
    second.report.start = "resnet20".into();
    let groups = [
        ["units", "seconds"],
        ["63 in 3 groups", "83.6"],
        ["58 in 3 groups", "91.7"],
    ];
    assert_eq!(last(&[first, second]), groups.map(words));
}

/// The picture has an arm for each strength, with that of the narrowed control beside it.
#[test]
fn scores_stand_against_their_own_cost() {
    let runs = [run(), other()];
    let wanted = [
        ["strength auto", "89.76", "0", "6,543", "0"],
        [
            "uniformly narrowed, beside strength auto",
            "86.54",
            "0",
            "6,789",
            "0",
        ],
        ["strength 0.5", "87.12", "0", "5,432", "0"],
        [
            "uniformly narrowed, beside strength 0.5",
            "86.54",
            "0",
            "6,789",
            "0",
        ],
        // Of 93.21 and 92.34.
        ["dense network", "92.78", "0.6152", "", ""],
    ];
    let table = on_page(&page("t", &runs, None), "made-up: score against cost");
    // The letters of the marks apart.
    let rows = |row: &Vec<String>| [&row[..1], &row[2..]].concat();
    let told: Vec<Vec<String>> = table[1..].iter().map(rows).collect();
    assert_eq!(told, wanted.map(words));
    assert!(
        table[0][2].contains("accuracy") && table[0][4].contains("MACs"),
        "{table:?}"
    );
}
