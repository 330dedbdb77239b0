//! What holds of the groups of every drawn network.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use secateur_graph::{ChannelGroups, Graph, GraphBuilder, Op, ValueId};
use secateur_testkit::{Step, opaque, smooth};

/// The same network, its node at `index` replaced by one that nobody understands.
fn obscured(graph: &Graph, index: usize) -> Graph {
    let mut b = GraphBuilder::new("obscured");
    let shaped = secateur_graph::infer_shapes(graph).unwrap();
    for id in shaped.value_ids() {
        let value = shaped.value(id).clone();
        match value.constant {
            Some(tensor) => b.constant(value.name, (*tensor).clone()),
            None if shaped.inputs().contains(&id) => b.input(value.name, value.shape.unwrap()),
            None => b.declare(value.name, value.shape),
        };
    }
    for (at, node) in shaped.nodes().iter().enumerate() {
        b.add_node(if at == index {
            opaque(&node.name, node.inputs.clone(), node.outputs.clone())
        } else {
            node.clone()
        });
    }
    for &output in shaped.outputs() {
        b.output(output);
    }
    b.build().unwrap()
}

/// Slices of constants that may go: tensor, axis, position.
fn removable(graph: &Graph) -> HashSet<(ValueId, usize, usize)> {
    let mut slices = HashSet::new();
    for group in ChannelGroups::of(graph).unwrap().groups() {
        for member in group.members.iter().filter(|_| group.frozen.is_none()) {
            let units = member.unit_of.iter().enumerate();
            let own = units.filter(|(_, unit)| unit.is_some());
            slices.extend(own.map(|(position, _)| (member.tensor, member.axis, position)));
        }
    }
    slices
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every slice belongs to one unit at most, unless frozen; every unit of a group is somewhere.
    #[test]
    fn groups_partition_the_slices(plan in smooth()) {
        let groups = ChannelGroups::of(&plan.build().unwrap()).unwrap();
        let mut owners = HashMap::new();
        for (id, group) in groups.iter().filter(|(_, g)| g.frozen.is_none()) {
            for member in &group.members {
                for (position, unit) in member.unit_of.iter().enumerate() {
                    let Some(unit) = *unit else { continue };
                    prop_assert!((unit as usize) < group.units);
                    let place = (member.tensor, member.axis, position);
                    let owner = *owners.entry(place).or_insert((id, unit));
                    prop_assert_eq!(owner, (id, unit));
                }
            }
        }
        for group in groups.groups() {
            let held: HashSet<u32> =
                group.activations.iter().flat_map(|a| a.unit_of.iter().flatten().copied()).collect();
            prop_assert_eq!(held.len(), group.units);
        }
    }

    #[test]
    fn what_is_less_understood_is_more_frozen(plan in smooth(), at in 0..20usize) {
        let graph = plan.build().unwrap();
        let at = at % graph.nodes().len();
        let (before, after) = (removable(&graph), removable(&obscured(&graph, at)));
        prop_assert!(after.is_subset(&before), "{:?}", after.difference(&before));
    }

    /// A softmax anywhere on the trunk freezes what flows through it.
    #[test]
    fn mixed_channels_are_frozen(mut plan in smooth()) {
        plan.steps.push(Step::Softmax);
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        for node in graph.nodes().iter().filter(|n| matches!(n.op, Op::Softmax { .. })) {
            let mixed = node.input(0).unwrap();
            let group = groups.groups().iter().find(|g| g.activations.iter().any(|a| a.value == mixed));
            prop_assert!(group.is_none_or(|g| g.frozen.is_some()));
        }
    }
}
