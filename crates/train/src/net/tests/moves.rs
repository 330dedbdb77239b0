//! Every optimizer's moves: which numbers decay, and how far each goes.

use secateur_graph::{Graph, Op, Unary, ValueId};
use secateur_testkit::mlp;

use super::super::{NetLearner, compiled};
use super::networks::{OPTIMIZERS, OUTPUTS, learner, residual, settings, step, values, written};
use crate::{Optimizer, Settings};

/// What the next step must make of each parameter's numbers. `moments` are the velocities or first moments, and the second
/// ones.
fn formulas(
    net: &NetLearner,
    moments: &mut [[Vec<f64>; 2]],
    settings: &Settings,
    (rate, number): (f64, i32),
) -> Vec<Vec<f64>> {
    let mut other = compiled(&written(net), &net.rows, settings).unwrap();
    let targets = net.rows.targets();
    let features = net.rows.features(0, net.rows.len()).unwrap();
    other.forward_backward(
        &features,
        net.rows.len(),
        0.0,
        |range, outputs, gradient| targets.loss_and_gradient(range, outputs, gradient),
    );
    let each = net
        .network
        .parameters()
        .iter()
        .zip(other.parameters())
        .zip(moments);
    each.map(|((own, other), [first, second])| {
        assert_eq!(own.id(), other.id());
        if is_measured(&net.graph, own.id()) {
            return other.values().iter().map(|&v| f64::from(v)).collect();
        }
        let decays = own.shape().len() > 1 && settings.optimizer != Optimizer::Adam;
        let keep = 1.0
            - if decays {
                rate * settings.weight_decay
            } else {
                0.0
            };
        let numbers = own.values().iter().zip(other.gradient());
        let moments = first.iter_mut().zip(second);
        let moved = numbers.zip(moments).map(|((&w, &g), (v, m))| {
            let g = f64::from(g);
            let along = match settings.optimizer {
                Optimizer::Sgd { momentum, nesterov } => {
                    *v = momentum * *v + g;
                    if nesterov { g + momentum * *v } else { *v }
                }
                Optimizer::Adam | Optimizer::AdamW => {
                    *v = 0.9 * *v + 0.1 * g;
                    *m = 0.999 * *m + 0.001 * g * g;
                    let (c1, c2) = (1.0 - 0.9f64.powi(number), 1.0 - 0.999f64.powi(number));
                    (*v / c1) / ((*m / c2).sqrt() + 1e-8)
                }
            };
            keep * f64::from(w) - rate * along
        });
        moved.collect()
    })
    .collect()
}

/// Whether a constant is a running mean or variance.
fn is_measured(graph: &Graph, id: ValueId) -> bool {
    let norms = graph
        .nodes()
        .iter()
        .filter(|n| matches!(n.op, Op::BatchNorm { .. }));
    norms.into_iter().any(|n| n.inputs[3..].contains(&Some(id)))
}

/// Three steps of every optimizer, each from where the one before came to.
fn check(graph: &Graph) {
    for optimizer in OPTIMIZERS {
        let settings = settings(optimizer, None);
        let mut net = learner(graph, &settings);
        let zeros = |p: &secateur_engine::Parameter| {
            [vec![0.0; p.values().len()], vec![0.0; p.values().len()]]
        };
        let mut moments: Vec<_> = net.network.parameters().iter().map(zeros).collect();
        for (number, rate) in [0.05, 0.02, 0.04].into_iter().enumerate() {
            let want = formulas(&net, &mut moments, &settings, (rate, number as i32 + 1));
            step(&mut net, &settings, (rate, number, true));
            for (p, want) in net.network.parameters().iter().zip(&want) {
                for (&have, want) in p.values().iter().zip(want) {
                    // Some roundings of numbers of about 1; a decay of 0.002 would be seen.
                    assert!(
                        (f64::from(have) - want).abs() < 2e-6 * want.abs().max(1.0),
                        "{optimizer:?}, step {number}, {}: {have} for {want}",
                        p.name()
                    );
                }
            }
        }
    }
}

#[test]
fn every_optimizer_moves_convolutions_normalizations_and_biases_by_its_formula() {
    check(&residual());
}

#[test]
fn parameters_of_several_blocks_move_by_the_formula_to_their_ends() {
    // 72 * 300 numbers are more than one block, and no multiple of it.
    check(&mlp(&[72, 300, OUTPUTS], Unary::Tanh, 3).unwrap());
}

#[test]
fn biases_scales_and_shifts_do_not_decay_where_nothing_else_moves_them() {
    // Without a gradient: no weight is read by an output, and all targets are met.
    for optimizer in OPTIMIZERS {
        let settings = settings(optimizer, None);
        let mut graph = residual();
        let last = graph.nodes().last().unwrap().inputs.clone();
        let [weights, bias] = [last[1].unwrap(), last[2].unwrap()];
        for id in [weights, bias] {
            let shape = graph.constant(id).unwrap().shape().to_vec();
            let count = shape.iter().product();
            graph
                .set_constant(
                    id,
                    secateur_graph::Tensor::f32(shape, vec![0.0; count]).unwrap(),
                )
                .unwrap();
        }
        let mut net = learner(&graph, &settings);
        let targets = crate::Targets::Values {
            loss: crate::RegressionLoss::MeanSquared,
            values: vec![0.0; net.rows.len() * OUTPUTS],
            columns: OUTPUTS,
        };
        let features = net.rows.features(0, net.rows.len()).unwrap().into_owned();
        net.rows = crate::Rows::new(features, net.rows.columns(), targets)
            .unwrap()
            .with_shape(vec![2, 6, 6])
            .unwrap();
        let before = values(&net);
        step(&mut net, &settings, (0.5, 0, true));
        // 0.5 * 0.1 of them is gone, in single precision.
        let keep = if optimizer == Optimizer::Adam {
            1.0
        } else {
            1.0 - 0.5f32 * 0.1
        };
        for (p, before) in net.network.parameters().iter().zip(&before) {
            if is_measured(&graph, p.id()) {
                continue;
            }
            let keep = if p.shape().len() > 1 { keep } else { 1.0 };
            let want: Vec<f32> = before.iter().map(|w| keep * w).collect();
            assert_eq!(p.values(), want, "{optimizer:?} {}", p.name());
        }
    }
}
