//! Files that are wrong, each in one way: every one is answered with an error that names the place and says what
//! to do, or shrunk and verified; none with a panic, and none with half a file.
//!
//! The files are in `tests/fixtures/hostile`; `UPDATE_HOSTILE=1 cargo test -p secateur --test hostile` writes them
//! anew from the cases.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "hostile/base.rs"]
mod base;
#[path = "hostile/beside.rs"]
mod beside_nodes;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/shapes.rs"]
mod shapes;
#[path = "hostile/structure.rs"]
mod structure;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use secateur::{Choice, Error, ModelFile, shrink_model};

/// A file's name and content.
type Case = (&'static str, Vec<u8>);

/// What can be wrong with a file, each wrong in one way.
fn cases() -> Vec<Case> {
    let files = [
        files::bytes(),
        files::tensors(),
        files::external(),
        beside_nodes::cases(),
    ];
    let graphs = [structure::structure(), structure::nodes(), shapes::shapes()];
    files.into_iter().chain(graphs).flatten().collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile")
}

/// What another file than the models holds.
fn beside() -> (&'static str, Vec<u8>) {
    ("external.bin", vec![0; 40])
}

fn half() -> Choice {
    Choice::of("50%".parse().unwrap())
}

fn told(error: &Error) -> String {
    let hint = error.hint_text().unwrap_or("NO HINT");
    format!("{error}\n    hint: {hint}")
}

/// What a user is told of a file.
fn answer(path: &Path) -> String {
    let file = match ModelFile::read(path) {
        Ok(file) => file,
        Err(error) => return format!("not read: {}", told(&error)),
    };
    match shrink_model(&file, &half()) {
        Ok(small) => format!("{} of {} MACs stay", small.cost().macs, file.cost().macs),
        Err(error) => format!("not shrunk: {}", told(&error)),
    }
}

#[test]
fn the_files_are_those_of_the_cases() {
    let mut wanted = cases();
    assert!(wanted.iter().all(|(_, bytes)| bytes.len() < 4096));
    let names: BTreeSet<&str> = wanted.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), wanted.len());
    wanted.push(("valid", secateur_onnx::write(&base::model()).unwrap()));
    let mut wanted: Vec<(String, Vec<u8>)> = wanted
        .into_iter()
        .map(|(name, bytes)| (format!("{name}.onnx"), bytes))
        .collect();
    let (name, bytes) = beside();
    wanted.push((name.into(), bytes));
    wanted.sort();
    if std::env::var_os("UPDATE_HOSTILE").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, bytes) in &wanted {
            std::fs::write(folder().join(name), bytes).unwrap();
        }
    }
    let mut there: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    there.sort();
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&there), names(&wanted));
    for (there, wanted) in there.iter().zip(&wanted) {
        assert_eq!(there, wanted);
    }
}

#[test]
fn every_file_gets_an_answer() {
    let mut text = String::new();
    let mut names = vec!["valid"];
    names.extend(cases().into_iter().map(|(name, _)| name));
    for name in names {
        let path = folder().join(format!("{name}.onnx"));
        let answer = answer(&path).replace(&folder().display().to_string(), "FOLDER");
        writeln!(text, "{name}\n    {answer}").unwrap();
    }
    assert_snapshot!(text);
    assert!(!text.contains("NO HINT"));
}

#[cfg(unix)]
#[test]
fn a_link_to_another_folder_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let inside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.bin"), vec![0; 32]).unwrap();
    let link = inside.path().join("external.bin");
    std::os::unix::fs::symlink(outside.path().join("secret.bin"), link).unwrap();
    let model = std::fs::read(folder().join("external-length-wrong.onnx")).unwrap();
    let path = inside.path().join("model.onnx");
    // The length is right now, and the place is wrong.
    let mut model = secateur_onnx::read(&model, &secateur_onnx::Limits::default()).unwrap();
    base::graph(&mut model).initializer[0]
        .external_data
        .truncate(1);
    std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
    let error = ModelFile::read(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("which is not a file beside the model"),
        "{error}"
    );
}
