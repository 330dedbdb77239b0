//! Grids of runs: what they print, that they go on where they stopped, and what they refuse.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Sandbox;

/// Small enough for a second.
const SHORT: &str = "--data digits --set net=16-8 --set epochs=4 --seeds 2 --jobs 1";

#[test]
fn a_comparison_says_what_partial_gains_and_goes_on_where_it_stopped() {
    let sandbox = Sandbox::new();
    let compare = format!("compare {SHORT} --penalties group-lasso,exclusive --out grid");
    let shown = sandbox.run(&compare);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_snapshot!(shown.without_numbers());
    let report = sandbox.text("grid/report.md");
    assert!(
        report.contains("## digits: partial against full"),
        "{report}"
    );

    let again = sandbox.run(&format!("{compare} --json"));
    assert!(again.stderr.contains("0 cells to run"), "{again}");
    let cells: Vec<Value> = again
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // A dense network, and two penalties on two parts, for two seeds.
    assert_eq!(cells.len(), 10);
    assert!(cells.iter().all(|c| c["result"]["done"]["test"].is_f64()));
}

#[test]
fn seeds_that_are_added_run_and_the_others_stay() {
    let sandbox = Sandbox::new();
    let cells = |seeds: usize| {
        let shown = sandbox.run(&format!(
            "compare --data digits --set net=8 --set epochs=2 --parts full --seeds {seeds} --jobs 1 --out grid"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        // A dense network and the arm.
        assert!(shown.stderr.contains("2 cells to run"), "{shown}");
        let text = sandbox.text("grid/cells.jsonl");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (cells(1), cells(2));
    assert_eq!((first.len(), second.len()), (2, 4));
    assert_eq!(first, second[..2]);
}

/// A file that is written in place has the number of the one before; a new one that took its name has another.
#[cfg(unix)]
#[test]
fn files_of_a_comparison_are_replaced_whole() {
    use std::os::unix::fs::MetadataExt;

    let sandbox = Sandbox::new();
    // What a crash in the first moment leaves.
    sandbox.file("grid/.comparison.json.partial-7", "{");
    let compare = "compare --data digits --set net=16 --set epochs=2 --seeds 1 --jobs 1 --penalties group-lasso --quiet --out grid";
    let number = |name: &str| {
        let path = sandbox.path("grid").join(name);
        std::fs::metadata(path).unwrap().ino()
    };
    let mut before = None;
    for _ in 0..2 {
        let shown = sandbox.run(compare);
        assert_eq!(shown.code, Some(0), "{shown}");
        let now = ["comparison.json", "report.md"].map(number);
        let last = before.replace(now).unwrap_or_default();
        assert!(now[0] != last[0] && now[1] != last[1], "{now:?}");
    }
}

#[test]
fn shards_are_merged() {
    let sandbox = Sandbox::new();
    for number in 1..=2 {
        let shown = sandbox.run(&format!(
            "compare {SHORT} --shard {number}/2 --out shard{number} --quiet"
        ));
        assert_eq!(
            (shown.code, shown.stdout.as_str()),
            (Some(0), ""),
            "{shown}"
        );
    }
    let shown = sandbox.run("compare --merge shard1 shard2");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(
        shown
            .stdout
            .contains("Means ± standard deviations over 2 seeds."),
        "{shown}"
    );
}

#[test]
fn structure_says_what_the_data_want() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "structure --data digits,diabetes --widths 12-6,16-8 --set epochs=4 --seeds 2 --jobs 1 --out grid",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    // Widths and verdicts hang on the machine's rounding.
    for line in [
        "Do starts agree?",
        "start  ",
        "12-6   ",
        "16-8   ",
        "hidden layer 2  ",
        "MACs of all  ",
        "digits wants ",
        "diabetes wants ",
    ] {
        assert!(
            shown.stdout.lines().any(|l| l.starts_with(line)),
            "{line}\n{shown}"
        );
    }
    assert!(sandbox.text("grid/report.md").contains("| 12-6 |"));
}

#[test]
fn grids_that_cannot_be_run_leave_nothing() {
    let mut text = String::new();
    for arguments in [
        "compare",
        "compare --data digits --penalties group-laso",
        "compare --data digits --parts half",
        "compare --data digits --vary epochz=3,4",
        "compare --data digits --vary epochs",
        "compare --data digits --vary budget=macs=25%,params=10%",
        "compare --data digits --set budget=params=10%",
        "compare --data digits,digits",
        "compare --data digit",
        "compare --data digits --shard 3/2",
        "compare --data digits --at 0",
        "compare --data digits --seeds 2000 --limit 0.5",
        "compare --merge nowhere",
        "structure --data digits --widths 12-x",
    ] {
        let sandbox = Sandbox::new();
        let shown = sandbox.run(arguments);
        assert_eq!(shown.stdout, "", "{arguments}");
        assert!(matches!(shown.code, Some(2 | 3)), "{arguments}\n{shown}");
        assert_eq!(sandbox.content(), Vec::<String>::new(), "{arguments}");
        text += &format!("$ secateur {arguments}\n{}\n", shown.stderr);
    }
    // How long it would take hangs on the machine.
    let text: Vec<&str> = text
        .lines()
        .map(|line| line.split(" would take up to ").next().unwrap())
        .collect();
    assert_snapshot!(text.join("\n"));
}

#[test]
fn runs_and_grids_make_one_page() {
    let sandbox = Sandbox::new();
    let run = "compress --net 12 --epochs 4 --strength 1e-3 --threads 1 --quiet";
    for data in ["digits", "sine"] {
        let shown = sandbox.run(&format!("{run} --data {data} --out {data}"));
        assert_eq!(shown.code, Some(0), "{shown}");
    }
    let shown = sandbox.run(&format!("compare {SHORT} --out grid --quiet"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let shown = sandbox.run("report digits sine grid");
    assert_eq!(
        (shown.code, shown.stderr.as_str()),
        (Some(0), "report: report.html\n")
    );
    let page = sandbox.text("report.html");
    for text in [
        "<!DOCTYPE html>",
        "digits: partial against full",
        "sine",
        "</html>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"));
    for (folders, title) in [
        ("digits sine grid", "Comparison, and runs on digits, sine"),
        ("digits digits", "digits"),
        ("grid", "Comparison"),
    ] {
        let shown = sandbox.run(&format!("report {folders} --force"));
        assert_eq!(shown.code, Some(0), "{shown}");
        let page = sandbox.text("report.html");
        assert!(page.contains(&format!("<title>{title}</title>")), "{title}");
    }
    let shown = sandbox.run("report digits --out one.md");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(sandbox.text("one.md").starts_with("# "));

    // What is there is not replaced unasked, and what cannot be read is no page.
    let shown = sandbox.run("report digits");
    assert_eq!(shown.code, Some(2), "{shown}");
    assert!(shown.stderr.contains("--force"), "{shown}");
    std::fs::remove_file(sandbox.path("sine/log.jsonl")).unwrap();
    let shown = sandbox.run("report digits sine --out broken.html");
    assert_eq!(shown.code, Some(3), "{shown}");
    assert!(
        shown.stderr.contains("sine/log.jsonl: No such file"),
        "{shown}"
    );
    assert!(!sandbox.path("broken.html").exists());
}
