//! The engine beside the naive evaluator: outputs, and gradients by finite differences in double precision.

use std::ops::Range;

use secateur_engine::{Network, ParameterKind, Threads};
use secateur_graph::{Array, Graph, evaluate};
use secateur_testkit::{Stream, by_batch, moved};

use super::drawn;

/// A smooth loss of an output and its derivative.
fn loss_of(z: f64, i: usize) -> (f64, f64) {
    let wanted = (i % 5) as f64 / 2.0 - 1.0;
    let r = z - wanted;
    ((1.0 + r * r).sqrt(), r / (1.0 + r * r).sqrt())
}

fn on_engine(outputs: usize) -> impl Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync {
    move |rows, z, gradient| {
        let start = rows.start * outputs;
        let each = z.iter().zip(gradient).enumerate();
        each.map(|(i, (&z, g))| {
            let (value, slope) = loss_of(f64::from(z), start + i);
            *g = slope as f32;
            value
        })
        .sum()
    }
}

fn naive_loss(graph: &Graph, x: &Array) -> f64 {
    let z = evaluate(graph, std::slice::from_ref(x)).unwrap().remove(0);
    z.values
        .iter()
        .enumerate()
        .map(|(i, &z)| loss_of(z, i).0)
        .sum()
}

/// What the network says about the graph.
pub(crate) fn notes(graph: &Graph, row: &[usize]) -> Vec<String> {
    let network = Network::compile(graph, row, 2, 0, Threads::new(1).unwrap()).unwrap();
    network.notes().to_vec()
}

/// Drawn numbers for so many rows of the input, and the shape of one row.
fn drawn_rows(graph: &Graph, rows: usize, stream: &mut Stream) -> (Vec<f32>, Array, Vec<usize>) {
    let mut row: Vec<usize> = graph
        .value(graph.inputs()[0])
        .shape
        .as_ref()
        .unwrap()
        .iter()
        .map(|d| d.fixed().unwrap_or(1))
        .collect();
    let len: usize = row.iter().product();
    let x: Vec<f32> = drawn(stream, rows * len)
        .into_iter()
        .map(|v| v as f32)
        .collect();
    row[0] = rows;
    let wide = Array::new(row.clone(), x.iter().map(|&v| f64::from(v)).collect()).unwrap();
    row[0] = 1;
    (x, wide, row)
}

/// Compares outputs on `rows` rows, on one thread and on two.
pub(crate) fn check_outputs(graph: &Graph, rows: usize) {
    let (x, wide, row) = drawn_rows(graph, rows, &mut Stream::new(99));
    let want = evaluate(graph, &[wide]).unwrap().remove(0);
    for threads in [1, 2] {
        let pool = Threads::new(threads).unwrap();
        let mut network = Network::compile(graph, &row, rows + 1, 0, pool).unwrap();
        let have = network.forward(&x, rows);
        let scale = want.values.iter().fold(1e-6f64, |m, v| m.max(v.abs()));
        assert_eq!(have.len(), want.values.len());
        for (a, b) in have.iter().zip(&want.values) {
            assert!(
                (f64::from(*a) - b).abs() <= 2e-5 * scale,
                "{a} for {b}, of {scale}"
            );
        }
    }
}

/// Compares outputs and the gradients of all parameters on `rows` rows, on one thread and on two.
pub(crate) fn check(graph: &Graph, rows: usize) {
    check_outputs(graph, rows);
    let mut stream = Stream::new(99);
    let (x, wide, row) = drawn_rows(graph, rows, &mut stream);
    let trained = by_batch(graph).unwrap();
    let loss = naive_loss(&trained, &wide);
    for threads in [1, 2] {
        let pool = Threads::new(threads).unwrap();
        let mut network = Network::compile(graph, &row, rows + 1, 0, pool).unwrap();
        let outputs = network.outputs();
        for (_, momentum) in [(0, 0.0), (1, 1.0)] {
            let own = network.forward_backward(&x, rows, momentum, on_engine(outputs));
            assert!(
                (own - loss).abs() <= 2e-5 * loss.abs(),
                "loss {own} for {loss}"
            );
        }
        for parameter in network.parameters() {
            if parameter.kind() == ParameterKind::Running {
                continue;
            }
            let name = parameter.name();
            // Two steps were added up.
            let gradient: Vec<f64> = parameter
                .gradient()
                .iter()
                .map(|&g| f64::from(g) / 2.0)
                .collect();
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            for turn in 0..2 {
                // Along the gradient every element counts; a drawn direction finds what it leaves out.
                let direction: Vec<f64> = match turn {
                    0 if norm > 0.0 => gradient.iter().map(|g| g / norm).collect(),
                    _ => {
                        let drawn = drawn(&mut stream, gradient.len());
                        let size = drawn.iter().map(|d| d * d).sum::<f64>().sqrt();
                        drawn.iter().map(|d| d / size).collect()
                    }
                };
                let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                let allowed = 3e-4 * norm.max(0.03 * loss);
                // Where a corner lies within the longer step, the shorter one tells.
                let slopes = [1e-5, 1e-7].map(|step| {
                    let at = |sign: f64| {
                        naive_loss(
                            &moved(&trained, name, &direction, sign * step).unwrap(),
                            &wide,
                        )
                    };
                    (at(1.0) - at(-1.0)) / (2.0 * step)
                });
                assert!(
                    slopes.iter().any(|slope| (along - slope).abs() <= allowed),
                    "{name} {:?}: {along} for {slopes:?}, norm {norm}",
                    parameter.shape()
                );
            }
        }
    }
}
