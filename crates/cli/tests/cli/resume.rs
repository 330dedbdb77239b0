//! Runs that are killed, stopped or starved, and what of them goes on.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use secateur_testkit::Stream;

use crate::harness::{Sandbox, Shown};

/// Several strengths, a dense network and a narrowed one behind them: some seconds of training.
const RUN: &str = "compress --data digits --net 160-80 --threads 1 --epochs 60 --baseline --control narrow-same-decay";

fn started(sandbox: &Sandbox, arguments: &str) -> Child {
    sandbox
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// How to begin or go on, by what a killed run left; checks that it is one of what runs may leave.
fn next(sandbox: &Sandbox) -> String {
    let run = sandbox.path("run");
    let has = |name: &str| run.join(name).exists();
    if has("checkpoint") && has("config.toml") {
        return "compress --resume run".to_owned();
    }
    if has("report.json") {
        // It was killed behind its end.
        assert_same(sandbox);
        fs::remove_dir_all(run).unwrap();
    } else {
        assert!(!has("small.onnx"));
    }
    format!("{RUN} --out run --force")
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    let sandbox = Sandbox::new();
    let whole = sandbox.run(&format!("{RUN} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    let mut moments = Stream::new(11);
    let mut kills = 0;
    while kills < 50 {
        let mut child = started(&sandbox, &next(&sandbox));
        let pause = 20.0 + 700.0 * moments.unit();
        sleep(Duration::from_millis(pause as u64));
        if child.try_wait().unwrap().is_some() {
            // It was done before: another run is killed.
            assert_same(&sandbox);
            fs::remove_dir_all(sandbox.path("run")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let last = sandbox.run(&next(&sandbox));
    assert_eq!(last.code, Some(0), "{last}");
    assert_same(&sandbox);
}

/// The run has the files of the one that nothing stopped, and the same model and epochs.
fn assert_same(sandbox: &Sandbox) {
    let names = |folder: &str| {
        let entries = fs::read_dir(sandbox.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let mut own = names("run");
    // A kill behind the end may leave the lock, which nobody holds.
    own.retain(|name| name != ".lock");
    assert_eq!(own, names("whole"));
    for name in ["small.onnx", "config.toml", "inputs.json"] {
        let file = |folder: &str| sandbox.read(&format!("{folder}/{name}"));
        assert!(file("run") == file("whole"), "{name} differs");
    }
    assert_eq!(
        without_times(sandbox, "run"),
        without_times(sandbox, "whole")
    );
}

fn without_times(sandbox: &Sandbox, folder: &str) -> Vec<serde_json::Value> {
    let log = sandbox.text(&format!("{folder}/log.jsonl"));
    let line = |line: &str| {
        let mut epoch: serde_json::Value = serde_json::from_str(line).unwrap();
        epoch.as_object_mut().unwrap().remove("seconds").unwrap();
        epoch
    };
    log.lines().map(line).collect()
}

#[test]
fn a_run_out_of_time_is_written_and_goes_on() {
    let sandbox = Sandbox::new();
    let run = "compress --data digits --net 32 --threads 1 --epochs 80 --strength 1e-3 --part full";
    let whole = sandbox.run(&format!("{run} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    let stopped = sandbox.run(&format!("{run} --out run --time 1ms"));
    assert_eq!(stopped.code, Some(0), "{stopped}");
    assert!(stopped.stderr.contains("out of time"), "{stopped}");
    assert!(stopped.stderr.contains("--resume run"), "{stopped}");
    let report: serde_json::Value =
        serde_json::from_slice(&sandbox.read("run/report.json")).unwrap();
    assert_eq!(report["ended"], "interrupted");
    let resumed = sandbox.run("compress --resume run --quiet");
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_same(&sandbox);
    let again = sandbox.run("compress --resume run");
    assert_eq!(again.code, Some(2), "{again}");
    assert!(again.stderr.contains("finished"), "{again}");
}

#[test]
fn another_criterion_is_another_run() {
    let sandbox = Sandbox::new();
    let run = "compress --data digits --net mlp --threads 1 --epochs 4 --by l2 --out run";
    let stopped = sandbox.run(&format!("{run} --time 1ms --quiet"));
    assert_eq!(stopped.code, Some(0), "{stopped}");
    let config = sandbox.text("run/config.toml");
    assert!(config.contains("by = \"l2\""), "{config}");
    sandbox.file("run/config.toml", config.replace("\"l2\"", "\"l1\""));
    let resumed = sandbox.run("compress --resume run");
    assert_eq!(resumed.code, Some(3), "{resumed}");
    assert!(resumed.stderr.contains("the config changed"), "{resumed}");
}

#[test]
fn what_cannot_be_gone_on_with_is_told() {
    let sandbox = Sandbox::new();
    let table: String = (0..200)
        .map(|i| format!("{},{},{}\n", i % 7, i % 11, i % 3))
        .collect();
    sandbox.file("data.csv", &table);
    let run =
        "compress --data data.csv --net 8 --threads 1 --epochs 40 --task classification --out run";
    let stopped = sandbox.run(&format!("{run} --time 1ms --quiet"));
    assert_eq!(stopped.code, Some(0), "{stopped}");
    let refused = |code: i32, says: &str, arguments: &str| {
        let shown = sandbox.run(arguments);
        assert_eq!(shown.code, Some(code), "{arguments}\n{shown}");
        assert!(shown.stderr.contains(says), "{arguments}\n{shown}");
    };
    refused(2, "no run here", "compress --resume none");
    refused(
        2,
        "goes on as it was begun",
        "compress --resume run --epochs 3",
    );
    refused(2, "unfinished run", run);
    let kept = sandbox.path("run/checkpoint/0");
    let bytes = fs::read(&kept).unwrap();
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&kept, damaged).unwrap();
    refused(
        3,
        "run/checkpoint/0: the checkpoint is damaged",
        "compress --resume run",
    );
    fs::write(&kept, &bytes[..bytes.len() / 2]).unwrap();
    refused(3, "is damaged", "compress --resume run");
    fs::write(&kept, &bytes).unwrap();
    sandbox.file("data.csv", table.replacen("0,0,0", "0,1,0", 1));
    refused(3, "the data changed", "compress --resume run");
    fs::remove_file(sandbox.path("data.csv")).unwrap();
    refused(3, "data.csv", "compress --resume run");
    // Nothing was lost by trying.
    sandbox.file("data.csv", &table);
    let resumed = sandbox.run("compress --resume run --quiet");
    assert_eq!(resumed.code, Some(0), "{resumed}");
}

#[cfg(unix)]
#[test]
fn a_signal_keeps_where_the_run_is() {
    let sandbox = Sandbox::new();
    let whole = sandbox.run(&format!("{RUN} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    let mut child = started(&sandbox, &format!("{RUN} --out run"));
    while !sandbox.path("run/checkpoint").exists() {
        sleep(Duration::from_millis(10));
    }
    // One run at a time in a folder.
    let second = sandbox.run("compress --resume run");
    assert_eq!(second.code, Some(4), "{second}");
    assert!(second.stderr.contains("another run"), "{second}");
    let report = sandbox.run("report run");
    assert_eq!(report.code, Some(3), "{report}");
    assert!(report.stderr.contains("not finished"), "{report}");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resumed = sandbox.run("compress --resume run --quiet");
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_same(&sandbox);
}

#[cfg(unix)]
fn signal(child: &Child, signal: &str) {
    let killed = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// A shell runs the command, with the size of files limited to some blocks of 512 or 1024 bytes.
#[cfg(unix)]
fn with_small_files(sandbox: &Sandbox, blocks: usize, arguments: &str) -> Shown {
    let command = sandbox.command(arguments);
    let program = Path::new(command.get_program()).display().to_string();
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {arguments}");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line]).current_dir(sandbox.path(""));
    Shown::new(&shell.stdin(Stdio::null()).output().unwrap())
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_ends_the_run_with_what_was_kept() {
    let sandbox = Sandbox::new();
    let whole = sandbox.run(&format!("{RUN} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    // Too little for any checkpoint.
    let shown = with_small_files(&sandbox, 8, &format!("{RUN} --out run --quiet"));
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(
        shown.stderr.starts_with("error: run/checkpoint/0: "),
        "{shown}"
    );
    assert!(!sandbox.path("run/checkpoint/0").exists());
    // What was kept before stays, and is gone on with.
    let mut child = started(&sandbox, &format!("{RUN} --out run --force"));
    while !sandbox.path("run/checkpoint/0").exists() {
        sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = sandbox.read("run/checkpoint/0");
    let shown = with_small_files(&sandbox, 8, "compress --resume run --quiet");
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(sandbox.read("run/checkpoint/0") == kept);
    let resumed = sandbox.run("compress --resume run --quiet");
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_same(&sandbox);
}
