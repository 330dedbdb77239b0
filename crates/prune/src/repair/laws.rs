//! Laws of whole networks: what is repaired, and what units are worth, hangs on nothing but what the network computes.

use secateur_graph::{
    ChannelGroups, Graph, GroupId, Keep, Unary, infer_shapes, kept_positions, permute, shrink,
};
use secateur_testkit::{Stream, mlp};

use super::tests::{Naive, half};
use super::*;

const EFFORT: Effort = Effort {
    positions: 10_000,
    for_channel: 1,
    seed: 1,
    memory: u64::MAX,
};

/// Rows of five numbers, four at a time.
fn batches(count: usize, seed: u64) -> Vec<Batch> {
    let mut stream = Stream::new(seed);
    let mut batch = |_| {
        vec![Activation {
            shape: vec![4, 5],
            values: (0..20).map(|_| stream.unit() as f32).collect(),
        }]
    };
    (0..count).map(&mut batch).collect()
}

struct Net {
    graph: Graph,
    groups: ChannelGroups,
}

impl Net {
    fn new(graph: &Graph) -> Self {
        let graph = infer_shapes(graph).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        Self { graph, groups }
    }

    fn hidden(&self) -> Vec<GroupId> {
        let free = self.groups.iter().filter(|(_, group)| group.is_free());
        free.map(|(id, _)| id).collect()
    }

    /// The same network with the units of every hidden layer in another order, and that order.
    fn turned(&self, seed: u64) -> (Self, Vec<(GroupId, Vec<usize>)>) {
        let mut stream = Stream::new(seed);
        let (mut graph, mut orders) = (self.graph.clone(), vec![]);
        for id in self.hidden() {
            let order = stream.order(self.groups.group(id).units);
            graph = permute(&graph, &self.groups, id, &order).unwrap().graph;
            orders.push((id, order));
        }
        (Self::new(&graph), orders)
    }

    fn repaired(&self, keep: &Keep, parts: Parts<'_>) -> Outcome {
        let small = shrink(&self.graph, &self.groups, keep).unwrap().graph;
        let small = infer_shapes(&small).unwrap();
        let kept = kept_positions(&self.groups, keep);
        let both = (&self.graph, &small);
        let repairer = Repairer::new(both, &kept, parts, EFFORT, &Naive).unwrap();
        assert_eq!(repairer.has_readers(), !keep.is_all());
        repairer.repaired(MadeSpread::Match).unwrap()
    }
}

fn made(graph: &Graph, inputs: &[Batch]) -> Vec<f32> {
    let network = Naive.compile(graph).unwrap();
    let run = |batch: &Batch| network.run(&batch.iter().collect::<Vec<_>>()).unwrap();
    let each = inputs.iter().flat_map(|batch| run(batch).remove(0).values);
    each.collect()
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
fn a_network_that_keeps_all_stays_as_it_is() {
    let (fit, choose, test) = (batches(12, 1), batches(3, 2), batches(3, 3));
    let parts = Parts {
        fit: &fit,
        choose: &choose,
        test: &test,
    };
    let net = Net::new(&mlp(&[5, 6, 4, 3], Unary::Relu, 1).unwrap());
    let outcome = net.repaired(&Keep::all(&net.groups), parts);
    assert_eq!(outcome.readers, []);
    for id in net.graph.value_ids() {
        assert_eq!(outcome.graph.constant(id), net.graph.constant(id));
    }
}

#[test]
fn units_in_another_order_are_repaired_to_the_same_network() {
    let (fit, choose, test) = (batches(12, 1), batches(4, 2), batches(4, 3));
    let parts = Parts {
        fit: &fit,
        choose: &choose,
        test: &test,
    };
    for seed in 0..12 {
        let net = Net::new(&mlp(&[5, 8, 6, 3], Unary::Tanh, seed).unwrap());
        let keep = half(&net.groups, seed);
        let (other, orders) = net.turned(seed);
        let mut same = Keep::all(&other.groups);
        for (id, order) in orders {
            for (at, &unit) in order.iter().enumerate() {
                if !keep.keeps(id, unit) {
                    same.drop(id, at).unwrap();
                }
            }
        }
        let (one, turned) = (net.repaired(&keep, parts), other.repaired(&same, parts));
        let [of_one, of_turned] = [&one, &turned].map(|outcome| made(&outcome.graph, &test));
        let apart = furthest(&of_one, &of_turned);
        assert!(apart < 1e-5, "{seed}: {apart}");
        let given = made(&net.graph, &test);
        assert!(furthest(&of_one, &given) > 1e-3, "{seed}");
        for (a, b) in one.readers.iter().zip(&turned.readers) {
            assert_eq!((&a.node, a.ridge), (&b.node, b.ridge));
            let told = |r: &Repaired| [r.chosen, r.tested].concat();
            for (a, b) in told(a).into_iter().zip(told(b)) {
                assert!((a - b).abs() < 1e-5 * a, "{seed}: {a} {b}");
            }
        }
    }
}

#[test]
fn units_in_another_order_are_worth_the_same() {
    let (fit, choose) = (batches(24, 1), batches(6, 2));
    let parts = Parts {
        fit: &fit,
        choose: &choose,
        test: &[],
    };
    for seed in 0..12 {
        let net = Net::new(&mlp(&[5, 7, 6, 3], Unary::Tanh, seed).unwrap());
        let (other, orders) = net.turned(seed);
        let worth = |net: &Net| reconstruction(&net.graph, &net.groups, parts, EFFORT, &Naive);
        let (one, turned) = (worth(&net).unwrap(), worth(&other).unwrap());
        for (id, order) in orders {
            let (one, turned) = (&one[id.index()], &turned[id.index()]);
            for (at, &unit) in order.iter().enumerate() {
                let (a, b) = (one[unit], turned[at]);
                assert!((a / b - 1.0).abs() < 1e-5, "{seed}: {one:?} {turned:?}");
            }
        }
    }
}
