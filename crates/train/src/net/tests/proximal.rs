//! The penalty's part of a step beside its formulas.

use std::collections::HashSet;

use secateur_graph::{Graph, Role};
use secateur_prox::{Compensation, GroupWeights, Members};

use super::super::NetLearner;
use super::networks::{
    OPTIMIZERS, SGD, at, begun, group_lasso, hidden, norm, places, plain, residual, settings, step,
    values,
};
use crate::{AdamMetric, Optimizer, PenaltySettings, Settings};

pub(super) const RATE: f64 = 0.02;
/// Steps before the one that is looked at.
pub(super) const NUMBER: usize = 2;

/// The penalized units of each group, for groups of 4, 2 and 6 units.
pub(super) const PARTS: [(&str, f64, [std::ops::Range<usize>; 3]); 5] = [
    ("full", 1.0, [0..4, 0..2, 0..6]),
    ("spare-last:3", 1.5, [0..3, 0..2, 0..4]),
    ("fraction:0.5:last", 2.0, [2..4, 1..2, 3..6]),
    ("every-second", 1.0, [0..4, 0..0, 0..6]),
    ("budget:50%", 1.0, [0..4, 0..2, 0..6]),
];

/// A learner behind a penalized step, what the same step without the penalty makes of it, and lambda.
pub(super) fn twins(graph: &Graph, settings: &Settings) -> (NetLearner, NetLearner, f64) {
    let [mut with, mut without] = [0; 2].map(|_| begun(graph, settings));
    let stepped = step(&mut with, settings, (RATE, NUMBER, true));
    let other = step(&mut without, settings, (RATE, NUMBER, false));
    assert_eq!((stepped.loss, other.lambda), (other.loss, 0.0));
    (with, without, stepped.lambda)
}

/// The mean of Adam's metric over some second moments.
fn mean_metric(second: &[f64]) -> f64 {
    // The share that stays is a number of single precision, whose error the moments have, too.
    let corrected = 1.0 - f64::from(0.999f32).powi(NUMBER as i32 + 1);
    let root = |v: &f64| (v / corrected).sqrt() + 1e-8;
    second.iter().map(root).sum::<f64>() / second.len() as f64 / RATE
}

fn second_moments(net: &NetLearner) -> Vec<Vec<f32>> {
    let all = net.network.parameters().iter();
    all.map(|p| p.state().get(1).cloned().unwrap_or_default())
        .collect()
}

/// What is to be left of a unit's weights, where its strength is `strength`.
fn shortened(
    weights: &[f64],
    strength: f64,
    settings: &Settings,
    (second, layer_mean): (&[f64], f64),
) -> Vec<f64> {
    let metric = settings.penalty.unwrap().adam_metric;
    let threshold = match settings.optimizer {
        Optimizer::Sgd { momentum, .. } => strength * RATE / (1.0 - momentum),
        Optimizer::Adam | Optimizer::AdamW if metric == AdamMetric::Mean => {
            strength / mean_metric(second).max(layer_mean)
        }
        Optimizer::Adam | Optimizer::AdamW => {
            return in_metric(weights, second, strength);
        }
    };
    let factor = (1.0 - threshold / norm(weights)).max(0.0);
    weights.iter().map(|w| factor * w).collect()
}

/// The least of `strength * norm(w) + 1/2 sum d (w - u)^2`, by halving where the norm lies.
fn in_metric(u: &[f64], second: &[f64], strength: f64) -> Vec<f64> {
    let d: Vec<f64> = second.iter().map(|&v| mean_metric(&[v])).collect();
    let of = |r: f64| -> Vec<f64> {
        let each = u.iter().zip(&d);
        each.map(|(u, d)| u * d * r / (d * r + strength)).collect()
    };
    let (mut low, mut high) = (1e-12, norm(u));
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        match norm(&of(middle)) > middle {
            true => low = middle,
            false => high = middle,
        }
    }
    of(low)
}

/// Holds a step of a penalty to the formulas; the shares of the length that units kept.
fn check(
    graph: &Graph,
    settings: &Settings,
    (factor, ranges): (f64, &[std::ops::Range<usize>]),
) -> Vec<f64> {
    let penalty = settings.penalty.unwrap();
    let (net, plain, lambda) = twins(graph, settings);
    let (have, mut want) = (values(&net), values(&plain));
    let mut touched = HashSet::new();
    let second = second_moments(&net);
    let role = match penalty.members {
        Members::Outgoing => Role::Reads,
        Members::Incoming => Role::Produces,
    };
    let mut kept = vec![];
    for ((_, group), range) in hidden(&net).iter().zip(ranges) {
        for unit in range.clone() {
            let places = places(&net, group, role, unit);
            let weights = at(&want, &places);
            let root = (weights.len() as f64).sqrt();
            let weight = if penalty.weights == GroupWeights::One {
                1.0
            } else {
                root
            };
            let adam = match second[places[0].0].is_empty() {
                true => (vec![], 0.0),
                false => {
                    let of_tensor = |(p, _): &(usize, Vec<usize>)| {
                        let all: Vec<f64> = second[*p].iter().map(|&v| f64::from(v)).collect();
                        mean_metric(&all)
                    };
                    let layer = places.iter().map(of_tensor).sum::<f64>() / places.len() as f64;
                    (at(&second, &places), layer)
                }
            };
            let strength = lambda * factor * weight;
            let left = shortened(&weights, strength, settings, (&adam.0, adam.1));
            kept.push(norm(&left) / norm(&weights));
            let mut left = left.into_iter();
            for (p, at) in places {
                for i in at {
                    want[p][i] = left.next().unwrap() as f32;
                    touched.insert((p, i));
                }
            }
        }
    }
    for (index, p) in net.network.parameters().iter().enumerate() {
        for (i, (&have, &want)) in have[index].iter().zip(&want[index]).enumerate() {
            // What no penalty touches is what it was to the bit; elsewhere some roundings.
            let allowed = if touched.contains(&(index, i)) {
                2e-6
            } else {
                0.0
            };
            assert!(
                (have - want).abs() <= allowed,
                "{:?} {}: {} of {i} is {have}, not {want}",
                settings.optimizer,
                penalty.part,
                p.name()
            );
        }
    }
    kept
}

