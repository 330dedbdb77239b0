//! 130: what the user stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::with_run;
use crate::harness::{Sandbox, send};

/// By the keyboard, and by those who shut a machine down.
const SIGNALS: [&str; 2] = ["INT", "TERM"];

/// Longer than anyone waits.
const LONG: &str = "--epochs 100000 --threads 1";

#[test]
fn a_run_that_is_stopped_is_written_so_far() {
    for signal in SIGNALS {
        let sandbox = Sandbox::new();
        let run = format!("compress --data digits --net 16 {LONG} --out run");
        let shown = sandbox.run_until(&run, "digits:", signal);
        assert_eq!(shown.code, Some(130), "{signal}\n{shown}");
        assert!(shown.stderr.starts_with("interrupted: "), "{shown}");
        let go_on = "warning: to go on: secateur compress --resume run\n";
        assert!(shown.stderr.ends_with(go_on), "{shown}");
        let report: Value = serde_json::from_slice(&sandbox.read("run/report.json")).unwrap();
        assert_eq!(report["ended"], "interrupted");
        let bytes = sandbox.read("run/small.onnx").len();
        assert_eq!(report["after"]["bytes"].as_u64(), Some(bytes as u64));
        assert!(sandbox.path("run/checkpoint").is_dir());
    }
}

#[test]
fn a_path_that_is_stopped_keeps_its_points() {
    for signal in SIGNALS {
        let sandbox = Sandbox::new();
        let run = "path --data digits --net 16 --epochs 100 --points 100 --threads 1 --out run";
        let shown = sandbox.run_until(run, "point-01", signal);
        assert_eq!(shown.code, Some(130), "{signal}\n{shown}");
        let go_on = "warning: to go on: secateur path --resume run\n";
        assert!(shown.stderr.ends_with(go_on), "{shown}");
        let report: Value = serde_json::from_slice(&sandbox.read("run/path.json")).unwrap();
        assert_eq!(report["ended"], "interrupted");
        let points = report["points"].as_array().unwrap();
        assert!(points.len() > 1, "{report}");
        for point in points {
            let name = point["name"].as_str().unwrap();
            let model = sandbox.read(&format!("run/{name}/small.onnx"));
            assert_eq!(point["bytes"].as_u64(), Some(model.len() as u64));
        }
    }
}

#[test]
fn a_grid_that_is_stopped_goes_on_with_the_same_command() {
    let long = "--set epochs=100000 --seeds 1 --jobs 1 --yes --out grid";
    for (signal, grid) in [
        ("INT", format!("compare --data digits --set net=16 {long}")),
        ("TERM", format!("compare --data digits --set net=16 {long}")),
        (
            "INT",
            format!("structure --data digits --widths 16,12 {long}"),
        ),
    ] {
        let sandbox = Sandbox::new();
        let begun = match grid.starts_with("compare") {
            true => "3 cells to run",
            false => "4 cells to run",
        };
        let shown = sandbox.run_until(&grid, begun, signal);
        assert_eq!(shown.code, Some(130), "{signal} {grid}\n{shown}");
        assert_eq!(shown.stdout, "", "{shown}");
        let says = "warning: interrupted: the same command goes on where it stopped\n";
        assert!(shown.stderr.ends_with(says), "{shown}");
        // No cell is half of one.
        assert_eq!(sandbox.text("grid/cells.jsonl"), "");
        assert!(!sandbox.path("grid/report.md").exists());
    }
}

/// Nothing of these is worth keeping: the signal ends them, as shells tell by 130, too.
#[test]
fn what_keeps_nothing_is_ended_by_the_signal_itself() {
    let sandbox = with_run();
    let before = sandbox.content();
    let mut command = sandbox.command("bench model.onnx --seconds 1000");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    send("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2), "{output:?}");
    assert_eq!((output.stdout, sandbox.content()), (vec![], before));
}

/// A run that can go no further, as nobody reads what it prints, ends at the second signal.
#[cfg(target_os = "linux")]
#[test]
fn a_second_interrupt_gives_up_at_once() {
    let sandbox = Sandbox::new();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // As much as fits.
    writer.write_all(&[b'.'; 1 << 16]).unwrap();
    let run = format!("compress --data digits --net 16 {LONG} --json --out run");
    let mut command = sandbox.command(&run);
    command.stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut until = |begins: &str| {
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "{begins}");
        }
    };
    until("digits:");
    send("INT", child.id());
    // Behind this it prints.
    until("results: ");
    send("INT", child.id());
    let process = child.id();
    let (tell, told) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let mut rest = String::new();
        let end = stderr.read_to_string(&mut rest);
        tell.send(()).unwrap();
        end.map(|_| rest).unwrap()
    });
    if told.recv_timeout(Duration::from_secs(20)).is_err() {
        send("KILL", process);
    }
    let rest = waiting.join().unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), rest.as_str()), (Some(130), ""));
    let mut printed = vec![];
    reader.read_to_end(&mut printed).unwrap();
    assert_eq!(printed.len(), 1 << 16);
    assert!(sandbox.path("run/small.onnx").is_file());
}
