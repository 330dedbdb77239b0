//! Networks of any form beside the naive evaluator: outputs, and gradients by finite differences in double precision.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod nets;

use nets::{Net, check};
use proptest::prelude::*;
use secateur_graph::{Binary, Op, Unary};

#[test]
fn a_residual_block_with_batch_normalisation() {
    let mut net = Net::new(&[3, 6, 6], 1);
    let x = net.input;
    let x = net.conv(x, 5, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let stem = net.unary(x, Unary::Relu);
    let y = net.conv(stem, 5, 3, 1, 1, 1);
    let y = net.batch_norm(y);
    let y = net.unary(y, Unary::Relu);
    let y = net.conv(y, 5, 3, 1, 1, 1);
    let y = net.batch_norm(y);
    let y = net.binary(Binary::Add, y, stem);
    let block = net.unary(y, Unary::Relu);
    let y = net.conv(block, 7, 3, 2, 1, 1);
    let y = net.batch_norm(y);
    let shortcut = net.conv(block, 7, 1, 2, 0, 1);
    let shortcut = net.batch_norm(shortcut);
    let y = net.binary(Binary::Add, y, shortcut);
    let y = net.unary(y, Unary::Relu);
    let y = net.global_mean(y);
    let y = net.flatten(y);
    let y = net.gemm(y, 4);
    check(&net.build(y), 5);
}

#[test]
fn the_first_networks_of_the_field() {
    let mut net = Net::new(&[1, 12, 12], 2);
    let x = net.input;
    let x = net.conv(x, 6, 5, 1, 0, 1);
    let x = net.max_pool(x, 2, 2, 0);
    let x = net.conv(x, 10, 3, 1, 0, 1);
    let x = net.max_pool(x, 2, 2, 0);
    let x = net.flatten(x);
    let x = net.gemm(x, 12);
    let x = net.unary(x, Unary::Relu);
    let x = net.gemm(x, 3);
    check(&net.build(x), 7);
}

#[test]
fn branches_that_are_joined_and_cut() {
    let mut net = Net::new(&[2, 5, 4], 3);
    let x = net.input;
    let x = net.conv(x, 6, 3, 1, 1, 1);
    let a = net.conv(x, 3, 1, 1, 0, 1);
    let a = net.unary(a, Unary::Tanh);
    let b = net.mean_pool(x, 3, 1, 1);
    let y = net.node(Op::Concat { axis: 1 }, &[a, b, a]);
    let y = net.conv(y, 4, 3, 1, 1, 2);
    let gate = net.global_mean(y);
    let gate = net.conv(gate, 4, 1, 1, 0, 1);
    let gate = net.unary(gate, Unary::Sigmoid);
    let y = net.binary(Binary::Mul, y, gate);
    let y = net.per_channel(y, 4);
    let y = net.flatten(y);
    let y = net.gemm(y, 3);
    check(&net.build(y), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn convolutions_of_every_shape(
        (channels, made) in (1usize..20, 1usize..20),
        kernel in 1usize..4, stride in 1usize..3, pad in 0usize..3, size in 3usize..8, seed: u64,
    ) {
        let mut net = Net::new(&[3, size, size + 1], seed);
        let x = net.input;
        let x = net.conv(x, channels, 3, 1, 1, 1);
        let x = net.batch_norm(x);
        let x = net.unary(x, Unary::Relu);
        let x = net.conv(x, made, kernel, stride, pad, 1);
        let x = net.conv(x, made, 1, 1, 0, made);
        let x = net.global_mean(x);
        let x = net.flatten(x);
        check(&net.build(x), 3);
    }
}
