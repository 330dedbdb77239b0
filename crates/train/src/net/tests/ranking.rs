//! Which units a limit keeps, beside a ranking that shrinks the network for every count.

use secateur_graph::{
    ChannelGroups, Graph, GroupId, Keep, Role, Tensor, Unary, evaluate_all, shrink,
};
use secateur_prox::Quantity;
use secateur_testkit::{Block, by_batch, mlp};

use super::super::NetLearner;
use super::networks::{
    SGD, at, group_lasso, hidden, learner, pictures, places, plain, residual, sample, settings,
    values, written,
};
use crate::budget::count;
use crate::budget::ranked::{Ranked, Units};
use crate::settings::Widths;

pub(super) const SINGLE: Widths = Widths { floor: 1, round: 1 };

/// The units of a ranking in the order in which they go, and how many must by its estimate.
pub(super) fn order(ranked: &Ranked, limit: u64) -> (Vec<(GroupId, usize)>, usize) {
    match &ranked.units {
        Units::Net(units) => {
            let order = units.order(limit, ranked).unwrap();
            (order.units, order.guess)
        }
        Units::Chain(_) => panic!("a network, not a chain"),
    }
}

/// What is left of the units of each group that layers make.
pub(super) fn left(ranked: &Ranked, limit: u64) -> Vec<Vec<usize>> {
    let keep = ranked.candidate(limit).unwrap().keep;
    let free = ranked.groups.iter().filter(|(_, g)| g.is_free());
    free.map(|(id, _)| keep.kept(id)).collect()
}

/// The share of each unit in the variance of what reads it, added up over the tensors that do, from the naive evaluator.
fn worth(net: &NetLearner) -> Vec<(GroupId, Vec<f64>)> {
    let graph = by_batch(&written(net)).unwrap();
    let all = evaluate_all(&graph, &[sample(net)]).unwrap();
    let of = |(id, group): (GroupId, secateur_graph::Group)| {
        let reads = |node: &&secateur_graph::Node| {
            let tensor = node.inputs.get(1).copied().flatten();
            let mut members = group.members.iter().filter(|m| m.role == Role::Reads);
            members.any(|m| Some(m.tensor) == tensor)
        };
        let read = net
            .graph
            .nodes()
            .iter()
            .find(reads)
            .unwrap()
            .input(0)
            .unwrap();
        let activation = group.activations.iter().find(|a| a.value == read).unwrap();
        let name = &net.graph.value(read).name;
        let array = all[graph.value_named(name).unwrap().index()]
            .as_ref()
            .unwrap();
        let inner: usize = array.shape[activation.axis + 1..].iter().product();
        let variance = |position: usize| {
            let length = array.shape[activation.axis];
            let own = array.values.iter().enumerate();
            let own = own
                .filter(|(e, _)| e / inner % length == position)
                .map(|(_, &v)| v);
            let count = own.clone().count() as f64;
            let mean = own.clone().sum::<f64>() / count;
            own.map(|v| (v - mean).powi(2)).sum::<f64>() / count
        };
        let spread = |unit: usize| {
            let positions = (0..activation.unit_of.len())
                .filter(|&p| activation.unit_of[p] == Some(unit as u32));
            let count = positions.clone().count() as f64;
            positions.map(variance).sum::<f64>() / count
        };
        let spreads: Vec<f64> = (0..group.units).map(spread).collect();
        let mut shares = vec![0.0; group.units];
        let tensors = places(net, &group, Role::Reads, 0).len();
        for tensor in 0..tensors {
            let part = |unit: usize| {
                let place = places(net, &group, Role::Reads, unit).remove(tensor);
                let weights = at(&values(net), &[place]);
                spreads[unit] * weights.iter().map(|w| w * w).sum::<f64>()
            };
            let parts: Vec<f64> = (0..group.units).map(part).collect();
            let total: f64 = parts.iter().sum();
            shares
                .iter_mut()
                .zip(parts)
                .for_each(|(share, part)| *share += part / total);
        }
        (id, shares)
    };
    hidden(net).into_iter().map(of).collect()
}

