//! 4: folders that cannot be written, and full disks.

use std::fs;

use super::{refused, with_run};
use crate::harness::Sandbox;

const RUN: &str =
    "compress --data digits --net 8 --epochs 2 --threads 1 --strength 1e-3 --quiet --out other";
const PATH: &str = "path --data digits --net 8 --epochs 3 --points 1 --threads 1 --strength 1e-3 --quiet --out other";
const COMPARE: &str =
    "compare --data digits --set net=8 --set epochs=2 --seeds 1 --jobs 1 --quiet --out other";
const STRUCTURE: &str =
    "structure --data digits --widths 8,6 --set epochs=2 --seeds 1 --jobs 1 --quiet --out other";

/// Whoever may do all may write below every folder, but nobody below a file.
#[test]
fn every_command_that_writes_ends_with_four_where_it_cannot() {
    let sandbox = with_run();
    for (arguments, place) in [
        (RUN.replace("other", "model.onnx/a"), "model.onnx/a"),
        (PATH.replace("other", "model.onnx/a"), "model.onnx/a"),
        (COMPARE.replace("other", "model.onnx/a"), "model.onnx/a"),
        (STRUCTURE.replace("other", "model.onnx/a"), "model.onnx/a"),
        (
            "report run --out model.onnx/a.html".into(),
            "model.onnx/a.html",
        ),
        ("report run --out gone/a.md".into(), "gone/a.md"),
        (
            "new lenet5 -o model.onnx/a.onnx".into(),
            "model.onnx/a.onnx",
        ),
        ("new lenet5 -o gone/a.onnx".into(), "gone/a.onnx"),
        (
            "shrink model.onnx --keep 50% -o model.onnx/a.onnx".into(),
            "model.onnx/a.onnx",
        ),
        (
            "shrink model.onnx --keep 50% -o gone/a.onnx".into(),
            "gone/a.onnx",
        ),
    ] {
        refused(&sandbox, &arguments, 4, &format!("error: {place}: "));
    }
}

/// What a link leads to is what is written.
#[test]
fn files_behind_links_are_written_and_the_links_stay() {
    let sandbox = with_run();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, sandbox.path(name)).unwrap();
    };
    link("nowhere.onnx", "lost.onnx");
    link("behind.onnx", "link.onnx");
    sandbox.file("behind.onnx", "before");
    for (command, name) in [
        ("shrink model.onnx --keep 50%", "model"),
        ("new lenet5", "lenet5"),
    ] {
        let lost = format!("{command} -o lost.onnx --force");
        refused(&sandbox, &lost, 2, "lost.onnx: this is a link to nothing");
        let there = format!("{command} -o link.onnx");
        refused(&sandbox, &there, 2, "link.onnx: this file exists already");
        let shown = sandbox.run(&format!("{there} --force"));
        assert_eq!(shown.code, Some(0), "{shown}");
        assert!(sandbox.path("link.onnx").is_symlink(), "{name}");
        let written = sandbox.read("behind.onnx");
        assert!(
            written.len() > 100 && written == sandbox.read("link.onnx"),
            "{name}"
        );
    }
    let page = sandbox.run("report run --out link.onnx --force");
    assert_eq!(page.code, Some(0), "{page}");
    assert!(sandbox.text("behind.onnx").starts_with("<!"), "{page}");
}

#[test]
fn what_has_no_end_is_not_read() {
    let sandbox = with_run();
    for (arguments, says) in [
        ("inspect /dev/zero", "/dev/zero: is no regular file"),
        (
            "compress --data digits --config /dev/zero --out other",
            "/dev/zero: is too large for settings",
        ),
        (
            "shrink model.onnx --drop /dev/zero -o a.onnx",
            "/dev/zero: ",
        ),
    ] {
        refused(&sandbox, arguments, 3, says);
    }
}

#[test]
fn single_files_on_a_full_disk_are_not_there_at_all() {
    let sandbox = with_run();
    let before = sandbox.content();
    for (arguments, place) in [
        ("new lenet5 -o a.onnx", "a.onnx"),
        ("shrink model.onnx --keep 50% -o a.onnx", "a.onnx"),
        ("report run --out a.html", "a.html"),
        ("report run --out a.md", "a.md"),
    ] {
        let shown = sandbox.run_with_blocks(arguments, 1);
        assert_eq!(shown.code, Some(4), "{arguments}\n{shown}");
        assert_eq!(shown.stdout, "", "{arguments}");
        let told = shown
            .stderr
            .contains(&format!("error: {place}: File too large"));
        assert!(told, "{arguments}\n{shown}");
        assert_eq!(sandbox.content(), before, "{arguments}: something was left");
    }
}

/// What is there is not lost for what cannot take its place.
#[test]
fn a_file_that_was_to_be_replaced_stays_where_a_disk_is_full() {
    let sandbox = with_run();
    for name in ["a.onnx", "a.html"] {
        sandbox.file(name, "something");
    }
    let before = sandbox.content();
    for arguments in [
        "new lenet5 -o a.onnx --force",
        "shrink model.onnx --keep 50% -o a.onnx --force",
        "report run --out a.html --force",
    ] {
        let shown = sandbox.run_with_blocks(arguments, 1);
        assert_eq!(shown.code, Some(4), "{arguments}\n{shown}");
        assert_eq!(sandbox.content(), before, "{arguments}");
    }
    assert_eq!(
        sandbox.text("a.onnx") + &sandbox.text("a.html"),
        "somethingsomething"
    );
}

