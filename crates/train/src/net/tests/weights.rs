//! What is penalized, and the weights of groups, before a removal and behind it.

use secateur_graph::{GroupId, Keep, Role};
use secateur_prox::{GroupWeights, Inputs};

use super::super::{NetLearner, PenalisedGroups};
use super::networks::{SGD, at, begun, group_lasso, hidden, places, residual, settings, values};
use super::removals::some;
use crate::PenaltySettings;

/// Penalties whose weights and ranges depend on widths in every way.
fn penalties() -> Vec<PenaltySettings> {
    let mut all = vec![];
    for part in [
        "full",
        "spare-last:2",
        "spare-last:2:current",
        "fraction:0.5:ranked:9",
        "fraction:0.5:last",
    ] {
        for weights in [
            GroupWeights::InitialWidths,
            GroupWeights::CurrentWidths,
            GroupWeights::One,
            GroupWeights::Macs,
        ] {
            let part = part.parse().unwrap();
            all.push(PenaltySettings {
                part,
                weights,
                inputs: Inputs::Spared,
                ..group_lasso(0.1)
            });
        }
    }
    all
}

#[test]
fn what_is_penalized_follows_a_removal() {
    for penalty in penalties() {
        let settings = settings(SGD, Some(penalty));
        let mut net = begun(&residual(), &settings);
        let of = |p: &PenalisedGroups| -> Vec<f64> {
            p.layers.iter().map(|l| p.strength(l, 2.0).weight).collect()
        };
        let initial = of(net.penalised.as_ref().unwrap());
        let keep = some(&net.groups);
        net.remove_asked(&keep, 1).unwrap();
        let anew = PenalisedGroups::new(penalty, &net.graph, &net.groups, &net.network).unwrap();
        let own = net.penalised.as_ref().unwrap();
        let want = match penalty.weights {
            GroupWeights::InitialWidths => initial,
            // Proportional to what a unit frees, which depends on how many are penalized.
            GroupWeights::Macs => macs_weights(&net),
            GroupWeights::CurrentWidths | GroupWeights::One => of(&anew),
        };
        for (have, want) in of(own).into_iter().zip(want) {
            assert!(
                (have - want).abs() < 1e-9,
                "{}, {}: {have} for {want}",
                penalty.part,
                penalty.weights
            );
        }
        // Of groups of 4, 2 and 6, the units 0 and 2, 1, and 0 and 4 are gone.
        let want = match penalty.part.to_string().as_str() {
            "full" => [0..2, 0..1, 0..4],
            "spare-last:2" => [0..1, 0..1, 0..2],
            "spare-last:2:current" => [0..1, 0..1, 0..2],
            "fraction:0.5:last" => [1..2, 1..1, 2..4],
            _ => [0..1, 0..1, 0..2],
        };
        for ((layer, want), anew) in own.layers.iter().zip(want).zip(&anew.layers) {
            assert_eq!(layer.past.range, want, "{}", penalty.part);
            assert_eq!(
                (layer.past.units, layer.past.id),
                (anew.past.units, anew.past.id)
            );
            assert_eq!(layer.slices.size(), anew.slices.size());
            let parameters = net.network.parameters();
            assert_eq!(
                layer.slices.norms(parameters),
                anew.slices.norms(parameters)
            );
        }
    }
}

#[test]
fn spared_units_are_derived_anew_of_those_that_are_left_where_a_part_says_so() {
    for (part, want) in [
        ("spare-last:2", [0..0, 0..1, 0..0]),
        ("spare-last:2:current", [0..1, 0..1, 0..2]),
        ("fraction:0.5:first", [0..0, 0..1, 0..0]),
        ("fraction:0.5:ranked:9", [0..1, 0..1, 0..2]),
    ] {
        let penalty = PenaltySettings {
            part: part.parse().unwrap(),
            ..group_lasso(0.1)
        };
        let mut net = begun(&residual(), &settings(SGD, Some(penalty)));
        // The penalized half of the first group and of the last goes.
        let ids: Vec<GroupId> = hidden(&net).into_iter().map(|(id, _)| id).collect();
        let mut keep = Keep::all(&net.groups);
        for (group, unit) in [(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)] {
            keep.drop(ids[group], unit).unwrap();
        }
        net.remove_asked(&keep, 1).unwrap();
        let layers = &net.penalised.as_ref().unwrap().layers;
        let ranges: Vec<_> = layers.iter().map(|l| l.past.range.clone()).collect();
        assert_eq!(ranges, want, "{part}");
    }
}

/// The multiply-adds that a unit of each group frees, in the scale of the roots of the sizes of all penalized units.
fn macs_weights(net: &NetLearner) -> Vec<f64> {
    let own = net.penalised.as_ref().unwrap();
    let macs = secateur_graph::cost(&net.graph).unwrap().macs;
    let each = hidden(net)
        .into_iter()
        .zip(&own.layers)
        .map(|((id, group), layer)| {
            let freed = match group.units {
                // The last unit cannot go: of the dense layer beside others it is a sixth of their readers, and its maker.
                1 => single(net, id),
                _ => {
                    let mut keep = Keep::all(&net.groups);
                    keep.drop(id, 0).unwrap();
                    let small = secateur_graph::shrink(&net.graph, &net.groups, &keep)
                        .unwrap()
                        .graph;
                    macs - secateur_graph::cost(&small).unwrap().macs
                }
            };
            let root = (at(&values(net), &places(net, &group, Role::Reads, 0)).len() as f64).sqrt();
            (freed as f64, root, layer.past.range.len().max(1) as f64)
        });
    let each: Vec<(f64, f64, f64)> = each.collect();
    let roots: f64 = each.iter().map(|(_, root, units)| root * units).sum();
    let all: f64 = each.iter().map(|(freed, _, units)| freed * units).sum();
    each.iter()
        .map(|(freed, _, _)| freed * roots / all)
        .collect()
}

/// The multiply-adds that hold the only unit of a group: weights that make or read it, at 36 places each.
fn single(net: &NetLearner, id: GroupId) -> u64 {
    let group = net.groups.group(id).clone();
    let roles = [Role::Produces, Role::Reads];
    let tensors = roles
        .into_iter()
        .flat_map(|role| places(net, &group, role, 0));
    let weights = tensors.filter(|(p, _)| net.network.parameters()[*p].shape().len() > 1);
    weights.map(|(_, at)| at.len() as u64 * 36).sum()
}

#[test]
fn weights_by_multiply_adds_are_those_of_the_networks_without_the_unit() {
    for part in ["full", "every-second", "spare-last:3"] {
        let penalty = PenaltySettings {
            part: part.parse().unwrap(),
            weights: GroupWeights::Macs,
            ..group_lasso(0.1)
        };
        let net = begun(&residual(), &settings(SGD, Some(penalty)));
        let own = net.penalised.as_ref().unwrap();
        for (layer, want) in own.layers.iter().zip(macs_weights(&net)) {
            let have = own.strength(layer, 1.0).weight;
            assert!((have - want).abs() < 1e-9, "{part}: {have} for {want}");
        }
    }
}
