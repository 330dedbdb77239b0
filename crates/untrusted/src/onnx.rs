//! What is read of ONNX files.

use std::path::Path;

use secateur_graph::{
    ChannelGroups, GroupKind, Keep, cost, from_model, lighten, mask, patch, settle, shrink,
};
use secateur_onnx::proto::ModelProto;
use secateur_onnx::{Limits, densify, elements, is_external, read, take_in_external, write};

/// Limits under which little memory is much.
pub fn onnx_limits() -> Limits {
    Limits {
        max_slot_bytes: 1 << 16,
        max_external_bytes: 1 << 14,
        ..Limits::default()
    }
}

/// Small models, valid ones and ones that are wrong in one way each, and the file beside them that some name.
///
/// # Panics
/// If they cannot be read.
pub fn onnx_seeds() -> Vec<(String, Vec<u8>)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let hostile = crates.join("secateur/tests/fixtures/hostile");
    let everything = crates.join("onnx/tests/fixtures/everything.onnx");
    let folder = std::fs::read_dir(hostile).expect("the folder of models");
    let paths = folder.map(|entry| entry.expect("a model").path());
    let mut paths: Vec<_> = paths.chain([everything]).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), std::fs::read(&path).expect("a model"))
    };
    paths.into_iter().map(read).collect()
}

/// Reads a model beside `folder`: its messages, all numbers of its initializers, those beside it and sparse ones, and
/// its network with what it computes of shapes; says how far that went.
pub fn read_onnx(bytes: &[u8], folder: &Path) -> usize {
    let limits = onnx_limits();
    let Ok(mut model) = read(bytes, &limits) else {
        return 0;
    };
    numbers(&model);
    if take_in_external(&mut model, folder, &limits).is_err() {
        return 1;
    }
    numbers(&model);
    if let Ok(graph) = from_model(&model)
        && settle(&graph).is_ok()
    {
        return 3;
    }
    let _ = densify(&mut model);
    numbers(&model);
    2
}

/// What can be read is written and read back, lowered to a network, grouped and shrunk to half of its units.
///
/// # Panics
/// If anything that was read cannot be written, comes back as something else, or can be shrunk but not masked.
pub fn shrink_onnx(bytes: &[u8]) {
    let Ok(mut model) = read(bytes, &Limits::default()) else {
        return;
    };
    let written = write(&model).expect("what was read can be written");
    let again = read(&written, &Limits::default()).expect("what was written can be read");
    // By their bytes, as what is not a number is not equal to itself.
    assert!(write(&again).expect("and written") == written);
    let Ok(plain) = from_model(&model) else {
        return;
    };
    let Ok(graph) = settle(&plain) else {
        return;
    };
    let Ok(groups) = ChannelGroups::of(&graph) else {
        return;
    };
    let _ = cost(&graph);
    lighten(&mut model, &plain);
    let whole = patch(&model, &plain, &plain).expect("nothing changed");
    assert!(write(&whole).expect("and is written") == written);
    let mut keep = Keep::all(&groups);
    for (id, group) in groups.iter().filter(|(_, g)| g.kind == GroupKind::Hidden) {
        for unit in (0..group.units).step_by(2) {
            if keep.can_drop(&groups, id, unit) {
                let _ = keep.drop(id, unit);
            }
        }
    }
    if let Ok(small) = shrink(&graph, &groups, &keep) {
        mask(&graph, &groups, &keep).expect("what can be removed can be masked");
        let small = patch(&model, &graph, &small.graph);
        let _ = small.map(|small| write(&small).expect("a small model can be written"));
    }
}

fn numbers(model: &ModelProto) {
    for tensor in &model.graph.initializer {
        let given = elements(tensor);
        assert!(given.is_err() || !is_external(tensor));
    }
}
