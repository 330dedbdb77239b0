//! The quirks of the published script: each alone, and all of them together against formulas in f64.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{FEATURES, classes, group_lasso, network, run, settings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::{Graph, Op, Tensor, Unary};
use secateur_prox::{Compensation, GroupWeights, Inputs, Members};
use secateur_train::{
    ClassLoss, Decay, Ended, ErrorKind, Event, Flow, Init, Mlp, Optimizer, Order, PenaltyStep,
    RemovalTime, Rows, Settings, Targets, fit, widths,
};

const CLASSES: usize = 3;

/// The features that the network still reads.
fn features_left(graph: &Graph) -> Vec<i64> {
    let first = &graph.nodes()[0];
    match first.op {
        Op::Gather { .. } => {
            let indices = graph.constant(first.input(1).unwrap()).unwrap();
            indices.as_i64().unwrap().to_vec()
        }
        _ => (0..FEATURES as i64).collect(),
    }
}

/// Everything as in the script, on a small scale.
fn as_published(lambda: f64) -> Settings {
    let mut penalty = group_lasso(lambda);
    penalty.part = "spare-last:4".parse().unwrap();
    penalty.inputs = Inputs::LikeHidden;
    penalty.weights = GroupWeights::InitialWidths;
    penalty.step = PenaltyStep::Subgradient;
    penalty.removal = RemovalTime::End;
    Settings {
        optimizer: Optimizer::Adam,
        rate: 0.01,
        decay: Decay::Constant,
        settle: 0,
        order: Order::AsIs,
        ..settings(Some(penalty))
    }
}

fn as_drawn(hidden: &[usize]) -> Graph {
    let mlp = Mlp {
        inputs: FEATURES,
        hidden: hidden.to_vec(),
        outputs: CLASSES,
        activation: Unary::Relu,
        init: Init::TruncatedNormal {
            deviation: 0.1,
            bias: 0.1,
        },
    };
    mlp.build(&mut ChaCha8Rng::seed_from_u64(7)).unwrap()
}

/// Rows whose loss is the softmax of a softmax.
fn doubled(count: usize, seed: u64) -> Rows {
    let rows = classes(count, seed);
    let Targets::Classes {
        labels, weights, ..
    } = rows.targets().clone()
    else {
        panic!("classes")
    };
    let loss = ClassLoss::DoubleSoftmax;
    let targets = Targets::Classes {
        labels,
        weights,
        loss,
    };
    Rows::new(rows.features(0, count).unwrap().to_vec(), FEATURES, targets).unwrap()
}

fn parameters(graph: &Graph) -> (Vec<f64>, Vec<f64>) {
    let get = |name: &str| {
        let tensor = graph.constant(graph.value_named(name).unwrap()).unwrap();
        let numbers = tensor.as_f32().unwrap().iter();
        numbers.map(|&v| f64::from(v)).collect()
    };
    (get("dense1.weight"), get("dense1.bias"))
}

#[test]
fn all_quirks_together_follow_the_formulas() {
    follows_the_formulas(Compensation::Off, 1.0);
    // The factor of an early version of the script, on features too.
    follows_the_formulas(Compensation::On, 4.0 / 3.0);
}

