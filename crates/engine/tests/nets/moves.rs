//! Convolutions with windows of every form, and operations that only move elements.

use proptest::prelude::*;
use secateur_graph::{Binary, Depth, DepthWay, Op, Pad, PadMode, Padding, Unary, Window};

use super::{Net, check};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn windows_of_every_form(
        (groups, inputs, outputs) in (1usize..4, 1usize..5, 1usize..5),
        kernel in (1usize..4, 1usize..4), strides in (1usize..4, 1usize..3),
        dilations in (1usize..3, 1usize..3), before in (0usize..3, 0usize..3),
        behind in (0usize..3, 0usize..3), size in (5usize..8, 5usize..8),
        (flat, first) in (any::<bool>(), any::<bool>()), seed: u64,
    ) {
        let axes = if flat { 1 } else { 2 };
        let pair = |p: (usize, usize)| vec![p.0, p.1][2 - axes..].to_vec();
        let mut row = vec![groups * inputs];
        row.extend(pair(size));
        let mut net = Net::new(&row, seed);
        let mut x = net.input;
        if !first {
            x = net.conv_of(x, groups * inputs, &vec![1; axes], super::window_of(axes, 1, 0), 1);
            x = net.batch_norm(x);
            x = net.unary(x, Unary::HardSwish);
        }
        let window = Window {
            strides: pair(strides),
            dilations: pair(dilations),
            padding: Padding::By { before: pair(before), behind: pair(behind) },
            ceil: false,
        };
        let y = net.conv_of(x, groups * outputs, &pair(kernel), window, groups);
        let y = net.batch_norm(y);
        check(&net.build(y), 2);
    }

    #[test]
    fn elements_that_move(
        channels in 1usize..4, halves in (1usize..3, 1usize..3),
        pads in prop::collection::vec(0i64..2, 4), mode in 0usize..4, way in 0usize..3, seed: u64,
    ) {
        let mut net = Net::new(&[2, 2 * halves.0, 2 * halves.1], seed);
        let x = net.input;
        let x = net.conv(x, 4 * channels, 1, 1, 0, 1);
        let depth = Depth {
            block: 2,
            way: [DepthWay::OuterToSpace, DepthWay::InnerToSpace, DepthWay::FromSpace][way],
        };
        let y = net.node(Op::Depth(depth), &[x]);
        let small = net.shape(y)[2..].contains(&1);
        let mode = match mode {
            1 if !small => PadMode::Reflect,
            2 => PadMode::Edge,
            3 => PadMode::Wrap,
            _ => PadMode::Constant(0.5),
        };
        let pads = net.whole(&[0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]);
        let y = net.node(Op::Pad(Pad { mode, pads: None }), &[y, pads]);
        let [start, end, axes, steps] =
            [[0, -1], [i64::MAX, i64::MIN], [2, 3], [2, -1]].map(|n| net.whole(&n));
        let part = net.node(Op::Slice { bounds: None }, &[y, start, end, axes, steps]);
        let y = net.global_mean(y);
        let y = net.binary(Binary::Mul, part, y);
        check(&net.build(y), 2);
    }
}
