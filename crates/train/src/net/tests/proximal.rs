//! The penalty's part of a step beside its formulas.

use std::collections::HashSet;

use secateur_graph::{Graph, Role};
use secateur_prox::{Compensation, GroupWeights, Members};

use super::super::NetLearner;
use super::networks::{
    OPTIMIZERS, SGD, at, begun, group_lasso, hidden, norm, places, plain, residual, settings, step,
    values,
};
use crate::{AdamMetric, Optimizer, PenaltySettings, PenaltyStep, Settings, StrengthChoice};

const RATE: f64 = 0.02;
/// Steps before the one that is looked at.
const NUMBER: usize = 2;

/// The penalized units of each group, for groups of 4, 2 and 6 units.
const PARTS: [(&str, f64, [std::ops::Range<usize>; 3]); 5] = [
    ("full", 1.0, [0..4, 0..2, 0..6]),
    ("spare-last:3", 1.5, [0..3, 0..2, 0..4]),
    ("fraction:0.5:last", 2.0, [2..4, 1..2, 3..6]),
    ("every-second", 1.0, [0..4, 0..0, 0..6]),
    ("budget:50%", 1.0, [0..4, 0..2, 0..6]),
];

/// A learner behind a penalized step, what the same step without the penalty makes of it, and lambda.
fn twins(graph: &Graph, settings: &Settings) -> (NetLearner, NetLearner, f64) {
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

fn penalty(strength: f64, part: &str) -> PenaltySettings {
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

#[test]
fn a_subgradient_is_added_to_the_gradient_of_the_units_of_the_part() {
    for (part, factor, ranges) in &PARTS {
        let mut penalty = penalty(0.3, part);
        (penalty.step, penalty.compensation) = (PenaltyStep::Subgradient, Compensation::On);
        let settings = settings(SGD, Some(penalty));
        let (net, plain, lambda) = twins(&residual(), &settings);
        let gradients = |net: &NetLearner| -> Vec<Vec<f32>> {
            net.network
                .parameters()
                .iter()
                .map(|p| p.gradient().to_vec())
                .collect()
        };
        let start = values(&begun(&residual(), &settings));
        let (have, mut want) = (gradients(&net), gradients(&plain));
        for ((_, group), range) in hidden(&net).iter().zip(ranges) {
            for unit in range.clone() {
                let places = places(&net, group, Role::Reads, unit);
                let weights = at(&start, &places);
                let slope = lambda * factor * (weights.len() as f64).sqrt() / norm(&weights);
                for (p, at) in places {
                    at.into_iter()
                        .for_each(|i| want[p][i] += (slope * f64::from(start[p][i])) as f32);
                }
            }
        }
        let (alone, before) = (gradients(&plain), values(&plain));
        for (index, p) in net.network.parameters().iter().enumerate() {
            for (i, after) in p.values().iter().enumerate() {
                let (have, want) = (have[index][i], want[index][i]);
                assert!(
                    (have - want).abs() <= 1e-5,
                    "{part} {}: {have} for {want}",
                    p.name()
                );
                // The step goes along it.
                let more = RATE as f32 * (have - alone[index][i]);
                assert!(
                    (before[index][i] - more - after).abs() <= 1e-6,
                    "{part} {}",
                    p.name()
                );
            }
        }
    }
}

#[test]
fn a_balanced_strength_makes_penalty_and_loss_equal_at_the_first_step() {
    for (part, factor, ranges) in &PARTS {
        let mut penalty = penalty(1.0, part);
        penalty.strength = StrengthChoice::Balance(0.5);
        penalty.compensation = Compensation::On;
        let settings = settings(SGD, Some(penalty));
        let start = begun(&residual(), &settings);
        let (_, _, lambda) = twins(&residual(), &settings);
        let [mut value, mut numbers] = [0.0; 2]; // Norms are taken in single precision.
        for ((_, group), range) in hidden(&start).iter().zip(ranges) {
            for unit in range.clone() {
                let weights = at(&values(&start), &places(&start, group, Role::Reads, unit));
                value += factor * (weights.len() as f64).sqrt() * norm(&weights);
                numbers += weights.len() as f64;
            }
        }
        let penalized = start.penalised.as_ref().unwrap();
        let told = penalized.value(start.network.parameters());
        assert!(
            (told / value - 1.0).abs() < 1e-7,
            "{part}: {told} for {value}"
        );
        let loss = step(
            &mut begun(&residual(), &settings),
            &settings,
            (RATE, NUMBER, false),
        )
        .loss;
        assert!(
            (lambda / (0.5 * loss / value) - 1.0).abs() < 1e-7,
            "{part}: {lambda}"
        );
        // Filters, of the depthwise layer too, and the dense layer: 4 * 2 * 9, 4 * 4 * 9, 4 * 9, 4 * 2, 6 * 6, 216 * 3.
        let all = 72.0 + 144.0 + 36.0 + 8.0 + 36.0 + 648.0;
        assert!(
            (start.share() - numbers / all).abs() < 1e-12,
            "{part}: {}",
            start.share()
        );
    }
}

#[test]
fn a_step_that_is_not_penalized_is_that_of_a_run_without_a_penalty() {
    for optimizer in OPTIMIZERS {
        let dense = begun(&residual(), &settings(optimizer, None));
        let spared = begun(
            &residual(),
            &settings(optimizer, Some(penalty(1e6, "full"))),
        );
        assert!(values(&dense) == values(&spared), "{optimizer:?}");
        assert_eq!(spared.penalty_seconds(), 0.0);
        assert_eq!((dense.share(), dense.held()), (0.0, vec![]));
    }
}

#[test]
fn the_time_of_the_penalty_is_counted_apart_and_is_part_of_the_whole() {
    for kind in [PenaltyStep::Proximal, PenaltyStep::Subgradient] {
        let mut penalty = penalty(0.1, "full");
        penalty.step = kind;
        let settings = settings(SGD, Some(penalty));
        let start = std::time::Instant::now();
        let mut net = begun(&residual(), &settings);
        let mut before = 0.0;
        for number in NUMBER..NUMBER + 3 {
            step(&mut net, &settings, (RATE, number, true));
            assert!(net.penalty_seconds() > before, "{kind:?}");
            before = net.penalty_seconds();
        }
        assert!(
            before <= start.elapsed().as_secs_f64(),
            "{kind:?}: {before}"
        );
    }
}