fn follows_the_formulas(compensation: Compensation, factor: f64) {
    let (count, batch, steps, lambda) = (50, 20, 6, 0.02);
    let rows = doubled(count, 1);
    let Targets::Classes {
        labels, weights, ..
    } = rows.targets()
    else {
        panic!("classes")
    };
    let graph = as_drawn(&[]);
    let (mut w, mut b) = parameters(&graph);
    let (mut m, mut v) = (vec![0.0; w.len() + CLASSES], vec![0.0; w.len() + CLASSES]);
    for step in 0..steps {
        // The ring: rows in their order, and again from the first.
        let chosen: Vec<usize> = (0..batch).map(|i| (step * batch + i) % count).collect();
        let logits: Vec<f64> = chosen
            .iter()
            .flat_map(|&r| {
                let x = rows.features(r, 1).unwrap();
                let sum = |o: usize| {
                    let terms = (0..FEATURES).map(|i| f64::from(x[i]) * w[i * CLASSES + o]);
                    b[o] + terms.sum::<f64>()
                };
                (0..CLASSES).map(sum).collect::<Vec<_>>()
            })
            .collect();
        let targets = Targets::Classes {
            labels: chosen.iter().map(|&r| labels[r]).collect(),
            weights: weights.clone(),
            loss: ClassLoss::DoubleSoftmax,
        };
        let mut slopes = vec![0.0; logits.len()];
        targets.loss_and_gradient(0..batch, &logits, &mut slopes);
        let mut gradient = vec![0.0; w.len() + CLASSES];
        for (&r, slope) in chosen.iter().zip(slopes.chunks_exact(CLASSES)) {
            let x = rows.features(r, 1).unwrap();
            for o in 0..CLASSES {
                for i in 0..FEATURES {
                    gradient[i * CLASSES + o] += slope[o] * f64::from(x[i]);
                }
                gradient[w.len() + o] += slope[o];
            }
        }
        // The last quarter of the input rows is spared, and so are the biases.
        for i in 0..FEATURES - FEATURES / 4 {
            let row = i * CLASSES..(i + 1) * CLASSES;
            let norm = w[row.clone()].iter().map(|w| w * w).sum::<f64>().sqrt();
            for j in row {
                gradient[j] += factor * lambda * (CLASSES as f64).sqrt() * w[j] / norm;
            }
        }
        let power = step as i32 + 1;
        let parameters = w.iter_mut().chain(&mut b).zip(gradient);
        for ((p, g), (m, v)) in parameters.zip(m.iter_mut().zip(&mut v)) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            let (m, v) = (
                *m / (1.0 - 0.9f64.powi(power)),
                *v / (1.0 - 0.999f64.powi(power)),
            );
            *p -= 0.01 * m / (v.sqrt() + 1e-8);
        }
    }
    let mut s = Settings {
        batch,
        steps: Some(steps),
        epochs: 2,
        ..as_published(lambda)
    };
    if let Some(p) = &mut s.penalty {
        p.compensation = compensation;
    }
    let trained = fit(graph, rows, &doubled(10, 2), &s, &mut |_| Flow::Continue).unwrap();
    assert_eq!(trained.steps, steps);
    let have = parameters(&trained.graph);
    // Single precision; Adam divides small gradients by their size.
    for (a, b) in w.iter().chain(&b).zip(have.0.iter().chain(&have.1)) {
        assert!((a - b).abs() < 2e-5, "{a} {b}");
    }
}

#[test]
fn a_run_of_so_many_steps_ends_within_an_epoch() {
    // 16 steps an epoch.
    let mut s = settings(Some(group_lasso(0.02)));
    (s.steps, s.epochs, s.settle) = (Some(37), 3, 1);
    let mut last = (0, 0);
    let trained = fit(
        network(&[24, 16], CLASSES),
        classes(400, 1),
        &classes(50, 2),
        &s,
        &mut |event| {
            if let Event::Step { done, of } = event {
                last = (done, of);
            }
            Flow::Continue
        },
    )
    .unwrap();
    assert_eq!((trained.steps, trained.epochs.len()), (37, 3));
    assert_eq!(last, (32, 37));
    assert_eq!(trained.ended, Ended::Complete);
    let penalised: Vec<bool> = trained.epochs.iter().map(|e| e.lambda > 0.0).collect();
    assert_eq!(penalised, [true, true, false]);

    let error = fit(
        network(&[4], CLASSES),
        classes(40, 1),
        &classes(20, 2),
        &Settings {
            steps: Some(0),
            ..s
        },
        &mut |_| Flow::Continue,
    );
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Settings);
}

#[test]
fn the_schedule_is_as_long_as_the_steps() {
    let at = |steps: Option<usize>, epochs: usize, decay: Decay| {
        let s = Settings {
            steps,
            epochs,
            decay,
            ..settings(None)
        };
        run(&s).graph
    };
    // Two epochs of 16 steps, said in either way.
    let cosine = at(None, 2, Decay::Cosine);
    assert_eq!(at(Some(32), 2, Decay::Cosine), cosine);
    // The same two epochs at the start of a longer run have another end of the cosine.
    assert_ne!(at(Some(32), 2, Decay::Constant), cosine);
    assert_ne!(at(Some(31), 2, Decay::Cosine), cosine);
}

