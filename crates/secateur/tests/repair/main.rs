//! Models of others that lost units and are repaired on inputs without labels.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use secateur::{
    Allocation, Choice, Criterion, Error, ErrorKind, InputOptions, ModelFile, Pixels, Repair,
    RepairBy, SmallModel, shrink_model, shrink_model_on,
};
use secateur_graph::{Dim, Element, Graph, ModelMeta, to_model};
use secateur_testkit::Stream;

mod networks;

use networks::{of_floats, pictures, shared_weights, steps, two_inputs};

fn file(folder: &Path, graph: &Graph) -> ModelFile {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    let path = folder.join("model.onnx");
    std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
    ModelFile::read(&path).unwrap()
}

/// An array as NumPy writes it.
fn npy(folder: &Path, name: &str, descr: &str, shape: &[usize], bytes: &[u8]) -> PathBuf {
    let lengths: String = shape.iter().map(|n| format!("{n},")).collect();
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}\n");
    let length = (text.len() as u16).to_le_bytes();
    let path = folder.join(name);
    let all = [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), bytes].concat();
    std::fs::write(&path, all).unwrap();
    path
}

fn floats(count: usize, seed: u64) -> Vec<u8> {
    let mut stream = Stream::new(seed);
    (0..count)
        .flat_map(|_| (stream.unit() as f32 - 0.4).to_le_bytes())
        .collect()
}

fn half(by: Criterion) -> Choice {
    left(by, "macs=50%")
}

/// So much of a network stays.
fn left(by: Criterion, most: &str) -> Choice {
    Choice {
        by,
        allocation: match by {
            Criterion::Reconstruction => Allocation::Curves,
            _ => Allocation::Even,
        },
        ..Choice::of(most.parse().unwrap())
    }
}

/// A tenth of a network of pictures, repaired on digits.
fn repaired(file: &ModelFile, by: Criterion, how: RepairBy) -> SmallModel {
    let options = InputOptions {
        rows: 200,
        pixels: Pixels {
            top: 16.0,
            ..Pixels::default()
        },
        ..InputOptions::default()
    };
    let inputs = file.read_inputs(&["digits".into()], &options).unwrap();
    let measured = inputs.measured_for(by, file, &|_| {}).unwrap();
    let small = shrink_model_on(file, &left(by, "macs=10%"), &measured).unwrap();
    small.repair(file, &inputs, how, &|_| {}).unwrap()
}

fn errors(repair: &Repair) -> [f64; 2] {
    let only = &repair.outputs()[0];
    [only.none.error, only.repaired.error]
}

#[test]
fn most_of_what_a_cut_took_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for normalised in [false, true] {
        let file = file(folder.path(), &pictures(Dim::batch(), normalised));
        let of = |by, how| {
            let small = repaired(&file, by, how);
            let repair = small.repaired().unwrap().clone();
            (small, errors(&repair), repair)
        };
        let (small, [none, formula], repair) = of(Criterion::L2, RepairBy::Formula);
        assert!(formula < 0.05 * none, "{normalised}: {none} {formula}");
        assert!(repair.readers().iter().all(|r| r.chosen[1] <= r.chosen[0]));
        assert_eq!(repair.outputs()[0].statistics.is_some(), normalised);
        let [_, reconstruction] = of(Criterion::Reconstruction, RepairBy::Formula).1;
        assert!(
            reconstruction < 0.8 * formula,
            "{normalised}: {reconstruction} {formula}"
        );
        // The same again, to the byte.
        let again = of(Criterion::L2, RepairBy::Formula).0;
        assert_eq!(again.bytes(), small.bytes());
        if normalised {
            let (_, [_, statistics], repair) = of(Criterion::L2, RepairBy::Statistics);
            assert!(statistics > formula, "{statistics} {formula}");
            assert_eq!(repair.outputs()[0].statistics.unwrap().error, statistics);
        }
        assert_eq!(small.graph().unwrap().outputs().len(), 1);
        // The file says how it was made.
        let model = secateur_onnx::read(small.bytes(), &secateur_onnx::Limits::default()).unwrap();
        let told = model
            .metadata_props
            .iter()
            .find(|p| p.key.as_deref() == Some("secateur.repair"));
        let told: serde_json::Value =
            serde_json::from_str(told.unwrap().value.as_deref().unwrap()).unwrap();
        assert_eq!(told["config"]["keep"], "macs=10%");
        assert_eq!(told["config"]["by"], "l2");
        assert_eq!(told["config_hash"].as_str().unwrap().len(), 16);
        assert_eq!(told["lost"][&repair.outputs()[0].name]["error"], formula);
    }
}

