//! Weights that several nodes read through.

use secateur_graph::permute;

use super::*;

/// Which biases the nodes have that share weights.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bias {
    Common,
    Own,
    None,
}

/// Four units, two numbers, four units and two numbers: both layers to two numbers are one, which `wide_read` makes without a bias
/// operand.
fn in_turn(bias: Bias, is_product: bool) -> Graph {
    let (mut net, x) = Net::new(&[3]);
    let (op, biases) = match (is_product, bias) {
        (true, _) => (Op::MatMul, [None; 2]),
        (false, Bias::None) => (Op::Gemm(Gemm::default()), [None; 2]),
        (false, Bias::Common) => (
            Op::Gemm(Gemm::default()),
            [Some(net.weights("b", &[2], None)); 2],
        ),
        (false, Bias::Own) => (
            Op::Gemm(Gemm::default()),
            ["b1", "b2"].map(|name| Some(net.weights(name, &[2], None))),
        ),
    };
    let shared = net.weights("shared", &[4, 2], None);
    let mut h = x;
    for (layer, (width, bias)) in [3, 2].into_iter().zip(biases).enumerate() {
        let w = net.weights(&format!("w{layer}"), &[width, 4], Some(1));
        let made = net.b.node(format!("make{layer}"), Op::MatMul, &[h, w]);
        let units = Op::Unary(Unary::Relu);
        let units = net.b.node(format!("units{layer}"), units, &[made]);
        let inputs: Vec<ValueId> = [units, shared].into_iter().chain(bias).collect();
        h = net.b.node(format!("read{layer}"), op.clone(), &inputs);
    }
    net.built(h)
}

fn operand(graph: &Graph, node: &str, slot: usize) -> (ValueId, Vec<f64>) {
    let node = graph.nodes().iter().find(|n| n.name == node).unwrap();
    let id = node.inputs[slot].unwrap();
    (id, graph.constant(id).unwrap().numbers())
}

#[test]
fn what_others_can_stand_for_is_given_back_to_all_that_share_weights() {
    for bias in [Bias::Common, Bias::Own, Bias::None] {
        let wide = in_turn(bias, false);
        exactly(&wide, "make0", "read0");
        let graph = repaired(&wide, "make0", MadeSpread::Keep).0.graph;
        let [first, second] = ["read0", "read1"].map(|node| operand(&graph, node, 1));
        assert_eq!(first, second);
        let [first, second] = ["read0", "read1"].map(|node| operand(&graph, node, 2));
        assert_eq!(first.0 == second.0, bias == Bias::Common, "{bias:?}");
        if bias == Bias::Own {
            let before = ["read0", "read1"].map(|node| operand(&wide, node, 2).1);
            for c in 0..2 {
                let gaps = [first.1[c] - before[0][c], second.1[c] - before[1][c]];
                assert!((gaps[0] - gaps[1]).abs() < 1e-6, "{gaps:?}");
            }
        } else {
            assert_eq!(first.1, second.1);
        }
    }
    exactly(&in_turn(Bias::None, true), "make0", "read0");
}

/// A convolution to four units and one to two, each used for both inputs.
fn siamese(inputs: &[&str]) -> Graph {
    let (mut net, x) = Net::new(&[2, 5, 5]);
    let w1 = net.weights("w1", &[4, 2, 1, 1], None);
    let w2 = net.weights("w2", &[2, 4, 3, 3], None);
    let b2 = net.weights("b2", &[2], None);
    let mut made = vec![];
    for (at, name) in inputs.iter().enumerate() {
        let lengths = [Dim::batch(), Dim::Fixed(2), Dim::Fixed(5), Dim::Fixed(5)];
        let x = match at {
            0 => x,
            _ => net.b.input(*name, lengths),
        };
        let conv = |padding: usize| {
            let window = Window {
                padding: Padding::By {
                    before: vec![padding; 2],
                    behind: vec![padding; 2],
                },
                ..Window::plain(2)
            };
            Op::Conv(Conv {
                window,
                conv_groups: 1,
            })
        };
        let units = net.b.node(format!("make.{name}"), conv(0), &[x, w1]);
        let units = net
            .b
            .node(format!("units.{name}"), Op::Unary(Unary::Relu), &[units]);
        made.push(
            net.b
                .node(format!("read.{name}"), conv(1), &[units, w2, b2]),
        );
    }
    let out = match made[..] {
        [one, other] => net.b.node("sum", Op::Binary(Binary::Add), &[one, other]),
        _ => made[0],
    };
    net.built(out)
}

