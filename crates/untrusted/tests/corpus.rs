//! The files that the fuzzer starts from are the seeds of the readers; `UPDATE_CORPUS=1` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secateur_untrusted::{Reader, checkpoint_seeds, fuzz, read_checkpoint, read_onnx, shrink_onnx};

const READERS: [(&str, Reader); 6] = [
    ("idx", Reader::Idx),
    ("table", Reader::Table),
    ("npy", Reader::Npy),
    ("npz", Reader::Npz),
    ("cifar", Reader::Cifar),
    ("pictures", Reader::Pictures),
];
const MOST_BYTES: usize = 100_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

/// Each file of each set, behind the byte that says which one it is.
fn wanted() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut wanted = BTreeMap::new();
    for (target, reader) in READERS {
        for (at, (_, bytes)) in (0u8..).zip(reader.seeds().concat()) {
            wanted.insert(
                Path::new(target).join(format!("{at:02}")),
                [&[at], &bytes[..]].concat(),
            );
        }
    }
    wanted
}

fn there() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut there = BTreeMap::new();
    for (target, _) in READERS {
        for entry in std::fs::read_dir(folder().join(target)).unwrap() {
            let path = entry.unwrap().path();
            let name = Path::new(target).join(path.file_name().unwrap());
            there.insert(name, std::fs::read(path).unwrap());
        }
    }
    there
}

#[test]
fn the_seeds_are_those_of_the_readers() {
    let wanted = wanted();
    assert!(wanted.values().map(Vec::len).sum::<usize>() < MOST_BYTES);
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        for (name, bytes) in &wanted {
            let path = folder().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    let there = there();
    assert!(there.keys().eq(wanted.keys()), "{:?}", there.keys());
    for (name, bytes) in &wanted {
        assert!(there[name] == *bytes, "{}", name.display());
    }
}

/// They hold times and the last bits of this processor, so that only their kind is the same wherever they are made.
#[test]
fn the_seeds_of_checkpoints_can_be_read() {
    let folder = folder().join("checkpoint");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in checkpoint_seeds() {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    let mut bytes = 0;
    for (name, _) in checkpoint_seeds() {
        let there = std::fs::read(folder.join(name)).unwrap();
        assert!(
            read_checkpoint(&there),
            "{name}: UPDATE_CORPUS=1 writes it anew"
        );
        bytes += there.len();
    }
    assert!(bytes < MOST_BYTES, "{bytes}");
}

/// What `just fuzz-keep` left, on the stable compiler: what one of these once broke stays mended.
#[test]
fn every_target_takes_what_was_kept() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../secateur/tests/fixtures/hostile");
    let corpus = folder().join("../corpus");
    let mut taken = 0;
    for target in std::fs::read_dir(corpus).unwrap() {
        let target = target.unwrap();
        let name = target.file_name();
        for file in std::fs::read_dir(target.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            match name.to_string_lossy().as_ref() {
                "checkpoint" => {
                    read_checkpoint(&bytes);
                }
                "numbers" => {
                    read_onnx(&bytes, &beside);
                }
                "read" => shrink_onnx(&bytes),
                name => {
                    let reader = READERS.iter().find(|(target, _)| *target == name);
                    fuzz(reader.unwrap().1, &bytes);
                }
            }
            taken += 1;
        }
    }
    println!("{taken} files");
    assert!(taken > 100, "{taken}");
}

#[test]
fn every_target_takes_its_seeds_and_nothing() {
    for (target, reader) in READERS {
        fuzz(reader, &[]);
        for (name, bytes) in wanted() {
            if name.starts_with(target) {
                fuzz(reader, &bytes);
            }
        }
    }
}
