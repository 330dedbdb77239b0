//! Networks on which the laws of groups once failed.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{ChannelGroups, Freeze, Graph, Group, PoolKind, infer_shapes, settle};
use secateur_testkit::{Branch, Layout, Mixed, Operator, Places};

fn network(places: usize, inputs: usize, steps: &[Operator]) -> Graph {
    let plan = Mixed {
        places,
        inputs,
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

/// One node writes its channels as two factors, and another reads the same weights along an axis of one.
#[test]
fn weights_whose_axes_are_divided_otherwise_elsewhere_are_tied() {
    let steps = [
        Operator::Branch(Branch::Layer(4)),
        Operator::Branch(Branch::Shared),
        Operator::Places(Places::Grouped(2)),
    ];
    let groups = ChannelGroups::of(&network(1, 1, &steps)).unwrap();
    let graph = network(1, 1, &steps);
    for group in groups.groups() {
        let shared = |tensor| graph.readers(tensor).len() > 1;
        if group.members.iter().any(|member| shared(member.tensor)) {
            assert!(group.frozen.is_some(), "{groups}");
        }
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
