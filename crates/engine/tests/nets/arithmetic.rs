//! Arithmetic of two operands and more.

use proptest::prelude::*;
use secateur_graph::{Binary, Op, Unary, Variadic};

use super::{Net, check};

/// A shape that stretches to `[1, channels, 3, 2]`, by the bits of `which`.
fn stretched(channels: usize, which: usize) -> Vec<usize> {
    let whole = [channels, 3, 2];
    let shape = (0..3).map(|a| if which >> a & 1 == 1 { 1 } else { whole[a] });
    let shape: Vec<usize> = shape.collect();
    shape[which / 8 % 3..].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn operands_of_every_shape(channels in 1usize..11, which in 0usize..24, seed: u64) {
        let all = [
            Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Min, Binary::Max, Binary::Pow,
        ];
        for op in all {
            let mut net = Net::new(&[2, 3, 2], seed);
            let x = net.input;
            let x = net.conv(x, channels, 1, 1, 0, 1);
            // Bases and divisors above zero.
            let x = net.unary(x, Unary::Exp);
            let other = net.constant(&stretched(channels, which), 2.0, 0.1);
            let y = net.binary(op, x, other);
            let y = net.unary(y, Unary::Softsign);
            let small = net.global_mean(y);
            let y = net.binary(op, y, small);
            let y = net.binary(op, other, y);
            check(&net.build(y), 2);
        }
    }

    #[test]
    fn any_number_of_operands(channels in 1usize..11, which in 0usize..24, count in 1usize..5, seed: u64) {
        for op in [Variadic::Sum, Variadic::Mean, Variadic::Min, Variadic::Max] {
            let mut net = Net::new(&[2, 3, 2], seed);
            let x = net.input;
            let x = net.conv(x, channels, 1, 1, 0, 1);
            let first = net.constant(&stretched(channels, which), 0.1, 0.5);
            let second = net.constant(&[1], 0.1, 0.5);
            let mean = net.global_mean(x);
            let mut operands = vec![first, second, x, mean];
            operands.rotate_left(4 - count);
            operands.truncate(count);
            if !operands.contains(&x) {
                operands.push(x);
            }
            let y = net.node(Op::Variadic(op), &operands);
            check(&net.build(y), 2);
        }
    }

    #[test]
    fn conditions_choose(channels in 1usize..11, which in 0usize..24, seed: u64) {
        let mut net = Net::new(&[2, 3, 2], seed);
        let x = net.input;
        let x = net.conv(x, channels, 1, 1, 0, 1);
        let drawn = net.constant(&stretched(channels, which), 0.0, 1.0);
        let zero = net.numbers(&[], &[0.0]);
        let condition = net.binary(Binary::Less, drawn, zero);
        let other = net.unary(x, Unary::Tanh);
        let mean = net.global_mean(other);
        let y = net.node(Op::Where, &[condition, x, mean]);
        let y = net.node(Op::Where, &[condition, zero, y]);
        let y = net.binary(Binary::Add, y, other);
        check(&net.build(y), 2);
    }
}

#[test]
fn squares_and_roots() {
    let mut net = Net::new(&[3], 8);
    let x = net.input;
    let x = net.gemm(x, 5);
    let two = net.numbers(&[], &[2.0]);
    let half = net.numbers(&[1], &[0.5]);
    let one = net.numbers(&[1], &[1.0]);
    let y = net.binary(Binary::Pow, x, two);
    let y = net.binary(Binary::Add, y, one);
    let y = net.binary(Binary::Pow, y, half);
    let y = net.binary(Binary::Pow, two, y);
    check(&net.build(y), 3);
}
