//! What is printed of models is what the files hold, and what scripts are told: number by number.

use std::collections::BTreeSet;

use secateur_graph::{ModelMeta, Unary, to_model};
use serde_json::Value;

use crate::harness::{Sandbox, Shown};

fn with_model(widths: &[usize]) -> Sandbox {
    let sandbox = Sandbox::new();
    let graph = secateur_testkit::mlp(widths, Unary::Relu, 3).unwrap();
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    sandbox.file("model.onnx", secateur_onnx::write(&model).unwrap());
    sandbox
}

fn json(shown: &Shown) -> Value {
    assert_eq!(shown.code, Some(0), "{shown}");
    serde_json::from_str(&shown.stdout).unwrap()
}

/// The words of the line that begins so, what it begins with apart, without commas in numbers.
fn words(shown: &Shown, begins: &str) -> Vec<String> {
    let mut lines = shown.stdout.lines().filter_map(|l| l.strip_prefix(begins));
    let line = lines.next().unwrap_or_else(|| panic!("{begins}: {shown}"));
    let word = |word: &str| word.replace(',', "");
    line.split_whitespace().map(word).collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn what_shrink_tells_is_what_both_files_hold() {
    let sandbox = with_model(&[9, 16, 12, 3]);
    let shrink = "shrink model.onnx --keep 50%";
    let shown = sandbox.run(&format!("{shrink} -o small.onnx"));
    let told = json(&sandbox.run(&format!("{shrink} --json -o other.onnx")));
    let inspect = |name: &str| json(&sandbox.run(&format!("inspect {name} --json")));
    let files = [("model.onnx", "before"), ("small.onnx", "after")];
    let mut seen = BTreeSet::new();
    for (column, (name, when)) in files.into_iter().enumerate() {
        let held = inspect(name);
        for (what, line) in [
            ("params", "params "),
            ("macs", "MACs a row "),
            ("bytes", "bytes "),
        ] {
            let number = count(&held[what]);
            assert_eq!(count(&told[what][when]), number, "{what} {when}");
            assert_eq!(words(&shown, line)[column], number.to_string(), "{shown}");
            assert!(seen.insert(number), "{number} twice: nothing is told apart");
        }
        assert_eq!(count(&held["bytes"]), sandbox.read(name).len() as u64);
    }
    // 9 x 16 + 16 x 12 + 12 x 3, and of the half 9 x 8 + 8 x 6 + 6 x 3.
    assert_eq!(words(&shown, "MACs a row "), ["372", "138", "2.70"]);
    assert_eq!(words(&shown, "hidden units "), ["31", "17", "1.82"]);
    // With 31 and 17 biases.
    assert_eq!(words(&shown, "params ")[..2], ["403", "155"]);
    assert_eq!(sandbox.read("small.onnx"), sandbox.read("other.onnx"));
}

#[test]
fn what_inspect_shows_is_what_it_tells_scripts() {
    let sandbox = with_model(&[9, 16, 12, 3]);
    let shown = sandbox.run("inspect model.onnx");
    let told = json(&sandbox.run("inspect model.onnx --json"));
    let [params, macs, bytes] = ["params", "macs", "bytes"].map(|what| count(&told[what]));
    assert_eq!((params, macs), (403, 372));
    assert_eq!(bytes, sandbox.read("model.onnx").len() as u64);
    let line = format!("{params} params, {macs} MACs a row, ");
    assert!(shown.stdout.contains(&line), "{shown}");
    for (node, params, macs) in [
        ("dense1", 160, 144),
        ("dense2", 204, 192),
        ("dense3", 39, 36),
    ] {
        let cells = words(&shown, &format!("{node} "));
        assert_eq!(
            cells[cells.len() - 2..],
            [params, macs].map(|n: u64| n.to_string()),
            "{shown}"
        );
        let nodes = told["nodes"].as_array().unwrap();
        let own = nodes.iter().find(|n| n["name"] == node).unwrap();
        assert_eq!(
            (count(&own["params"]), count(&own["macs"])),
            (params, macs),
            "{own}"
        );
    }
}

/// Products of so many numbers are added up in blocks, which begin elsewhere in the small model: the runtime rounds otherwise.
#[test]
fn the_sentence_of_the_check_has_the_differences_of_its_record() {
    let sandbox = with_model(&[4, 1400, 3]);
    let shrink = "shrink model.onnx --keep 50% --by random --seed 3";
    let shown = sandbox.run(&format!("{shrink} -o small.onnx"));
    let told = json(&sandbox.run(&format!("{shrink} --json -o other.onnx")));
    let of = |name: &str| told["verified"][name].as_f64().unwrap();
    let (runtime, naive) = (of("runtime_difference"), of("naive_difference"));
    assert!(naive < runtime && runtime <= 1e-4, "{told}");
    assert_eq!(of("tolerance"), 1e-4);
    assert!(of("masking_moved") > 1e-2, "{told}");
    let within =
        format!(" within {runtime:.0e} and on the f64 evaluator within {naive:.0e} (relative)\n");
    assert!(shown.stdout.contains(&within), "{within}{shown}");
}