/// Names in a folder that hold something.
fn files(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let all = sandbox.content();
    let own = all
        .into_iter()
        .filter(|name| name.starts_with(&format!("{folder}/")));
    own.filter(|name| fs::metadata(sandbox.path(name)).unwrap().is_file())
        .collect()
}

#[test]
fn a_run_on_a_disk_that_was_full_at_once_begins_anew() {
    // What a path was asked for is less than a block.
    for (command, fits) in [(RUN, &[][..]), (PATH, &["other/path.toml"])] {
        let sandbox = Sandbox::new();
        let shown = sandbox.run_with_blocks(command, 1);
        assert_eq!(shown.code, Some(4), "{command}\n{shown}");
        assert!(shown.stderr.starts_with("error: other/"), "{shown}");
        assert_eq!(files(&sandbox, "other"), fits, "{command}");
        // Nobody has to say that nothing be replaced.
        let shown = sandbox.run(command);
        assert_eq!(shown.code, Some(0), "{command}\n{shown}");
    }
}

/// Checkpoints fit, the page does not.
#[test]
fn a_run_on_a_disk_that_is_full_at_its_end_goes_on() {
    for (command, record) in [(RUN, "other/report.json"), (PATH, "other/path.json")] {
        let sandbox = Sandbox::new();
        let shown = sandbox.run_with_blocks(command, 8);
        assert_eq!(shown.code, Some(4), "{command}\n{shown}");
        assert!(shown.stderr.contains(".html: File too large"), "{shown}");
        let left = files(&sandbox, "other");
        // What says that a run is finished comes last, and nothing is left that was begun.
        assert!(!left.contains(&record.to_owned()), "{left:?}");
        assert!(
            !left.iter().any(|name| name.contains("partial")),
            "{left:?}"
        );
        let name = command.split(' ').next().unwrap();
        let shown = sandbox.run(&format!("{name} --resume other --quiet"));
        assert_eq!(shown.code, Some(0), "{command}\n{shown}");
        assert!(sandbox.path(record).is_file());
        assert!(!sandbox.path("other/checkpoint").exists());
    }
}

#[test]
fn a_grid_on_a_full_disk_goes_on_with_the_cells_that_are_whole() {
    for (command, cells) in [(COMPARE, 3), (STRUCTURE, 4)] {
        let sandbox = Sandbox::new();
        let shown = sandbox.run_with_blocks(command, 1);
        assert_eq!(shown.code, Some(4), "{command}\n{shown}");
        let says = "error: other/cells.jsonl: File too large";
        assert!(shown.stderr.contains(says), "{command}\n{shown}");
        assert!(!sandbox.path("other/report.md").exists());
        let shown = sandbox.run(command);
        assert_eq!(shown.code, Some(0), "{command}\n{shown}");
        let whole = sandbox.text("other/cells.jsonl");
        let read = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let all: Vec<_> = whole.lines().map(read).collect();
        assert!(all.len() >= cells, "{whole}");
        assert!(sandbox.path("other/report.md").is_file());
    }
}

/// Results that were written stay; only what is printed is lost.
#[cfg(target_os = "linux")]
#[test]
fn every_command_that_prints_ends_with_four_where_it_cannot() {
    let sandbox = with_run();
    let loud =
        |command: &str, out: &str| command.replace("--quiet --out other", &format!("--out {out}"));
    for (arguments, written) in [
        (loud(RUN, "c"), "c/report.json"),
        (loud(RUN, "d --json"), "d/report.json"),
        (loud(PATH, "p"), "p/path.json"),
        (loud(PATH, "q --json"), "q/path.json"),
        (loud(COMPARE, "g"), "g/report.md"),
        (loud(COMPARE, "g --json"), "g/cells.jsonl"),
        (loud(STRUCTURE, "s"), "s/report.md"),
        (loud(STRUCTURE, "s --json"), "s/cells.jsonl"),
        ("new mlp --input 1x4x4 -o n.onnx".into(), "n.onnx"),
        ("shrink model.onnx --keep 50% -o h.onnx".into(), "h.onnx"),
        (
            "shrink model.onnx --keep 50% --json -o i.onnx".into(),
            "i.onnx",
        ),
        ("inspect model.onnx".into(), "model.onnx"),
        ("inspect model.onnx --json".into(), "model.onnx"),
        ("inspect model.onnx --dot".into(), "model.onnx"),
        (
            "bench model.onnx --batch 1 --seconds 0.001".into(),
            "model.onnx",
        ),
        (
            "bench model.onnx --batch 1 --seconds 0.001 --json".into(),
            "model.onnx",
        ),
        ("--help".into(), "model.onnx"),
        ("--version".into(), "model.onnx"),
    ] {
        let shown = sandbox.run_into_full_disk(&arguments);
        assert_eq!(shown.code, Some(4), "{arguments}\n{shown}");
        assert!(
            shown.stderr.contains("error: stdout: "),
            "{arguments}\n{shown}"
        );
        assert!(sandbox.path(written).is_file(), "{arguments}");
    }
}
