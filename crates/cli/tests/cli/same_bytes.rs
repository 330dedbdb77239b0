//! The same config, seed and number of threads give the same model, to the byte.

use crate::harness::Sandbox;

/// Runs twice, each in a folder of its own, with threads that come and go in whatever order.
fn twice(run: &str) {
    let sandbox = Sandbox::new();
    let model = |folder: &str, seed: u32| {
        let shown = sandbox.run(&format!(
            "compress {run} --threads 2 --seed {seed} --quiet --out {folder}"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        sandbox.read(&format!("{folder}/small.onnx"))
    };
    let first = model("first", 3);
    assert!(first == model("second", 3), "{run}: other bytes");
    assert!(
        first != model("third", 4),
        "{run}: the seed changes nothing"
    );
}

#[test]
fn chains_of_dense_layers() {
    twice("--data digits --net 64-32 --epochs 6");
}

#[test]
fn networks_that_convolve() {
    twice("--data digits --net resnet20 --epochs 1 --strength 1e-3");
}

#[test]
fn models_that_are_repaired() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run("new mobilenet-small --input 1x8x8 --width 0.25 --seed 1 -o net.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    let small = |name: &str, seed: u32| {
        let shown = sandbox.run(&format!(
            "shrink net.onnx --macs 50% --repair digits --rows 60 --seed {seed} -o {name}.onnx"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        sandbox.read(&format!("{name}.onnx"))
    };
    let first = small("first", 3);
    assert!(first == small("second", 3), "other bytes");
    assert!(first != small("third", 4), "the seed changes nothing");
}
