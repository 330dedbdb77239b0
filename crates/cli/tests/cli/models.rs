//! Models of others: what is told of them, that they are shrunk, and what is refused.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Sandbox;

/// A folder with a small model in it, whose widths do not hang on training.
fn with_model() -> Sandbox {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "compress --data digits --net 12-8 --penalty none --inputs spared --epochs 1 --quiet --out run",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    std::fs::copy(sandbox.path("run/small.onnx"), sandbox.path("model.onnx")).unwrap();
    sandbox
}

#[test]
fn a_model_is_told_of_and_halved() {
    let sandbox = with_model();
    assert_snapshot!(sandbox.run("inspect model.onnx"));
    let shown = sandbox.run("shrink model.onnx --keep 50% -o half.onnx");
    // Only rounding differs from machine to machine.
    let shown = shown.to_string().replace(char::is_numeric, "N");
    assert_snapshot!(shown);
    let told = |name: &str| -> Value {
        let shown = sandbox.run(&format!("inspect {name} --json"));
        serde_json::from_str(&shown.stdout).unwrap()
    };
    let (whole, half) = (told("model.onnx"), told("half.onnx"));
    let units = |model: &Value| -> Vec<u64> {
        let groups = model["groups"].as_array().unwrap().iter();
        groups.map(|g| g["units"].as_u64().unwrap()).collect()
    };
    assert_eq!(
        (units(&whole), units(&half)),
        (vec![64, 12, 8, 10], vec![64, 6, 4, 10])
    );
}

#[test]
fn groups_are_drawn() {
    let sandbox = with_model();
    assert_snapshot!(sandbox.run("inspect model.onnx --dot"));
    assert_snapshot!(sandbox.run("inspect model.onnx --dot --json"));
}

#[test]
fn units_of_all_groups_are_ranked_together() {
    let sandbox = with_model();
    let command = "shrink model.onnx --global --json -o small.onnx";
    let kept = |flags: &str| -> Vec<usize> {
        let shown = sandbox.run(&format!("{command} --force {flags}"));
        let told: Value = serde_json::from_str(&shown.stdout).unwrap();
        let groups = told["groups"].as_array().unwrap().iter();
        let hidden = groups.skip(1).take(2);
        hidden
            .map(|g| g["kept"].as_array().unwrap().len())
            .collect()
    };
    // 12 and 8 units, of which 10 stay; which ones hangs on the weights.
    assert_eq!(kept("--keep 50%").iter().sum::<usize>(), 10);
    assert_eq!(kept("--keep 1% --min 3"), [3, 3]);
    assert!(kept("--keep 50% --round 4").iter().all(|n| n % 4 == 0));
    assert_snapshot!(sandbox.run("shrink model.onnx --global --macs 50% -o other.onnx"));
}

#[test]
fn what_was_cut_is_told_to_scripts() {
    let sandbox = with_model();
    let command =
        "shrink model.onnx --keep 50% --by random --seed 3 --round 4 --except dense2 --json";
    let shown = sandbox.run(&format!("{command} -o a.onnx"));
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    let groups = told["groups"].as_array().unwrap();
    assert_eq!(groups[1]["kept"].as_array().unwrap().len(), 8, "{told}");
    assert!(!told["tensors"].as_array().unwrap().is_empty());
    assert!(told["verified"]["naive_difference"].as_f64().unwrap() == 0.0);
    sandbox.run(&format!("{command} -o b.onnx"));
    assert_eq!(sandbox.read("a.onnx"), sandbox.read("b.onnx"));
}

#[test]
fn what_cannot_be_shrunk_leaves_nothing() {
    let sandbox = with_model();
    sandbox.file("empty.onnx", []);
    sandbox.file("text.onnx", "no model");
    let whole = sandbox.read("model.onnx");
    sandbox.file("cut.onnx", &whole[..whole.len() / 2]);
    sandbox.file("there.onnx", "something");
    sandbox.file("units.json", "{\"dense1\": [12]}");
    let text = sandbox.refusals(&[
        "inspect gone.onnx",
        "inspect empty.onnx",
        "inspect text.onnx",
        "inspect cut.onnx",
        "shrink model.onnx -o a.onnx",
        "shrink model.onnx --keep 0 -o a.onnx",
        "shrink model.onnx --keep 50% --macs 50% -o a.onnx",
        "shrink model.onnx --macs 1% -o a.onnx",
        "shrink model.onnx --drop text.onnx -o a.onnx",
        "shrink model.onnx --drop units.json -o a.onnx",
        "shrink model.onnx --keep 50% --by size -o a.onnx",
        "shrink model.onnx --keep 50% --only ( -o a.onnx",
        "shrink model.onnx --keep 50% --only nowhere -o a.onnx",
        "shrink model.onnx --keep 50% -o there.onnx",
        "shrink model.onnx --keep 50% -o nowhere/a.onnx",
    ]);
    assert_snapshot!(text);
}
