//! Networks on which the laws of groups once failed.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    ChannelGroups, Freeze, Graph, Group, PoolKind, evaluate, infer_shapes, mask, settle, shrink,
};
use secateur_testkit::{Branch, Layout, Mixed, Operator, Places, bits, change, rows, some_keep};

fn network(places: usize, inputs: usize, steps: &[Operator]) -> Graph {
    let plan = Mixed {
        places,
        inputs,
        rows: None,
        steps: steps.to_vec(),
        flat: false,
        outputs: 1,
        seed: 0,
    };
    settle(&plan.build().unwrap()).unwrap()
}

fn reason(group: &Group) -> Option<&str> {
    group
        .frozen
        .as_ref()
        .map(|freeze: &Freeze| freeze.reason.as_str())
}

/// Tokens of an input are its features; pooled over, they come out in another number.
#[test]
fn places_that_are_pooled_do_not_pass_as_channels() {
    let steps = [
        Operator::Layout(Layout::ToPlaces),
        Operator::Places(Places::Pool(PoolKind::Max)),
    ];
    let graph = network(0, 1, &steps);
    let groups = ChannelGroups::of(&graph).unwrap();
    let x = groups.group(groups.named("x").unwrap());
    assert_eq!(reason(x), Some("is an axis that is pooled"));
    let shaped = infer_shapes(&graph).unwrap();
    for activation in groups.groups().iter().flat_map(|g| &g.activations) {
        let shape = shaped.value(activation.value).shape.as_ref().unwrap();
        let length = shape[activation.axis].fixed().unwrap();
        assert_eq!(length, activation.unit_of.len(), "{groups}");
    }
}

/// One node writes its channels as two factors, and another reads the same weights: their axis is divided alike for it.
#[test]
fn weights_in_common_are_divided_alike() {
    let steps = [
        Operator::Branch(Branch::Layer(4)),
        Operator::Branch(Branch::Shared),
        Operator::Places(Places::Grouped(2)),
    ];
    let graph = network(1, 1, &steps);
    let groups = ChannelGroups::of(&graph).unwrap();
    let shared = |tensor| graph.readers(tensor).len() > 1;
    let holds_shared = |group: &&Group| group.members.iter().any(|m| shared(m.tensor));
    assert!(
        groups
            .groups()
            .iter()
            .filter(holds_shared)
            .any(|g| g.frozen.is_none())
    );
    assert_eq!(change(&graph, &groups, 3).unwrap(), 0.0);
    for seed in 0..20 {
        let keep = some_keep(&groups, seed);
        let inputs = rows(&graph, 2, seed);
        let want = evaluate(&mask(&graph, &groups, &keep).unwrap(), &inputs).unwrap();
        let small = shrink(&graph, &groups, &keep).unwrap().graph;
        assert_eq!(
            bits(&want),
            bits(&evaluate(&small, &inputs).unwrap()),
            "seed {seed}"
        );
    }
}

/// A single channel is the same along every axis; it must not be taken for the places beside it.
#[test]
fn a_single_channel_lies_on_an_axis_of_one_position() {
    let steps = [
        Operator::Layout(Layout::ToTokens { computed: true }),
        Operator::Branch(Branch::Layer(3)),
    ];
    let groups = ChannelGroups::of(&network(1, 1, &steps)).unwrap();
    let x = groups.group(groups.named("x").unwrap());
    assert_eq!((x.units, reason(x)), (1, None), "{groups}");
    assert!(
        x.activations.iter().all(|a| a.unit_of.len() == 1),
        "{groups}"
    );
}
