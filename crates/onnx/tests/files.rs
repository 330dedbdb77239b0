//! Files survive reading and writing byte by byte, and broken files are refused without a panic.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests build is well formed, or the test fails"
)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use secateur_onnx::{ErrorKind, Limits, elements, read, read_file, read_node, write, write_node};

/// Made by the official serialiser; `fixtures/make.py` says how.
const EVERYTHING: &[u8] = include_bytes!("fixtures/everything.onnx");

fn models(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models(&path, found);
        } else if path.extension().is_some_and(|e| e == "onnx") {
            found.push(path);
        }
    }
}

#[test]
fn every_field_and_unknown_ones_come_back_in_the_same_bytes() {
    let model = read(EVERYTHING, &Limits::default()).unwrap();
    let bytes = write(&model).unwrap();
    assert!(
        bytes == EVERYTHING,
        "{} of {} bytes",
        bytes.len(),
        EVERYTHING.len()
    );
    assert_eq!(read(&bytes, &Limits::default()).unwrap(), model);

    let node = &model.graph.node[0];
    let bytes = write_node(node).unwrap();
    assert_eq!(read_node(&bytes, &Limits::default()).unwrap(), *node);
}

/// Files of several exporters, all in the order of the official serialiser: those that are committed and, where there are more,
/// those below the folder in `SECATEUR_DATA`.
#[test]
fn exported_files_come_back_in_the_same_bytes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../secateur/tests/fixtures");
    let mut files = vec![];
    models(&fixtures.join("torch"), &mut files);
    models(&fixtures.join("structures"), &mut files);
    assert!(files.len() >= 50, "{}", files.len());
    if let Some(data) = std::env::var_os("SECATEUR_DATA") {
        let before = files.len();
        models(&Path::new(&data).join("onnx-models"), &mut files);
        assert!(files.len() > before);
    }
    for file in &files {
        let model = read_file(file, &Limits::default()).unwrap();
        let bytes = write(&model).unwrap();
        assert_eq!(read(&bytes, &Limits::default()).unwrap(), model);
        assert!(bytes == std::fs::read(file).unwrap(), "{}", file.display());
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = read_file("no/such.onnx", &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.place(), Some("no/such.onnx"));
}

#[test]
fn a_file_cut_short_is_refused_or_a_smaller_model() {
    let whole = read(EVERYTHING, &Limits::default()).unwrap();
    for length in 0..EVERYTHING.len() {
        match read(&EVERYTHING[..length], &Limits::default()) {
            Ok(model) => assert_ne!(model, whole, "{length} bytes"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Malformed, "{length} bytes"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// What a broken file still says can be written and read; its tensors answer or refuse.
    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        insert in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut bytes = EVERYTHING.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let at = cut.index(bytes.len());
        bytes.splice(at..at, insert);
        if let Ok(model) = read(&bytes, &Limits::default()) {
            for tensor in &model.graph.initializer {
                let _ = elements(tensor);
            }
            let written = write(&model).unwrap();
            let again = read(&written, &Limits::default()).unwrap();
            prop_assert_eq!(write(&again).unwrap(), written);
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &Limits::default());
        let _ = read_node(&bytes, &Limits::default());
    }
}
