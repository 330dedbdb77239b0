//! Structures that users meet, as PyTorch writes them, and forms that a file may have, built node by node: what half of each
//! looks like. The snapshot is the table of both.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secateur::{Choice, ModelFile, SmallModel, shrink_model};
use secateur_graph::GroupKind;
use secateur_onnx::proto::TensorProto;

/// Folders, with how many files each has.
const FOLDERS: [(&str, usize); 2] = [("built", 27), ("structures", 53)];

/// Files of which no half can be made; the snapshot tells why. One that can leaves the list.
const FAILING: [&str; 0] = [];

/// Files in which several layers have weights in common.
const SHARING: [&str; 9] = [
    "built/alias_identity",
    "built/alias_reshape",
    "built/alias_transpose",
    "structures/cbam.ts",
    "structures/gpt2.dynamo",
    "structures/shared.dynamo",
    "structures/shared.ts",
    "structures/tied.dynamo",
    "structures/tied.ts",
];

/// Those of them whose half holds these weights more than once: in a form that the file would make of them by other lengths.
const SPLIT: [&str; 1] = ["built/alias_reshape"];

fn folder(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(name)
}

/// Every file of a folder, by name, in order.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let models = paths.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let mut named: Vec<_> = models
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    named.sort();
    named
}

/// The half of a model, if it is verified by one way at least and what went had moved its outputs.
fn half(file: &ModelFile) -> Result<SmallModel, String> {
    let small = shrink_model(file, &Choice::of("50%".parse().unwrap()))
        .map_err(|error| error.to_string())?;
    let evidence = small.evidence();
    let ways = [evidence.runtime_difference, evidence.naive_difference];
    let mut found = ways.into_iter().flatten().peekable();
    if found.peek().is_none() || !found.all(|difference| difference < 1e-4) {
        return Err(format!("it is not verified: {evidence:?}"));
    }
    match (evidence.masking_moved, &evidence.runtime_refused) {
        (Some(moved), _) if moved > 0.0 => Ok(small),
        (Some(_), _) => Err("masking moved nothing".to_owned()),
        (None, why) => Err(format!("what masking moved is not told: {why:?}")),
    }
}

/// A line for the file, and one for each group of units whose layers could lose some, but for what it says.
fn told(name: &str, file: &ModelFile, half: &Result<SmallModel, String>) -> String {
    let mut told = match half {
        Ok(small) => {
            let left = 100.0 * small.cost().macs as f64 / file.cost().macs as f64;
            format!("{name}: {left:.0} % of the MACs stay\n")
        }
        Err(error) => format!("{name}: FAILS, {error}\n"),
    };
    let groups = file.groups().groups().iter();
    for group in groups.filter(|g| g.kind == GroupKind::Hidden) {
        if let Some(why) = &group.frozen {
            let units = group.units;
            told += &format!("  {} ({units} units) stays, as it {why}\n", group.name);
        }
    }
    told
}

#[test]
fn half_of_each_is_verified_and_what_stays_is_told() {
    let (mut all, mut failed) = (String::new(), BTreeSet::new());
    for (of, count) in FOLDERS {
        let files = files(&folder(of));
        assert_eq!(files.len(), count, "{of}");
        for (name, path) in files {
            let name = format!("{of}/{name}");
            let file = match ModelFile::read(&path) {
                Ok(file) => file,
                Err(error) => {
                    all += &format!("{name}: FAILS, {error}\n");
                    failed.insert(name);
                    continue;
                }
            };
            let half = half(&file);
            all += &told(&name, &file, &half);
            if half.is_err() {
                failed.insert(name);
            }
        }
    }
    insta::assert_snapshot!(all);
    let expected = BTreeSet::from(FAILING.map(str::to_owned));
    let surprising: Vec<_> = failed.difference(&expected).collect();
    assert!(surprising.is_empty(), "fail: {surprising:?}");
    let well: Vec<_> = expected.difference(&failed).collect();
    assert!(well.is_empty(), "fail no more: {well:?}");
}

/// How many tensors of floats a model stores, single numbers aside.
fn stored(bytes: &[u8]) -> usize {
    let model = secateur_onnx::read(bytes, &secateur_onnx::Limits::default()).unwrap();
    let tensors = &model.graph.as_option().unwrap().initializer;
    let is_float = |tensor: &&TensorProto| tensor.data_type == Some(1) && !tensor.dims.is_empty();
    tensors.iter().filter(is_float).count()
}

/// Layers with weights in common lose the same units, so that the half holds no weights twice.
#[test]
fn weights_that_are_shared_are_shared_by_the_half() {
    let mut split = vec![];
    for name in SHARING {
        let path = folder(&format!("{name}.onnx"));
        let small = half(&ModelFile::read(&path).unwrap()).unwrap();
        if stored(small.bytes()) > stored(&std::fs::read(&path).unwrap()) {
            split.push(name);
        }
    }
    assert_eq!(split, SPLIT);
}

/// Files and their page are written by the same script, but may be committed apart.
#[test]
fn every_file_has_its_line_on_the_page_of_its_folder() {
    for (of, _) in FOLDERS {
        let page = std::fs::read_to_string(folder(of).join("README.md")).unwrap();
        let lines = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: BTreeSet<&str> = lines.map(|line| line.split_once('`').unwrap().0).collect();
        let files = files(&folder(of));
        // Behind the point is the exporter.
        let networks = files
            .iter()
            .map(|(name, _)| name.split('.').next().unwrap());
        assert_eq!(listed, networks.collect(), "{of}");
    }
}
