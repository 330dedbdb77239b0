//! Networks as PyTorch's two exporters write them: laws of their groups, and what half of them looks like.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secateur::{Choice, Limit, ModelFile, shrink_model};
use secateur_graph::{
    ChannelGroups, Graph, GroupKind, Keep, evaluate, from_model, mask, set_apart, settle, shrink,
};
use secateur_testkit::{bits, change, rows, some_keep};

fn half() -> Choice {
    Choice::of("50%".parse().unwrap())
}

/// Every file, by name.
fn fixtures() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    files.sort();
    assert_eq!(files.len(), 32);
    files
}

/// All networks, with their shapes settled: the naive evaluator can run each.
fn networks() -> Vec<(String, Graph)> {
    let read = |path: &Path| {
        let model = secateur_onnx::read_file(path, &secateur_onnx::Limits::default()).unwrap();
        set_apart(&settle(&from_model(&model).unwrap()).unwrap())
    };
    let all = fixtures()
        .into_iter()
        .map(|(name, path)| (name, read(&path)));
    let runs = |graph: &Graph| evaluate(graph, &rows(graph, 2, 0)).is_ok();
    let networks: Vec<_> = all.filter(|(_, graph)| runs(graph)).collect();
    assert_eq!(networks.len(), 32);
    networks
}

/// At `--keep 50%` each loses at least 40 % of its MACs, or what is frozen is told with the reason.
#[test]
fn half_of_each_is_verified_and_what_stays_is_told() {
    let mut told = String::new();
    for (name, path) in fixtures() {
        let file = ModelFile::read(&path).unwrap();
        let small = shrink_model(&file, &half()).unwrap();
        assert!(
            small.evidence().runtime_difference.unwrap() < 1e-4,
            "{name}"
        );
        let left = small.cost().macs as f64 / file.cost().macs as f64;
        let groups = file.groups().groups().iter();
        let inner = groups.filter(|g| g.kind == GroupKind::Hidden);
        let frozen: Vec<_> = inner.filter(|g| g.frozen.is_some()).collect();
        assert!(left <= 0.6 || !frozen.is_empty(), "{name} keeps {left}");
        told += &format!("{name}: {:.0} % of the MACs stay\n", 100.0 * left);
        if left > 0.6 {
            for group in frozen {
                let why = group.frozen.as_ref().unwrap();
                told += &format!("  {} stays, as it {why}\n", group.name);
            }
        }
    }
    insta::assert_snapshot!(told);
}

/// `half_of_each_is_verified_and_what_stays_is_told` shows that the outputs are those of the masked network, whose scale is
/// the one of the whole network: in one of the files it is computed from the length of the axis that shrinks here.
#[test]
fn dimensions_of_heads_can_go() {
    for name in ["qkv.dynamo", "qkv.ts", "scale.dynamo", "scale.ts"] {
        let of_name = format!("transformer_{name}");
        let (_, path) = fixtures().into_iter().find(|(n, _)| *n == of_name).unwrap();
        let file = ModelFile::read(&path).unwrap();
        let small = shrink_model(&file, &half()).unwrap();
        let summed = file.groups().iter().filter(|(_, g)| g.in_products);
        let mut count = 0;
        for (id, group) in summed {
            assert_eq!(group.frozen, None, "{of_name}: {}", group.name);
            assert!(small.keep().count(id) < group.units, "{of_name}");
            count += 1;
        }
        assert!(count > 0, "{of_name}");
    }
}

#[test]
fn reordered_units_change_nothing() {
    for (name, graph) in networks() {
        let groups = ChannelGroups::of(&graph).unwrap();
        let change = change(&graph, &groups, 3).unwrap();
        assert!(change < 1e-9, "{name}: {change}");
    }
}

#[test]
fn masked_and_shrunk_agree_to_the_bit() {
    let mut compared = 0;
    for (name, graph) in networks() {
        let groups = ChannelGroups::of(&graph).unwrap();
        for seed in 0..3 {
            let keep = some_keep(&groups, seed);
            let Ok(small) = shrink(&graph, &groups, &keep) else {
                continue;
            };
            let inputs = rows(&graph, 2, seed);
            let masked = mask(&graph, &groups, &keep).unwrap();
            let want = evaluate(&masked, &inputs).unwrap();
            let have = evaluate(&small.graph, &inputs).unwrap();
            assert_eq!(bits(&want), bits(&have), "{name}, seed {seed}");
            compared += 1;
        }
    }
    assert!(compared >= 80, "{compared}");
}

