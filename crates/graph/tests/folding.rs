//! Folding constant units away leaves the function as it was.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, Dim, Gemm, Graph, GraphBuilder, GroupKind, Keep, Op, Role, Tensor, Unary,
    evaluate, fold_constants, shrink,
};
use secateur_testkit::{Stream, largest_magnitude, mlp, piecewise_linear, rows, smooth};

/// The network with all producing matrices of about half of the hidden units set to 0.0.
fn starved(graph: &Graph, groups: &ChannelGroups, seed: u64) -> Graph {
    let mut stream = Stream::new(seed);
    let mut starved = graph.clone();
    for group in groups
        .groups()
        .iter()
        .filter(|g| g.kind == GroupKind::Hidden)
    {
        let chosen: Vec<bool> = (0..group.units).map(|_| stream.below(2) == 0).collect();
        for member in group.members.iter().filter(|m| m.role == Role::Produces) {
            let mut tensor = starved.constant(member.tensor).unwrap().clone();
            let [rows, columns] = *tensor.shape() else {
                continue;
            };
            for (at, value) in tensor.as_f32_mut().unwrap().iter_mut().enumerate() {
                let position = if member.axis == 0 {
                    at / columns
                } else {
                    at % columns
                };
                assert!(at / columns < rows);
                if member.unit_of[position].is_some_and(|u| chosen[u as usize]) {
                    *value = 0.0;
                }
            }
            starved.set_constant(member.tensor, tensor).unwrap();
        }
    }
    starved
}

