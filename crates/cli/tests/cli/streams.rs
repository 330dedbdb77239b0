//! Output that nobody reads, or that cannot be written.

use std::process::Stdio;

use crate::harness::{Sandbox, Shown};

const SHORT: &str = "compress --data digits --net 8 --epochs 2 --threads 1 --out run";

#[test]
fn a_reader_that_went_away_is_no_error() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = sandbox.command(SHORT).stdout(writer).output().unwrap();
    let shown = Shown::new(&output);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(!shown.stderr.contains("panicked"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_an_error_of_the_environment() {
    let sandbox = Sandbox::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = sandbox
        .command(SHORT)
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let shown = Shown::new(&output);
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.stderr.contains("error: stdout: "), "{shown}");
    assert!(sandbox.path("run/small.onnx").is_file());
}

#[test]
fn colour_is_used_when_asked_for_only() {
    let sandbox = Sandbox::new();
    let escaped = |arguments: &str| sandbox.run(arguments).stderr.contains("\x1b[");
    assert!(!escaped("compress"));
    assert!(escaped("compress --color always"));
    assert!(!escaped("compress --color never"));
}
