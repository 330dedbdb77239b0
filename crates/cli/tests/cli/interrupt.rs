//! Runs that are cut short.

#[cfg(unix)]
mod unix {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use serde_json::Value;

    use crate::harness::{Sandbox, Shown};

    #[test]
    fn control_c_writes_the_model_so_far() {
        let sandbox = Sandbox::new();
        let mut child = sandbox
            .command("compress --data digits --net 16 --epochs 100000 --threads 1 --out run")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("digits:"), "{line}");
        let killed = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let mut said = String::new();
        while stderr.read_line(&mut said).unwrap() > 0 {}
        let shown = Shown::new(&child.wait_with_output().unwrap());
        assert_eq!(shown.code, Some(130), "{shown}{said}");
        assert!(said.starts_with("interrupted:"), "{said}");
        assert!(shown.stdout.contains("cut short"), "{shown}");
        let report: Value = serde_json::from_slice(&sandbox.read("run/report.json")).unwrap();
        assert_eq!(report["ended"], "interrupted");
        assert!(sandbox.path("run/small.onnx").is_file());
    }
}

use crate::harness::Sandbox;

#[test]
fn a_loss_that_is_no_number_at_once_leaves_nothing() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "compress --data digits --net 16 --epochs 4 --learning-rate 1e30 --threads 1 --out run",
    );
    assert_eq!(shown.code, Some(1), "{shown}");
    assert!(
        shown
            .stderr
            .contains("error: epoch 1: the loss is not a finite number\nhint: "),
        "{shown}"
    );
    assert_eq!(sandbox.content(), Vec::<String>::new());
}

#[test]
fn a_loss_that_is_no_number_later_keeps_the_last_good_model() {
    let sandbox = Sandbox::new();
    // Each step multiplies the weights by 1 - 0.01 x 220 = -1.2: they overflow after a few epochs.
    let shown = sandbox.run(
        "compress --data digits --net 16 --epochs 40 --learning-rate 0.01 --weight-decay 220 \
         --schedule constant --penalty none --threads 1 --out run",
    );
    assert_eq!(shown.code, Some(1), "{shown}");
    assert!(shown.stderr.contains("the model of epoch"), "{shown}");
    assert!(shown.stdout.contains("cut short (diverged)"), "{shown}");
    assert!(sandbox.path("run/small.onnx").is_file());
}
