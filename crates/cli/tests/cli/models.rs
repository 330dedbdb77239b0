//! Models of others: what is told of them, that they are shrunk, and what is refused.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Sandbox, Shown};

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
    // Of all together 11 are enough; of each group it would be 7 and 5.
    assert_eq!(kept("--keep 51%").iter().sum::<usize>(), 11);
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
    std::fs::create_dir(sandbox.path("folder")).unwrap();
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
        "shrink model.onnx --keep 50% -o folder",
    ]);
    assert_snapshot!(text);
}

/// A device, a pipe or a socket is not replaced by a file.
#[cfg(unix)]
#[test]
fn force_replaces_regular_files_only() {
    let sandbox = with_model();
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.path("socket")).unwrap();
    let shown = sandbox.run("shrink model.onnx --keep 50% -o socket --force");
    assert_eq!(shown.code, Some(2), "{shown}");
    assert!(
        shown.stderr.contains("socket: this is no regular file"),
        "{shown}"
    );
    assert!(std::os::unix::net::UnixStream::connect(sandbox.path("socket")).is_ok());
}

/// A file of the library's tests.
fn fixture(sandbox: &Sandbox, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../secateur/tests/fixtures");
    let file = std::path::Path::new(folder).join(name);
    let name = file.file_name().unwrap();
    std::fs::copy(&file, sandbox.path(name.to_str().unwrap())).unwrap();
}

