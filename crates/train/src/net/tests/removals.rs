//! What follows a removal: the optimizer's state and running statistics.

use secateur_graph::{ChannelGroups, Graph, GroupId, Keep, Role, Tensor, Unary, evaluate};
use secateur_testkit::Block;

use super::super::NetLearner;
use super::super::removal::settled_means;
use super::networks::{
    OPTIMIZERS, SGD, begun, group_lasso, hidden, learner, pictures, places, plain, residual, rows,
    sample, settings, step, written,
};
use crate::Settings;
use crate::removal::Due;
use crate::settings::Widths;

const DUE: Due = Due {
    epoch: 3,
    widths: Widths { floor: 1, round: 1 },
    last: false,
};

/// Values, gradients and state of each parameter, by what it is called in the graph.
type Numbers = Vec<(secateur_graph::ValueId, Vec<usize>, Vec<Vec<f32>>)>;

fn numbers(net: &NetLearner) -> Numbers {
    let of = |p: &secateur_engine::Parameter| {
        let mut all = vec![p.values().to_vec(), p.gradient().to_vec()];
        all.extend(p.state().to_vec());
        (p.id(), p.shape().to_vec(), all)
    };
    net.network.parameters().iter().map(of).collect()
}

/// The same of what `keep` keeps: positions of units that go are left out, number by number.
fn cut(all: &Numbers, groups: &ChannelGroups, keep: &Keep) -> Numbers {
    let each = all.iter().map(|(tensor, shape, vectors)| {
        let goes = |axis: usize, position: usize| {
            groups.iter().any(|(id, group)| {
                let members = group.members.iter();
                let mut own = members.filter(|m| m.tensor == *tensor && m.axis == axis);
                own.any(|m| m.unit_of[position].is_some_and(|u| !keep.keeps(id, u as usize)))
            })
        };
        let inner = |axis: usize| shape[axis + 1..].iter().product::<usize>();
        let stays = |e: usize| (0..shape.len()).all(|a| !goes(a, e / inner(a) % shape[a]));
        let left = vectors.iter().map(|v| {
            let numbers = v.iter().enumerate().filter(|(e, _)| stays(*e));
            numbers.map(|(_, &n)| n).collect()
        });
        let shape = (0..shape.len()).map(|a| (0..shape[a]).filter(|&p| !goes(a, p)).count());
        (*tensor, shape.collect(), left.collect())
    });
    each.collect()
}

/// All but two units of the first group, one of the second and the first of the third go.
pub(super) fn some(groups: &ChannelGroups) -> Keep {
    let mut keep = Keep::all(groups);
    let free: Vec<GroupId> = groups
        .iter()
        .filter(|(_, g)| g.is_free())
        .map(|(id, _)| id)
        .collect();
    for (group, unit) in [(0, 0), (0, 2), (1, 1), (2, 0), (2, 4)] {
        if let Some(&id) = free.get(group) {
            keep.drop(id, unit).unwrap();
        }
    }
    keep
}

#[test]
fn what_the_optimizer_knows_of_units_that_stay_is_what_it_knew_to_the_bit() {
    for optimizer in OPTIMIZERS {
        for graph in [residual(), plain()] {
            let mut net = begun(&graph, &settings(optimizer, None));
            let keep = some(&net.groups);
            let before: usize = net.units().iter().sum();
            let want = cut(&numbers(&net), &net.groups, &keep);
            let removal = net.remove_asked(&keep, 3).unwrap().unwrap();
            assert!(removal.asked && removal.epoch == 3 && removal.folded == 0);
            assert_eq!(removal.naive_difference, 0.0);
            assert_eq!((removal.naive_rows, removal.engine_rows), (8, 8));
            let left: usize = net.units().iter().sum();
            assert_eq!(removal.units, before - left);
            assert!(removal.units >= 3);
            assert!(numbers(&net) == want, "{optimizer:?}");
        }
    }
}

#[test]
fn training_goes_on_as_that_of_the_smaller_network_with_the_same_state() {
    for optimizer in OPTIMIZERS {
        let settings = settings(optimizer, Some(group_lasso(0.02)));
        let mut net = begun(&residual(), &settings);
        let keep = some(&net.groups);
        net.remove_asked(&keep, 1).unwrap();
        let mut small = learner(&net.graph, &settings);
        for (own, other) in small
            .network
            .parameters_mut()
            .iter_mut()
            .zip(net.network.parameters())
        {
            assert_eq!(own.id(), other.id());
            let parts = own.parts();
            parts.gradient.copy_from_slice(other.gradient());
            parts
                .state
                .into_iter()
                .zip(other.state())
                .for_each(|(own, other)| own.copy_from_slice(other));
        }
        for number in 2..4 {
            step(&mut net, &settings, (0.02, number, true));
            step(&mut small, &settings, (0.02, number, true));
        }
        assert!(numbers(&net) == numbers(&small), "{optimizer:?}");
    }
}

/// The settings under which units that nothing reads go.
fn dead(optimizer: crate::Optimizer) -> Settings {
    settings(optimizer, Some(group_lasso(0.1)))
}

/// Sets all weights that read a unit to 0.
fn forget(net: &mut NetLearner, group: GroupId, unit: usize) {
    let of = net.groups.group(group).clone();
    for (p, at) in places(net, &of, Role::Reads, unit) {
        let numbers = net.network.parameters_mut()[p].values_mut();
        at.into_iter().for_each(|i| numbers[i] = 0.0);
    }
}

