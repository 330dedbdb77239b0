//! Paths: what they print, what they leave, and what they refuse.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Sandbox;

const SHORT: &str =
    "path --data digits --net 32-24 --epochs 15 --threads 1 --strength 1e-3 --points 3 --to 10%";

fn report(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&sandbox.read("run/path.json")).unwrap()
}

#[test]
fn a_path_is_a_table_and_a_folder_of_models() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&format!("{SHORT} --out run"));
    assert_eq!(shown.code, Some(0), "{shown}");
    // Which points are dominated, and so the knee, may hang on the machine's rounding.
    let judged = [", dominated", " dominated", " knee"];
    let mut table = shown.without_numbers().to_string();
    for words in judged {
        table = table.replace(words, "");
    }
    let lines = table
        .lines()
        .filter(|l| !l.starts_with("Knee") && !l.starts_with("No knee"));
    let table: Vec<&str> = lines.map(str::trim_end).collect();
    assert_snapshot!(table.join("\n"));
    let content: Vec<String> = sandbox.content();
    assert_snapshot!(content.join("\n"));
    let report = report(&sandbox);
    let points = report["points"].as_array().unwrap();
    assert_eq!(points.len(), 4);
    for point in points {
        let file = format!("run/{}/small.onnx", point["name"].as_str().unwrap());
        let bytes = sandbox.read(&file).len() as u64;
        assert_eq!(point["bytes"].as_u64(), Some(bytes));
    }
    assert!(sandbox.text("run/path.html").contains("<svg"));
    assert!(
        sandbox
            .text("run/path.md")
            .starts_with("# Path on digits\n")
    );
}

#[test]
fn json_is_the_record_and_quiet_says_nothing() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&format!("{SHORT} --out run --json --drop 3pt"));
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(shown.stdout, sandbox.text("run/path.json"));
    assert!(shown.stderr.contains("results: run\n"), "{shown}");
    let report = report(&sandbox);
    let chosen = report["chosen"]["point"].as_str().unwrap();
    let chosen = sandbox.read(&format!("run/{chosen}/small.onnx"));
    assert!(sandbox.read("run/small.onnx") == chosen);
    let again = "path --config run/config.toml --points 3 --to 10% --drop 3pt -q";
    let shown = sandbox.run(&format!("{again} --out again"));
    assert_eq!(shown.to_string(), "exit code: 0\n--- stdout\n--- stderr\n");
    assert!(sandbox.read("again/small.onnx") == chosen);
    let shown = sandbox.run(&format!("{again} --json --out third"));
    assert_eq!(shown.stdout, sandbox.text("third/path.json"));
    assert_eq!(shown.stderr, "");
    let shown = sandbox.run(&format!("{again} --out run"));
    assert_eq!(shown.code, Some(2), "{shown}");
    let shown = sandbox.run(&format!("{again} --out run --force"));
    assert_eq!(shown.code, Some(0), "{shown}");
}

#[test]
fn what_is_no_path_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("kept/report.json", "{}");
    sandbox.file("noise.onnx", "no model");
    let told = sandbox.refusals(&[
        "path",
        "path --data digits --points 0",
        "path --data digits --points -1",
        "path --data digits --points 1000",
        "path --data digits --to 100%",
        "path --data digits --to 0",
        "path --data digits --to small",
        "path --data digits --drop half",
        "path --data digits --drop -1pt",
        "path --data digits --drop nan%",
        "path --data digits --drop 2%",
        "path --data diabetes --drop 0.5pt",
        "path --data digits --part budget:25%",
        "path --data digits --penalty none",
        "path --data digits --penalty l2",
        "path --data digits --baseline",
        "path --data digits --control narrow",
        "path --data digits --epochs 0",
        "path --data digits --net resnet-21",
        "path --data digits --net 16 --model noise.onnx",
        "path --data digits --model noise.onnx",
        "path --data digits --out kept --force",
        "path --data digits --learning-rate 1e30 --net 16 --epochs 4 --threads 1 -q",
    ]);
    assert_snapshot!(told);
}

#[cfg(unix)]
#[test]
fn control_c_writes_the_points_so_far() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use crate::harness::Shown;

    let sandbox = Sandbox::new();
    // As many points as there may be, so that there is time to stop it.
    let mut child = sandbox
        .command("path --data digits --net 16 --epochs 100 --points 100 --threads 1 --out run")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("digits:"), "{line}");
    while !line.starts_with("point-01") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let mut said = String::new();
    while stderr.read_line(&mut said).unwrap() > 0 {}
    let shown = Shown::new(&child.wait_with_output().unwrap());
    assert_eq!(shown.code, Some(130), "{shown}{said}");
    assert!(
        said.contains("interrupted: writing the points so far"),
        "{said}"
    );
    let report = report(&sandbox);
    assert_eq!(report["ended"], "interrupted");
    let points = report["points"].as_array().unwrap().len();
    assert!((2..101).contains(&points), "{points}");
    assert!(sandbox.path("run/point-01/small.onnx").is_file());
}

/// One unit is the least: the network itself is written, and nothing smaller.
#[test]
fn a_path_that_cuts_nothing_exits_with_five() {
    let sandbox = Sandbox::new();
    let shown = sandbox
        .run("path --data digits --net 1 --inputs spared --epochs 2 --threads 1 --quiet --out run");
    assert_eq!(shown.code, Some(5), "{shown}");
    assert!(sandbox.path("run/path.json").exists());
}
