//! Paths that are killed or stopped, and go on.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use secateur_testkit::Stream;
use serde_json::Value;

use crate::harness::Sandbox;

/// Some seconds of training, and cuts that look for a drop behind it.
const PATH: &str =
    "path --data digits --net 160-80 --threads 1 --epochs 40 --points 4 --to 10% --drop 3pt";

/// The files below a folder, without its own name.
fn names(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let content = sandbox.content();
    let below = content.iter().filter_map(|name| name.strip_prefix(folder));
    below.map(str::to_owned).collect()
}

/// The record, without what hangs on the clock and the machine.
fn record(sandbox: &Sandbox, folder: &str) -> Value {
    let mut record: Value =
        serde_json::from_slice(&sandbox.read(&format!("{folder}/path.json"))).unwrap();
    for key in ["seconds", "machine"] {
        record.as_object_mut().unwrap().remove(key).unwrap();
    }
    for point in record["points"].as_array_mut().unwrap() {
        point.as_object_mut().unwrap().remove("seconds").unwrap();
    }
    record
}

/// The path has the files of the one that nothing stopped, and the same models and scores.
fn assert_same(sandbox: &Sandbox) {
    assert_eq!(names(sandbox, "run/"), names(sandbox, "whole/"));
    let models = names(sandbox, "run/");
    for name in models.iter().filter(|name| name.ends_with(".onnx")) {
        let file = |folder: &str| sandbox.read(&format!("{folder}/{name}"));
        assert!(file("run") == file("whole"), "{name} differs");
    }
    assert_eq!(record(sandbox, "run"), record(sandbox, "whole"));
}

#[test]
fn a_path_that_is_killed_again_and_again_ends_with_the_same_models() {
    let sandbox = Sandbox::new();
    let whole = sandbox.run(&format!("{PATH} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    assert!(names(&sandbox, "whole/").len() > 8, "{whole}");
    let mut moments = Stream::new(5);
    let next = || {
        let has = |name: &str| sandbox.path("run").join(name).exists();
        match has("checkpoint") && has("config.toml") {
            true => "path --resume run".to_owned(),
            false => format!("{PATH} --out run --force"),
        }
    };
    for _ in 0..12 {
        let mut child = sandbox
            .command(&next())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(
            (20.0 + 300.0 * moments.unit()) as u64,
        ));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = sandbox.run(&next());
    assert_eq!(last.code, Some(0), "{last}");
    assert_same(&sandbox);
}

#[test]
fn a_path_out_of_time_has_the_points_so_far_and_goes_on() {
    let sandbox = Sandbox::new();
    let whole = sandbox.run(&format!("{PATH} --out whole --quiet"));
    assert_eq!(whole.code, Some(0), "{whole}");
    let stopped = sandbox.run(&format!("{PATH} --out run --time 1ms"));
    assert_eq!(stopped.code, Some(0), "{stopped}");
    assert!(stopped.stderr.contains("out of time"), "{stopped}");
    assert!(stopped.stderr.contains("path --resume run"), "{stopped}");
    let report = record(&sandbox, "run");
    assert_eq!(report["ended"], "interrupted");
    assert_eq!(report["points"].as_array().unwrap().len(), 1);
    // It is no run, and nothing is asked anew of it.
    for (refused, says) in [
        ("compress --resume run", "no run here"),
        ("path --resume run --points 3", "goes on as it was begun"),
        ("path --resume run --drop 1pt", "goes on as it was begun"),
        ("path --data digits --out run", "unfinished path"),
    ] {
        let shown = sandbox.run(refused);
        assert_eq!(shown.code, Some(2), "{refused}\n{shown}");
        assert!(shown.stderr.contains(says), "{refused}\n{shown}");
    }
    let resumed = sandbox.run("path --resume run --quiet");
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_same(&sandbox);
    let again = sandbox.run("path --resume run");
    assert_eq!(again.code, Some(2), "{again}");
    assert!(again.stderr.contains("finished"), "{again}");
}

#[test]
fn what_changed_on_disk_is_told() {
    let sandbox = Sandbox::new();
    let stopped = sandbox.run(&format!("{PATH} --out run --time 1ms --quiet"));
    assert_eq!(stopped.code, Some(0), "{stopped}");
    // What was kept is read.
    let kept = sandbox.read("run/checkpoint/0");
    sandbox.file("run/checkpoint/0", &kept[..kept.len() / 2]);
    let shown = sandbox.run("path --resume run");
    assert_eq!(shown.code, Some(3), "{shown}");
    assert!(shown.stderr.contains("is damaged"), "{shown}");
    sandbox.file("run/checkpoint/0", kept);
    let options = sandbox.text("run/path.toml");
    sandbox.file("run/path.toml", options.replace("points = 4", "points = 5"));
    let shown = sandbox.run("path --resume run");
    assert_eq!(shown.code, Some(3), "{shown}");
    assert!(shown.stderr.contains("the config changed"), "{shown}");
    sandbox.file("run/path.toml", options.replace("points", "sizes"));
    let shown = sandbox.run("path --resume run");
    assert_eq!(shown.code, Some(3), "{shown}");
    assert!(shown.stderr.contains("run/path.toml"), "{shown}");
}