pub(super) fn penalty(strength: f64, part: &str) -> PenaltySettings {
    PenaltySettings {
        part: part.parse().unwrap(),
        ..group_lasso(strength)
    }
}

/// About as strong as the weights of half of the units are long, by optimizer.
fn strength(optimizer: Optimizer) -> f64 {
    match optimizer {
        Optimizer::Sgd { momentum: 0.0, .. } => 10.0,
        Optimizer::Sgd { .. } => 1.0,
        Optimizer::Adam | Optimizer::AdamW => 0.05,
    }
}

#[test]
fn the_units_of_a_part_lose_rate_times_strength_times_weight_and_nothing_else_moves() {
    for optimizer in OPTIMIZERS {
        for (part, _, ranges) in &PARTS {
            let penalty = penalty(strength(optimizer), part);
            let kept = check(
                &residual(),
                &settings(optimizer, Some(penalty)),
                (1.0, ranges),
            );
            let shortened = kept.iter().filter(|&&k| k < 0.99);
            assert!(
                shortened.count() > kept.len() / 2,
                "{optimizer:?}: {kept:?}"
            );
        }
    }
}

#[test]
fn compensation_and_the_weights_of_groups_are_factors_of_the_strength() {
    for (part, factor, ranges) in &PARTS {
        let mut penalty = penalty(4.0, part);
        penalty.compensation = Compensation::On;
        check(
            &residual(),
            &settings(SGD, Some(penalty)),
            (*factor, ranges),
        );
        penalty.weights = GroupWeights::One;
        check(
            &residual(),
            &settings(SGD, Some(penalty)),
            (*factor, ranges),
        );
    }
}

#[test]
fn incoming_groups_hold_filters_with_their_bias() {
    for optimizer in OPTIMIZERS {
        let mut penalty = penalty(0.1 * strength(optimizer), "full");
        penalty.members = Members::Incoming;
        check(
            &plain(),
            &settings(optimizer, Some(penalty)),
            (1.0, &[0..4, 0..5]),
        );
    }
}

#[test]
fn each_weight_has_its_own_step_in_the_exact_metric() {
    for optimizer in [Optimizer::Adam, Optimizer::AdamW] {
        let mut penalty = penalty(0.05, "full");
        penalty.adam_metric = AdamMetric::Exact;
        check(
            &residual(),
            &settings(optimizer, Some(penalty)),
            (1.0, &[0..4, 0..2, 0..6]),
        );
    }
}

#[test]
fn the_strongest_unit_stays_as_it_was_where_all_would_go_and_that_is_counted() {
    for optimizer in OPTIMIZERS {
        let settings = settings(optimizer, Some(penalty(1e6, "full")));
        let (mut net, plain, _) = twins(&residual(), &settings);
        assert_eq!(net.held(), [1, 1, 1]);
        let (have, before) = (values(&net), values(&plain));
        for (_, group) in hidden(&net) {
            let of = |all: &[Vec<f32>], unit| at(all, &places(&net, &group, Role::Reads, unit));
            let lengths = (0..group.units).map(|unit| norm(&of(&before, unit)));
            let order = lengths.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            let strongest = order.unwrap().0;
            for unit in 0..group.units {
                let mut want = of(&before, unit);
                if unit != strongest {
                    want.fill(0.0);
                }
                assert_eq!(of(&have, unit), want, "{}: {unit}", group.name);
            }
        }
        step(&mut net, &settings, (RATE, NUMBER + 1, true));
        assert_eq!(net.held(), [2, 2, 2]);
    }
    // Where some units are spared, all others may go.
    let settings = settings(SGD, Some(penalty(1e6, "spare-last:2")));
    let (net, _, _) = twins(&residual(), &settings);
    assert_eq!(net.held(), [0, 0, 0]);
    for ((_, group), range) in hidden(&net).iter().zip([0..2, 0..1, 0..3]) {
        for unit in range {
            let left = at(&values(&net), &places(&net, group, Role::Reads, unit));
            assert!(left.iter().all(|&w| w == 0.0), "{}: {unit}", group.name);
        }
    }
}
