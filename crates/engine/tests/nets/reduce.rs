//! Numbers folded along axes.

use proptest::prelude::*;
use secateur_graph::{Binary, Op, Reduce, ReduceAxes, ReduceKind, Unary};

use super::{Net, check};

const KINDS: [ReduceKind; 10] = [
    ReduceKind::Mean,
    ReduceKind::Sum,
    ReduceKind::Max,
    ReduceKind::Min,
    ReduceKind::Product,
    ReduceKind::L1,
    ReduceKind::L2,
    ReduceKind::SumSquare,
    ReduceKind::LogSum,
    ReduceKind::LogSumExp,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn along_any_axes(
        (channels, height, width) in (1usize..6, 1usize..4, 1usize..4), which in 1usize..8,
        (keep, plain) in (any::<bool>(), any::<bool>()), seed: u64,
    ) {
        for kind in KINDS {
            let mut net = Net::new(&[2, height, width], seed);
            let x = net.input;
            let mut x = net.conv(x, channels, 1, 1, 0, 1);
            if kind == ReduceKind::LogSum {
                x = net.unary(x, Unary::Exp);
            }
            if plain {
                x = net.node(Op::Transpose { order: vec![0, 1, 3, 2] }, &[x]);
            }
            let axes = (1..4).filter(|a| which >> (a - 1) & 1 == 1);
            let axes = axes.map(|a| if keep { a } else { a - 4 }).collect();
            let reduce = Reduce { kind, axes: ReduceAxes::These(axes), keep };
            let mut y = net.node(Op::Reduce(reduce), &[x]);
            if keep {
                y = net.binary(Binary::Mul, x, y);
            }
            check(&net.build(y), 2);
        }
    }
}