#[test]
fn dead_units_go_alone_and_all_that_stays_is_what_it_was_to_the_bit() {
    for optimizer in OPTIMIZERS {
        let mut net = begun(&residual(), &dead(optimizer));
        let groups = net.groups.clone();
        let mut keep = Keep::all(&groups);
        let ids: Vec<GroupId> = hidden(&net).into_iter().map(|(id, _)| id).collect();
        for (id, unit) in [(ids[0], 1), (ids[2], 0), (ids[2], 4)] {
            forget(&mut net, id, unit);
            keep.drop(id, unit).unwrap();
        }
        let before = evaluate(&written(&net), &[sample(&net)]).unwrap();
        let want = cut(&numbers(&net), &groups, &keep);
        let removal = net.remove_dead(DUE).unwrap().unwrap();
        assert_eq!((removal.units, removal.folded, removal.inputs), (3, 0, 0));
        assert!(!removal.asked && removal.naive_difference == 0.0);
        assert!(numbers(&net) == want, "{optimizer:?}");
        assert_eq!(net.units(), [3, 2, 4]);
        assert!(evaluate(&net.graph, &[sample(&net)]).unwrap() == before);
        // Nothing else is dead.
        assert!(net.remove_dead(DUE).unwrap().is_none());
    }
}

#[test]
fn a_floor_or_a_multiple_keeps_the_first_of_the_dead_units() {
    for (floor, round, left) in [(1, 1, 1), (3, 1, 3), (1, 2, 2), (1, 4, 4), (6, 1, 6)] {
        let mut net = begun(&residual(), &dead(SGD));
        let id = hidden(&net)[2].0;
        (1..6).for_each(|unit| forget(&mut net, id, unit));
        let due = Due {
            widths: Widths { floor, round },
            ..DUE
        };
        let removal = net.remove_dead(due).unwrap();
        assert_eq!(net.units()[2], left, "floor {floor}, multiples of {round}");
        assert_eq!(removal.map_or(0, |r| r.units), 6 - left);
    }
}

#[test]
fn channels_of_the_input_stay_though_nothing_reads_them() {
    let mut net = begun(&residual(), &dead(SGD));
    let (input, _) = net
        .groups
        .iter()
        .find(|(_, g)| !g.is_free() && g.frozen.is_none())
        .unwrap();
    forget(&mut net, input, 0);
    assert!(net.remove_dead(DUE).unwrap().is_none());
    let id = hidden(&net)[2].0;
    forget(&mut net, id, 2);
    let removal = net.remove_dead(DUE).unwrap().unwrap();
    assert_eq!((removal.units, removal.inputs), (1, 0));
}

#[test]
fn nothing_asked_is_nothing_removed() {
    let mut net = begun(&residual(), &dead(SGD));
    let keep = Keep::all(&net.groups);
    assert!(net.remove_asked(&keep, 1).unwrap().is_none());
}

/// A convolution with a bias or without, its normalization, and a dense layer that constants can be folded into.
fn normalized(has_bias: bool, flat: bool) -> Graph {
    let relu = Block::Activate(Unary::Relu);
    pictures(&[Block::Conv(4, 3, has_bias), Block::BatchNorm, relu], flat)
}

#[test]
fn a_channel_made_of_its_bias_alone_has_the_mean_that_its_batches_have() {
    for (has_bias, flat) in [(false, false), (true, false), (true, true)] {
        let mut graph = normalized(has_bias, flat);
        let [conv, norm] = [0, 1].map(|at| graph.nodes()[at].clone());
        assert!(
            settled_means(&graph).unwrap() == graph,
            "no filter is empty"
        );
        // The filters of units 1 and 3 are, but for a last weight of the former.
        let filters = graph.constant(conv.input(1).unwrap()).unwrap();
        let shape = filters.shape().to_vec();
        let mut numbers = filters.as_f32().unwrap().to_vec();
        numbers[18..35].fill(0.0);
        numbers[54..].fill(0.0);
        let filters = Tensor::f32(shape, numbers).unwrap();
        graph.set_constant(conv.input(1).unwrap(), filters).unwrap();
        let bias = conv.inputs.get(2).copied().flatten();
        let bias = bias.map_or(0.0, |id| graph.constant(id).unwrap().as_f32().unwrap()[3]);
        let mut want = graph.clone();
        let mean = norm.input(3).unwrap();
        let mut means = graph.constant(mean).unwrap().as_f32().unwrap().to_vec();
        assert!((means[3] - bias).abs() > 1e-3, "a mean that lags behind");
        means[3] = bias;
        want.set_constant(mean, Tensor::f32([4], means).unwrap())
            .unwrap();
        assert!(settled_means(&graph).unwrap() == want, "bias {has_bias}");
    }
}

#[test]
fn means_of_channels_that_live_stay_as_they_are() {
    let mut net = begun(&normalized(true, true), &dead(SGD));
    let id = hidden(&net)[0].0;
    forget(&mut net, id, 1);
    let mean = net.graph.nodes()[1].input(3).unwrap();
    let want = written(&net).constant(mean).unwrap().clone();
    net.remove_dead(DUE).unwrap().unwrap();
    let want = want.as_f32().unwrap();
    let left = net.graph.constant(mean).and_then(Tensor::as_f32);
    assert_eq!(left, Some([want[0], want[2], want[3]].as_slice()));
}

#[test]
fn checks_take_fewer_rows_where_there_are_fewer() {
    let settings = settings(SGD, None);
    let mut net = NetLearner::new(residual(), rows(5), &settings).unwrap();
    let keep = some(&net.groups);
    let removal = net.remove_asked(&keep, 1).unwrap().unwrap();
    assert_eq!((removal.naive_rows, removal.engine_rows), (5, 5));
}
