//! 2, 3 and 5, and 0: what was typed, what was read, and what can be done with it.

use serde_json::Value;

use super::{refused, with_run};
use crate::harness::Sandbox;

#[test]
fn every_command_ends_with_two_where_flags_make_no_sense() {
    let sandbox = with_run();
    for (arguments, says) in [
        ("", "Usage: secateur"),
        ("prune", "unrecognized subcommand"),
        ("compress", "--data: no data is given"),
        ("compress --data digits --epochs 0", "epochs: "),
        ("compress --resume nowhere", "nowhere: "),
        ("path", "--data: no data is given"),
        ("path --data digits --points 0", "--points"),
        ("path --resume nowhere", "nowhere: "),
        ("compare --data digits --parts half", "half"),
        ("structure --data digits --widths 8-x", "'x' is not a width"),
        ("report", "<FOLDER>"),
        (
            "report run --out model.onnx",
            "model.onnx: this file exists already",
        ),
        ("new lenet6 -o a.onnx", "no 'lenet6'"),
        (
            "new lenet5 -o model.onnx",
            "model.onnx: this file exists already",
        ),
        ("inspect model.onnx --dot --json", "--dot"),
        ("inspect model.onnx --length 0", "--length"),
        ("shrink model.onnx -o a.onnx", "--keep"),
        ("shrink model.onnx --keep 2 -o a.onnx", "--keep: "),
        (
            "shrink model.onnx --keep 50% --round 0 -o a.onnx",
            "--round",
        ),
        ("bench model.onnx --batch 0", "--batch"),
        ("bench", "<MODEL>"),
    ] {
        refused(&sandbox, arguments, 2, says);
    }
}

#[test]
fn every_command_that_reads_ends_with_three_where_it_cannot() {
    let sandbox = with_run();
    let whole = sandbox.read("model.onnx");
    sandbox.file("cut.onnx", &whole[..whole.len() / 2]);
    sandbox.file("twice.json", "{\"dense1\": [0], \"dense1\": [1]}");
    sandbox.file("words.csv", "a,y\n1,2\n3,four\n5,6\n7,8\n");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    for (arguments, says) in [
        ("compress --data gone.csv", "gone.csv: no such data"),
        // Whatever limit on memory there is.
        (
            "compress --data gone.csv --memory 1KB",
            "gone.csv: no such data",
        ),
        ("compress --data words.csv --task regression", "words.csv"),
        ("compress --data digits --model cut.onnx", "cut.onnx: "),
        ("compress --config gone.toml", "gone.toml: "),
        ("path --data gone.csv", "gone.csv: no such data"),
        ("path --data digits --model cut.onnx", "cut.onnx: "),
        ("compare --data gone.csv", "gone.csv: no such data"),
        ("compare --merge empty", "empty"),
        (
            "structure --data gone.csv --widths 8",
            "gone.csv: no such data",
        ),
        ("report empty", "empty/"),
        ("report nowhere", "nowhere: "),
        ("inspect cut.onnx", "cut.onnx: "),
        ("shrink cut.onnx --keep 50% -o a.onnx", "cut.onnx: "),
        (
            "shrink model.onnx --drop gone.json -o a.onnx",
            "gone.json: ",
        ),
        (
            "shrink model.onnx --drop twice.json -o a.onnx",
            "group 'dense1' is named twice",
        ),
        (
            "shrink model.onnx --keep 50% --by taylor --data gone -o a.onnx",
            "gone",
        ),
        ("bench model.onnx cut.onnx", "cut.onnx: "),
    ] {
        refused(&sandbox, arguments, 3, says);
    }
}

#[test]
fn what_is_out_of_reach_ends_with_five_and_leaves_nothing() {
    let sandbox = with_run();
    let run = "--data digits --net 16 --epochs 2 --threads 1 --quiet --out other";
    for (arguments, says) in [
        (format!("compress {run} --budget macs=1"), "budget: "),
        (format!("compress {run} --budget params=13"), "budget: "),
        (format!("compress {run} --budget bytes=300B"), "budget: "),
        (format!("compress {run} --memory 200KB"), "--memory: "),
        (format!("path {run} --memory 200KB"), "--memory: "),
        // More than any machine has, known before weights are drawn.
        (
            format!("compress {run} --net 99999999999-99999999999").replace("--net 16 ", ""),
            "--memory: data and training would take about ",
        ),
        (
            format!("path {run} --net 99999999999").replace("--net 16 ", ""),
            "--memory: ",
        ),
        // Less than the data alone.
        (format!("compress {run} --memory 1KB"), "--memory: "),
        (
            "shrink model.onnx --macs 1% -o a.onnx".to_owned(),
            "--macs: ",
        ),
        (
            "shrink model.onnx --keep 99% -o a.onnx".to_owned(),
            "error: ",
        ),
    ] {
        refused(&sandbox, &arguments, 5, says);
    }
}

/// A run that goes on until it is stopped, in steps of all rows.
#[test]
fn numbers_may_be_as_large_as_they_come() {
    let sandbox = with_run();
    let most = usize::MAX;
    let run = "compress --data digits --net 8 --threads 1 --quiet --out other";
    for arguments in [
        format!("{run} --batch {most} --epochs 1"),
        format!("{run} --force --epochs {most} --time 300ms"),
    ] {
        let shown = sandbox.run(&arguments);
        assert_eq!(shown.code, Some(0), "{arguments}\n{shown}");
    }
    let all = format!("shrink model.onnx --keep 50% --min {most} --round {most} -o a.onnx");
    refused(&sandbox, &all, 5, "keeps all its units by --min or --round");
}

/// The points that there are, whose last one is the smallest network that there can be.
#[test]
fn a_path_that_comes_to_its_end_early_is_done() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "path --data digits --net 2 --epochs 2 --points 6 --to 1% --threads 1 --strength 1e-6 --quiet --out run",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    let report: Value = serde_json::from_slice(&sandbox.read("run/path.json")).unwrap();
    assert_eq!(report["ended"], "out-of-reach");
    let points = report["points"].as_array().unwrap().len();
    assert!((2..7).contains(&points), "{points}");
}

/// A loss that is no number says something of an arm, and nothing of the command.
#[test]
fn a_comparison_with_arms_that_diverge_is_done() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "compare --data digits --set net=8 --set epochs=12 --set learning-rate=0.01 --set weight-decay=220 --set schedule=constant \
         --seeds 1 --jobs 1 --out grid",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stderr.contains(", seed 0: diverged\n"), "{shown}");
    for line in sandbox.text("grid/cells.jsonl").lines() {
        let cell: Value = serde_json::from_str(line).unwrap();
        assert_eq!(cell["result"], "diverged", "{cell}");
    }
}
