//! Normalisation of a row by its own numbers, and softmax.

use proptest::prelude::*;
use secateur_graph::{Binary, Norm, Op};

use super::{Net, check};

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn softmax_along_every_axis(
        shape in prop::collection::vec(1usize..6, 1..4), axis in 0usize..3, negative: bool,
        logarithm: bool, seed: u64,
    ) {
        let rank = shape.len() + 1;
        let axis = 1 + axis % shape.len();
        let axis = if negative { axis as i64 - rank as i64 } else { axis as i64 };
        let mut net = Net::new(&shape, seed);
        let x = net.input;
        let mut x = match rank {
            2 => net.gemm(x, 5),
            3 => net.conv_of(x, 5, &[1], super::window_of(1, 1, 0), 1),
            _ => net.conv(x, 5, 1, 1, 0, 1),
        };
        let op = match logarithm {
            true => Op::LogSoftmax { axis },
            false => Op::Softmax { axis },
        };
        let y = net.node(op, &[x]);
        x = net.binary(Binary::Mul, x, y);
        check(&net.build(x), 3);
    }

    #[test]
    fn layers_are_normalised_over_their_last_axes(
        shape in prop::collection::vec(1usize..6, 1..4), first in 0usize..3, lack in 0usize..3,
        (rms, shifted, image) in (any::<bool>(), any::<bool>(), any::<bool>()), seed: u64,
    ) {
        let rank = shape.len() + 1;
        let mut net = Net::new(&shape, seed);
        let x = net.input;
        let scale = net.constant(&shape, 0.5, 0.5);
        let x = net.gain(x, scale);
        let x = match rank {
            4 if image => net.conv(x, 5, 1, 1, 0, 1),
            _ => x,
        };
        let shape = net.shape(x);
        let axis = 1 + first % (rank - 1);
        let scale = net.constant(&shape[(axis + lack).min(rank - 1)..], 1.0, 0.3);
        let shift = net.constant(&shape[(axis + lack).min(rank - 1)..], 0.1, 0.3);
        let norm = match rms {
            true => Norm::Rms { axis: axis as i64 - rank as i64, epsilon: 1e-2 },
            false => Norm::Layer { axis: axis as i64, epsilon: 1e-2 },
        };
        let inputs = [x, scale, shift];
        let y = net.node(Op::Norm(norm), &inputs[..if shifted && !rms { 3 } else { 2 }]);
        let y = net.binary(Binary::Mul, y, x);
        check(&net.build(y), 3);
    }

    #[test]
    fn channels_are_normalised_alone_or_in_runs(
        (runs, within) in (1usize..4, 1usize..4), size in (1usize..4, 2usize..4), form in 0usize..3,
        flat: bool, seed: u64,
    ) {
        let channels = runs * within;
        let places = if flat { vec![size.1] } else { vec![size.0, size.1] };
        let mut net = Net::new(&[&[2], &places[..]].concat(), seed);
        let x = net.input;
        let window = super::window_of(places.len(), 1, 0);
        let x = net.conv_of(x, channels, &vec![1; places.len()], window, 1);
        let (norm, numbers) = match form {
            0 => (Norm::Instance { epsilon: 1e-2 }, channels),
            1 => (Norm::Group { count: runs, epsilon: 1e-2, by_run: false }, channels),
            _ => (Norm::Group { count: runs, epsilon: 1e-2, by_run: true }, runs),
        };
        let scale = net.constant(&[numbers], 1.0, 0.3);
        let shift = net.constant(&[numbers], 0.1, 0.3);
        let y = net.node(Op::Norm(norm), &[x, scale, shift]);
        let y = net.binary(Binary::Mul, y, x);
        check(&net.build(y), 3);
    }
}