#[test]
fn features_like_hidden_units_are_spared_by_their_place() {
    let left = |inputs: Inputs, part: &str| {
        let mut p = group_lasso(0.02);
        p.part = part.parse().unwrap();
        p.inputs = inputs;
        features_left(&run(&settings(Some(p))).graph)
    };
    // Only the first three features matter.
    assert_eq!(left(Inputs::Penalised, "spare-last:4"), [0, 1, 2]);
    assert_eq!(left(Inputs::LikeHidden, "full"), [0, 1, 2]);
    assert_eq!(left(Inputs::LikeHidden, "spare-last:4"), [0, 1, 2, 8, 9]);
    assert_eq!(
        left(Inputs::LikeHidden, "spare-last:4:current"),
        [0, 1, 2, 9]
    );
    assert_eq!(
        left(Inputs::LikeHidden, "fraction:0.5:last"),
        [0, 1, 2, 3, 4]
    );
    assert_eq!(left(Inputs::LikeHidden, "every-second"), [0, 1, 2]);
}

#[test]
fn a_budget_takes_features_that_count_as_hidden_units() {
    let left = |inputs: Inputs| {
        let mut p = group_lasso(0.0);
        p.part = "budget:5%".parse().unwrap();
        p.inputs = inputs;
        features_left(&run(&settings(Some(p))).graph).len()
    };
    assert_eq!(left(Inputs::Spared), FEATURES);
    assert!(left(Inputs::Penalised) < FEATURES);
    assert!(left(Inputs::LikeHidden) < FEATURES);
    assert_eq!(left(Inputs::LikeHidden), left(Inputs::Penalised));
}

#[test]
fn parts_that_permute_units_are_refused_for_features() {
    for part in ["fraction:0.5:random", "fraction:0.5:ranked"] {
        let mut p = group_lasso(0.02);
        p.part = part.parse().unwrap();
        p.inputs = Inputs::LikeHidden;
        let error = settings(Some(p)).checked().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings, "{part}");
        assert!(error.to_string().contains("would permute"), "{error}");
        assert!(error.hint_text().unwrap().contains("penalised"), "{error}");
    }
}

#[test]
fn subgradients_remove_nothing_whenever_removal_is_due() {
    // A unit that nothing feeds: what removal folds and takes away when it looks.
    let mut graph = as_drawn(&[8]);
    let id = graph.value_named("dense1.weight").unwrap();
    let mut weights = graph.constant(id).unwrap().as_f32().unwrap().to_vec();
    weights.iter_mut().skip(3).step_by(8).for_each(|w| *w = 0.0);
    let tensor = Tensor::f32([FEATURES, 8], weights).unwrap();
    graph.set_constant(id, tensor).unwrap();
    let id = graph.value_named("dense1.bias").unwrap();
    let biases = Tensor::f32([8], vec![-1.0; 8]).unwrap();
    graph.set_constant(id, biases).unwrap();

    for removal in [RemovalTime::Epoch, RemovalTime::Steps(2), RemovalTime::End] {
        for (step, untouched) in [
            (PenaltyStep::Subgradient, true),
            (PenaltyStep::Proximal, false),
        ] {
            let mut s = Settings {
                epochs: 2,
                ..as_published(1e-3)
            };
            if let Some(p) = &mut s.penalty {
                (p.step, p.removal) = (step, removal);
            }
            let (train, validation) = (doubled(60, 1), doubled(10, 2));
            let trained = fit(graph.clone(), train, &validation, &s, &mut |_| {
                Flow::Continue
            })
            .unwrap();
            assert_eq!(trained.removals.is_empty(), untouched, "{removal:?}");
            assert_eq!(
                widths(&trained.graph).unwrap() == [FEATURES, 8],
                untouched,
                "{removal:?} {step:?}"
            );
        }
    }
}

#[test]
fn the_time_of_every_penalty_is_counted() {
    let seconds = |s: &Settings| {
        let (train, validation) = (doubled(400, 1), doubled(50, 2));
        let graph = as_drawn(&[64, 64]);
        let observer = &mut |_: Event<'_>| Flow::Continue;
        let trained = fit(graph, train, &validation, s, observer).unwrap();
        trained.seconds.penalty
    };
    let s = Settings {
        epochs: 2,
        ..as_published(1e-6)
    };
    for step in [PenaltyStep::Subgradient, PenaltyStep::Proximal] {
        for members in [Members::Outgoing, Members::Incoming] {
            let mut s = s.clone();
            if let Some(p) = &mut s.penalty {
                (p.step, p.members) = (step, members);
            }
            assert!(seconds(&s) > 0.0, "{step:?} {members:?}");
        }
    }
    assert_eq!(seconds(&Settings { penalty: None, ..s }), 0.0);
}
