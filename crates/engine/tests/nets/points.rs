//! Functions of one number, and what has no derivative.

use proptest::prelude::*;
use secateur_engine::{Network, Threads};
use secateur_graph::{Binary, Element, Index, Op, Unary};

use super::{Net, check, notes};

/// Functions that are defined for all numbers.
const EVERYWHERE: [Unary; 28] = [
    Unary::Relu,
    Unary::LeakyRelu { alpha: -0.3 },
    Unary::LeakyRelu { alpha: 0.3 },
    Unary::Tanh,
    Unary::Sigmoid,
    Unary::Exp,
    Unary::Abs,
    Unary::Neg,
    Unary::Softplus,
    Unary::Elu { alpha: 0.7 },
    Unary::Elu { alpha: -0.7 },
    Unary::HardSigmoid {
        alpha: 0.3,
        beta: 0.4,
    },
    Unary::HardSwish,
    Unary::Erf,
    Unary::Gelu { tanh: false },
    Unary::Gelu { tanh: true },
    Unary::Mish,
    Unary::Sin,
    Unary::Cos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Asinh,
    Unary::Softsign,
    Unary::Selu {
        alpha: 1.6,
        gamma: 1.05,
    },
    Unary::Celu { alpha: 0.6 },
    Unary::ThresholdedRelu { alpha: -0.2 },
    Unary::Swish { alpha: 1.5 },
];

/// Functions of numbers between 0 and 1.
const BETWEEN: [Unary; 8] = [
    Unary::Sqrt,
    Unary::Log,
    Unary::Reciprocal,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atanh,
    Unary::Shrink {
        bias: 0.1,
        lambda: 0.3,
    },
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]
    #[test]
    fn functions_of_one_number(channels in 1usize..12, seed: u64) {
        for (i, unary) in EVERYWHERE.into_iter().chain(BETWEEN).enumerate() {
            let mut net = Net::new(&[2, 3, 2], seed);
            let x = net.input;
            let mut x = net.conv(x, channels, 1, 1, 0, 1);
            if i >= EVERYWHERE.len() {
                x = net.unary(x, Unary::Sigmoid);
                let half = net.numbers(&[1], &[0.5]);
                let base = net.numbers(&[], &[0.25]);
                x = net.binary(Binary::Mul, x, half);
                x = net.binary(Binary::Add, x, base);
            }
            let y = net.unary(x, unary);
            // The input is read by another node as well, so gradients are added.
            let y = net.binary(Binary::Sub, y, x);
            check(&net.build(y), 2);
        }
    }

    #[test]
    fn slopes_are_trained(channels in 1usize..12, which in 0usize..4, seed: u64) {
        let mut net = Net::new(&[2, 3, 2], seed);
        let x = net.input;
        let x = net.conv(x, channels, 1, 1, 0, 1);
        let shape = [vec![1], vec![channels, 1, 1], vec![1, 2], vec![channels, 3, 2]];
        let slope = net.constant(&shape[which], 0.2, 0.1);
        let y = net.node(Op::PRelu, &[x, slope]);
        check(&net.build(y), 3);
    }
}

#[test]
fn a_number_times_its_sigmoid() {
    let mut net = Net::new(&[2, 3, 2], 4);
    let x = net.input;
    let x = net.conv(x, 5, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let gate = net.unary(x, Unary::Sigmoid);
    let y = net.binary(Binary::Mul, x, gate);
    let y = net.conv(y, 3, 1, 1, 0, 1);
    check(&net.build(y), 3);
}

#[test]
fn what_has_no_derivative_leaves_what_is_before_it() {
    let mut net = Net::new(&[2, 3, 2], 4);
    let x = net.input;
    let x = net.conv(x, 5, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let both = net.conv(x, 5, 1, 1, 0, 1);
    let steps = net.unary(both, Unary::Round);
    let alone = net.conv(x, 5, 1, 1, 0, 1);
    let scaled = net.per_channel(alone, 5);
    let whole = net.node(Op::Cast { to: Element::I32 }, &[scaled]);
    let whole = net.node(Op::Cast { to: Element::F32 }, &[whole]);
    let y = net.binary(Binary::Add, steps, whole);
    let y = net.binary(Binary::Mul, y, both);
    let graph = net.build(y);
    let told = notes(&graph, &[1, 2, 3, 2]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Cast 'n")
            && told[0].ends_with("has no derivative: the 4 tensors before it stay as they are"),
        "{told:?}"
    );
    check(&graph, 3);
}

/// Everything before the rounding stays as it is, but for the running statistics.
#[test]
fn a_normalisation_that_is_rounded() {
    let mut net = Net::new(&[2, 3, 2], 9);
    let x = net.input;
    let x = net.conv(x, 5, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let x = net.unary(x, Unary::Floor);
    let y = net.conv(x, 3, 1, 1, 0, 1);
    let graph = net.build(y);
    let told = notes(&graph, &[1, 2, 3, 2]);
    assert!(
        told[0].ends_with("the 4 tensors before it stay as they are"),
        "{told:?}"
    );
    check(&graph, 3);
    let pool = Threads::new(2).unwrap();
    let mut network = Network::compile(&graph, &[1, 2, 3, 2], 3, 0, pool).unwrap();
    let before: Vec<Vec<f32>> = values(&network);
    network.forward_backward(&[0.5; 36], 3, 0.0, |_, _, gradient| {
        gradient.fill(1.0);
        0.0
    });
    let moved = values(&network)
        .iter()
        .zip(&before)
        .filter(|(a, b)| a != b)
        .count();
    assert_eq!(moved, 2, "mean and variance of the normalisation");
}

fn values(network: &Network) -> Vec<Vec<f32>> {
    network
        .parameters()
        .iter()
        .map(|p| p.values().to_vec())
        .collect()
}

#[test]
fn comparisons_and_indices_run_forwards() {
    let mut net = Net::new(&[4], 5);
    let x = net.input;
    let x = net.gemm(x, 6);
    let largest = Index::Arg {
        largest: true,
        axis: 1,
        keep: true,
        last: false,
    };
    let which = net.node(Op::Index(largest), &[x]);
    let which = net.node(Op::Cast { to: Element::F32 }, &[which]);
    let zero = net.numbers(&[1], &[0.1]);
    let above = net.binary(Binary::Greater, x, zero);
    let y = net.unary(x, Unary::Tanh);
    let y = net.node(Op::Where, &[above, y, x]);
    let y = net.binary(Binary::Add, y, which);
    let graph = net.build(y);
    assert!(notes(&graph, &[1, 4]).is_empty());
    check(&graph, 3);
}
