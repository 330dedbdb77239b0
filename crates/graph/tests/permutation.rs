//! The flagship: a coherent permutation of any hidden layer's units leaves the network's function unchanged.
//! It fails on any member that is missing or misaligned.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use secateur_graph::ChannelGroups;
use secateur_testkit::{change, piecewise_linear, smooth};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outputs_stay_equal_where_sums_are_exact(plan in piecewise_linear(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        prop_assert_eq!(change(&graph, &groups, seed).unwrap(), 0.0);
    }

    /// Reordered sums of a dozen terms differ by a few units in the last place of double precision, which a
    /// network of this depth may amplify a thousandfold: 1e-9 is far above that and far below a wrong unit.
    #[test]
    fn outputs_stay_close_for_all_operations(plan in smooth(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let change = change(&graph, &groups, seed).unwrap();
        prop_assert!(change < 1e-9, "{}", change);
    }
}

mod the_test_itself {
    use secateur_graph::{
        Binary, ChannelGroups, Dim, Gemm, Graph, GraphBuilder, Node, Op, Tensor, Unary, ValueId,
    };
    use secateur_testkit::change;

    /// `dense, scale, relu, dense` with a residual; `edit` may misstate a node to whoever finds the groups.
    fn network(edit: impl Fn(&mut Node)) -> Graph {
        let mut b = GraphBuilder::new("tested");
        let integers = |shape: &[usize]| {
            let count: usize = shape.iter().product();
            let values = (0..count)
                .map(|i| [3.0, 1.0, -2.0, 5.0, 7.0][i % 5])
                .collect();
            Tensor::f32(shape, values).unwrap()
        };
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let w1 = b.constant("w1", integers(&[3, 4]));
        let scale = b.constant("scale", integers(&[4]));
        let w2 = b.constant("w2", integers(&[4, 4]));
        let w3 = b.constant("w3", integers(&[4, 2]));
        let mut add = |name: &str, op: Op, inputs: &[ValueId]| {
            let made = b.declare(name, None);
            let mut node = Node {
                name: name.into(),
                op,
                inputs: inputs.iter().map(|&i| Some(i)).collect(),
                outputs: vec![made],
            };
            edit(&mut node);
            b.add_node(node);
            made
        };
        let gemm = Op::Gemm(Gemm::default());
        let h1 = add("h1", gemm.clone(), &[x, w1]);
        let scaled = add("scaled", Op::Binary(Binary::Mul), &[h1, scale]);
        let relu = add("relu", Op::Unary(Unary::Relu), &[scaled]);
        let h2 = add("h2", gemm.clone(), &[relu, w2]);
        let sum = add("sum", Op::Binary(Binary::Add), &[h2, relu]);
        let y = add("y", gemm, &[sum, w3]);
        b.output(y);
        b.build().unwrap()
    }

    /// The change when what is true of the network is `real`, and its groups are those of `claimed`.
    fn change_between(real: impl Fn(&mut Node), claimed: impl Fn(&mut Node)) -> f64 {
        let groups = ChannelGroups::of(&network(claimed)).unwrap();
        change(&network(real), &groups, 1).unwrap()
    }

    fn as_it_is(_: &mut Node) {}

    fn without_residual(node: &mut Node) {
        if node.name == "sum" {
            node.op = Op::Identity;
            node.inputs.truncate(1);
        }
    }

    #[test]
    fn right_rules_pass() {
        assert_eq!(change_between(as_it_is, as_it_is), 0.0);
        assert_eq!(change_between(without_residual, without_residual), 0.0);
    }

    #[test]
    fn a_rule_that_misses_a_carried_constant_fails() {
        let uncarried = |node: &mut Node| {
            if node.name == "scaled" {
                node.op = Op::Identity;
                node.inputs.truncate(1);
            }
        };
        assert!(change_between(as_it_is, uncarried) > 1e-3);
    }

    #[test]
    fn a_rule_that_misses_a_coupling_fails() {
        assert!(change_between(as_it_is, without_residual) > 1e-3);
    }

    #[test]
    fn a_rule_that_takes_weights_the_wrong_way_round_fails() {
        let turned = |node: &mut Node| {
            without_residual(node);
            if node.name == "h2" {
                node.op = Op::Gemm(Gemm {
                    trans_b: true,
                    ..Gemm::default()
                });
            }
        };
        assert!(change_between(without_residual, turned) > 1e-3);
    }
}