/// The same units, by the numbers that they have once others are gone.
fn after(first: &Keep, groups: &ChannelGroups, small: &ChannelGroups, seed: u64) -> (Keep, Keep) {
    let second = some_keep(small, seed);
    let mut both = first.clone();
    for (id, _) in groups.iter() {
        for (new, old) in first.kept(id).into_iter().enumerate() {
            if !second.keeps(id, new) {
                both.drop(id, old).unwrap();
            }
        }
    }
    (second, both)
}

#[test]
fn shrinking_twice_is_shrinking_once() {
    let mut compared = 0;
    for (name, graph) in networks() {
        let groups = ChannelGroups::of(&graph).unwrap();
        let first = some_keep(&groups, 7);
        let Ok(once) = shrink(&graph, &groups, &first) else {
            continue;
        };
        let once = settle(&once.graph).unwrap();
        let small = ChannelGroups::of(&once).unwrap();
        let names = |all: &ChannelGroups| {
            all.groups()
                .iter()
                .map(|g| g.name.clone())
                .collect::<Vec<_>>()
        };
        // Where one head or one channel a group is left, that axis is no product any more, and groups are others.
        if names(&small) != names(&groups) {
            continue;
        }
        let (second, both) = after(&first, &groups, &small, 8);
        let (Ok(twice), Ok(at_once)) = (
            shrink(&once, &small, &second),
            shrink(&graph, &groups, &both),
        ) else {
            continue;
        };
        let inputs = rows(&graph, 2, 1);
        let want = evaluate(&at_once.graph, &inputs).unwrap();
        let have = evaluate(&twice.graph, &inputs).unwrap();
        assert_eq!(bits(&want), bits(&have), "{name}");
        let constants = |graph: &Graph| {
            let read = graph
                .nodes()
                .iter()
                .flat_map(|n| n.inputs.iter().flatten().copied());
            let tensors = read.filter_map(|id| graph.constant(id).cloned());
            tensors.collect::<Vec<_>>()
        };
        assert_eq!(constants(&twice.graph), constants(&at_once.graph), "{name}");
        compared += 1;
    }
    assert!(compared >= 18, "{compared}");
}

/// Every group alone is emptied: either the network cannot do without, which is said, or the small network computes what
/// the masked one does.
#[test]
fn empty_branches_go_where_others_stand_beside_them() {
    let mut went = vec![];
    for (name, path) in fixtures() {
        let file = ModelFile::read(&path).unwrap();
        let groups = file.groups();
        let hidden = groups.iter().filter(|(_, g)| g.kind == GroupKind::Hidden);
        for (_, group) in hidden.filter(|(_, g)| g.frozen.is_none()) {
            let all = BTreeMap::from([(group.name.clone(), (0..group.units).collect())]);
            match shrink_model(&file, &Choice::of(Limit::AllBut(all))) {
                Ok(small) => {
                    let nodes = |bytes: &[u8]| {
                        let limits = secateur_onnx::Limits::default();
                        let model = secateur_onnx::read(bytes, &limits).unwrap();
                        model.graph.as_option().unwrap().node.len()
                    };
                    let before = nodes(&std::fs::read(&path).unwrap());
                    let gone = before - nodes(small.bytes());
                    assert!(gone > 0, "{name}: {}", group.name);
                    went.push(format!("{name}: {} and {gone} nodes", group.name));
                }
                Err(error) => {
                    let told = error.to_string();
                    assert!(told.contains("left without units"), "{name}: {told}");
                }
            }
        }
    }
    insta::assert_snapshot!(went.join("\n"));
}

#[test]
fn keeping_all_gives_the_same_file() {
    for (name, path) in fixtures() {
        let file = ModelFile::read(&path).unwrap();
        let all = Choice {
            limit: "100%".parse().unwrap(),
            ..half()
        };
        let small = shrink_model(&file, &all).unwrap();
        assert!(small.cuts().is_empty(), "{name}");
        let before = std::fs::read(&path).unwrap();
        assert!(small.bytes() == before, "{name}");
    }
}
