//! Latencies: what is told of them, and what is refused. How long anything took is not looked at.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Sandbox, without_numbers};

const QUICK: &str = "--seconds 0.001 --threads 1";

/// A folder with a network, its half, and another with a batch of its own.
fn with_models() -> Sandbox {
    let sandbox = Sandbox::new();
    for command in [
        "new mlp --input 1x4x4 --classes 3 --width 0.0625 -o dense.onnx",
        "shrink dense.onnx --keep 50% -o small.onnx",
    ] {
        let shown = sandbox.run(command);
        assert_eq!(shown.code, Some(0), "{shown}");
    }
    sandbox
}

/// The same model for one batch only. The name of its axis stands in the input and in the output.
fn fix(sandbox: &Sandbox, name: &str, fixed: &str, batch: u8) {
    let open = [&[0x12, 5][..], b"batch"].concat();
    let model = sandbox.read(name);
    let mut fixed_model = vec![];
    let mut at = 0;
    while at < model.len() {
        // A field of text of as many bytes becomes a number in as many bytes: field 1, padded.
        if model[at..].starts_with(&open) {
            fixed_model.extend([0x08, 0x80 | batch, 0x80, 0x80, 0x80, 0x80, 0x00]);
            at += open.len();
        } else {
            fixed_model.push(model[at]);
            at += 1;
        }
    }
    assert_ne!(model, fixed_model);
    sandbox.file(fixed, fixed_model);
}

#[test]
fn models_stand_side_by_side() {
    let sandbox = with_models();
    let shown = sandbox.run(&format!("bench dense.onnx small.onnx --batch 1,8 {QUICK}"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let (machine, rest) = shown.stdout.split_once('\n').unwrap();
    assert!(machine.starts_with("machine: "), "{machine}");
    // What a model takes is the same everywhere, how long that takes is not.
    let (models, latencies) = rest.split_once("latency").unwrap();
    assert_snapshot!(format!("{models}latency{}", without_numbers(latencies)));
}

#[test]
fn scripts_get_all_of_it() {
    let sandbox = with_models();
    let shown = sandbox.run(&format!("bench dense.onnx small.onnx {QUICK} --json"));
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    let latencies = told["latencies"].as_array().unwrap();
    // Batches of 1 and 32, two engines and two models.
    assert_eq!(latencies.len(), 2 * 2 * 2);
    for latency in latencies {
        let measured = &latency["measured"];
        assert!(measured["rounds"].as_u64().unwrap() >= 5);
        let of = |name: &str| measured["milliseconds"][name].as_f64().unwrap();
        assert!(0.0 < of("least") && of("least") <= of("median") && of("median") <= of("p90"));
        assert!(measured["ratio"]["median"].as_f64().unwrap() > 0.0);
    }
    assert!(told["machine"]["threads"].as_u64().unwrap() > 0);
    assert!(told["models"][1]["macs"].as_u64() < told["models"][0]["macs"].as_u64());
}

#[test]
fn a_fixed_batch_is_told_in_the_table() {
    let sandbox = with_models();
    fix(&sandbox, "small.onnx", "four.onnx", 4);
    let shown = sandbox.run(&format!("bench dense.onnx four.onnx --batch 1,4 {QUICK}"));
    assert_eq!(shown.code, Some(0), "{shown}");
    let (_, models) = shown.stdout.split_once('\n').unwrap();
    assert_snapshot!(without_numbers(models));
    // Without a flag, the only batch that all take.
    let shown = sandbox.run(&format!("bench dense.onnx four.onnx {QUICK} --json"));
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(told["latencies"][0]["batch"], 4, "{told}");
}

#[test]
fn what_cannot_be_measured_is_told_with_what_to_do() {
    let sandbox = with_models();
    sandbox.file("text.onnx", "no model");
    fix(&sandbox, "small.onnx", "four.onnx", 4);
    fix(&sandbox, "dense.onnx", "two.onnx", 2);
    let text = sandbox.refusals(&[
        "bench",
        "bench gone.onnx",
        "bench dense.onnx text.onnx",
        "bench dense.onnx --batch 0",
        "bench dense.onnx --batch one",
        "bench dense.onnx --threads 1,0",
        "bench dense.onnx --threads 5000",
        "bench dense.onnx --seconds 0",
        "bench dense.onnx --seconds -1",
        "bench dense.onnx --length 0",
        "bench dense.onnx --batch 200000000",
        "bench dense.onnx four.onnx --batch 1,32",
        "bench two.onnx four.onnx",
    ]);
    assert_snapshot!(text);
}
