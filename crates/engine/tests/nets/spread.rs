//! Convolutions backwards.

use proptest::prelude::*;
use secateur_graph::{Binary, ConvTranspose, Op, Padding, Window};

use super::{Net, check};

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn transposed_convolutions_of_every_shape(
        (groups, inputs, outputs) in (1usize..4, 1usize..7, 1usize..7),
        kernel in (1usize..4, 1usize..4), strides in (1usize..4, 1usize..4),
        dilations in (1usize..3, 1usize..3), before in (0usize..3, 0usize..3),
        behind in (0usize..2, 0usize..2), more in (0usize..2, 0usize..2),
        size in (2usize..5, 2usize..5),
        (flat, first, biased) in (any::<bool>(), any::<bool>(), any::<bool>()), seed: u64,
    ) {
        let axes = if flat { 1 } else { 2 };
        let pair = |p: (usize, usize)| vec![p.0, p.1][2 - axes..].to_vec();
        let grown = |a: usize| {
            pair(strides)[a] * (pair(size)[a] - 1)
                + pair(more)[a]
                + pair(dilations)[a] * (pair(kernel)[a] - 1)
                + 1
        };
        prop_assume!((0..axes).all(|a| grown(a) > pair(before)[a] + pair(behind)[a]));
        let channels = groups * inputs;
        let mut row = vec![if first { channels } else { 2 }];
        row.extend(pair(size));
        let mut net = Net::new(&row, seed);
        let x = net.input;
        let x = match first {
            true => x,
            false => net.conv_of(x, channels, &vec![1; axes], Window {
                strides: vec![1; axes],
                dilations: vec![1; axes],
                padding: Padding::By { before: vec![0; axes], behind: vec![0; axes] },
                ceil: false,
            }, 1),
        };
        let mut shape = vec![channels, outputs];
        shape.extend(pair(kernel));
        let weight = net.constant(&shape, 0.0, 0.3);
        let bias = net.constant(&[groups * outputs], 0.1, 0.2);
        let conv = ConvTranspose {
            window: Window {
                strides: pair(strides),
                dilations: pair(dilations),
                padding: Padding::By { before: pair(before), behind: pair(behind) },
                ceil: false,
            },
            conv_groups: groups,
            output_padding: pair(more),
        };
        let op = Op::ConvTranspose(conv);
        let given = [x, weight, bias];
        let y = net.node(op.clone(), &given[..if biased { 3 } else { 2 }]);
        // The input has a second reader, before and behind, so that gradients are added.
        let again = net.node(op, &[x, weight]);
        let y = net.binary(Binary::Mul, y, again);
        check(&net.build(y), 2);
    }
}
