//! A network that is cut is the network that the smaller graph would compile to.

use secateur_engine::{Chain, ErrorKind};
use secateur_graph::{ChannelGroups, Cut, Graph, Keep, Unary, mask, permute, shrink};
use secateur_testkit::{Stream, mlp, some_keep};

const ROWS: usize = 6;

fn inputs(width: usize) -> Vec<f32> {
    let mut stream = Stream::new(9);
    (0..ROWS * width).map(|_| stream.unit() as f32).collect()
}

fn select(x: &[f32], width: usize, selected: &[usize]) -> Vec<f32> {
    x.chunks_exact(width)
        .flat_map(|row| selected.iter().map(|&j| row[j]))
        .collect()
}

fn weights(network: &Chain) -> Vec<Vec<f32>> {
    let layers = network.layers().iter();
    layers
        .flat_map(|l| [l.weight().to_vec(), l.bias().to_vec()])
        .collect()
}

/// Marks every gradient and state with the number that the weight had.
fn copy_weights_to_state(network: &mut Chain) {
    for layer in network.layers_mut() {
        let (weight, bias) = (layer.weight().to_vec(), layer.bias().to_vec());
        layer.weight_gradient_mut().copy_from_slice(&weight);
        layer.bias_gradient_mut().copy_from_slice(&bias);
        layer
            .weight_state_mut()
            .for_each(|s| s.copy_from_slice(&weight));
        layer
            .bias_state_mut()
            .for_each(|s| s.copy_from_slice(&bias));
    }
}

#[test]
fn cutting_equals_compiling_the_shrunk_graph_and_state_goes_along() {
    for seed in 0..30 {
        let widths = [5 + seed as usize % 3, 9, 7, 3];
        let graph = mlp(&widths, Unary::Relu, seed).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let keep = some_keep(&groups, seed);
        let shrunk = shrink(&graph, &groups, &keep).unwrap();
        let mut network = Chain::compile(&graph, ROWS, 2, 2).unwrap();
        copy_weights_to_state(&mut network);
        network.cut(&shrunk.cuts).unwrap();
        let mut fresh = Chain::compile(&shrunk.graph, ROWS, 2, 2).unwrap();
        assert_eq!(weights(&network), weights(&fresh));
        assert_eq!(network.selected_inputs(), fresh.selected_inputs());
        for layer in network.layers() {
            assert_eq!(layer.weight_gradient(), layer.weight());
            assert_eq!(layer.bias_gradient(), layer.bias());
            assert!(layer.weight_state().iter().all(|s| s == layer.weight()));
            assert!(layer.bias_state().iter().all(|s| s == layer.bias()));
        }
        let all: Vec<usize> = (0..widths[0]).collect();
        let selected = network.selected_inputs().unwrap_or(&all);
        let x = select(&inputs(widths[0]), widths[0], selected);
        assert_eq!(network.forward(&x, ROWS), fresh.forward(&x, ROWS));

        let mut written = shrunk.graph.clone();
        network.write_back(&mut written).unwrap();
        assert_eq!(written, shrunk.graph);
    }
}

#[test]
fn a_second_cut_of_the_inputs_selects_among_those_that_are_left() {
    let graph = mlp(&[6, 4, 2], Unary::Relu, 1).unwrap();
    let mut network = Chain::compile(&graph, ROWS, 0, 1).unwrap();
    let tensor = network.layers()[0].weight_id();
    let cut = |kept: &[usize]| Cut {
        tensor,
        axis: 0,
        kept: kept.to_vec(),
    };
    network.cut(&[cut(&[1, 3, 4, 5])]).unwrap();
    network.cut(&[cut(&[0, 2])]).unwrap();
    assert_eq!(network.selected_inputs(), Some(&[1, 4][..]));
    assert_eq!(network.inputs(), 2);
}

#[test]
fn reordered_units_give_the_same_outputs() {
    let graph = mlp(&[5, 8, 3], Unary::Tanh, 4).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let x = inputs(5);
    for (id, group) in groups.iter() {
        if group.units != 8 {
            continue;
        }
        let order = Stream::new(3).order(group.units);
        let permuted = permute(&graph, &groups, id, &order).unwrap();
        let mut network = Chain::compile(&graph, ROWS, 0, 1).unwrap();
        let before = network.forward(&x, ROWS).to_vec();
        network.cut(&permuted.cuts).unwrap();
        let after = network.forward(&x, ROWS);
        let most = before.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        // Sums of 8 terms in another order.
        assert!(
            before
                .iter()
                .zip(after)
                .all(|(a, b)| (a - b).abs() <= 1e-6 * most)
        );
        let fresh = Chain::compile(&permuted.graph, ROWS, 0, 1).unwrap();
        assert_eq!(weights(&network), weights(&fresh));
    }
}

#[test]
fn masked_and_cut_networks_agree() {
    let graph = mlp(&[5, 30, 20, 3], Unary::Relu, 4).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let mut keep = Keep::all(&groups);
    for (id, group) in groups.iter() {
        if group.units >= 20 {
            for unit in [0, 3, 4, 19] {
                keep.drop(id, unit).unwrap();
            }
        }
    }
    let x = inputs(5);
    let masked: Graph = mask(&graph, &groups, &keep).unwrap();
    let mut masked = Chain::compile(&masked, ROWS, 0, 2).unwrap();
    let mut network = Chain::compile(&graph, ROWS, 0, 2).unwrap();
    network
        .cut(&shrink(&graph, &groups, &keep).unwrap().cuts)
        .unwrap();
    let (a, b) = (masked.forward(&x, ROWS), network.forward(&x, ROWS));
    let most = a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * most));
}

#[test]
fn cuts_that_do_not_fit_change_nothing() {
    let graph = mlp(&[6, 4, 2], Unary::Relu, 1).unwrap();
    let mut network = Chain::compile(&graph, ROWS, 0, 1).unwrap();
    let [first, second] = network.layers() else {
        panic!("two layers");
    };
    let (w1, b1, w2) = (
        first.weight_id(),
        first.bias_id().unwrap(),
        second.weight_id(),
    );
    let cut = |tensor, axis, kept: &[usize]| Cut {
        tensor,
        axis,
        kept: kept.to_vec(),
    };
    let bad = [
        vec![cut(w1, 0, &[6])],
        vec![cut(w1, 0, &[])],
        vec![cut(w1, 2, &[0])],
        vec![cut(w1, 0, &[0]), cut(w1, 0, &[0])],
        vec![cut(w1, 1, &[0]), cut(b1, 0, &[0])],
        vec![cut(w1, 1, &[0]), cut(w2, 0, &[0])],
        vec![cut(w1, 1, &[0]), cut(b1, 0, &[1]), cut(w2, 0, &[0])],
    ];
    let before = weights(&network);
    for cuts in bad {
        assert_eq!(network.cut(&cuts).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(weights(&network), before);
    }
}

#[test]
fn parameters_read_back_are_those_that_were_written() {
    for seed in 0..10 {
        let widths = [6, 5, 4];
        let mut graph = mlp(&widths, Unary::Relu, seed).unwrap();
        let other = mlp(&widths, Unary::Relu, seed + 100).unwrap();
        let mut network = Chain::compile(&graph, ROWS, 0, 1).unwrap();
        network.read(&other).unwrap();
        network.write_back(&mut graph).unwrap();
        for id in graph.value_ids() {
            assert_eq!(graph.constant(id), other.constant(id));
        }
        let wider = mlp(&[6, 7, 4], Unary::Relu, seed).unwrap();
        assert!(network.read(&wider).is_err());
    }
}
