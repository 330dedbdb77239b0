//! What units cost beside the cost of networks that lost them.

use secateur_graph::{
    ChannelGroups, Dim, Graph, GraphBuilder, Keep, Op, Tensor, Unary, cost, shrink,
};
use secateur_prox::Quantity;
use secateur_prune::UnitCosts;
use secateur_testkit::{Block, Stream, mlp};

use super::networks::{pictures, plain, residual};
use crate::budget::count;

/// Takes units away one by one, and holds what is left, and what the next unit of each group frees, to networks without them.
fn check(graph: &Graph, name: &str) {
    let groups = ChannelGroups::of(graph).unwrap();
    for of in [Quantity::Macs, Quantity::Params] {
        let count = |keep: &Keep| match keep.is_all() {
            true => count(of, graph).unwrap() as f64,
            false => count(of, &shrink(graph, &groups, keep).unwrap().graph).unwrap() as f64,
        };
        let mut costs = UnitCosts::of(graph, &groups, of, &cost(graph).unwrap());
        let mut keep = Keep::all(&groups);
        let mut stream = Stream::new(5);
        loop {
            let left = count(&keep);
            assert!(
                (costs.left() - left).abs() < 1e-6 * left,
                "{name} {of:?}: {} of {left}",
                costs.left()
            );
            let free = groups.iter().filter(|(_, g)| g.is_free()).map(|(id, _)| id);
            let more: Vec<_> = free.filter(|&id| keep.count(id) > 1).collect();
            for &id in &more {
                let mut next = keep.clone();
                next.drop(id, keep.kept(id)[0]).unwrap();
                let (freed, want) = (costs.freed_by_one(id), left - count(&next));
                assert!(
                    (freed - want).abs() < 1e-6 * want,
                    "{name} {of:?}: {freed} for {want}"
                );
            }
            if more.is_empty() {
                break;
            }
            let id = more[stream.below(more.len())];
            let kept = keep.kept(id);
            keep.drop(id, kept[stream.below(kept.len())]).unwrap();
            costs.remove(id);
        }
    }
}

#[test]
fn what_is_left_and_what_a_unit_frees_are_those_of_the_smaller_network() {
    check(&plain(), "plain");
    check(&mlp(&[5, 4, 3, 2], Unary::Relu, 1).unwrap(), "dense layers");
    let depthwise = [
        Block::Conv(4, 3, true),
        Block::BatchNorm,
        Block::Depthwise,
        Block::Conv(3, 1, true),
    ];
    check(&pictures(&depthwise, true), "depthwise");
    let sum = [Block::Conv(4, 3, true), Block::Residual, Block::Residual];
    check(&pictures(&sum, false), "sums");
}

/// Two layers, and beside them two products of the input with itself.
#[test]
fn products_without_weights_stay_as_they_are() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3), Dim::Fixed(4)]);
    let mut y = x;
    for (name, shape) in [("first", [4, 6]), ("second", [6, 2])] {
        let w = Tensor::f32(shape, vec![0.5; shape[0] * shape[1]]).unwrap();
        let w = b.constant(format!("{name}.w"), w);
        y = b.node(name, Op::MatMul, &[y, w]);
    }
    b.output(y);
    let turned = b.node(
        "turned",
        Op::Transpose {
            order: vec![0, 2, 1],
        },
        &[x],
    );
    for name in ["one", "two"] {
        let product = b.node(name, Op::MatMul, &[x, turned]);
        b.output(product);
    }
    let graph = b.build().unwrap();
    // 3 * 4 * 6 + 3 * 6 * 2 of the layers, and 3 * 4 * 3 of each product.
    assert_eq!(count(Quantity::Macs, &graph).unwrap(), 72 + 36 + 2 * 36);
    check(&graph, "products");
}

#[test]
fn units_side_by_side_on_one_axis_are_counted_together() {
    check(&residual(), "a concatenation");
    let dense = [
        Block::Conv(3, 3, true),
        Block::Dense(2),
        Block::Dense(4),
        Block::Conv(3, 1, true),
    ];
    check(&pictures(&dense, true), "concatenations");
}

/// What a layer costs that has lost all its units is nothing, and no trouble for those beside it.
#[test]
fn a_layer_without_units_frees_nothing_more() {
    let graph = mlp(&[5, 4, 3, 2], Unary::Relu, 1).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let mut costs = UnitCosts::of(&graph, &groups, Quantity::Params, &cost(&graph).unwrap());
    let free: Vec<_> = groups.iter().filter(|(_, g)| g.units == 4).collect();
    let (first, units) = (free[0].0, free[0].1.units);
    for _ in 0..units {
        costs.remove(first);
    }
    // The biases of the second layer and of the outputs, and what stands between these.
    assert_eq!(costs.left(), (3 + 2 + 3 * 2) as f64);
    assert_eq!(costs.freed_by_one(first), 0.0);
    let second = groups.iter().find(|(_, g)| g.units == 3).unwrap().0;
    let freed = costs.freed_by_one(second);
    assert!((freed - 3.0).abs() < 1e-9, "{freed}");
}
