//! Constants that are moved about before they are read.

use secateur_engine::{Network, Threads};
use secateur_graph::{Op, Unary};

use super::{Net, check};

/// A token that is repeated for every row by its shape, positions that are cut from a table, and a turned weight.
#[test]
fn tokens_tables_and_turned_weights_are_trained() {
    let mut net = Net::new(&[3, 4], 6);
    let x = net.input;
    let w = net.constant(&[5, 4], 0.0, 0.5);
    let w = net.node(Op::Transpose { order: vec![1, 0] }, &[w]);
    let x = net.node(Op::MatMul, &[x, w]);
    let token = net.constant(&[1, 1, 5], 0.0, 0.5);
    let shape = net.node(
        Op::Shape {
            start: 0,
            end: Some(1),
        },
        &[x],
    );
    let rest = net.whole(&[1, 5]);
    let shape = net.node(Op::Concat { axis: 0 }, &[shape, rest]);
    let token = net.node(Op::Expand, &[token, shape]);
    let x = net.node(Op::Concat { axis: 1 }, &[token, x]);
    let table = net.constant(&[7, 5], 0.0, 0.5);
    let [start, end, axis] = [[0], [4], [0]].map(|n: [i64; 1]| net.whole(&n));
    let own = net.node(Op::Slice { bounds: None }, &[table, start, end, axis]);
    let x = net.binary(secateur_graph::Binary::Add, x, own);
    let slope = net.constant(&[5], 0.2, 0.1);
    let slope = net.node(Op::Identity, &[slope]);
    let x = net.node(Op::PRelu, &[x, slope]);
    let one = net.constant(&[1, 1, 5], 1.0, 0.3);
    let twice = net.whole(&[1, 2, 1]);
    let many = net.node(Op::Tile, &[one, twice]);
    let many = net.node(Op::Concat { axis: 1 }, &[many, many]);
    let x = net.binary(secateur_graph::Binary::Mul, x, many);
    let y = net.unary(x, Unary::Tanh);
    let graph = net.build(y);
    check(&graph, 3);
    let pool = Threads::new(1).unwrap();
    let network = Network::compile(&graph, &[1, 3, 4], 2, 0, pool).unwrap();
    assert_eq!(network.parameters().len(), 5);
    // Every parameter is a constant of the graph as it was given.
    network.write_back(&mut graph.clone()).unwrap();
}

/// Statistics of the input that are reshaped stay as they are, as they stand before all layers.
#[test]
fn what_prepares_the_input_is_not_trained() {
    let mut net = Net::new(&[3, 4, 4], 6);
    let x = net.input;
    let mean = net.constant(&[3], 0.0, 0.5);
    let shape = net.whole(&[1, 3, 1, 1]);
    let mean = net.node(Op::Reshape { allow_zero: false }, &[mean, shape]);
    let x = net.binary(secateur_graph::Binary::Sub, x, mean);
    let y = net.conv(x, 4, 3, 1, 1, 1);
    let graph = net.build(y);
    check(&graph, 2);
    let pool = Threads::new(1).unwrap();
    let network = Network::compile(&graph, &[1, 3, 4, 4], 2, 0, pool).unwrap();
    assert_eq!(network.parameters().len(), 2);
}
