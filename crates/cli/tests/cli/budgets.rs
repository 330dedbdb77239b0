//! What a user reads of a budget.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Sandbox, without_numbers};

/// Small enough for a second, and the same on any number of cores.
const SHORT: &str = "compress --data digits --net 32-16 --epochs 4 --threads 1 --strength 1e-6";

#[test]
fn the_summary_tells_the_limit_and_what_was_reached() {
    let sandbox = Sandbox::new();
    let mut told = String::new();
    for budget in [
        "macs=25%",
        "macs=1000",
        "params=30%",
        "params=800",
        "bytes=50%",
    ] {
        let shown = sandbox.run(&format!("{SHORT} --budget {budget} --out {budget}"));
        assert_eq!(shown.code, Some(0), "{shown}");
        let line = shown.stdout.lines().find(|l| l.starts_with("budget: "));
        told += &without_numbers(&format!("{}\n", line.unwrap()));
        let report: Value =
            serde_json::from_slice(&sandbox.read(&format!("{budget}/report.json"))).unwrap();
        assert_eq!(report["budget"]["asked"], budget);
        let config = sandbox.text(&format!("{budget}/config.toml"));
        assert!(
            config.contains(&format!("budget = \"{budget}\"")),
            "{config}"
        );
        assert!(!config.contains("part ="), "{config}");
    }
    assert_snapshot!(told);
}

#[test]
fn a_budget_that_is_met_already_is_noted() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&format!("{SHORT} --budget params=90000 --out run"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let notes: Vec<&str> = shown
        .stderr
        .lines()
        .filter(|l| l.contains("budget"))
        .collect();
    let lines = notes.join("\n");
    assert_snapshot!(lines);
}

/// No call takes a nanosecond, and none of a network so small a quarter of an hour: nothing here hangs on how fast the machine is.
#[test]
fn a_latency_is_measured_and_told() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&format!("{SHORT} --budget latency=1000s --out run"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let line = shown.stdout.lines().find(|l| l.starts_with("budget: "));
    let mut told = without_numbers(line.unwrap());
    let report: Value = serde_json::from_slice(&sandbox.read("run/report.json")).unwrap();
    let engines = report["budget"]["engines"].as_array().unwrap();
    let taken = engines.iter().map(|e| e["reached"].as_f64().unwrap());
    let slower = taken.fold(0.0, f64::max);
    assert_eq!(report["budget"]["reached"].as_f64(), Some(slower));
    assert!(slower > 0.0 && engines.len() == 2);

    let shown = sandbox.run(&format!("{SHORT} --quiet --budget latency=1ns --out other"));
    assert_eq!(shown.code, Some(5), "{shown}");
    assert!(!sandbox.path("other").exists());
    // What the machine did then is told in front.
    let (error, hint) = shown.stderr.split_once("\nhint: ").unwrap();
    let (doubts, hint) = hint.split_at(hint.find("allow").unwrap());
    assert!(
        doubts.is_empty() || doubts.starts_with("measure again, as ") && doubts.ends_with("; or "),
        "{doubts}"
    );
    told += &without_numbers(&format!("\n{error}\nhint: {hint}"));
    assert_snapshot!(told);
}

#[test]
fn budgets_that_cannot_be_kept_leave_nothing() {
    let sandbox = Sandbox::new();
    let run = |rest: &str| format!("{SHORT} --quiet {rest}");
    sandbox.file("run.toml", "part = 'full'\n");
    let commands = [
        run("--budget 25%"),
        run("--budget drop=1%"),
        run("--budget macs=0"),
        run("--budget bytes=5kb"),
        run("--budget param=10%"),
        run("--budget macs=25% --part full"),
        run("--budget macs=25% --penalty none"),
        run("--budget macs=25% --penalty l2"),
        run("--budget params=13"),
        run("--budget bytes=1KB"),
        run("--budget latency=2"),
        run("--budget macs=60 --floor 4"),
    ];
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    assert_snapshot!(sandbox.refusals(&commands));
    // What is typed beats the file, whichever of the two it names.
    let shown = sandbox.run(&run("--budget macs=50% --config run.toml --out run"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let shown = sandbox.run(&run("--part full --config run/config.toml --out again"));
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(!sandbox.text("again/config.toml").contains("budget"));
}
