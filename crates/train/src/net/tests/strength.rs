//! How strong a penalty is, what it is worth, and when it acts.

use secateur_graph::Role;
use secateur_prox::Compensation;

use super::super::NetLearner;
use super::networks::{
    OPTIMIZERS, SGD, at, begun, hidden, norm, places, residual, settings, step, values,
};
use super::proximal::{NUMBER, PARTS, RATE, penalty, twins};
use crate::{PenaltyStep, StrengthChoice};

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
        // Nor is one of no strength.
        let none = settings(optimizer, Some(penalty(0.0, "full")));
        let (with, without, lambda) = twins(&residual(), &none);
        assert!(values(&with) == values(&without), "{optimizer:?}");
        assert_eq!((lambda, with.penalty_seconds()), (0.0, 0.0));
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
