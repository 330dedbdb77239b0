//! Masked and shrunk networks compute the same, bit for bit; and shrinking obeys its algebra.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, Graph, GroupKind, Keep, Role, Tensor, Unary, cost, evaluate, mask, shrink,
};
use secateur_testkit::{
    bits, law, masked_equals_cut, mlp, piecewise_linear, rows, smooth, some_keep,
};

fn groups_of(graph: &Graph) -> ChannelGroups {
    ChannelGroups::of(graph).unwrap()
}

/// Elements of floating-point constants.
fn elements(graph: &Graph) -> usize {
    let constants = graph.value_ids().filter_map(|id| graph.constant(id));
    constants.filter_map(Tensor::as_f32).map(<[f32]>::len).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing but reading slices of dropped units changes, although more would be as good for the function.
    #[test]
    fn a_mask_is_exactly_the_reading_slices(plan in smooth(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = groups_of(&graph);
        let keep = some_keep(&groups, seed);
        let masked = mask(&graph, &groups, &keep).unwrap();
        let mut expected = graph;
        for (id, group) in groups.iter() {
            for member in group.members.iter().filter(|m| m.role == Role::Reads) {
                let mut tensor = expected.constant(member.tensor).unwrap().clone();
                let columns = tensor.shape()[1];
                for (at, value) in tensor.as_f32_mut().unwrap().iter_mut().enumerate() {
                    let position = [at / columns, at % columns][member.axis];
                    if member.unit_of[position].is_some_and(|u| !keep.keeps(id, u as usize)) {
                        *value = 0.0;
                    }
                }
                expected.set_constant(member.tensor, tensor).unwrap();
            }
        }
        prop_assert_eq!(masked, expected);
    }

    #[test]
    fn keeping_everything_changes_nothing(plan in smooth()) {
        let graph = secateur_graph::infer_shapes(&plan.build().unwrap()).unwrap();
        let groups = groups_of(&graph);
        let all = Keep::all(&groups);
        let small = shrink(&graph, &groups, &all).unwrap();
        prop_assert_eq!(&small.graph, &graph);
        prop_assert_eq!((small.cuts.len(), small.inputs.len()), (0, 0));
        prop_assert_eq!(mask(&graph, &groups, &all).unwrap(), graph);
    }

    /// Units whose reading slices are zero can go without changing the function.
    #[test]
    fn unread_units_go_without_a_trace(plan in piecewise_linear(), seed in 0..1000u64, floor in 0..3usize) {
        let graph = plan.build().unwrap();
        let groups = groups_of(&graph);
        let masked = mask(&graph, &groups, &some_keep(&groups, seed)).unwrap();
        let unread = Keep::unread(&masked, &groups, floor);
        for (id, group) in groups.iter() {
            prop_assert!(unread.count(id) >= floor.max(1).min(group.units));
        }
        let small = shrink(&masked, &groups, &unread).unwrap();
        let inputs = rows(&graph, 3, seed);
        prop_assert_eq!(
            bits(&evaluate(&masked, &inputs).unwrap()),
            bits(&evaluate(&small.graph, &inputs).unwrap())
        );
    }

    /// As few units are taken back as make a multiple.
    #[test]
    fn rounding_up_leaves_the_next_multiple(plan in piecewise_linear(), seed in 0..1000u64, multiple in 1..6usize) {
        let graph = plan.build().unwrap();
        let groups = groups_of(&graph);
        let keep = some_keep(&groups, seed);
        let mut rounded = keep.clone();
        rounded.round_up(multiple);
        for (id, group) in groups.iter() {
            let wanted = keep.count(id).next_multiple_of(multiple).min(group.units);
            prop_assert_eq!(rounded.count(id), wanted);
            prop_assert!(keep.kept(id).iter().all(|&unit| rounded.keeps(id, unit)));
        }
    }
}

#[test]
fn params_and_macs_come_out_as_predicted() {
    let graph = mlp(&[5, 4, 3, 2], Unary::Relu, 1).unwrap();
    let groups = groups_of(&graph);
    let mut keep = Keep::all(&groups);
    keep.drop(groups.named("x").unwrap(), 1).unwrap();
    keep.drop(groups.named("dense1").unwrap(), 0).unwrap();
    keep.drop(groups.named("dense1").unwrap(), 3).unwrap();
    keep.drop(groups.named("dense2").unwrap(), 2).unwrap();
    let small = shrink(&graph, &groups, &keep).unwrap();
    let after = cost(&small.graph).unwrap();
    assert_eq!(after.macs, 4 * 2 + 2 * 2 + 2 * 2);
    assert_eq!(after.params, after.macs + 2 + 2 + 2);
    assert_eq!(small.inputs[0].kept, [0, 2, 3, 4]);
    assert_eq!(
        small.cuts.len(),
        2 * 2 + 1 + 2,
        "both axes of two matrices, one of the last, two biases"
    );
}

#[test]
fn an_input_is_narrowed_by_one_gather_however_often_it_is_shrunk() {
    let graph = mlp(&[4, 3, 2], Unary::Tanh, 1).unwrap();
    let groups = groups_of(&graph);
    let mut keep = Keep::all(&groups);
    keep.drop(groups.named("x").unwrap(), 0).unwrap();
    let once = shrink(&graph, &groups, &keep).unwrap().graph;

    let groups = groups_of(&once);
    let x = groups.named("x").unwrap();
    assert_eq!(groups.group(x).units, 3);
    assert_eq!(groups.group(x).kind, GroupKind::Input(once.inputs()[0]));
    let mut keep = Keep::all(&groups);
    keep.drop(x, 1).unwrap();
    let twice = shrink(&once, &groups, &keep).unwrap();
    assert_eq!(twice.inputs[0].kept, [0, 2]);
    assert_eq!(twice.graph.nodes().len(), graph.nodes().len() + 1);
    let indices = twice.graph.value_named("x.kept").unwrap();
    assert_eq!(
        twice.graph.constant(indices).unwrap().as_i64().unwrap(),
        [1, 3]
    );
    let x = twice.graph.inputs()[0];
    assert_eq!(twice.graph.value(x).shape, graph.value(x).shape);
}

#[test]
fn what_may_not_be_dropped_is_refused_with_the_reason() {
    let graph = mlp(&[2, 2, 2], Unary::Relu, 1).unwrap();
    let groups = groups_of(&graph);
    let mut keep = Keep::all(&groups);
    let (hidden, output) = (
        groups.named("dense1").unwrap(),
        groups.named("dense2").unwrap(),
    );
    let error = keep.drop(output, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dense2: cannot lose units, as it is an output of the graph (at 'dense2')"
    );
    assert!(keep.drop(hidden, 2).is_err());
    keep.drop(hidden, 0).unwrap();
    keep.drop(hidden, 0).unwrap();
    let error = keep.drop(hidden, 1).unwrap_err();
    assert_eq!(error.to_string(), "dense1: would lose its last unit, 1");
    assert_eq!(keep.kept(hidden), [1]);

    let other = mlp(&[2, 3, 2], Unary::Relu, 1).unwrap();
    assert!(mask(&other, &groups_of(&other), &keep).is_err());
    assert!(shrink(&other, &groups_of(&other), &keep).is_err());
}

#[test]
fn the_size_of_a_unit_counts_what_reads_it() {
    let graph = mlp(&[5, 4, 3], Unary::Relu, 1).unwrap();
    let groups = groups_of(&graph);
    assert_eq!(groups.group(groups.named("x").unwrap()).size(&graph), 4);
    let hidden = groups.group(groups.named("dense1").unwrap());
    assert_eq!(hidden.size(&graph), 3);
    let reading = hidden.members.iter().filter(|m| m.role == Role::Reads);
    assert_eq!(reading.count(), 1);
}

#[test]
fn masked_and_shrunk_agree_to_the_bit() {
    law(400, 0.3, &(smooth(), 0..1000u64), |(plan, seed)| {
        let graph = plan.build().unwrap();
        let groups = groups_of(&graph);
        masked_equals_cut(&graph, &groups, &some_keep(&groups, seed), seed)
    });
}

/// Groups keep their order, so that the second decision can be told in units of the first graph.
#[test]
fn shrinking_twice_is_shrinking_once() {
    law(
        400,
        0.3,
        &(piecewise_linear(), 0..1000u64),
        |(plan, seed)| {
            let graph = plan.build().unwrap();
            let groups = groups_of(&graph);
            let first = some_keep(&groups, seed);
            let Ok(once) = shrink(&graph, &groups, &first) else {
                return Ok(false);
            };
            let small_groups = groups_of(&once.graph);
            let second = some_keep(&small_groups, seed + 1);
            let Ok(twice) = shrink(&once.graph, &small_groups, &second) else {
                return Ok(false);
            };

            let mut both = first.clone();
            for id in groups.ids() {
                let kept = first.kept(id);
                for (unit, &wide) in kept.iter().enumerate() {
                    if !second.keeps(id, unit) {
                        both.drop(id, wide).unwrap();
                    }
                }
            }
            let direct = shrink(&graph, &groups, &both).unwrap();
            prop_assert_eq!(
                cost(&direct.graph).unwrap().params,
                cost(&twice.graph).unwrap().params
            );
            let inputs = rows(&graph, 3, seed);
            prop_assert_eq!(
                bits(&evaluate(&twice.graph, &inputs).unwrap()),
                bits(&evaluate(&direct.graph, &inputs).unwrap())
            );
            Ok(!first.is_all() && !second.is_all())
        },
    );
}

/// Each kept group lends its constants the share of slices that it keeps.
#[test]
fn cuts_tell_what_became_of_every_constant() {
    law(
        400,
        0.3,
        &(piecewise_linear(), 0..1000u64),
        |(plan, seed)| {
            let graph = plan.build().unwrap();
            let groups = groups_of(&graph);
            let Ok(small) = shrink(&graph, &groups, &some_keep(&groups, seed)) else {
                return Ok(false);
            };
            let mut replayed = graph.clone();
            for cut in &small.cuts {
                let tensor = graph.constant(cut.tensor).unwrap();
                prop_assert!(cut.kept.len() < tensor.shape()[cut.axis]);
            }
            let mut predicted = 0;
            for id in graph.value_ids() {
                let Some(tensor) = replayed.constant(id).filter(|t| t.as_f32().is_some()) else {
                    continue;
                };
                let mut tensor = tensor.clone();
                for cut in small.cuts.iter().filter(|c| c.tensor == id) {
                    tensor = tensor.select(cut.axis, &cut.kept).unwrap();
                }
                prop_assert_eq!(Some(&tensor), small.graph.constant(id));
                predicted += tensor.len();
            }
            prop_assert_eq!(elements(&small.graph), predicted);
            replayed = small.graph;
            prop_assert!(groups_of(&replayed).groups().len() == groups.groups().len());
            Ok(!small.cuts.is_empty())
        },
    );
}
