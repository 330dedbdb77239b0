//! What a learner tells of itself, and which kept ones it takes for its own.

use secateur_graph::cost;
use secateur_prox::{Cges, Members, Penalty};

use super::super::{NetLearner, NetPast};
use super::networks::{
    OPTIMIZERS, SGD, at, begun, group_lasso, hidden, norm, places, plain, residual, rows, settings,
    step, values, written,
};
use crate::checkpoint::moments_of_net;
use crate::{Optimizer, PenaltySettings, Settings};

#[test]
fn units_layers_and_costs_are_those_of_the_network() {
    let penalty = PenaltySettings {
        part: "every-second".parse().unwrap(),
        ..group_lasso(0.1)
    };
    let net = begun(&residual(), &settings(SGD, Some(penalty)));
    assert_eq!(net.units(), [4, 2, 6]);
    assert_eq!(net.macs().unwrap(), cost(&residual()).unwrap().macs);
    // The second group is not penalized, so it is not watched.
    let names: Vec<String> = net.penalised_layers().into_iter().map(|l| l.name).collect();
    let groups = hidden(&net);
    assert_eq!(
        names,
        [&groups[0].1.name, &groups[2].1.name].map(Clone::clone)
    );
    assert_eq!(net.held(), [0, 0]);
    for (have, (_, group)) in net.norms().iter().zip([&groups[0], &groups[2]]) {
        let lengths = (0..group.units).map(|unit| {
            norm(&at(
                &values(&net),
                &places(&net, group, secateur_graph::Role::Reads, unit),
            ))
        });
        let lengths: Vec<f64> = lengths.collect();
        let most = lengths.iter().copied().fold(0.0, f64::max);
        let least = lengths.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((have.largest - most).abs() < 1e-12 && (have.smallest - least).abs() < 1e-12);
        assert!((have.rms - norm(&lengths) / (group.units as f64).sqrt()).abs() < 1e-12);
        assert_eq!(have.units, group.units);
    }
}

#[test]
fn layers_in_front_of_a_normalization_are_told() {
    let net = begun(&plain(), &settings(SGD, Some(group_lasso(0.1))));
    let told: Vec<bool> = net
        .penalised_layers()
        .iter()
        .map(|l| l.is_scale_free)
        .collect();
    assert_eq!(told, [false, false]);
    let penalty = PenaltySettings {
        members: Members::Incoming,
        ..group_lasso(0.1)
    };
    let net = begun(&plain(), &settings(SGD, Some(penalty)));
    let told: Vec<bool> = net
        .penalised_layers()
        .iter()
        .map(|l| l.is_scale_free)
        .collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn a_mix_by_depth_falls_from_layer_to_layer() {
    let penalty = PenaltySettings {
        penalty: Penalty::Cges(Cges::by_depth()),
        ..group_lasso(0.1)
    };
    let net = begun(&residual(), &settings(SGD, Some(penalty)));
    let mixes = net
        .penalised
        .as_ref()
        .unwrap()
        .layers
        .iter()
        .map(|l| match l.penalty {
            Penalty::Cges(cges) => cges.mu(),
            other => panic!("{other:?}"),
        });
    assert_eq!(mixes.collect::<Vec<f64>>(), [0.75, 0.5, 0.25]);
}

type Kept = (
    secateur_graph::Graph,
    Vec<crate::checkpoint::Moments>,
    Option<Vec<NetPast>>,
);

fn kept(net: &NetLearner) -> Kept {
    (written(net), moments_of_net(&net.network), net.past())
}

#[test]
fn a_learner_that_was_kept_goes_on_with_the_same_bits() {
    for optimizer in OPTIMIZERS {
        for part in ["full", "spare-last:2:current"] {
            let penalty = PenaltySettings {
                part: part.parse().unwrap(),
                ..group_lasso(0.02)
            };
            let settings = settings(optimizer, Some(penalty));
            let mut net = begun(&residual(), &settings);
            let mut keep = secateur_graph::Keep::all(&net.groups);
            let id = hidden(&net)[2].0;
            keep.drop(id, 1).unwrap();
            net.remove_asked(&keep, 1).unwrap();
            let mut again = NetLearner::resumed(kept(&net), rows(8), &settings)
                .unwrap()
                .unwrap();
            for number in 2..4 {
                let [a, b] =
                    [&mut net, &mut again].map(|n| step(n, &settings, (0.02, number, true)));
                assert_eq!((a.loss, a.lambda), (b.loss, b.lambda));
            }
            assert!(values(&net) == values(&again), "{optimizer:?} {part}");
            assert_eq!((net.share(), net.held()), (again.share(), again.held()));
        }
    }
}

#[test]
fn what_was_kept_of_another_learner_is_none_of_this_one() {
    let with = settings(Optimizer::Adam, Some(group_lasso(0.1)));
    let net = begun(&residual(), &with);
    let is_taken = |change: &dyn Fn(&mut Kept), settings: &Settings| {
        let mut kept = kept(&net);
        change(&mut kept);
        NetLearner::resumed(kept, rows(8), settings)
            .unwrap()
            .is_some()
    };
    let past = |change: &dyn Fn(&mut Vec<NetPast>)| {
        is_taken(&|kept| change(kept.2.as_mut().unwrap()), &with)
    };
    assert!(is_taken(&|_| {}, &with));
    assert!(past(&|past| past[0].range = 1..3));
    assert!(!past(&|past| past[0].range = 0..5));
    #[expect(clippy::reversed_empty_ranges, reason = "what a damaged file may hold")]
    let reversed = 3..1;
    assert!(!past(&|past| past[0].range = reversed.clone()));
    assert!(!past(&|past| past[0].units = 5));
    assert!(!past(&|past| past[0].id = past[2].id));
    assert!(!is_taken(&|kept| drop(kept.1.pop()), &with));
    assert!(!is_taken(&|kept| kept.1.swap(0, 1), &with));
    assert!(!is_taken(&|kept| kept.2 = None, &with));
    assert!(!is_taken(&|_| {}, &settings(Optimizer::Adam, None)));
    assert!(!is_taken(&|_| {}, &settings(SGD, Some(group_lasso(0.1)))));
    assert!(is_taken(
        &|kept| kept.2 = None,
        &settings(Optimizer::Adam, None)
    ));
}
