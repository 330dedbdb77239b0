//! Gradients of whole networks beside finite differences of the naive evaluator in double precision.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use std::ops::Range;

use common::{DrawnChain, all_activations, chains, naive, split, wide};
use proptest::prelude::*;
use secateur_engine::{BlockKind, Chain};
use secateur_graph::{Array, Graph, Tensor, Unary, ValueId, evaluate_all};
use secateur_testkit::{Stream, law};

/// A loss and its gradient with respect to one row of outputs.
type RowLoss = fn(&[f64], usize) -> (f64, Vec<f64>);

fn squares(z: &[f64], row: usize) -> (f64, Vec<f64>) {
    let residuals: Vec<f64> = (0..z.len())
        .map(|j| z[j] - ((row + j) % 3) as f64)
        .collect();
    (
        residuals.iter().map(|r| r * r).sum::<f64>() / 2.0,
        residuals,
    )
}

fn cross_entropy(z: &[f64], row: usize) -> (f64, Vec<f64>) {
    let class = row % z.len();
    let most = z.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = z.iter().map(|z| (z - most).exp()).sum();
    let mut gradient: Vec<f64> = z.iter().map(|z| (z - most).exp() / sum).collect();
    gradient[class] -= 1.0;
    (sum.ln() + most - z[class], gradient)
}

fn smooth_absolute(z: &[f64], row: usize) -> (f64, Vec<f64>) {
    let residual = |j: usize| z[j] - (row % 2) as f64;
    let value = (0..z.len())
        .map(|j| (1.0 + residual(j).powi(2)).sqrt())
        .sum();
    let slope = |j| residual(j) / (1.0 + residual(j).powi(2)).sqrt();
    (value, (0..z.len()).map(slope).collect())
}

/// The loss of a batch for the engine.
fn on_engine(
    loss: RowLoss,
    width: usize,
) -> impl Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync {
    move |rows, outputs, gradients| {
        let rows = rows.zip(outputs.chunks_exact(width));
        rows.zip(gradients.chunks_exact_mut(width))
            .map(|((row, z), g)| {
                let (value, gradient) = loss(&wide(z), row);
                for (g, exact) in g.iter_mut().zip(gradient) {
                    *g = exact as f32;
                }
                value
            })
            .sum()
    }
}

/// The loss of a batch by the naive evaluator.
fn naive_loss(loss: RowLoss, graph: &Graph, x: &[f64], inputs: usize) -> f64 {
    let outputs = naive(graph, x, inputs);
    let width = outputs.len() / (x.len() / inputs);
    let rows = outputs.chunks_exact(width).enumerate();
    rows.map(|(row, z)| loss(z, row).0).sum()
}

/// How far the loss of a batch may lie from that of the naive evaluator.
///
/// Outputs are sums in single precision, so their error is measured against the sizes of the terms, which the same
/// network with absolute weights adds up, not against what is left when they cancel. The loss passes it on by its
/// slope.
fn allowance(loss: RowLoss, graph: &Graph, x: &[f64], inputs: usize) -> f64 {
    // Four layers of up to 40 terms: 4 * sqrt(40) * 6e-8, and room for unlucky rounding.
    const ROUNDING: f64 = 4e-6;
    let outputs = naive(graph, x, inputs);
    let sizes = naive(
        &absolute(graph),
        &x.iter().map(|v| v.abs()).collect::<Vec<_>>(),
        inputs,
    );
    let width = outputs.len() / (x.len() / inputs);
    let rows = outputs.chunks_exact(width).zip(sizes.chunks_exact(width));
    rows.enumerate()
        .map(|(row, (z, sizes))| {
            let slopes = loss(z, row).1;
            // Where a slope is nearly zero the next term of the series takes over.
            let moved = slopes.iter().zip(sizes).map(|(s, size)| {
                let error = ROUNDING * size;
                s.abs() * error + error * error
            });
            moved.sum::<f64>()
        })
        .sum()
}

/// The graph with the magnitudes of its weights.
fn absolute(graph: &Graph) -> Graph {
    let mut absolute = graph.clone();
    for id in graph.value_ids() {
        let Some(tensor) = graph.constant(id) else {
            continue;
        };
        let numbers = tensor.as_f32().unwrap().iter().map(|v| v.abs()).collect();
        let shape = tensor.shape().to_vec();
        absolute
            .set_constant(id, Tensor::f32(shape, numbers).unwrap())
            .unwrap();
    }
    absolute
}

/// The constants that the network trains.
fn parameters(network: &Chain) -> Vec<ValueId> {
    let layers = network.layers().iter();
    let ids = layers.flat_map(|l| [Some(l.weight_id()), l.bias_id()]);
    ids.flatten().collect()
}