/// The largest difference between outputs, relative to the largest number in the network.
fn difference(before: &Graph, after: &Graph, seed: u64) -> f64 {
    let inputs = rows(before, 3, seed);
    let scale = largest_magnitude(before, &inputs).unwrap();
    let before = evaluate(before, &inputs).unwrap();
    let after = evaluate(after, &inputs).unwrap();
    let pairs = before.iter().zip(&after);
    let pairs = pairs.flat_map(|(a, b)| a.values.iter().zip(&b.values));
    pairs.fold(0.0, |most: f64, (a, b)| most.max((a - b).abs())) / scale
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whole numbers and powers of two fit into single precision, so that biases are not rounded.
    #[test]
    fn exact_constants_fold_exactly(plan in piecewise_linear(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let graph = starved(&graph, &groups, seed);
        let folded = fold_constants(&graph, &groups).unwrap();
        prop_assert!(difference(&graph, &folded.graph, seed) < 1e-12);
        let inputs = rows(&graph, 3, seed);
        let after = evaluate(&folded.graph, &inputs).unwrap();
        // What was folded is unread now, so that it goes without a trace.
        let keep = Keep::unread(&folded.graph, &groups, 1);
        let small = shrink(&folded.graph, &groups, &keep).unwrap();
        prop_assert_eq!(evaluate(&small.graph, &inputs).unwrap(), after);
        prop_assert!(fold_constants(&folded.graph, &groups).unwrap().units.is_empty());
    }

    /// A bias is rounded by 6e-8 of itself at most; 1e-5 leaves room for a few layers to amplify that.
    #[test]
    fn rounded_constants_fold_closely(widths in prop::collection::vec(1..7usize, 3..6), seed in 0..1000u64) {
        for unary in [Unary::Tanh, Unary::Sigmoid, Unary::LeakyRelu { alpha: 0.1 }] {
            let graph = mlp(&widths, unary, seed).unwrap();
            let groups = ChannelGroups::of(&graph).unwrap();
            let graph = starved(&graph, &groups, seed);
            let folded = fold_constants(&graph, &groups).unwrap();
            prop_assert!(folded.left.is_empty());
            prop_assert!(difference(&graph, &folded.graph, seed) < 1e-5);
        }
    }

    /// Gates and sums with what varies, and mixing over channels, must not pass for constants.
    #[test]
    fn all_operations_stand_it(plan in smooth(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let graph = starved(&graph, &groups, seed);
        let folded = fold_constants(&graph, &groups).unwrap();
        prop_assert!(difference(&graph, &folded.graph, seed) < 1e-5);
    }
}

/// `x -> dense of 2 units -> unary -> dense`, where unit 0 has no incoming weights.
fn one_constant_unit(unary: Unary, bias: f32, reader_has_bias: bool) -> Graph {
    let mut b = GraphBuilder::new("one");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
    let w1 = b.constant("w1", Tensor::f32([1, 2], vec![0.0, 1.0]).unwrap());
    let b1 = b.constant("b1", Tensor::f32([2], vec![bias, 0.0]).unwrap());
    let w2 = b.constant("w2", Tensor::f32([2, 1], vec![3.0, 5.0]).unwrap());
    let b2 = b.constant("b2", Tensor::f32([1], vec![0.25]).unwrap());
    let gemm = || Op::Gemm(Gemm::default());
    let h = b.node("h", gemm(), &[x, w1, b1]);
    let a = b.node("a", Op::Unary(unary), &[h]);
    let inputs = [a, w2, b2];
    let y = b.node("y", gemm(), &inputs[..if reader_has_bias { 3 } else { 2 }]);
    b.output(y);
    b.build().unwrap()
}

fn folded_bias(graph: &Graph) -> (usize, usize, f32) {
    let groups = ChannelGroups::of(graph).unwrap();
    let folded = fold_constants(graph, &groups).unwrap();
    let bias = folded.graph.value_named("b2").unwrap();
    let bias = folded.graph.constant(bias).unwrap().as_f32().unwrap()[0];
    (folded.units.len(), folded.left.len(), bias)
}

#[test]
fn the_constant_is_what_the_activation_makes_of_the_bias() {
    let graph = one_constant_unit(Unary::Relu, 2.0, true);
    assert_eq!(folded_bias(&graph), (1, 0, 6.25));
    let graph = one_constant_unit(Unary::Sigmoid, 0.0, true);
    assert_eq!(folded_bias(&graph), (1, 0, 1.75));
    let graph = one_constant_unit(Unary::Relu, -2.0, true);
    assert_eq!(folded_bias(&graph), (1, 0, 0.25));
}

#[test]
fn without_a_bias_only_zero_can_be_folded() {
    assert_eq!(
        folded_bias(&one_constant_unit(Unary::Relu, 2.0, false)),
        (0, 1, 0.25)
    );
    assert_eq!(
        folded_bias(&one_constant_unit(Unary::Relu, -2.0, false)),
        (1, 0, 0.25)
    );
}

#[test]
fn a_constant_that_is_not_a_number_stays() {
    let graph = one_constant_unit(Unary::Relu, f32::NAN, true);
    assert_eq!(folded_bias(&graph), (0, 0, 0.25));
}

/// The network of `one_constant_unit` with a second head, which has the first one's bias or none.
fn with_second_head(shares_bias: bool, hidden_is_output: bool) -> Graph {
    let one = one_constant_unit(Unary::Relu, 2.0, true);
    let mut b = GraphBuilder::new("two heads");
    for id in one.value_ids() {
        let value = one.value(id).clone();
        match value.constant {
            Some(tensor) => b.constant(value.name, (*tensor).clone()),
            None if one.inputs().contains(&id) => b.input(value.name, value.shape.unwrap()),
            None => b.declare(value.name, value.shape),
        };
    }
    for node in one.nodes() {
        b.add_node(node.clone());
    }
    let named = |name: &str| one.value_named(name).unwrap();
    b.output(named("y"));
    if shares_bias {
        let w3 = b.constant("w3", Tensor::f32([2, 1], vec![7.0, 1.0]).unwrap());
        let inputs = [named("a"), w3, named("b2")];
        let second = b.node("second", Op::Gemm(Gemm::default()), &inputs);
        b.output(second);
    }
    if hidden_is_output {
        b.output(named("a"));
    }
    b.build().unwrap()
}

#[test]
fn a_bias_that_another_layer_reads_is_left_alone() {
    assert_eq!(folded_bias(&with_second_head(false, false)), (1, 0, 6.25));
    assert_eq!(folded_bias(&with_second_head(true, false)), (0, 1, 0.25));
}

#[test]
fn frozen_units_are_left_alone() {
    assert_eq!(folded_bias(&with_second_head(false, true)), (0, 0, 0.25));
}
