//! Products by letters.

use proptest::prelude::*;
use secateur_graph::{Einsum, Op};

use super::{Net, check};

fn op(equation: &str) -> Op {
    Op::Einsum(Einsum::of(equation, 2).unwrap().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn two_values_that_flow((heads, rows, inner) in (1usize..5, 1usize..5, 1usize..5), seed: u64) {
        for (first, second) in [
            ("bhqd,bhkd->bhqk", "bhqk,bhkd->bhqd"),
            ("bhqd,bhkd->bhkq", "bhkq,bhkd->bqhd"),
            ("...qd,...kd->...qk", "bhij,bhjd->bhid"),
            ("bhqd,bhkd->bqhk", ""),
        ] {
            let mut net = Net::new(&[2, rows, inner], seed);
            let x = net.input;
            let q = net.conv(x, heads, 1, 1, 0, 1);
            let k = net.conv(x, heads, 1, 1, 0, 1);
            let scores = net.node(op(first), &[q, k]);
            let y = match second {
                "" => scores,
                second => net.node(op(second), &[scores, k]),
            };
            check(&net.build(y), 3);
        }
    }

    #[test]
    fn values_and_weights((heads, rows, inner) in (1usize..5, 1usize..5, 1usize..5), seed: u64) {
        let size = |c: char| match c {
            'h' => heads,
            't' => rows,
            'd' => inner,
            _ => 3,
        };
        for equation in [
            "bhtd,de->bhte", "bhtd,ed->bhte", "bhtd,hde->bhte", "bhtd,hde->bthe", "bhtd,hde->bte",
            "hde,bhtd->bte", "bhtd,eht->bed",
        ] {
            let mut net = Net::new(&[2, rows, inner], seed);
            let x = net.input;
            let x = net.conv(x, heads, 1, 1, 0, 1);
            let terms = equation.split_once("->").unwrap().0;
            let (a, b) = terms.split_once(',').unwrap();
            let is_first = a.starts_with('b');
            let weight: Vec<usize> = if is_first { b } else { a }.chars().map(size).collect();
            let weight = net.constant(&weight, 0.1, 0.5);
            let inputs = if is_first { [x, weight] } else { [weight, x] };
            let y = net.node(op(equation), &inputs);
            check(&net.build(y), 3);
        }
    }
}
