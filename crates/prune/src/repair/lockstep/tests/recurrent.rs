//! Recurrent layers that read less than they did.

use secateur_graph::evaluate;
use secateur_testkit::recurrent;

use super::*;

const LAYERS: [(&str, usize); 3] = [("LSTM", 4), ("GRU", 3), ("RNN", 1)];
const HIDDEN: usize = 3;

/// Steps of two rows through a layer of four units to a recurrent one in both directions.
fn network((op_type, gates): (&str, usize), is_twice: bool, bias: bool) -> Graph {
    let (mut net, x) = Net::new(&[2, 3]);
    let w1 = net.weights("w1", &[3, 4], is_twice.then_some(1));
    let made = net.b.node("first", Op::MatMul, &[x, w1]);
    let hidden = net.relu(made);
    let stacked = gates * HIDDEN;
    let mut operands = vec![
        hidden,
        net.weights("w", &[2, stacked, 4], None),
        net.weights("r", &[2, stacked, HIDDEN], None),
    ];
    if bias {
        operands.push(net.weights("b", &[2, 2 * stacked], None));
    }
    let op = recurrent(op_type, (HIDDEN, "bidirectional"), operands.len()).unwrap();
    let out = net.b.node("second", op, &operands);
    net.built(out)
}

#[test]
fn what_others_can_stand_for_is_given_back_by_recurrent_layers() {
    for layer in LAYERS {
        for bias in [true, false] {
            exactly(&network(layer, true, bias), "first", "second");
        }
    }
}

/// Nothing stands for the unit that goes: means of what goes into each gate are those before, and what the state adds stays.
#[test]
fn biases_of_what_is_read_take_the_means() {
    for (op_type, gates) in LAYERS {
        let wide = network((op_type, gates), false, true);
        let small = repaired(&wide, "first", MadeSpread::Match).0.graph;
        let stacked = gates * HIDDEN;
        let known = [batches(&wide, 12, 1), batches(&wide, 3, 2)].concat();
        let into = |graph: &Graph| -> (Vec<f64>, Vec<f64>) {
            let node = graph.nodes().iter().find(|n| n.name == "second").unwrap();
            let numbers = |slot: usize| {
                graph
                    .constant(node.inputs[slot].unwrap())
                    .unwrap()
                    .numbers()
            };
            let (weights, biases) = (numbers(1), numbers(3));
            let width = weights.len() / (2 * stacked);
            let part = graph
                .segment(graph.inputs(), &[node.inputs[0].unwrap()])
                .unwrap();
            let mut mean = vec![0.0; width];
            for batch in &known {
                let given = secateur_graph::Array {
                    shape: batch[0].shape.clone(),
                    values: batch[0].values.iter().map(|&v| f64::from(v)).collect(),
                };
                let read = evaluate(&part, &[given]).unwrap().remove(0);
                let share = (known.len() * read.values.len() / width) as f64;
                for (at, v) in read.values.iter().enumerate() {
                    mean[at % width] += v / share;
                }
            }
            let gate = |row: usize| {
                let pairs = mean.iter().zip(&weights[row * width..]);
                let made: f64 = pairs.map(|(x, w)| x * w).sum();
                made + biases[row / stacked * 2 * stacked + row % stacked]
            };
            let of_state = biases.chunks(stacked).skip(1).step_by(2).flatten();
            (
                (0..2 * stacked).map(gate).collect(),
                of_state.copied().collect(),
            )
        };
        let ((want, of_state), (have, left)) = (into(&wide), into(&small));
        assert_eq!(of_state, left);
        for (want, have) in want.iter().zip(&have) {
            assert!((want - have).abs() < 1e-6, "{op_type}: {want} {have}");
        }
    }
}
