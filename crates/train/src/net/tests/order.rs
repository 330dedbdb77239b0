//! Units in another order: the function stays, and all that belongs to a unit goes with it.

use secateur_graph::{ChannelGroups, Role, evaluate};

use super::super::{NetLearner, strongest_last};
use super::networks::{
    OPTIMIZERS, at, begun, group_lasso, hidden, learner, norm, places, residual, rows, sample,
    settings, values, written,
};
use crate::PenaltySettings;

fn norms(net: &NetLearner, group: &secateur_graph::Group) -> Vec<f64> {
    let of = |unit| norm(&at(&values(net), &places(net, group, Role::Reads, unit)));
    (0..group.units).map(of).collect()
}

/// What belongs to the units of a group, sorted so that the order of units does not matter: values, gradients and state.
fn belongings(net: &NetLearner, group: &secateur_graph::Group) -> Vec<Vec<Vec<u32>>> {
    let all = net.network.parameters();
    let mut units: Vec<Vec<Vec<u32>>> = (0..group.units)
        .map(|unit| {
            let roles = [Role::Produces, Role::Carries, Role::Reads];
            let own = roles
                .into_iter()
                .flat_map(|role| places(net, group, role, unit));
            own.map(|(p, at)| {
                let vectors = [all[p].values(), all[p].gradient()];
                let vectors = vectors
                    .into_iter()
                    .chain(all[p].state().iter().map(Vec::as_slice));
                let mut bits: Vec<Vec<u32>> = vectors
                    .map(|v| at.iter().map(|&i| v[i].to_bits()).collect())
                    .collect();
                // Places of other groups are in an order of their own.
                bits.iter_mut().for_each(|v| v.sort_unstable());
                bits.concat()
            })
            .collect()
        })
        .collect();
    units.sort();
    units
}

#[test]
fn a_ranking_by_norm_brings_the_weakest_units_into_the_part_with_all_that_is_theirs() {
    for optimizer in OPTIMIZERS {
        for part in ["fraction:0.5:ranked:5", "fraction:0.5:last"] {
            let penalty = PenaltySettings {
                part: part.parse().unwrap(),
                ..group_lasso(0.1)
            };
            let mut net = begun(&residual(), &settings(optimizer, Some(penalty)));
            let before = evaluate(&written(&net), &[sample(&net)]).unwrap().remove(0);
            let owned: Vec<_> = hidden(&net)
                .iter()
                .map(|(_, g)| belongings(&net, g))
                .collect();
            net.rank_by_norm().unwrap();
            let after = evaluate(&written(&net), &[sample(&net)]).unwrap().remove(0);
            for (a, b) in before.values.iter().zip(&after.values) {
                assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{a} {b}");
            }
            for ((_, group), owned) in hidden(&net).iter().zip(owned) {
                let mut norms = norms(&net, group);
                if part.ends_with("last") {
                    norms.reverse();
                }
                assert!(norms.is_sorted(), "{part}: {norms:?}");
                assert!(
                    belongings(&net, group) == owned,
                    "{optimizer:?} {part} {}",
                    group.name
                );
            }
            let graph = net.graph.clone();
            assert!(graph == written(&net), "the graph follows");
        }
    }
}

#[test]
fn the_strongest_units_come_last_and_the_function_stays() {
    let graph = residual();
    let sorted = strongest_last(&graph, &rows(8)).unwrap();
    let [before, after] = [&graph, &sorted].map(|g| learner(g, &settings(OPTIMIZERS[0], None)));
    let [a, b] =
        [&before, &after].map(|net| evaluate(&net.graph, &[sample(net)]).unwrap().remove(0));
    for (a, b) in a.values.iter().zip(&b.values) {
        assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{a} {b}");
    }
    let groups = ChannelGroups::of(&sorted).unwrap();
    for (_, group) in groups.iter().filter(|(_, g)| g.is_free()) {
        let norms = norms(&after, group);
        assert!(norms.is_sorted(), "{}: {norms:?}", group.name);
    }
    assert!(sorted != graph);
}

#[test]
fn a_part_that_is_drawn_reorders_units_by_the_seed_and_others_leave_them() {
    let of = |part: &str, seed: u64| {
        let penalty = PenaltySettings {
            part: part.parse().unwrap(),
            ..group_lasso(0.1)
        };
        let mut settings = settings(OPTIMIZERS[0], Some(penalty));
        settings.seed = seed;
        learner(&residual(), &settings)
    };
    assert!(of("fraction:0.5:first", 1).graph == residual());
    let drawn = of("fraction:0.5:random", 1);
    assert!(drawn.graph == of("fraction:0.5:random", 1).graph);
    assert!(drawn.graph != of("fraction:0.5:random", 2).graph && drawn.graph != residual());
    let start = learner(&residual(), &settings(OPTIMIZERS[0], None));
    let [a, b] =
        [&start, &drawn].map(|net| evaluate(&net.graph, &[sample(net)]).unwrap().remove(0));
    for (a, b) in a.values.iter().zip(&b.values) {
        assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{a} {b}");
    }
    for ((_, before), (_, after)) in hidden(&start).iter().zip(&hidden(&drawn)) {
        assert!(
            belongings(&start, before) == belongings(&drawn, after),
            "{}",
            after.name
        );
    }
}