#[test]
fn a_batch_of_one_and_an_open_batch_are_repaired_alike() {
    let folder = tempfile::tempdir().unwrap();
    let of = |batch| {
        let file = file(folder.path(), &pictures(batch, true));
        errors(
            repaired(&file, Criterion::L2, RepairBy::Formula)
                .repaired()
                .unwrap(),
        )
    };
    let (open, one) = (of(Dim::batch()), of(Dim::Fixed(1)));
    assert!(
        (open[0] - one[0]).abs() < 1e-3 * open[0],
        "{open:?} {one:?}"
    );
    assert!((open[1] / one[1] - 1.0).abs() < 0.2, "{open:?} {one:?}");
}

#[test]
fn several_inputs_and_outputs_and_whole_numbers_are_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &two_inputs());
    let count = 300;
    let words: Vec<u8> = (0..count)
        .flat_map(|i| (i as i64 * 7 % 30).to_le_bytes())
        .collect();
    let words = npy(folder.path(), "words.npy", "<i8", &[count], &words);
    let numbers = npy(
        folder.path(),
        "numbers.npy",
        "<f4",
        &[count, 5],
        &floats(count * 5, 3),
    );
    let sources = [
        format!("numbers={}", numbers.display()),
        format!("words={}", words.display()),
    ];
    let options = InputOptions::default();
    let inputs = file.read_inputs(&sources, &options).unwrap();
    let small = shrink_model(&file, &half(Criterion::L2)).unwrap();
    let small = small
        .repair(&file, &inputs, RepairBy::Formula, &|_| {})
        .unwrap();
    let repair = small.repaired().unwrap();
    let names: Vec<&str> = repair.outputs().iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    for loss in repair.outputs() {
        assert!(loss.repaired.error < 0.8 * loss.none.error, "{loss:?}");
    }
    let refused =
        |sources: &[String]| -> Error { file.read_inputs(sources, &options).unwrap_err() };
    let missing = refused(&sources[..1]);
    assert_eq!(
        missing.to_string(),
        "--repair: nothing is given for 'words'"
    );
    let unnamed = refused(&[numbers.display().to_string(), sources[1].clone()]);
    assert!(
        unnamed
            .to_string()
            .ends_with("does not say which input it is for"),
        "{unnamed}"
    );
    let twice = refused(&[sources[0].clone(), sources[0].clone()]);
    assert_eq!(twice.to_string(), "--repair: 'numbers' has inputs twice");
    // Of files of other lengths other rows would be drawn.
    let more = npy(
        folder.path(),
        "more.npy",
        "<f4",
        &[count + 1, 5],
        &floats((count + 1) * 5, 3),
    );
    let some = InputOptions {
        rows: 100,
        ..InputOptions::default()
    };
    let sources_of_two = [format!("numbers={}", more.display()), sources[1].clone()];
    let error = file.read_inputs(&sources_of_two, &some).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--repair: 'numbers' has 301 rows, and another input 300"
    );
    // Rows are told by their place in the file, also where some of them are drawn.
    let whole = "takes whole numbers (int64), and row ";
    let table = "looks up a table of 30 rows, counted from 0, and row ";
    let odd = [
        (2.5f32, whole, "2.5"),
        (1e19, whole, "9999999980506448000"),
        (30.0, table, "30"),
        (-31.0, table, "-31"),
    ];
    for (odd, why, told) in odd {
        let mut words: Vec<f32> = (0..count).map(|i| (i * 7 % 30) as f32).collect();
        words[10..].fill(odd);
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let path = npy(folder.path(), "odd.npy", "<f4", &[count], &bytes);
        let sources = [sources[0].clone(), format!("words={}", path.display())];
        let error = file.read_inputs(&sources, &some).unwrap_err().to_string();
        let row = error.strip_prefix(&format!("--repair: 'words' {why}"));
        let row = row.and_then(|rest| rest.strip_suffix(&format!(" holds {told}")));
        let row: usize = row.unwrap_or_else(|| panic!("{error}")).parse().unwrap();
        assert!(row > 10 && words[row - 1] == odd, "{error}");
    }
}

