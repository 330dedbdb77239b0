//! Networks by name: what is written, and what is refused.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Sandbox;

#[test]
fn a_network_is_written_and_told_of() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run("new lenet5 --width 0.5 -o net.onnx");
    // Rounding differs from machine to machine.
    let (before, rest) = shown.stdout.split_once(" differs by ").unwrap();
    let (_, behind) = rest.split_once(' ').unwrap();
    assert_snapshot!(format!("{before} differs by N {behind}{}", shown.stderr));
    assert_eq!(sandbox.content(), ["net.onnx"]);
    let told = sandbox.run("inspect net.onnx --json").stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    let groups = told["groups"].as_array().unwrap().iter();
    let units: Vec<u64> = groups.map(|g| g["units"].as_u64().unwrap()).collect();
    assert_eq!(units, [1, 10, 25, 250, 10]);
    let shown = sandbox.run("shrink net.onnx --keep 50% -o small.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
}

#[test]
fn the_seed_decides_and_force_replaces() {
    let sandbox = Sandbox::new();
    let command = "new resnet20 --input 1x8x8 --classes 3 --width 0.25";
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        let shown = sandbox.run(&format!("{command} --seed {seed} --out {name}.onnx"));
        assert_eq!(shown.code, Some(0), "{shown}");
    }
    assert_eq!(sandbox.read("a.onnx"), sandbox.read("b.onnx"));
    assert_ne!(sandbox.read("a.onnx"), sandbox.read("c.onnx"));
    let shown = sandbox.run(&format!("{command} --seed 2 --out a.onnx --force"));
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(sandbox.read("a.onnx"), sandbox.read("c.onnx"));
}

#[test]
fn what_is_no_network_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("there.onnx", "something");
    let text = sandbox.refusals(&[
        "new lenet5",
        "new -o net.onnx",
        "new resnet18 -o net.onnx",
        "new resnet20 --input 32x32 -o net.onnx",
        "new resnet20 --input 3x0x32 -o net.onnx",
        "new lenet5 --input 1x15x15 -o net.onnx",
        "new vgg-small --input 3x7x7 -o net.onnx",
        "new mlp --input 3x90000x90000 -o net.onnx",
        "new resnet20 --input 3x90000x90000 -o net.onnx",
        "new resnet20 --input 3x9000x9000 -o net.onnx",
        "new resnet20 --classes 0 -o net.onnx",
        "new resnet20 --width 0 -o net.onnx",
        "new resnet20 --width -1 -o net.onnx",
        "new resnet20 --width nan -o net.onnx",
        "new resnet20 --width 1e9 -o net.onnx",
        "new lenet300 -o there.onnx",
        "new lenet300 -o nowhere/net.onnx",
    ]);
    assert_snapshot!(text);
}
