//! Bytes of models with a few of them changed: whatever they are, they are refused or read, and never a panic.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, ModelMeta, cost, from_model, infer_shapes, lighten, mask, patch, shrink,
    to_model,
};
use secateur_onnx::{Limits, read, write};
use secateur_testkit::{images, law, some_keep};

/// What happens to bytes at a place.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Flip(usize, u8),
    Remove(usize, usize),
    /// A copy of what is there, in another place.
    Copy(usize, usize, usize),
    End(usize),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let Some(last) = bytes.len().checked_sub(1) else {
            return;
        };
        let at = |place: usize| place % (last + 1);
        match *self {
            Self::Set(place, byte) => bytes[at(place)] = byte,
            Self::Flip(place, bit) => bytes[at(place)] ^= 1 << (bit % 8),
            Self::Remove(place, count) => {
                let from = at(place);
                bytes.drain(from..(from + count).min(last + 1));
            }
            Self::Copy(place, count, to) => {
                let from = at(place);
                let copied = bytes[from..(from + count).min(last + 1)].to_vec();
                let to = at(to);
                bytes.splice(to..to, copied);
            }
            Self::End(place) => bytes.truncate(at(place)),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = any::<usize>;
    let one = prop_oneof![
        6 => (place(), any::<u8>()).prop_map(|(p, b)| Change::Set(p, b)),
        6 => (place(), any::<u8>()).prop_map(|(p, b)| Change::Flip(p, b)),
        2 => (place(), 1usize..24).prop_map(|(p, n)| Change::Remove(p, n)),
        2 => (place(), 1usize..64, place()).prop_map(|(p, n, t)| Change::Copy(p, n, t)),
        1 => place().prop_map(Change::End),
    ];
    vec(one, 1..4)
}

/// Files that are wrong in one way, of which few come as far as a network, and sound ones.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../secateur/tests/fixtures");
    let mut paths: Vec<_> = ["hostile", "built", "given"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(fixtures.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
});

/// All that is done with a model before it is run; whether that came as far as choosing units.
fn use_model(bytes: &[u8]) -> bool {
    let Ok(model) = read(bytes, &Limits::default()) else {
        return false;
    };
    let written = write(&model).unwrap();
    // By their bytes, as what is not a number is not equal to itself.
    let again = read(&written, &Limits::default()).unwrap();
    assert!(write(&again).unwrap() == written);
    let Ok(graph) = from_model(&model) else {
        return false;
    };
    let Ok(graph) = infer_shapes(&graph) else {
        return false;
    };
    let _ = cost(&graph);
    let Ok(groups) = ChannelGroups::of(&graph) else {
        return false;
    };
    let keep = some_keep(&groups, 1);
    let mut light = model.clone();
    lighten(&mut light, &graph);
    let whole = patch(&light, &graph, &graph).unwrap();
    assert!(write(&whole).unwrap() == written);
    let _ = mask(&graph, &groups, &keep);
    if let Ok(small) = shrink(&graph, &groups, &keep) {
        let _ = patch(&light, &graph, &small.graph);
    }
    true
}

#[test]
fn changed_files_never_panic() {
    let draws = (any::<prop::sample::Index>(), changes());
    law(15_000, 0.05, &draws, |(file, changes)| {
        let mut bytes = file.get(&FILES).clone();
        changes.iter().for_each(|change| change.make(&mut bytes));
        Ok(use_model(&bytes))
    });
}

#[test]
fn changed_networks_never_panic() {
    law(6_000, 0.1, &(images(), changes()), |(plan, changes)| {
        let model = to_model(&plan.build().unwrap(), &ModelMeta::default()).unwrap();
        let mut bytes = write(&model).unwrap();
        changes.iter().for_each(|change| change.make(&mut bytes));
        Ok(use_model(&bytes))
    });
}
