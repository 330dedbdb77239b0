//! `shrink --repair`: what is told, the page, and what is refused.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Sandbox;

/// A folder with a trained network for digits in it, which scales its pixels itself.
fn with_model() -> Sandbox {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "compress --data digits --net 24-16 --penalty none --inputs spared --epochs 2 --quiet --out run",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    std::fs::copy(sandbox.path("run/small.onnx"), sandbox.path("model.onnx")).unwrap();
    sandbox
}

#[test]
fn what_a_cut_took_comes_back_and_the_page_says_so() {
    let sandbox = with_model();
    let shown = sandbox
        .run("shrink model.onnx --macs 40% --repair digits --report page.html -o small.onnx");
    assert_eq!(shown.code, Some(0), "{shown}");
    // Numbers differ a little from machine to machine.
    assert_snapshot!(shown.to_string().replace(char::is_numeric, "N"));
    let page = std::fs::read_to_string(sandbox.path("page.html")).unwrap();
    for part in [
        "What outputs lost",
        "What readers lost",
        "Units by group, before and after",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let json = |flags: &str| -> Value {
        let shown = sandbox.run(&format!(
            "shrink model.onnx --macs 40% --force --json -o small.onnx {flags}"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        serde_json::from_str(&shown.stdout).unwrap()
    };
    let told = json("--repair digits --report page.html");
    let output = &told["repair"]["outputs"][0];
    let of = |way: &str, what: &str| output[way][what].as_f64().unwrap();
    assert!(
        of("repaired", "error") < 0.5 * of("none", "error"),
        "{output}"
    );
    assert!(
        of("repaired", "agreement") >= of("none", "agreement"),
        "{output}"
    );
    let wrong = 1.0 - of("repaired", "agreement");
    let changed = output["changed"].as_array().unwrap().len() as f64;
    assert!(
        (wrong * output["places"].as_f64().unwrap() - changed).abs() < 1e-6,
        "{output}"
    );
    assert_eq!(told["repair"]["readers"].as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(sandbox.path("page.html")).unwrap();
    let grouped = |n: u64| match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", n / 1000, n % 1000),
    };
    for quantity in ["macs", "params"] {
        let of = |when: &str| grouped(told[quantity][when].as_u64().unwrap());
        let part = format!("{} of {}", of("after"), of("before"));
        assert!(page.contains(&part), "{part}");
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for way in ["none", "repaired"] {
        let part = percent(of(way, "agreement"));
        assert!(page.contains(&part), "{part}");
    }
    for input in output["changed"].as_array().unwrap() {
        let row = input["input"].as_str().unwrap();
        assert!(page.contains(row), "{row}");
    }
    // The same again, to the byte, also with as little memory as there may be.
    let before = std::fs::read(sandbox.path("small.onnx")).unwrap();
    json("--repair digits --memory 2GiB");
    assert_eq!(std::fs::read(sandbox.path("small.onnx")).unwrap(), before);
    // Other criteria take the same inputs.
    for by in ["variance", "flap", "l2"] {
        json(&format!("--repair digits --by {by} --allocation even"));
    }
}

#[test]
fn what_cannot_be_repaired_on_is_refused_with_a_way_out() {
    let sandbox = with_model();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    std::fs::write(sandbox.path("rows.csv"), "1,2\n").unwrap();
    std::fs::create_dir(sandbox.path("pictures")).unwrap();
    std::fs::write(sandbox.path("pictures/a.png"), "a picture").unwrap();
    for flags in [
        "--repair digits --rows 10",
        "--repair gone",
        "--repair empty",
        "--repair diabetes",
        "--repair digits --repair-by magic",
        "--repair digits --scale 0",
        "--repair digits --memory 1MB",
        "--repair digits --recalibrate digits",
        "--repair-by formula",
        "--by reconstruction",
        "--by variance",
        "--repair digits --repair-by statistics",
        "--repair digits --report nowhere/page.html",
        "--repair digits --report ./a.onnx",
        "--repair digits --report model.onnx --force",
        "--repair rows.csv --report rows.csv --force",
        "--repair digits --input rows.csv --report rows.csv --force",
        "--recalibrate rows.csv --report rows.csv --force",
        "--repair pictures --report pictures/a.png --force",
        "--repair digits --target 1",
        "--scale 255",
    ] {
        let shown = sandbox.run(&format!("shrink model.onnx --keep 50% {flags} -o a.onnx"));
        assert_ne!(shown.code, Some(0), "{shown}");
        // How much a process holds differs from machine to machine.
        let shown = match flags.contains("1MB") {
            true => shown.to_string().replace(char::is_numeric, "N"),
            false => shown.to_string(),
        };
        assert_snapshot!(shown);
        assert!(!sandbox.path("a.onnx").exists(), "{flags}");
    }
}

#[test]
fn inputs_are_looked_up_in_the_folder_of_data_too() {
    let sandbox = with_model();
    std::fs::create_dir(sandbox.path("store")).unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 64), }\n";
    let length = (header.len() as u16).to_le_bytes();
    let numbers = (0..40 * 64).flat_map(|n: i32| ((n * 7 % 17) as f32).to_le_bytes());
    let numbers: Vec<u8> = numbers.collect();
    let array = [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        &numbers,
    ]
    .concat();
    sandbox.file("store/rows.npy", array);
    let command = "shrink model.onnx --keep 50% --repair rows.npy -o small.onnx";
    assert_eq!(sandbox.run(command).code, Some(3));
    let made = sandbox
        .command(command)
        .env("SECATEUR_DATA", sandbox.path("store"))
        .output();
    assert_eq!(made.unwrap().status.code(), Some(0));
    // Inputs are not written over, whatever they are called by.
    for repair in ["store/rows.npy", "x=store/../store/rows.npy"] {
        let out = format!("--repair {repair} -o ./store/rows.npy --force");
        let shown = sandbox.run(&format!("shrink model.onnx --keep 50% {out}"));
        assert!(
            shown.stderr.starts_with(
                "error: --out ./store/rows.npy: this is the model, its data, an input"
            ),
            "{shown}"
        );
    }
    // Inputs that do not fit into the memory are not read first.
    let shown =
        sandbox.run("shrink model.onnx --keep 50% --repair store/rows.npy --memory 5KiB -o a.onnx");
    assert!(shown.stderr.contains("rows.npy"), "{shown}");
}

/// Rows of 64 numbers, `more` numbers behind each, below names if that is asked for.
fn table(rows: usize, more: usize, is_named: bool) -> String {
    let width = 64 + more;
    let names: Vec<String> = (0..width).map(|at| format!("c{at}")).collect();
    let row = |row: usize| -> String {
        let cells = (0..width).map(|at| (row * row * 31 + at * at * 7 + row * at) % 17);
        let cells: Vec<String> = cells.map(|cell| cell.to_string()).collect();
        cells.join(",") + "\n"
    };
    let head = if is_named {
        names.join(",") + "\n"
    } else {
        String::new()
    };
    head + &(0..rows).map(row).collect::<String>()
}

#[test]
fn tables_are_inputs_with_and_without_a_target() {
    let sandbox = with_model();
    let small = |flags: &str| {
        let shown = sandbox.run(&format!(
            "shrink model.onnx --keep 50% --force -o small.onnx {flags}"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        (sandbox.read("small.onnx"), shown)
    };
    sandbox.file("plain.csv", table(240, 0, false));
    sandbox.file("named.csv", table(240, 0, true));
    sandbox.file("more.csv", table(240, 1, true));
    let (plain, shown) = small("--repair plain.csv");
    assert!(!shown.stderr.contains("note"), "{shown}");
    assert!(small("--repair named.csv").0 == plain);
    let (more, shown) = small("--repair more.csv --json");
    assert!(more == plain);
    let left_out = "'features': the last column, `c64`, is left out";
    assert!(
        shown.stderr.contains(&format!("note: {left_out}")),
        "{shown}"
    );
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(told["repair"]["notes"][0], left_out);
    let numbers = told["repair"]["inputs"]["numbers"][0].as_str().unwrap();
    assert!(
        numbers.starts_with("'features': 240 rows of 64, from "),
        "{numbers}"
    );
    // Numbers are as they stand, unless it is said how they are scaled.
    assert!(small("--repair plain.csv --std 2").0 != plain);
    assert!(small("--repair plain.csv --scale 3").0 == plain);
    sandbox.file("narrow.csv", "a,b,c\n1,2,3\n");
    sandbox.file("gap.csv", table(240, 0, true).replacen(",3,", ",,", 1));
    sandbox.file("text.csv", table(240, 0, true).replacen(",3,", ",red,", 1));
    let text = sandbox.refusals(&[
        "shrink model.onnx --keep 50% --repair narrow.csv -o a.onnx",
        "shrink model.onnx --keep 50% --repair gap.csv -o a.onnx",
        "shrink model.onnx --keep 50% --repair text.csv -o a.onnx",
    ]);
    assert_snapshot!(text);
}

#[test]
fn readers_that_got_worse_are_counted_in_json_and_on_the_page() {
    let sandbox = with_model();
    // What is fitted and chosen on are bars that fade; what is tested on is no bars, and does not miss the units that went.
    let cell = |row: usize, at: usize| match (row, at * 5 / 8 % 5) {
        (6 | 13, _) => row * at * 7 % 17,
        (_, 0) => 16 * (row + 1) / 17,
        _ => 0,
    };
    let row = |row: usize| -> String {
        let cells: Vec<String> = (0..64).map(|at| cell(row, at).to_string()).collect();
        cells.join(" ") + "\n"
    };
    sandbox.file("few.txt", (0..17).map(row).collect::<String>());
    let shown = sandbox.run(
        "shrink model.onnx --keep 90% --by l2 --repair few.txt --report page.html --json -o small.onnx",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    let told: Value = serde_json::from_str(&shown.stdout).unwrap();
    let readers = told["repair"]["readers"].as_array().unwrap();
    let is_worse = |r: &&Value| {
        let of = |when: &str| r["error_tested_on"][when].as_f64().unwrap();
        of("repaired") > of("cut")
    };
    let worse: Vec<&str> = readers
        .iter()
        .filter(is_worse)
        .map(|r| r["node"].as_str().unwrap())
        .collect();
    assert!(!worse.is_empty(), "{shown}");
    assert_eq!(told["repair"]["worse"], serde_json::json!(worse));
    let page = sandbox.text("page.html");
    let counted = format!(
        "{} are further from what they made than without repair",
        worse.len()
    );
    let named = format!(
        "Further from what they made than without repair: {}.",
        worse.join(", ")
    );
    assert!(
        page.contains(&counted) && page.contains(&named),
        "{worse:?}"
    );
}

#[test]
fn a_page_that_cannot_be_written_leaves_no_model() {
    let sandbox = with_model();
    std::fs::write(sandbox.path("a.onnx"), "old").unwrap();
    // Longer than a name may be that is not whole yet.
    let page = format!("{}.html", "p".repeat(249));
    let shown = sandbox.run(&format!(
        "shrink model.onnx --keep 50% --repair digits --report {page} --force -o a.onnx"
    ));
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.to_string().contains("--report"), "{shown}");
    assert_eq!(sandbox.text("a.onnx"), "old");
}

/// Both see the same pixels, whatever the largest of them is.
#[test]
fn data_beside_a_repair_are_scaled_as_its_pixels_are() {
    let sandbox = with_model();
    let before = |flags: &str| {
        let shown = sandbox.run(&format!(
            "shrink model.onnx --keep 50% --data digits --by l2 {flags} --json --force -o a.onnx"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        let told: Value = serde_json::from_str(&shown.stdout).unwrap();
        told["quality"][0]["test"].clone()
    };
    let plain = before("");
    assert!(!plain.is_null());
    // A model that scales pixels itself is given them as they are.
    assert_eq!(before("--repair digits --scale 4"), plain);
    let scaled = before("--mean 0.5 --std 2");
    assert_ne!(scaled, plain);
    assert_eq!(before("--repair digits --scale 4 --mean 2 --std 8"), scaled);
    assert_eq!(
        before("--repair digits --scale 4 --mean 2"),
        before("--mean 0.5 --std 0.25")
    );
    assert_eq!(
        before("--repair digits --scale 4 --std 8"),
        before("--std 2")
    );
    // Another seed divides them otherwise.
    assert_ne!(before("--seed 3"), plain);
}

#[test]
fn the_seed_draws_the_inputs_of_a_repair() {
    let sandbox = with_model();
    let inputs = |seed: u32| {
        let shown = sandbox.run(&format!(
            "shrink model.onnx --keep 50% --by l2 --repair digits --rows 100 --seed {seed} --json --force -o a.onnx"
        ));
        assert_eq!(shown.code, Some(0), "{shown}");
        let told: Value = serde_json::from_str(&shown.stdout).unwrap();
        told["repair"]["inputs"].clone()
    };
    assert!(
        inputs(0).to_string().contains("100 rows of 64"),
        "{}",
        inputs(0)
    );
    assert_ne!(inputs(0), inputs(3));
    assert_eq!(inputs(3), inputs(3));
}
