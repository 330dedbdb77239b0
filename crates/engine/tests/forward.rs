//! Outputs of the engine beside those of the naive evaluator, which shares no code with it.

mod common;

use common::{DrawnChain, Form, all_activations, chains, naive, off, relative, split, wide};
use proptest::prelude::*;
use secateur_graph::{Array, Graph, Unary};

/// Relative to what outputs come to where nothing cancels: rounding does not cancel with them. It grows with depth and with
/// the root of the width: 4 layers of 40 units give about 4 * sqrt(40) * 6e-8 = 1.5e-6.
const TOLERANCE: f64 = 1e-5;

/// The largest output of a chain if the terms of every sum were independent: the root of the sum of their squares.
fn uncancelled(chain: &DrawnChain, graph: &Graph, x: &[f32]) -> f64 {
    let constant = |name: String| {
        let tensor = graph.constant(graph.value_named(&name)?)?;
        Some(Array::from(tensor).values)
    };
    let mut most = 0.0f64;
    for row in wide(x).chunks(chain.inputs) {
        let mut sizes: Vec<f64> = row.iter().map(|v| v.abs()).collect();
        for (l, layer) in chain.layers.iter().enumerate() {
            let weights = constant(format!("w{l}")).expect("every layer has weights");
            let bias = constant(format!("b{l}")).unwrap_or_else(|| vec![0.0; layer.width]);
            let of_unit = |unit: usize| {
                let squares = sizes.iter().enumerate().map(|(i, size)| {
                    let place = match layer.form {
                        Form::TransposedGemm => unit * sizes.len() + i,
                        _ => i * layer.width + unit,
                    };
                    (size * weights[place]).powi(2)
                });
                let size = (squares.sum::<f64>() + bias[unit].powi(2)).sqrt();
                match layer.activation {
                    Some(Unary::Sigmoid) => 1.0,
                    Some(Unary::Tanh) => size.min(1.0),
                    _ => size,
                }
            };
            sizes = (0..layer.width).map(of_unit).collect();
        }
        most = sizes.into_iter().fold(most, f64::max);
    }
    most
}

proptest! {
    #[test]
    fn outputs_are_those_of_the_naive_evaluator(
        chain in chains(all_activations()),
        batch in 1usize..70,
        threads in 1usize..4,
        share in 0.0f64..=1.0,
    ) {
        let graph = chain.graph();
        let mut network = split(&graph, batch, 0, threads);
        for rows in [batch, (share * batch as f64) as usize] {
            let x = chain.rows(rows);
            let expected = naive(&graph, &wide(&x), chain.inputs);
            let error = off(network.forward(&x, rows), &expected) / uncancelled(&chain, &graph, &x).max(1e-6);
            prop_assert!(error < TOLERANCE, "{error}");
        }
    }

    #[test]
    fn parameters_go_out_and_in_again_in_every_form(chain in chains(all_activations())) {
        let graph = chain.graph();
        let mut other = chain.clone();
        other.seed ^= 1;
        let mut network = split(&graph, 1, 0, 1);
        network.read(&other.graph()).unwrap();
        let mut written = graph;
        network.write_back(&mut written).unwrap();
        prop_assert_eq!(written, other.graph());
    }

    #[test]
    fn the_same_threads_give_the_same_bits(
        chain in chains(all_activations()),
        batch in 1usize..70,
        threads in 1usize..4,
    ) {
        let graph = chain.graph();
        let x = chain.rows(batch);
        let train = || {
            let mut network = split(&graph, batch, 0, threads);
            let mut losses = vec![];
            for _ in 0..3 {
                let loss = network.forward_backward(&x, batch, |_, z, g| {
                    g.copy_from_slice(z);
                    z.iter().map(|z| f64::from(z * z)).sum()
                });
                losses.push(loss.to_bits());
                network.update(&x, batch, 0.9, |block| {
                    for (w, v) in block.weight.iter_mut().zip(&*block.gradient) {
                        *w -= 1e-3 * v;
                    }
                });
            }
            let mut graph = graph.clone();
            network.write_back(&mut graph).unwrap();
            (losses, graph)
        };
        prop_assert_eq!(train(), train());
    }
}

#[test]
fn large_layers_are_shared_by_threads_with_the_same_result() {
    let graph =
        secateur_testkit::mlp(&[37, 1300, 1029, 5], secateur_graph::Unary::Relu, 3).unwrap();
    let x: Vec<f32> = (0..9 * 37).map(|i| (i % 7) as f32 - 3.0).collect();
    let expected = naive(&graph, &wide(&x), 37);
    for threads in [1, 2, 3] {
        let mut network = split(&graph, 9, 0, threads);
        let error = relative(network.forward(&x, 9), &expected);
        assert!(error < TOLERANCE, "{error}");
    }
}