/// The graph with the network's gradients in place of its parameters, each in the graph's own layout.
fn gradients(network: &mut Chain, graph: &Graph) -> Graph {
    for layer in network.layers_mut() {
        let gradient = layer.weight_gradient().to_vec();
        layer.weight_mut().copy_from_slice(&gradient);
        let gradient = layer.bias_gradient().to_vec();
        layer.bias_mut().copy_from_slice(&gradient);
    }
    let mut graph = graph.clone();
    network.write_back(&mut graph).unwrap();
    graph
}

fn numbers(graph: &Graph, id: ValueId) -> &[f32] {
    graph.constant(id).unwrap().as_f32().unwrap()
}

fn unit(mut direction: Vec<f64>) -> Vec<f64> {
    let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
    direction.iter_mut().for_each(|d| *d /= norm.max(1e-300));
    direction
}

/// `graph` with one parameter moved along `direction`, and the move that was left after rounding to f32.
fn moved(graph: &Graph, id: ValueId, direction: &[f64], step: f64) -> (Graph, Vec<f64>) {
    let old = numbers(graph, id);
    let new: Vec<f32> = old
        .iter()
        .zip(direction)
        .map(|(w, d)| (f64::from(*w) + step * d) as f32)
        .collect();
    let shape = graph.constant(id).unwrap().shape().to_vec();
    let left = old
        .iter()
        .zip(&new)
        .map(|(a, b)| f64::from(*b) - f64::from(*a));
    let left = left.collect();
    let mut graph = graph.clone();
    graph
        .set_constant(id, Tensor::f32(shape, new).unwrap())
        .unwrap();
    (graph, left)
}

/// On which side of zero every number in the network lies: two points with the same answer have no kink of
/// a piecewise-linear activation between them, as far as the parameters of one layer are concerned.
fn sides(graph: &Graph, x: &[f64], inputs: usize) -> Vec<bool> {
    let x = Array::new([x.len() / inputs, inputs], x.to_vec()).unwrap();
    let all = evaluate_all(graph, &[x]).unwrap();
    let values = graph.values().iter().zip(all);
    let made = values.filter(|(value, _)| value.constant.is_none());
    made.flat_map(|(_, array)| array.unwrap().values)
        .map(|v| v > 0.0)
        .collect()
}

/// Checks every parameter tensor along its own gradient and along a drawn direction, where no kink lies on
/// the way. The error is relative to the tensor's gradient, 1e-3 as the engine promises. Whether there was a direction for each
/// tensor.
fn check(
    chain: &DrawnChain,
    rows: usize,
    threads: usize,
    loss: RowLoss,
) -> Result<bool, TestCaseError> {
    const STEP: f64 = 1e-5;
    const TOLERANCE: f64 = 1e-3;
    let graph = chain.graph();
    let x = chain.rows(rows);
    let mut network = split(&graph, rows + 3, 0, threads);
    let value = network.forward_backward(&x, rows, on_engine(loss, network.outputs()));
    let x64 = wide(&x);
    let expected = naive_loss(loss, &graph, &x64, chain.inputs);
    prop_assert!(
        (value - expected).abs() <= allowance(loss, &graph, &x64, chain.inputs) + 1e-12,
        "{value} {expected}"
    );
    network.update(&x, rows, 0.0, |_| {});
    let gradients = gradients(&mut network, &graph);
    let mut stream = Stream::new(chain.seed);
    let mut all_looked_at = true;
    for id in parameters(&network) {
        let mut looked_at = false;
        let gradient = wide(numbers(&gradients, id));
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let drawn = (0..gradient.len()).map(|_| stream.unit()).collect();
        for direction in [unit(gradient.clone()), unit(drawn)] {
            let (above, up) = moved(&graph, id, &direction, STEP);
            let (below, down) = moved(&graph, id, &direction, -STEP);
            if sides(&above, &x64, chain.inputs) != sides(&below, &x64, chain.inputs) {
                continue;
            }
            let change = naive_loss(loss, &above, &x64, chain.inputs)
                - naive_loss(loss, &below, &x64, chain.inputs);
            let terms = gradient.iter().zip(up.iter().zip(&down));
            let claimed: f64 = terms.map(|(g, (u, d))| g * (u - d)).sum();
            let error = (change - claimed).abs() / (2.0 * STEP);
            prop_assert!(
                error <= TOLERANCE * norm.max(1e-4),
                "{}: {error} of {norm}",
                graph.value(id).name
            );
            looked_at = true;
        }
        all_looked_at &= looked_at;
    }
    Ok(all_looked_at)
}