/// One solution for what two nodes read is that of one node which reads all of it.
#[test]
fn uses_of_shared_weights_are_pooled() {
    let (two, one) = (siamese(&["a", "b"]), siamese(&["a"]));
    let apart = |seed, count| batches(&two, count, seed);
    let together = |seed, count| -> Vec<Batch> {
        let join = |batch: Batch| {
            let mut all = batch.into_iter();
            let mut first = all.next().unwrap();
            for other in all {
                first.shape[0] += other.shape[0];
                first.values.extend(other.values);
            }
            vec![first]
        };
        apart(seed, count).into_iter().map(join).collect()
    };
    let of_two = repaired_without((&two, &[("make.a", 1)]), MadeSpread::Keep, apart).0;
    let of_one = repaired_without((&one, &[("make.a", 1)]), MadeSpread::Keep, together).0;
    let told = |outcome: &Outcome| outcome.readers[0].clone();
    assert_eq!(told(&of_two).ridge, told(&of_one).ridge);
    assert_eq!(told(&of_two).moments_of, "patches");
    for slot in [1, 2] {
        let [found, wanted] = [&of_two, &of_one].map(|o| operand(&o.graph, "read.a", slot).1);
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 1e-6, "{slot}: {found} {wanted}");
        }
    }
    for (found, wanted) in told(&of_two).tested.iter().zip(told(&of_one).tested) {
        assert!((found / wanted - 1.0).abs() < 1e-6, "{found} {wanted}");
    }
}

#[test]
fn units_in_another_order_give_weights_in_that_order() {
    let wide = in_turn(Bias::Common, false);
    let groups = ChannelGroups::of(&wide).unwrap();
    let id = groups.named("make0").unwrap();
    let turned = permute(&wide, &groups, id, &[2, 0, 3, 1]).unwrap().graph;
    let of = |wide: &Graph, unit| {
        let drawn = |seed, count| batches(wide, count, seed);
        let outcome = repaired_without((wide, &[("make0", unit)]), MadeSpread::Keep, drawn).0;
        operand(&outcome.graph, "read0", 1).1
    };
    let (plain, turned) = (of(&wide, 1), of(&turned, 3));
    for (row, of) in [1, 0, 2].into_iter().enumerate() {
        for c in 0..2 {
            let (found, wanted) = (turned[2 * row + c], plain[2 * of + c]);
            assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        }
    }
}

#[test]
fn weights_that_are_read_in_other_ways_too_stay() {
    let (mut net, x) = Net::new(&[3]);
    let w1 = net.weights("w1", &[3, 4], Some(1));
    let units = net.b.node("make", Op::MatMul, &[x, w1]);
    let shared = net.weights("shared", &[4, 2], None);
    let one = net.b.node("product", Op::MatMul, &[units, shared]);
    let gemm = Op::Gemm(Gemm::default());
    let other = net.b.node("gemm", gemm, &[units, shared]);
    let out = net.b.node("sum", Op::Binary(Binary::Add), &[one, other]);
    let (outcome, [before, after], untouched) = repaired(&net.built(out), "make", MadeSpread::Keep);
    assert_eq!((outcome.readers, before), (vec![], after));
    let told = untouched.iter().map(|u| (u.node.as_str(), u.why));
    let why = "its weights are read in other ways, too";
    assert!(told.eq([("product", why), ("gemm", why)]));
}

#[test]
fn means_are_made_up_for_only_where_each_use_can_take_them() {
    // One product has a sum behind it, the other one has none.
    let (mut net, x) = Net::new(&[3]);
    let w1 = net.weights("w1", &[3, 4], None);
    let made = net.b.node("make", Op::MatMul, &[x, w1]);
    let units = net.relu(made);
    let (shared, bias) = (
        net.weights("shared", &[4, 2], None),
        net.weights("bias", &[2], None),
    );
    let one = net.b.node("one", Op::MatMul, &[units, shared]);
    let one = net.b.node("one.sum", Op::Binary(Binary::Add), &[one, bias]);
    let other = net.b.node("other", Op::MatMul, &[units, shared]);
    let out = net.b.node("out", Op::Binary(Binary::Mul), &[one, other]);
    let products = net.built(out);
    // Several numbers of the weights take a channel to another.
    let (mut net, x) = Net::new(&[3, 5]);
    let w1 = net.weights("w1", &[4, 3, 1], None);
    let window = |stride| Window {
        strides: vec![stride],
        ..Window::plain(1)
    };
    let conv = Op::Conv(Conv {
        window: window(1),
        conv_groups: 1,
    });
    let made = net.b.node("make", conv, &[x, w1]);
    let units = net.relu(made);
    let (shared, bias) = (
        net.weights("shared", &[4, 2, 3], None),
        net.weights("bias", &[2], None),
    );
    let back = Op::ConvTranspose(ConvTranspose {
        window: window(2),
        conv_groups: 1,
        output_padding: vec![0],
    });
    let sides = ["one", "other"].map(|name| net.b.node(name, back.clone(), &[units, shared, bias]));
    let out = net.b.node("out", Op::Binary(Binary::Mul), &sides);
    for (wide, node, slot) in [(products, "one.sum", 1), (net.built(out), "one", 2)] {
        let outcome = repaired(&wide, "make", MadeSpread::Keep).0;
        assert!(outcome.readers[0].ridge.is_some_and(f64::is_finite));
        assert_eq!(
            operand(&outcome.graph, node, slot),
            operand(&wide, node, slot)
        );
    }
}
