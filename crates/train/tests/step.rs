//! Two optimiser steps against the textbook formulas, computed here in f64.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{FEATURES, group_lasso, network, settings, values};
use secateur_prox::Members;
use secateur_train::{Flow, Optimizer, RemovalTime, Rows, Settings, Targets, fit};

const OUTPUTS: usize = 2;

/// Weights `[in, out]` row-major and biases of the only layer.
#[derive(Clone, Debug)]
struct Layer {
    w: Vec<f64>,
    b: Vec<f64>,
}

/// Gradient of the mean squared error over all rows.
fn gradient(layer: &Layer, rows: &Rows) -> Layer {
    let Targets::Values { values, .. } = rows.targets() else {
        panic!("regression")
    };
    let n = rows.len();
    let mut g = Layer {
        w: vec![0.0; layer.w.len()],
        b: vec![0.0; OUTPUTS],
    };
    for r in 0..n {
        let x = rows.features(r, 1).unwrap();
        for o in 0..OUTPUTS {
            let y: f64 = layer.b[o]
                + (0..FEATURES)
                    .map(|i| f64::from(x[i]) * layer.w[i * OUTPUTS + o])
                    .sum::<f64>();
            let d = 2.0 * (y - f64::from(values[r * OUTPUTS + o])) / (n * OUTPUTS) as f64;
            g.b[o] += d;
            for i in 0..FEATURES {
                g.w[i * OUTPUTS + o] += d * f64::from(x[i]);
            }
        }
    }
    g
}

/// `steps` steps of the textbook rule from `layer`, with the row-wise group lasso after each.
fn expected(mut layer: Layer, rows: &Rows, s: &Settings, steps: usize, lambda: f64) -> Layer {
    let (mut v, mut m2) = (layer.clone(), layer.clone());
    for x in [&mut v, &mut m2] {
        x.w.fill(0.0);
        x.b.fill(0.0);
    }
    for step in 1..=steps {
        let g = gradient(&layer, rows);
        let decay = 1.0 - s.rate * s.weight_decay;
        for (part, decay) in [(0, decay), (1, 1.0)] {
            let pick = |l: &Layer, i: usize| if part == 0 { l.w[i] } else { l.b[i] };
            let count = if part == 0 { layer.w.len() } else { OUTPUTS };
            for i in 0..count {
                let (gi, mut vi, mut mi) = (pick(&g, i), pick(&v, i), pick(&m2, i));
                let mut wi = pick(&layer, i);
                match s.optimizer {
                    Optimizer::Sgd { momentum, nesterov } => {
                        vi = momentum * vi + gi;
                        let along = if nesterov { gi + momentum * vi } else { vi };
                        wi = decay * wi - s.rate * along;
                    }
                    Optimizer::Adam | Optimizer::AdamW => {
                        vi = 0.9 * vi + 0.1 * gi;
                        mi = 0.999 * mi + 0.001 * gi * gi;
                        let (c1, c2) = (
                            1.0 - 0.9f64.powi(step as i32),
                            1.0 - 0.999f64.powi(step as i32),
                        );
                        let decay = if s.optimizer == Optimizer::AdamW {
                            decay
                        } else {
                            1.0
                        };
                        wi = decay * wi - s.rate * (vi / c1) / ((mi / c2).sqrt() + 1e-8);
                    }
                }
                let (l, vv, mm) = match part {
                    0 => (&mut layer.w[i], &mut v.w[i], &mut m2.w[i]),
                    _ => (&mut layer.b[i], &mut v.b[i], &mut m2.b[i]),
                };
                (*l, *vv, *mm) = (wi, vi, mi);
            }
        }
        if let Optimizer::Sgd { momentum, .. } = s.optimizer {
            // c = sqrt(outputs), t = rate / (1 - momentum).
            let threshold = s.rate / (1.0 - momentum) * lambda * (OUTPUTS as f64).sqrt();
            for row in layer.w.chunks_exact_mut(OUTPUTS) {
                let norm = row.iter().map(|w| w * w).sum::<f64>().sqrt();
                let scale = if norm > threshold {
                    1.0 - threshold / norm
                } else {
                    0.0
                };
                row.iter_mut().for_each(|w| *w *= scale);
            }
        }
    }
    layer
}

fn constants(graph: &secateur_graph::Graph) -> Layer {
    let get = |name: &str| -> Vec<f64> {
        let id = graph.value_named(name).unwrap();
        graph
            .constant(id)
            .unwrap()
            .as_f32()
            .unwrap()
            .iter()
            .map(|&v| f64::from(v))
            .collect()
    };
    Layer {
        w: get("dense1.weight"),
        b: get("dense1.bias"),
    }
}

#[test]
fn two_steps_follow_the_formulas() {
    let rules = [
        (
            Optimizer::Sgd {
                momentum: 0.0,
                nesterov: false,
            },
            0.05,
            0.1,
        ),
        (
            Optimizer::Sgd {
                momentum: 0.9,
                nesterov: false,
            },
            0.05,
            0.1,
        ),
        (
            Optimizer::Sgd {
                momentum: 0.9,
                nesterov: true,
            },
            0.05,
            0.1,
        ),
        (Optimizer::Adam, 0.01, 0.1),
        (Optimizer::AdamW, 0.01, 0.1),
    ];
    for (optimizer, rate, weight_decay) in rules {
        for lambda in [0.0, 0.01] {
            if lambda > 0.0 && !matches!(optimizer, Optimizer::Sgd { .. }) {
                continue;
            }
            let mut penalty = group_lasso(lambda);
            penalty.removal = RemovalTime::End;
            let mut s = settings((lambda > 0.0).then_some(penalty));
            (s.optimizer, s.rate, s.weight_decay) = (optimizer, rate, weight_decay);
            s.decay = secateur_train::Decay::Constant;
            // One batch an epoch, two epochs: two steps on all rows.
            (s.epochs, s.settle, s.batch) = (2, 0, 64);
            let rows = values(50, 1);
            let graph = network(&[], OUTPUTS);
            let want = expected(constants(&graph), &rows, &s, 2, lambda);
            let trained = fit(graph, rows, &values(10, 2), &s, &mut |_| Flow::Continue).unwrap();
            let have = constants(&trained.graph);
            // f32 arithmetic on numbers of size one: a few times 1e-7.
            for (a, b) in want
                .w
                .iter()
                .chain(&want.b)
                .zip(have.w.iter().chain(&have.b))
            {
                assert!(
                    (a - b).abs() < 5e-6,
                    "{optimizer:?} lambda {lambda}: {a} {b}"
                );
            }
        }
    }
}

#[test]
fn incoming_groups_are_columns_with_their_bias() {
    let mut penalty = group_lasso(1e3);
    penalty.members = Members::Incoming;
    penalty.removal = RemovalTime::End;
    let mut s = settings(Some(penalty));
    (s.epochs, s.settle, s.batch) = (1, 0, 64);
    let graph = network(&[6], OUTPUTS);
    let trained = fit(graph, values(50, 1), &values(10, 2), &s, &mut |_| {
        Flow::Continue
    })
    .unwrap();
    // All columns of the hidden layer are zero: its units are constant and go, and so do the inputs
    // that nothing reads, but for the floor of one.
    let units = secateur_train::widths(&trained.graph).unwrap();
    assert_eq!(units, [1, 1]);
    let hidden = constants(&trained.graph);
    assert!(hidden.w.iter().chain(&hidden.b).all(|&w| w == 0.0));
}