#[test]
fn weights_of_other_floats_are_repaired_in_their_own_type() {
    for element in [Element::F16, Element::F64] {
        let (small, [none, repaired]) = repaired_on_numbers(&of_floats(element), "50%", &[8]);
        assert!(repaired < 0.5 * none, "{element:?}: {none} {repaired}");
        let graph = small.graph().unwrap();
        for name in ["second", "third"] {
            let weights = graph.constant(graph.value_named(name).unwrap()).unwrap();
            assert_eq!(weights.element(), element, "{name}");
        }
    }
}

#[test]
fn inputs_that_cannot_be_used_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &pictures(Dim::batch(), false));
    let options = InputOptions::default();
    let of = |name: &str, shape: &[usize], bytes: &[u8]| {
        let path = npy(folder.path(), name, "<f4", shape, bytes);
        file.read_inputs(&[path.display().to_string()], &options)
    };
    let few = of("few.npy", &[10, 1, 8, 8], &floats(640, 1)).unwrap_err();
    assert_eq!(few.kind(), ErrorKind::Input);
    assert_eq!(
        few.to_string(),
        "--repair: 10 inputs are too few: repairing takes 16 at least"
    );
    let shape = of("shape.npy", &[20, 3, 8, 8], &floats(20 * 192, 1)).unwrap_err();
    assert!(
        shape
            .to_string()
            .ends_with("'x' reads 1x8x8, and the rows are 3x8x8"),
        "{shape}"
    );
    let mut numbers = floats(20 * 64, 1);
    numbers[64 * 4..64 * 4 + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let nan = of("nan.npy", &[20, 1, 8, 8], &numbers).unwrap_err();
    assert!(
        nan.to_string()
            .ends_with("row 2 holds a number that is not finite"),
        "{nan}"
    );
    let copies = of("same.npy", &[100, 1, 8, 8], &[0; 100 * 64 * 4]).unwrap_err();
    assert_eq!(
        copies.to_string(),
        "--repair: only 1 of 100 inputs differ: repairing takes 16 at least"
    );
    // Inputs to which a network always answers the same leave nothing to measure, and say so.
    let dark = (0..100 * 64).flat_map(|n| (n as f32 * 1e-30).to_le_bytes());
    let same = of("dark.npy", &[100, 1, 8, 8], &dark.collect::<Vec<u8>>()).unwrap();
    let small = shrink_model(&file, &half(Criterion::L2)).unwrap();
    let repair = small
        .repair(&file, &same, RepairBy::Formula, &|_| {})
        .unwrap();
    let notes = repair.repaired().unwrap().notes().join(" ");
    assert!(
        notes.contains("are inputs scaled as in training"),
        "{notes}"
    );
    let statistics = shrink_model(&file, &half(Criterion::L2)).unwrap();
    let none = statistics
        .repair(&file, &same, RepairBy::Statistics, &|_| {})
        .unwrap_err();
    assert!(
        none.to_string().contains("has no BatchNormalization"),
        "{none}"
    );
}