#[test]
fn initializers_that_are_inputs_too_are_no_obstacle() {
    let sandbox = Sandbox::new();
    fixture(&sandbox, "given/listed.onnx");
    assert_snapshot!(sandbox.run("inspect listed.onnx"));
    let shown = sandbox.run("shrink listed.onnx --keep 50% -o small.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("on rten"), "{shown}");
    let shown = sandbox
        .run("compress --model listed.onnx --data digits --epochs 1 --settle 0 --quiet --out run");
    assert_eq!(shown.code, Some(0), "{shown}");
    let shown =
        sandbox.run("bench listed.onnx small.onnx run/small.onnx --batch 2 --seconds 0.001");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(!shown.stdout.contains("note:"), "{shown}");
}

/// The engine could train it, but the result could not be verified.
#[test]
fn what_would_fail_at_the_end_fails_at_the_start() {
    let sandbox = Sandbox::new();
    fixture(&sandbox, "given/refused.onnx");
    let text = sandbox.refusals(&[
        "compress --model refused.onnx --data digits --out run",
        "path --model refused.onnx --data digits --out run",
        "shrink refused.onnx --keep 50% --by taylor --data digits -o nowhere/small.onnx",
    ]);
    assert!(!text.contains("epoch"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn where_nothing_can_go_nothing_is_written() {
    let sandbox = with_model();
    let text = sandbox.refusals(&[
        "shrink model.onnx --keep 50% --round 64 -o a.onnx",
        "shrink model.onnx --keep 99% -o a.onnx",
        "shrink model.onnx --keep 50% --except dense -o a.onnx",
        "shrink model.onnx --macs 50% --min 64 -o a.onnx",
    ]);
    assert_snapshot!(text);
    let shown = sandbox.run("shrink model.onnx --keep 100% -o same.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(sandbox.read("model.onnx"), sandbox.read("same.onnx"));
}

#[test]
fn a_share_that_units_are_too_coarse_for_names_the_nearest() {
    let sandbox = with_model();
    let shown = sandbox.run("shrink model.onnx --macs 80% --round 4 -o small.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    let note = shown.stderr.lines().find(|l| l.starts_with("note: "));
    assert_snapshot!(note.unwrap());
    let shown = sandbox.run("shrink model.onnx --macs 80% --round 4 --json -o other.onnx");
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    let nearest = &told["macs"]["nearest"];
    let of = |name: &str| nearest[name].as_f64().unwrap();
    assert!(
        of("below") < 0.78 && of("above") > 0.8 && of("asked") == 0.8,
        "{nearest}"
    );
}

#[test]
fn open_axes_get_lengths() {
    let sandbox = Sandbox::new();
    fixture(&sandbox, "given/open.onnx");
    assert_snapshot!(sandbox.run("inspect open.onnx --shape x=1x3x12x20"));
    let last = |shown: &Shown| shown.stdout.lines().nth(2).unwrap_or_default().to_owned();
    let told = [
        sandbox.run("inspect open.onnx"),
        sandbox.run("inspect open.onnx --length 12"),
    ];
    assert_snapshot!(told.iter().map(last).collect::<Vec<_>>().join("\n"));
    for (flags, out) in [("", "a.onnx"), ("--shape 2x3x12x20", "b.onnx")] {
        let shown = sandbox.run(&format!("shrink open.onnx --keep 50% {flags} -o {out}"));
        assert_eq!(shown.code, Some(0), "{shown}");
    }
    assert_eq!(sandbox.read("a.onnx"), sandbox.read("b.onnx"));
    let shown = sandbox.run("bench open.onnx a.onnx --shape x=1x3x12x20 --seconds 0.001 --json");
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(told["shapes"][0], "x [1, 3, 12, 20]");
    assert_eq!(told["latencies"][0]["batch"], 1);
    assert!(told["length"].is_null());
    let text = sandbox.refusals(&[
        "inspect open.onnx --shape x=1x4x12x20",
        "inspect open.onnx --shape y=1x3x12x20",
        "inspect open.onnx --length 0",
        "shrink open.onnx --keep 50% --shape 3x12x20 -o c.onnx",
        "bench open.onnx --shape 2x3x12x20 --batch 1,4",
    ]);
    assert_snapshot!(text);
}

/// A network for pictures with normalisations, untrained.
fn with_pictures() -> Sandbox {
    let sandbox = Sandbox::new();
    let shown = sandbox.run("new mobilenet-small --input 1x8x8 --width 0.25 --seed 1 -o net.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    sandbox
}

#[test]
fn units_are_ranked_and_normalisations_measured_on_data() {
    let sandbox = with_pictures();
    let command = "shrink net.onnx --keep 50% --by taylor --rows 200";
    let shown = sandbox.run(&format!("{command} --recalibrate digits -o small.onnx"));
    // How good an untrained network is hangs on rounding.
    assert_snapshot!(shown.without_numbers());
    let told = |flags: &str| -> Value {
        let shown = sandbox.run(&format!("{command} {flags} --json --force -o other.onnx"));
        serde_json::from_str(&shown.stdout).unwrap()
    };
    let ranked = told("--data digits");
    assert!(ranked["repair"].is_null());
    assert_eq!(ranked["quality"].as_array().unwrap().len(), 2);
    let both = told("--data digits --recalibrate digits");
    // Statistics are measured when the choice is made.
    assert_eq!(both["groups"], ranked["groups"]);
    assert_eq!(both["repair"]["by"], "statistics");
    assert_eq!(both["repair"]["inputs"]["fitted_on"], 140);
    assert_eq!(sandbox.read("other.onnx"), sandbox.read("small.onnx"));
    let quality = both["quality"].as_array().unwrap();
    assert_eq!(quality[..2], ranked["quality"].as_array().unwrap()[..]);
    assert_ne!(quality[1]["test"]["loss"], quality[2]["test"]["loss"]);
    let groups = ranked["groups"].as_array().unwrap();
    for group in groups
        .iter()
        .filter(|g| g["kept"].as_array().unwrap().len() < g["units"].as_u64().unwrap() as usize)
    {
        // Those that went are worth no more than those that stayed.
        let scores: Vec<f64> = group["scores"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s.as_f64().unwrap())
            .collect();
        let kept: Vec<usize> = group["kept"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u.as_u64().unwrap() as usize)
            .collect();
        let least = kept
            .iter()
            .map(|&u| scores[u])
            .fold(f64::INFINITY, f64::min);
        let went = (0..scores.len()).filter(|u| !kept.contains(u));
        assert!(
            went.map(|u| scores[u]).all(|score| score <= least),
            "{group}"
        );
    }
}

#[test]
fn numbers_are_scored_by_their_squared_distance() {
    let sandbox = Sandbox::new();
    sandbox.run("compress --data diabetes --net 6 --inputs spared --penalty none --epochs 1 --quiet --out run");
    let shown = sandbox.run(
        "shrink run/small.onnx --keep 50% --by taylor --data diabetes --rows 50 -o small.onnx",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("rmse, test"), "{shown}");
}

#[test]
fn where_nothing_went_no_statistics_change() {
    let sandbox = with_pictures();
    let shown = sandbox.run("shrink net.onnx --keep 100% --recalibrate digits -o same.onnx");
    assert!(shown.stderr.contains("note: not repaired"), "{shown}");
    assert_eq!(sandbox.read("same.onnx"), sandbox.read("net.onnx"));
}

#[test]
fn data_that_do_not_fit_leave_nothing() {
    let sandbox = with_pictures();
    sandbox.run("new lenet5 --input 1x16x16 --seed 1 -o plain.onnx");
    sandbox.file("pictures/a.png", "no class");
    let text = sandbox.refusals(&[
        "shrink net.onnx --keep 50% --by taylor -o a.onnx",
        "shrink net.onnx --keep 50% --rows 10 -o a.onnx",
        "shrink net.onnx --keep 50% --by taylor --data digits --rows 0 -o a.onnx",
        "shrink net.onnx --keep 50% --by taylor --data gone -o a.onnx",
        "shrink net.onnx --keep 50% --by taylor --data pictures --format image-folder -o a.onnx",
        "shrink net.onnx --keep 50% --by taylor --data sine -o a.onnx",
        "shrink plain.onnx --keep 50% --by taylor --data digits -o a.onnx",
        "shrink plain.onnx --keep 50% --recalibrate digits -o a.onnx",
        "shrink net.onnx --keep 50% --recalibrate pictures --format image-folder -o a.onnx",
    ]);
    assert_snapshot!(text);
}