fn smooth() -> Vec<Option<Unary>> {
    vec![None, Some(Unary::Tanh), Some(Unary::Sigmoid)]
}

/// Draws chains, rows and threads, and checks their gradients.
fn checked(activations: Vec<Option<Unary>>, least: f64, loss: RowLoss) {
    let drawn = (chains(activations), 1usize..20, 1usize..4);
    law(256, least, &drawn, |(chain, rows, threads)| {
        check(&chain, rows, threads, loss)
    });
}

#[test]
fn squared_errors() {
    checked(all_activations(), 0.8, squares);
}

#[test]
fn cross_entropies() {
    checked(all_activations(), 0.8, cross_entropy);
}

#[test]
fn smooth_absolute_errors() {
    // A number may happen to cross zero on the way along each direction of a tensor.
    checked(smooth(), 0.98, smooth_absolute);
}

#[test]
fn a_loss_of_sums_that_cancel_is_as_near_as_their_terms_allow() {
    let layer = common::Layer {
        width: 1,
        form: common::Form::Gemm,
        activation: None,
    };
    let chain = DrawnChain {
        inputs: 28,
        layers: vec![layer],
        seed: 13_149_947_193_487_074_000,
    };
    assert!(check(&chain, 1, 1, squares).unwrap());
}

#[test]
fn layers_wide_enough_for_the_transposed_product_have_the_same_gradients() {
    let layer = |width, activation| common::Layer {
        width,
        form: common::Form::Gemm,
        activation,
    };
    let chain = DrawnChain {
        inputs: 3,
        layers: vec![
            layer(33, Some(Unary::Tanh)),
            layer(1100, Some(Unary::Sigmoid)),
            layer(2, None),
        ],
        seed: 5,
    };
    for threads in [1, 2] {
        assert!(check(&chain, 7, threads, squares).unwrap());
    }
}

/// Momentum and blocks: the gradient that blocks are handed is `momentum * old + new`, each row once.
#[test]
fn blocks_are_handed_the_velocity_of_every_row_once() {
    let graph = secateur_testkit::mlp(&[70, 300, 40, 3], Unary::Relu, 2).unwrap();
    let chain = DrawnChain {
        inputs: 70,
        layers: vec![],
        seed: 1,
    };
    let x = chain.rows(11);
    for threads in [1, 2, 3] {
        let mut network = split(&graph, 11, 1, threads);
        let loss = on_engine(squares, 3);
        network.forward_backward(&x, 11, &loss);
        network.update(&x, 11, 0.0, |block| {
            assert_eq!(block.weight.len(), block.rows() * block.width);
            assert_eq!(block.state[0].len(), block.weight.len());
            assert!(block.state[1].is_empty());
            let offset = (block.first_row * block.width) as f32;
            for (i, s) in block.state[0].iter_mut().enumerate() {
                *s += offset + i as f32 + 1.0;
            }
            assert!(block.kind == BlockKind::Weight || block.first_row == 0);
        });
        let first: Vec<Vec<f32>> = network
            .layers()
            .iter()
            .map(|l| l.weight_gradient().to_vec())
            .collect();
        network.update(&x, 11, 0.5, |_| {});
        for (layer, first) in network.layers().iter().zip(&first) {
            for state in [&layer.weight_state()[0], &layer.bias_state()[0]] {
                let counted: Vec<f32> = (0..state.len()).map(|i| i as f32 + 1.0).collect();
                assert_eq!(*state, counted);
            }
            let expected: Vec<f64> = first.iter().map(|g| 1.5 * f64::from(*g)).collect();
            assert!(common::relative(layer.weight_gradient(), &expected) < 1e-5);
        }
    }
}

#[test]
fn no_rows_leave_only_the_decayed_velocity() {
    let graph = secateur_testkit::mlp(&[4, 5, 2], Unary::Relu, 2).unwrap();
    let mut network = split(&graph, 3, 0, 2);
    assert!(network.forward(&[], 0).is_empty());
    network.layers_mut()[0].weight_gradient_mut().fill(2.0);
    network.layers_mut()[1].bias_gradient_mut().fill(2.0);
    assert_eq!(network.forward_backward(&[], 0, |_, _, _| 0.0), 0.0);
    network.update(&[], 0, 0.5, |_| {});
    assert!(
        network.layers()[0]
            .weight_gradient()
            .iter()
            .all(|&v| v == 1.0)
    );
    assert_eq!(network.layers()[1].bias_gradient(), [1.0; 2]);
}
