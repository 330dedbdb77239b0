//! What a step does to blocks that do not begin at the first row, and what it takes of a layer.

use secateur_engine::Threads;
use secateur_graph::Unary;
use secateur_testkit::mlp;

use super::*;
use crate::removal::testing::{group_lasso, settings};
use crate::{Optimizer, PenaltySettings};

const RATE: f64 = 0.25;
const LAMBDA: f64 = 0.5;

/// Four features, three units and two outputs.
fn network() -> Chain {
    let graph = mlp(&[4, 3, 2], Unary::Relu, 1).unwrap();
    Chain::compile_on(&graph, 2, 2, Threads::new(1).unwrap()).unwrap()
}

/// Settings of a penalty that steps so, on such groups.
fn with(optimizer: Optimizer, step: PenaltyStep, members: Members) -> Settings {
    Settings {
        optimizer,
        rate: RATE,
        penalty: Some(PenaltySettings {
            step,
            members,
            ..group_lasso(LAMBDA)
        }),
        ..settings()
    }
}

/// The rule of the fifth step.
fn rule(settings: &Settings, network: &Chain) -> StepRule {
    let penalised = settings.penalty.map(|p| Penalised::new(p, network));
    StepRule::new(settings, RATE, 4, penalised.as_ref(), LAMBDA, network)
}

fn sgd() -> Optimizer {
    Optimizer::Sgd {
        momentum: 0.0,
        nesterov: false,
    }
}

/// A block of the second layer's weights from a row on, with a gradient of zeros.
fn block<'a>(
    first_row: usize,
    kind: BlockKind,
    weight: &'a mut [f32],
    gradient: &'a mut [f32],
    time: &'a mut Duration,
) -> RowBlock<'a> {
    RowBlock {
        layer: 1,
        kind,
        first_row,
        width: 2,
        weight,
        gradient,
        state: [&mut [], &mut []],
        penalty_time: time,
    }
}

#[test]
fn the_mean_metric_is_that_of_adam_before_the_step() {
    let mut network = network();
    let second = [0.04, 0.16, 0.0, 0.09, 0.25, 0.01];
    let dense = &mut network.layers_mut()[1];
    let state = dense.weight_state_mut().nth(1).unwrap();
    state.copy_from_slice(&second);
    let of = |optimizer, kind, step| {
        let settings = with(optimizer, PenaltyStep::Proximal, Members::Outgoing);
        let rule = StepRule::new(&settings, RATE, step, None, LAMBDA, &network);
        rule.mean_metric(kind, &network, 1)
    };
    // After four steps: roots of moments that are corrected by 1 - 0.999^4, by the rate.
    let roots: f64 = second.iter().map(|&v| f64::from(v).sqrt()).sum::<f64>() / 6.0;
    let wanted = (roots / (1.0 - 0.999f64.powi(4)).sqrt() + 1e-8) / RATE;
    let found = of(Optimizer::Adam, AdamMetric::Mean, 4);
    assert!((found / wanted - 1.0).abs() < 1e-4, "{found} {wanted}");
    // Nothing is known before the first.
    assert_eq!(of(Optimizer::Adam, AdamMetric::Mean, 0), 0.0);
    assert_eq!(of(Optimizer::Adam, AdamMetric::Exact, 4), 0.0);
    assert_eq!(of(sgd(), AdamMetric::Mean, 4), 0.0);
}

#[test]
fn subgradients_of_incoming_groups_alone_are_found_beforehand() {
    let network = network();
    for step in [PenaltyStep::Subgradient, PenaltyStep::Proximal] {
        for members in [Members::Incoming, Members::Outgoing] {
            let rule = rule(&with(sgd(), step, members), &network);
            let is_wanted = step == PenaltyStep::Subgradient && members == Members::Incoming;
            for layer in rule.penalty.unwrap().layers {
                assert_eq!(layer.incoming.is_some(), is_wanted, "{step:?} {members:?}");
            }
        }
    }
}

#[test]
fn subgradients_are_added_to_the_rows_of_the_block() {
    let network = network();
    let settings = with(sgd(), PenaltyStep::Subgradient, Members::Incoming);
    let mut layer = rule(&settings, &network).penalty.unwrap().layers.remove(1);
    layer.incoming = Some((vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![7.0, 8.0]));
    let mut time = Duration::ZERO;
    let (mut weight, mut gradient) = ([0.0; 2], [10.0, 20.0]);
    add_subgradient(
        &layer,
        &mut block(2, BlockKind::Weight, &mut weight, &mut gradient, &mut time),
    );
    assert_eq!(gradient, [15.0, 26.0]);
    let mut gradient = [10.0, 20.0];
    add_subgradient(
        &layer,
        &mut block(0, BlockKind::Bias, &mut weight, &mut gradient, &mut time),
    );
    assert_eq!(gradient, [17.0, 28.0]);
}

/// Rows of two weights each, as far as they are penalised.
#[test]
fn the_penalty_alone_is_that_of_the_step_wherever_a_block_begins() {
    let network = network();
    let settings = with(sgd(), PenaltyStep::Proximal, Members::Outgoing);
    let mut rule = rule(&settings, &network);
    rule.penalty.as_mut().unwrap().layers[1].range = 1..3;
    let whole = [3.0f32, 4.0, 6.0, 8.0, 0.3, 0.4];
    for first in 0..3 {
        let (mut fused, mut alone) = (whole[2 * first..].to_vec(), whole[2 * first..].to_vec());
        let mut gradient = vec![0.0; fused.len()];
        let mut time = Duration::ZERO;
        rule.apply(block(
            first,
            BlockKind::Weight,
            &mut fused,
            &mut gradient,
            &mut time,
        ));
        rule.apply_penalty_alone(&mut block(
            first,
            BlockKind::Weight,
            &mut alone,
            &mut gradient,
            &mut time,
        ));
        assert_eq!(fused, alone, "{first}");
        if first == 0 {
            assert_eq!(alone[..2], whole[..2]);
        }
        // By a quarter of a half, times the root of two for a row of two.
        if first < 2 {
            let second = alone[2 - 2 * first];
            assert!(second < 6.0 && second > 5.8, "{alone:?}");
        }
    }
}