/// The unit of least worth of each group for what its removal frees, the least of these first, and so on; no group below half of
/// what even narrowing would leave it, as long as another can lose a unit.
pub(super) fn greedy(
    (graph, groups): (&Graph, &ChannelGroups),
    worth: &[(GroupId, Vec<f64>)],
    (of, limit): (Quantity, u64),
) -> Vec<(GroupId, usize)> {
    let without = |keep: &Keep| count(of, &shrink(graph, groups, keep).unwrap().graph).unwrap();
    let mut keep = Keep::all(groups);
    let even = (limit as f64 / count(of, graph).unwrap() as f64).sqrt();
    let mut gone = vec![];
    loop {
        let now = if keep.is_all() {
            count(of, graph).unwrap()
        } else {
            without(&keep)
        };
        let candidates = |least: &dyn Fn(usize) -> f64| {
            let each = worth.iter().filter_map(|(group, worth)| {
                let kept = keep.kept(*group);
                if kept.len() < 2 || ((kept.len() - 1) as f64) < least(worth.len()) {
                    return None;
                }
                let unit = kept
                    .into_iter()
                    .min_by(|&a, &b| worth[a].total_cmp(&worth[b]))?;
                let mut next = keep.clone();
                next.drop(*group, unit).unwrap();
                Some((worth[unit] / (now - without(&next)) as f64, *group, unit))
            });
            each.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let next = candidates(&|all| all as f64 * even * 0.5).or_else(|| candidates(&|_| 1.0));
        let Some((_, group, unit)) = next else {
            return gone;
        };
        keep.drop(group, unit).unwrap();
        gone.push((group, unit));
    }
}

#[test]
fn units_go_by_their_share_of_the_variance_for_what_they_free() {
    let grouped = [
        Block::Conv(4, 3, true),
        Block::Activate(Unary::Tanh),
        Block::Depthwise,
        Block::Activate(Unary::Relu),
        Block::MaxPool,
        Block::Conv(3, 1, false),
        Block::BatchNorm,
        Block::Activate(Unary::Relu),
    ];
    for graph in [residual(), plain(), pictures(&grouped, true)] {
        let mut net = learner(&graph, &settings(SGD, Some(group_lasso(0.1))));
        let worth = worth(&net);
        for of in [Quantity::Macs, Quantity::Params] {
            let ranked = net.ranked(of, SINGLE).unwrap();
            for share in [3, 6, 9] {
                let limit = count(of, &graph).unwrap() * share / 10;
                let want = greedy((&graph, &ranked.groups), &worth, (of, limit));
                let (order, guess) = order(&ranked, limit);
                assert_eq!(order, want, "{of:?} {share}");
                // As many of them go as must.
                let size = |gone: usize| {
                    let mut keep = Keep::all(&ranked.groups);
                    want[..gone]
                        .iter()
                        .for_each(|&(g, u)| keep.drop(g, u).unwrap());
                    count(of, &shrink(&graph, &ranked.groups, &keep).unwrap().graph).unwrap()
                };
                let candidate = ranked.candidate(limit).unwrap();
                let gone = (1..=want.len()).find(|&gone| size(gone) <= limit).unwrap();
                assert_eq!(guess, gone, "what units cost is counted exactly here");
                assert_eq!(candidate.count, size(gone), "{of:?} {share}");
                assert_eq!(candidate.count, count(of, &candidate.graph).unwrap());
            }
        }
    }
}

#[test]
fn the_scale_of_weights_in_front_of_a_normalization_does_not_matter() {
    let blocks = [
        Block::Conv(4, 3, false),
        Block::Activate(Unary::Relu),
        Block::Conv(5, 3, false),
        Block::BatchNorm,
        Block::Activate(Unary::Relu),
    ];
    let graph = pictures(&blocks, true);
    let ranking = |scale: f32| {
        let mut graph = graph.clone();
        let second = graph.nodes()[2].input(1).unwrap();
        let tensor = graph.constant(second).unwrap();
        let numbers = tensor.as_f32().unwrap().iter().map(|w| scale * w).collect();
        let tensor = Tensor::f32(tensor.shape(), numbers).unwrap();
        graph.set_constant(second, tensor).unwrap();
        let mut net = learner(&graph, &settings(SGD, Some(group_lasso(0.1))));
        let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
        order(&ranked, 0)
    };
    assert_eq!(ranking(1.0), ranking(1024.0));
    assert_eq!(ranking(1.0).0.len(), 3 + 4);
}

#[test]
fn no_layer_goes_below_half_of_even_narrowing_as_long_as_others_can_lose_units() {
    let mut graph = mlp(&[72, 8, 8, 3], Unary::Tanh, 1).unwrap();
    // All but one of the units of the second layer are next to useless.
    let id = graph.value_named("w3").unwrap();
    let mut weights = vec![1e-4; 8 * 3];
    weights[..3].fill(1.0);
    graph
        .set_constant(id, Tensor::f32([8, 3], weights).unwrap())
        .unwrap();
    let mut net = learner(&graph, &settings(SGD, Some(group_lasso(0.1))));
    let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
    // 576 + 64 + 24; of a quarter, half of each layer would be left if all were narrowed alike.
    let widths = |limit: u64| {
        left(&ranked, limit)
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>()
    };
    let limit = 664 / 4;
    // Two of eight: 72 * 2 + 2 * 2 + 2 * 3.
    assert_eq!(widths(limit), [2, 2]);
    assert_eq!(left(&ranked, limit)[1][0], 0);
    assert_eq!(widths(72 + 1 + 3), [1, 1]);
    assert_eq!(widths(0), [1, 1]);
}

#[test]
fn a_floor_and_a_multiple_hold_for_every_layer() {
    let graph = residual();
    let mut net = learner(&graph, &settings(SGD, Some(group_lasso(0.1))));
    for (floor, round, want) in [
        (2, 1, [2, 2, 2]),
        (1, 2, [2, 2, 2]),
        (3, 1, [3, 2, 3]),
        (1, 4, [4, 2, 4]),
    ] {
        let ranked = net.ranked(Quantity::Macs, Widths { floor, round }).unwrap();
        let widths: Vec<usize> = left(&ranked, 0).iter().map(Vec::len).collect();
        assert_eq!(widths, want, "floor {floor}, multiples of {round}");
    }
}

#[test]
fn without_a_penalty_no_unit_is_ranked() {
    let mut net = learner(&residual(), &settings(SGD, None));
    let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
    assert!(order(&ranked, 0).0.is_empty());
}
