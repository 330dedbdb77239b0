//! A whole run of a network that is no chain, beside the formulas of its steps: rates, warm-up, decay, penalty and the epochs without.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::f64::consts::PI;

use secateur_engine::{Network, ParameterKind, Threads};
use secateur_graph::{ChannelGroups, Graph, Role, Tensor, Unary};
use secateur_prox::{GroupWeights, Inputs};
use secateur_testkit::{Block, Images, Stream};
use secateur_train::{
    Decay, Event, Flow, Optimizer, Order, PenaltySettings, RegressionLoss, RemovalTime, Rows,
    Settings, Targets, Trained, fit,
};

const PIXELS: usize = 2 * 6 * 6;
const OUTPUTS: usize = 3;
const MOMENTUM: f64 = 0.9;
const LAMBDA: f64 = 0.02;
const RATE: f64 = 0.05;

/// Convolutions with a normalization between them; smooth, so that rounding errors stay what they are.
fn network() -> Graph {
    let plan = Images {
        inputs: 2,
        blocks: vec![
            Block::Conv(4, 3, true),
            Block::BatchNorm,
            Block::Activate(Unary::Tanh),
            Block::Conv(3, 3, true),
            Block::Activate(Unary::Tanh),
        ],
        flat: true,
        outputs: OUTPUTS,
        seed: 3,
    };
    let mut graph = plan.build().unwrap();
    let mut stream = Stream::new(8);
    for id in graph.value_ids() {
        let Some(tensor) = graph.constant(id).filter(|t| t.is_float()) else {
            continue;
        };
        // Scales and variances are among those of one axis.
        let (middle, reach) = match tensor.shape().len() {
            1 => (1.0, 0.5),
            _ => (0.0, 0.3),
        };
        let drawn = (0..tensor.len()).map(|_| (middle + reach * stream.unit()) as f32);
        let numbers = drawn.collect();
        let tensor = Tensor::f32(tensor.shape(), numbers).unwrap();
        graph.set_constant(id, tensor).unwrap();
    }
    graph
}

fn rows(count: usize) -> Rows {
    let mut stream = Stream::new(21);
    let mut drawn = |n: usize| (0..n).map(|_| stream.unit() as f32).collect::<Vec<f32>>();
    let features = drawn(count * PIXELS);
    let targets = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: drawn(count * OUTPUTS),
        columns: OUTPUTS,
    };
    let rows = Rows::new(features, PIXELS, targets).unwrap();
    rows.with_shape(vec![2, 6, 6]).unwrap()
}

/// Four epochs of three steps, the first of them to warm up and the last to settle.
fn settings(decay: Decay, steps: Option<usize>) -> Settings {
    let penalty = PenaltySettings {
        inputs: Inputs::Spared,
        weights: GroupWeights::One,
        removal: RemovalTime::End,
        ..common::group_lasso(LAMBDA)
    };
    Settings {
        optimizer: Optimizer::Sgd {
            momentum: MOMENTUM,
            nesterov: false,
        },
        decay,
        rate: RATE,
        warm_up: 1,
        weight_decay: 0.2,
        epochs: 4,
        settle: 1,
        steps,
        batch: 8,
        order: Order::AsIs,
        ..common::settings(Some(penalty))
    }
}

/// The rate of a step of a run of `all`, of which three warm up.
fn rate(decay: Decay, step: usize, all: usize) -> f64 {
    if step < 3 {
        return RATE * (step as f64 + 1.0) / 3.0;
    }
    let share = (step - 3) as f64 / (all - 3) as f64;
    match decay {
        Decay::Constant => RATE,
        Decay::Cosine => 0.5 * RATE * (1.0 + (PI * share).cos()),
        Decay::Step { .. } => RATE * if share < 0.5 { 1.0 } else { 0.1 },
    }
}

