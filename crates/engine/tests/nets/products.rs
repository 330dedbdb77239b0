//! Products of matrices.

use proptest::prelude::*;
use secateur_graph::{Binary, Gemm, Op};

use super::{Net, check};

/// `[1, channels, height, width]` behind a layer.
fn image(net: &mut Net, channels: usize) -> secateur_graph::ValueId {
    let x = net.input;
    net.conv(x, channels, 1, 1, 0, 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn two_values_that_flow(
        (channels, rows, inner) in (1usize..6, 1usize..6, 1usize..6), stretch: bool, seed: u64,
    ) {
        let mut net = Net::new(&[2, rows, inner], seed);
        let a = image(&mut net, if stretch { 1 } else { channels });
        let b = image(&mut net, channels);
        let b = net.node(Op::Transpose { order: vec![0, 1, 3, 2] }, &[b]);
        let y = net.node(Op::MatMul, &[a, b]);
        let y = net.node(Op::MatMul, &[y, a]);
        check(&net.build(y), 3);
    }

    #[test]
    fn constants_on_either_side(
        (channels, rows, inner) in (1usize..6, 1usize..6, 1usize..6), made in 1usize..6, form in 0usize..6,
        seed: u64,
    ) {
        let mut net = Net::new(&[2, rows, inner], seed);
        let x = image(&mut net, channels);
        let y = match form {
            0 => {
                let w = net.constant(&[made, rows], 0.1, 0.5);
                net.node(Op::MatMul, &[w, x])
            }
            1 => {
                let w = net.constant(&[channels, made, rows], 0.1, 0.5);
                net.node(Op::MatMul, &[w, x])
            }
            2 => {
                let w = net.constant(&[channels, inner, made], 0.1, 0.5);
                net.node(Op::MatMul, &[x, w])
            }
            3 => {
                let w = net.constant(&[inner], 0.1, 0.5);
                net.node(Op::MatMul, &[x, w])
            }
            4 => {
                let w = net.constant(&[rows], 0.1, 0.5);
                net.node(Op::MatMul, &[w, x])
            }
            _ => {
                let w = net.constant(&[inner, made], 0.1, 0.5);
                net.node(Op::MatMul, &[x, w])
            }
        };
        check(&net.build(y), 3);
    }

    #[test]
    fn gemm_with_factors(
        (inputs, made) in (1usize..6, 1usize..6), trans_b: bool, which in 0usize..5,
        (alpha, beta) in (0usize..3, 0usize..3), seed: u64,
    ) {
        let mut net = Net::new(&[3], seed);
        let x = net.input;
        let x = net.gemm(x, inputs);
        let shape = if trans_b { [made, inputs] } else { [inputs, made] };
        let weight = net.constant(&shape, 0.1, 0.5);
        let gemm = Gemm {
            alpha: [1.0, 0.5, -2.0][alpha],
            beta: [1.0, 0.0, 3.0][beta],
            trans_a: false,
            trans_b,
        };
        let added = match which {
            0 => net.constant(&[1, made], 0.1, 0.5),
            1 => net.constant(&[1], 0.1, 0.5),
            2 => net.constant(&[1, 1], 0.1, 0.5),
            3 => net.gemm(x, made),
            _ => net.constant(&[made], 0.1, 0.5),
        };
        let y = net.node(Op::Gemm(gemm), &[x, weight, added]);
        let other = net.node(Op::Gemm(gemm), &[x, weight]);
        let y = net.binary(Binary::Mul, y, other);
        check(&net.build(y), 3);
    }
}
