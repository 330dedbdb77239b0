//! The laws of groups on networks mixed of all operators that are understood.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, ErrorKind, Graph, Keep, ModelMeta, evaluate, from_model, infer_shapes, mask,
    settle, shrink, to_model,
};
use secateur_testkit::{
    Mixed, bits, change, cut, exact_mixed, law, masked_equals_cut, mixed, rows, some_keep,
};

/// The network with its computed shapes settled, and its groups.
fn found(plan: &Mixed) -> (Graph, ChannelGroups) {
    let graph = settle(&plan.build().unwrap()).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    (graph, groups)
}

/// A decision that leaves two units at least, everywhere: a single one may no longer be told from none. One position is no factor of an
/// axis, and one channel by itself is read by a convolution as any other.
fn keep_two(groups: &ChannelGroups, seed: u64) -> Keep {
    let mut keep = some_keep(groups, seed);
    for (id, group) in groups.iter() {
        let is_single = group.activations.iter().any(|activation| {
            let units = activation.unit_of.iter().flatten();
            let left = units.filter(|&&unit| keep.keeps(id, unit as usize)).count();
            left < 2 && activation.unit_of.len() > 1
        });
        if keep.count(id) == 1 || is_single {
            keep.restore(id);
        }
    }
    keep
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settled_networks_compute_the_same(plan in mixed(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let inputs = rows(&graph, 2, seed);
        let want = evaluate(&graph, &inputs).unwrap();
        let have = evaluate(&settle(&graph).unwrap(), &inputs).unwrap();
        prop_assert_eq!(bits(&want), bits(&have));
    }

    #[test]
    fn outputs_stay_equal_where_sums_are_exact(plan in exact_mixed(), seed in 0..1000u64) {
        let (graph, groups) = found(&plan);
        prop_assert_eq!(change(&graph, &groups, seed).unwrap(), 0.0);
    }

    #[test]
    fn outputs_stay_close_for_all_operators(plan in mixed(), seed in 0..1000u64) {
        let (graph, groups) = found(&plan);
        let change = change(&graph, &groups, seed).unwrap();
        prop_assert!(change < 1e-9, "{}", change);
    }

    #[test]
    fn keeping_everything_changes_nothing(plan in mixed()) {
        let (graph, groups) = found(&plan);
        let all = Keep::all(&groups);
        let small = shrink(&graph, &groups, &all).unwrap();
        prop_assert_eq!(&small.graph, &infer_shapes(&graph).unwrap());
        prop_assert_eq!(mask(&graph, &groups, &all).unwrap(), graph);
    }
}

fn seeds() -> impl Strategy<Value = u64> {
    0..1000u64
}

#[test]
fn masked_and_shrunk_agree_to_the_bit() {
    law(500, 0.3, &(mixed(), seeds()), |(plan, seed)| {
        let (graph, groups) = found(&plan);
        masked_equals_cut(&graph, &groups, &some_keep(&groups, seed), seed)
    });
}

/// What was shrunk is a network like any other.
#[test]
fn masked_and_shrunk_agree_a_second_time() {
    law(500, 0.3, &(mixed(), seeds()), |(plan, seed)| {
        let (graph, groups) = found(&plan);
        let Some(once) = cut(&graph, &groups, &some_keep(&groups, seed))? else {
            return Ok(false);
        };
        let small = ChannelGroups::of(&once).unwrap();
        masked_equals_cut(&once, &small, &some_keep(&small, seed + 1), seed)
    });
}

/// Groups keep their order, so that the second decision can be told in units of the first graph.
#[test]
fn shrinking_twice_is_shrinking_once() {
    law(500, 0.3, &(mixed(), seeds()), |(plan, seed)| {
        let (graph, groups) = found(&plan);
        let first = keep_two(&groups, seed);
        let Some(once) = cut(&graph, &groups, &first)? else {
            return Ok(false);
        };
        let small = ChannelGroups::of(&once).unwrap();
        prop_assert_eq!(small.groups().len(), groups.groups().len());
        let second = some_keep(&small, seed + 1);
        let Some(twice) = cut(&once, &small, &second)? else {
            return Ok(false);
        };
        let mut both = first.clone();
        for id in groups.ids() {
            for (unit, wide) in first.kept(id).into_iter().enumerate() {
                if !second.keeps(id, unit) {
                    both.drop(id, wide).unwrap();
                }
            }
        }
        let direct = shrink(&graph, &groups, &both).unwrap();
        let inputs = rows(&graph, 2, seed);
        prop_assert_eq!(
            bits(&evaluate(&twice, &inputs).unwrap()),
            bits(&evaluate(&direct.graph, &inputs).unwrap())
        );
        Ok(!first.is_all() && !second.is_all())
    });
}

#[test]
fn written_and_read_back_is_the_same() {
    law(500, 0.3, &(mixed(), seeds()), |(plan, seed)| {
        let graph = infer_shapes(&settle(&plan.build().unwrap()).unwrap()).unwrap();
        let meta = ModelMeta {
            opset: 24,
            ..ModelMeta::default()
        };
        let inputs = rows(&graph, 2, seed);
        match to_model(&graph, &meta) {
            Ok(model) => {
                let back = from_model(&model).unwrap();
                let (want, have) = (evaluate(&graph, &inputs), evaluate(&back, &inputs));
                prop_assert_eq!(bits(&want.unwrap()), bits(&have.unwrap()));
                Ok(true)
            }
            // Forms of old operator sets are only carried over.
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Unsupported);
                Ok(false)
            }
        }
    });
}