#[test]
fn memory_is_kept_to_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), &pictures(Dim::batch(), true));
    let options = InputOptions {
        rows: 60,
        pixels: Pixels {
            top: 16.0,
            ..Pixels::default()
        },
        ..InputOptions::default()
    };
    let read = || file.read_inputs(&["digits".into()], &options).unwrap();
    let of = |memory| {
        let inputs = read().within(&file, memory).unwrap();
        let small = shrink_model(&file, &half(Criterion::L2)).unwrap();
        small
            .repair(&file, &inputs, RepairBy::Formula, &|_| {})
            .unwrap()
            .bytes()
            .to_vec()
    };
    assert_eq!(of(None), of(Some(1 << 40)));
    let error = read().within(&file, Some(1 << 20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    assert!(
        error
            .to_string()
            .starts_with("--memory: repairing takes about "),
        "{error}"
    );
}

/// So much of a network that reads `shape`, repaired on drawn numbers; and how far it is from what it was: without repair, and with it.
fn repaired_on_numbers(graph: &Graph, most: &str, shape: &[usize]) -> (SmallModel, [f64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    repaired_file(&file(folder.path(), graph), most, shape)
}

fn repaired_file(file: &ModelFile, most: &str, shape: &[usize]) -> (SmallModel, [f64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let shape = [&[300], shape].concat();
    let drawn = floats(shape.iter().product(), 5);
    let numbers = npy(folder.path(), "x.npy", "<f4", &shape, &drawn);
    let options = InputOptions::default();
    let inputs = file.read_inputs(&[numbers.display().to_string()], &options);
    let small = shrink_model(file, &left(Criterion::L2, most)).unwrap();
    let small = small.repair(file, &inputs.unwrap(), RepairBy::Formula, &|_| {});
    let small = small.unwrap();
    let errors = errors(small.repaired().unwrap());
    (small, errors)
}

#[test]
fn weights_that_layers_share_are_repaired_and_stay_shared() {
    let (small, [none, formula]) = repaired_on_numbers(&shared_weights(), "macs=70%", &[6]);
    assert!(formula < 0.1 * none, "{none} {formula}");
    let repair = small.repaired().unwrap();
    let names: Vec<&str> = repair.readers().iter().map(|r| r.node.as_str()).collect();
    assert_eq!(names, ["read0", "make1", "dense"]);
    assert_eq!(repair.untouched(), []);
    assert!(repair.readers()[0].ridge.is_some_and(f64::is_finite));
    let graph = small.graph().unwrap();
    for shared in ["shared", "bias"] {
        let id = graph.value_named(shared).unwrap();
        assert_eq!(graph.readers(id).len(), 2, "{shared}");
    }
}

#[test]
fn what_a_recurrent_layer_reads_is_repaired() {
    let (small, [none, formula]) = repaired_on_numbers(&steps(), "macs=70%", &[5, 6]);
    assert!(formula < 0.5 * none, "{none} {formula}");
    let repair = small.repaired().unwrap();
    let names: Vec<&str> = repair.readers().iter().map(|r| r.node.as_str()).collect();
    assert_eq!((names, repair.untouched()), (vec!["lstm"], &[][..]));
}

#[test]
fn queries_of_exported_attention_make_up_for_dimensions_of_heads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    for (name, at) in [
        ("transformer_scale.ts", "attention/MatMul"),
        ("transformer_qkv.ts", "attention/MatMul"),
        ("transformer_mha.dynamo", "node_MatMul_83"),
    ] {
        let file = ModelFile::read(&folder.join(format!("{name}.onnx"))).unwrap();
        let (small, [none, formula]) = repaired_file(&file, "macs=50%", &[3, 12, 12]);
        assert!(formula < 0.8 * none, "{name}: {none} {formula}");
        let repair = small.repaired().unwrap();
        let mut told = repair.readers().iter().filter(|r| r.node.contains(at));
        let told = told.next().unwrap_or_else(|| panic!("{name}: {repair:?}"));
        assert_eq!(told.moments_of, "queries and keys", "{name}");
        assert!(told.chosen[1] <= told.chosen[0], "{told:?}");
    }
}