/// The numbers of each constant that is trained or measured, after all steps, and the mean loss of each epoch.
fn expected(graph: &Graph, decay: Decay, all: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (rows, mut graph) = (rows(24), graph.clone());
    let groups = ChannelGroups::of(&graph).unwrap();
    let compile = |graph: &Graph| {
        Network::compile(graph, &[1, 2, 6, 6], 8, 0, Threads::new(2).unwrap()).unwrap()
    };
    let start = compile(&graph);
    let double = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let mut values: Vec<Vec<f64>> = start
        .parameters()
        .iter()
        .map(|p| double(p.values()))
        .collect();
    let mut velocity: Vec<Vec<f64>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
    let mut losses = vec![0.0; 4];
    for step in 0..all {
        for (p, v) in start.parameters().iter().zip(&values) {
            let numbers = v.iter().map(|&v| v as f32).collect();
            let tensor = Tensor::f32(p.shape(), numbers).unwrap();
            graph.set_constant(p.id(), tensor).unwrap();
        }
        let mut network = compile(&graph);
        let first = step % 3 * 8;
        let x = rows.features(first, 8).unwrap();
        let mut targets = rows.targets().clone();
        let own: Vec<u32> = (first..first + 8).map(|row| row as u32).collect();
        targets.gather_from(rows.targets(), &own);
        let loss = network.forward_backward(&x, 8, 0.0, |range, outputs, gradient| {
            targets.loss_and_gradient(range, outputs, gradient)
        });
        losses[step / 3] += loss / 3.0f64.min((all - step / 3 * 3) as f64);
        let rate = rate(decay, step, all);
        for (index, p) in network.parameters().iter().enumerate() {
            if p.kind() == ParameterKind::Running {
                values[index] = double(p.values());
                continue;
            }
            let keep = 1.0 - if p.shape().len() > 1 { rate * 0.2 } else { 0.0 };
            let moved = values[index].iter_mut().zip(&mut velocity[index]);
            for ((w, v), &g) in moved.zip(p.gradient()) {
                *v = MOMENTUM * *v + f64::from(g);
                *w = keep * *w - rate * *v;
            }
        }
        if step / 3 == 3 {
            continue;
        }
        for group in groups.groups().iter().filter(|g| g.is_free()) {
            let mut readers = group.members.iter().filter(|m| m.role == Role::Reads);
            let (reader, None) = (readers.next().unwrap(), readers.next()) else {
                panic!("one reader");
            };
            let mut all = network.parameters().iter();
            let index = all.position(|p| p.id() == reader.tensor).unwrap();
            let shape = network.parameters()[index].shape();
            let inner: usize = shape[reader.axis + 1..].iter().product();
            for unit in 0..group.units {
                let own = |at: &usize| {
                    reader.unit_of[at / inner % shape[reader.axis]] == Some(unit as u32)
                };
                let places: Vec<usize> = (0..values[index].len()).filter(own).collect();
                let squares = places.iter().map(|&at| values[index][at].powi(2));
                let length = squares.sum::<f64>().sqrt();
                let factor = 1.0 - rate / (1.0 - MOMENTUM) * LAMBDA / length;
                assert!(factor > 0.0, "no unit goes");
                places.iter().for_each(|&at| values[index][at] *= factor);
            }
        }
    }
    (values, losses)
}

fn run(graph: &Graph, settings: &Settings) -> (Trained, Vec<(usize, usize)>) {
    let mut told = vec![];
    let observer = &mut |event: Event<'_>| {
        if let Event::Step { done, of } = event {
            told.push((done, of));
        }
        Flow::Continue
    };
    let trained = fit(graph.clone(), rows(24), &rows(8), settings, observer);
    (trained.unwrap(), told)
}

#[test]
fn a_run_takes_the_steps_of_its_schedule_and_settles_without_the_penalty() {
    let graph = network();
    let step = Decay::Step {
        stages: 2,
        factor: 0.1,
    };
    for (decay, steps) in [
        (Decay::Cosine, None),
        (Decay::Constant, None),
        (step, None),
        (Decay::Cosine, Some(10)),
        (Decay::Cosine, Some(99)),
    ] {
        let all = steps.unwrap_or(12).min(12);
        let (want, losses) = expected(&graph, decay, all);
        let (trained, _) = run(&graph, &settings(decay, steps));
        assert_eq!((trained.steps, trained.removals.len()), (all, 0));
        let network = Network::compile(
            &trained.graph,
            &[1, 2, 6, 6],
            8,
            0,
            Threads::new(1).unwrap(),
        );
        for (p, want) in network.unwrap().parameters().iter().zip(&want) {
            for (&have, want) in p.values().iter().zip(want) {
                // Twelve steps of roundings, which the later ones carry on.
                assert!(
                    (f64::from(have) - want).abs() < 2e-5 * want.abs().max(1.0),
                    "{decay:?} {}: {have} for {want}",
                    p.name()
                );
            }
        }
        for (epoch, want) in trained.epochs.iter().zip(losses) {
            assert!(
                (epoch.loss - want).abs() < 1e-5 * want,
                "{} for {want}",
                epoch.loss
            );
        }
        let strengths: Vec<f64> = trained.epochs.iter().map(|e| e.lambda).collect();
        assert_eq!(strengths, [LAMBDA, LAMBDA, LAMBDA, 0.0]);
        assert_eq!(trained.lambda, LAMBDA);
    }
}

#[test]
fn a_run_is_the_same_to_the_bit_again_and_nearly_the_same_on_other_threads() {
    let graph = network();
    let on = |threads| {
        let settings = Settings {
            threads,
            ..settings(Decay::Cosine, None)
        };
        run(&graph, &settings).0.graph
    };
    let one = on(1);
    assert!(one == on(1) && on(2) == on(2));
    for id in graph.value_ids() {
        let of = |graph: &Graph| {
            graph
                .constant(id)
                .filter(|t| t.is_float())
                .map(Tensor::numbers)
        };
        let pairs = of(&one)
            .into_iter()
            .flatten()
            .zip(of(&on(2)).into_iter().flatten());
        for (a, b) in pairs {
            assert!((a - b).abs() < 2e-5 * a.abs().max(1.0), "{a} {b}");
        }
    }
}
