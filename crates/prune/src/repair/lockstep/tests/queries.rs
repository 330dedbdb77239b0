//! Attention whose queries and keys lose dimensions.

use secateur_graph::permute;

use super::*;

/// What lies between queries and their weights.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Scale,
    /// The scale is the first operand.
    ScaleFirst,
    /// Queries are divided by it.
    Share,
    /// A number for each dimension, as rotary embeddings have.
    Scales,
    /// Another product reads what becomes of the same queries.
    Relu,
    /// Another product reads the same queries.
    Copy,
    /// Others are made by the same weights.
    Weights,
}

const HEADS: usize = 2;
const DIMENSIONS: usize = 4;

impl Net {
    /// Weights to both heads; the second dimension of each is twice the first.
    fn per_head(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let mut numbers: Vec<f32> = (0..shape.iter().product::<usize>())
            .map(|_| 2.0 * (self.stream.unit() - 0.5) as f32)
            .collect();
        for dimensions in numbers.chunks_mut(DIMENSIONS) {
            dimensions[1] = 2.0 * dimensions[0];
        }
        self.b
            .constant(name, Tensor::f32(shape.to_vec(), numbers).unwrap())
    }

    fn by_heads(&mut self, name: &str, x: ValueId, order: &[usize]) -> ValueId {
        let lengths = Tensor::i64([4], vec![0, 5, HEADS as i64, DIMENSIONS as i64]).unwrap();
        let lengths = self.b.constant(format!("{name}.lengths"), lengths);
        let op = Op::Reshape { allow_zero: false };
        let parted = self.b.node(format!("{name}.parted"), op, &[x, lengths]);
        let order = order.to_vec();
        self.b
            .node(format!("{name}.turned"), Op::Transpose { order }, &[parted])
    }
}

fn attention(between: Between, is_softened: bool) -> Graph {
    let (mut net, x) = Net::new(&[5, 6]);
    let w = net.weights("first.w", &[6, 6], Some(1));
    let made = net.b.node("first", Op::MatMul, &[x, w]);
    let x = net.relu(made);
    let width = HEADS * DIMENSIONS;
    let (mut sides, mut of_queries) = (vec![], None);
    for name in ["queries", "keys", "values"] {
        let w = net.per_head(&format!("{name}.w"), &[6, width]);
        of_queries.get_or_insert(w);
        let b = net.per_head(&format!("{name}.b"), &[width]);
        let made = net.b.node(name, Op::MatMul, &[x, w]);
        let sum = net
            .b
            .node(format!("{name}.sum"), Op::Binary(Binary::Add), &[made, b]);
        let order = if name == "keys" {
            [0, 2, 3, 1]
        } else {
            [0, 2, 1, 3]
        };
        sides.push(net.by_heads(name, sum, &order));
    }
    let scale = match between {
        Between::Scales => Tensor::f32([DIMENSIONS], vec![0.5, 1.0, 0.5, 1.0]),
        _ => Tensor::f32([1], vec![0.5]),
    };
    let scale = net.b.constant("scale", scale.unwrap());
    let (op, operands) = match between {
        Between::ScaleFirst => (Binary::Mul, [scale, sides[0]]),
        Between::Share => (Binary::Div, [sides[0], scale]),
        _ => (Binary::Mul, [sides[0], scale]),
    };
    let queries = net.b.node("scaled", Op::Binary(op), &operands);
    let mut scores = net.b.node("scores", Op::MatMul, &[queries, sides[1]]);
    let other = match between {
        Between::Relu => Some(net.b.node("others", Op::Unary(Unary::Relu), &[sides[0]])),
        Between::Copy => Some(net.b.node("others", Op::Identity, &[sides[0]])),
        Between::Weights => {
            let w = of_queries.unwrap();
            let made = net.b.node("again", Op::MatMul, &[x, w]);
            Some(net.by_heads("again", made, &[0, 2, 1, 3]))
        }
        _ => None,
    };
    if let Some(queries) = other {
        let more = net.b.node("more", Op::MatMul, &[queries, sides[1]]);
        scores = net.b.node("all", Op::Binary(Binary::Add), &[scores, more]);
    }
    if is_softened {
        scores = net.b.node("shares", Op::Softmax { axis: -1 }, &[scores]);
    }
    let found = net.b.node("found", Op::MatMul, &[scores, sides[2]]);
    let order = vec![0, 2, 1, 3];
    let back = net.b.node("back", Op::Transpose { order }, &[found]);
    let lengths = Tensor::i64([3], vec![0, 5, width as i64]).unwrap();
    let lengths = net.b.constant("lengths", lengths);
    let op = Op::Reshape { allow_zero: false };
    let flat = net.b.node("flat", op, &[back, lengths]);
    let w = net.weights("out.w", &[width, 3], None);
    let out = net.b.node("out", Op::MatMul, &[flat, w]);
    net.built(out)
}

fn weights(graph: &Graph, name: &str) -> Vec<f64> {
    graph
        .constant(graph.value_named(name).unwrap())
        .unwrap()
        .numbers()
}

#[test]
fn dimensions_of_queries_and_keys_that_others_can_stand_for_are_given_back() {
    for between in [Between::ScaleFirst, Between::Share] {
        exactly(&attention(between, true), "queries#2", "scores");
    }
    let wide = attention(Between::Scale, true);
    exactly(&wide, "queries#2", "scores");
    // Queries alone take it.
    let small = repaired(&wide, "queries#2", MadeSpread::Keep).0.graph;
    let before = weights(&wide, "keys.w");
    let left = before.chunks(DIMENSIONS).flat_map(|d| [d[0], d[2], d[3]]);
    assert!(weights(&small, "keys.w").into_iter().eq(left));
}

#[test]
fn dimensions_in_another_order_give_weights_in_that_order() {
    let wide = attention(Between::Scale, true);
    let groups = ChannelGroups::of(&wide).unwrap();
    let id = groups.named("queries#2").unwrap();
    let turned = permute(&wide, &groups, id, &[2, 0, 3, 1]).unwrap().graph;
    let of = |wide: &Graph, unit| {
        let drawn = |seed, count| batches(wide, count, seed);
        let outcome = repaired_without((wide, &[("queries#2", unit)]), MadeSpread::Keep, drawn).0;
        [
            weights(&outcome.graph, "queries.w"),
            weights(&outcome.graph, "queries.b"),
        ]
        .concat()
    };
    let (plain, turned) = (of(&wide, 1), of(&turned, 3));
    for (plain, turned) in plain.chunks(3).zip(turned.chunks(3)) {
        for (at, of) in [1, 0, 2].into_iter().enumerate() {
            assert!(
                (turned[at] - plain[of]).abs() < 1e-5,
                "{turned:?} {plain:?}"
            );
        }
    }
}

#[test]
fn queries_that_are_more_than_scaled_and_those_that_others_read_stay() {
    let more = "more than scales and the order of numbers lies between queries and their weights";
    let hard = "it multiplies activations without a Softmax behind";
    for (between, is_softened, wanted) in [
        (Between::Scales, true, &[("scores", more)][..]),
        (Between::Scale, false, &[("scores", hard)]),
        (Between::Relu, true, &[("scores", more), ("more", more)]),
        (Between::Copy, true, &[("scores", more), ("more", more)]),
        (Between::Weights, true, &[("scores", more), ("more", more)]),
    ] {
        let wide = attention(between, is_softened);
        let (outcome, [before, after], untouched) = repaired(&wide, "queries#2", MadeSpread::Keep);
        assert_eq!((outcome.readers, before), (vec![], after));
        let told: Vec<_> = untouched.iter().map(|u| (u.node.as_str(), u.why)).collect();
        assert_eq!(told, wanted, "{between:?}");
    }
}

/// Units in front of the projections go, dimensions of queries and keys, and those of values behind.
#[test]
fn products_follow_their_projections_and_come_before_what_is_behind() {
    let wide = attention(Between::Scale, true);
    let units = [("first", 1), ("queries#2", 1), ("values", 1)];
    let drawn = |seed, count| batches(&wide, count, seed);
    let (outcome, [before, after], untouched, again) =
        repaired_without((&wide, &units), MadeSpread::Keep, drawn);
    assert_eq!(untouched, []);
    let names: Vec<&str> = outcome.readers.iter().map(|r| r.node.as_str()).collect();
    assert_eq!(names, ["queries", "keys", "values", "scores", "out"]);
    assert!(before > 1e-3 && after < 1e-5, "{before:e} {after:e}");
    for (told, again) in outcome.readers.iter().zip(&again.readers) {
        assert!(told.tested[1] < 1e-5, "{told:?}");
        assert!(
            (told.tested[1] - again.tested[1]).abs() < 1e-9,
            "{told:?} {again:?}"
        );
    }
}

#[test]
fn heads_that_stay_are_compared_with_what_they_were() {
    let wide = attention(Between::Scale, true);
    let units = [("queries", 0), ("queries#2", 1)];
    let drawn = |seed, count| batches(&wide, count, seed);
    let (outcome, _, untouched, _) = repaired_without((&wide, &units), MadeSpread::Keep, drawn);
    assert_eq!(untouched, []);
    let told = &outcome.readers[0];
    assert_eq!(told.node, "scores");
    assert!(told.tested[0] > 1e-3 && told.tested[1] < 1e-6, "{told:?}");
}

/// One projection to queries, keys and values, which are picked of what it makes.
#[test]
fn queries_are_found_in_a_projection_that_makes_all() {
    let (mut net, x) = Net::new(&[5, 6]);
    let all = 3 * HEADS * DIMENSIONS;
    let (w, b) = (net.per_head("w", &[6, all]), net.per_head("b", &[all]));
    let gemm = net.b.node("all", Op::MatMul, &[x, w]);
    let sum = net.b.node("sum", Op::Binary(Binary::Add), &[gemm, b]);
    let lengths = Tensor::i64([5], vec![0, 5, 3, HEADS as i64, DIMENSIONS as i64]).unwrap();
    let lengths = net.b.constant("lengths", lengths);
    let op = Op::Reshape { allow_zero: false };
    let parted = net.b.node("parted", op.clone(), &[sum, lengths]);
    let order = vec![2, 0, 3, 1, 4];
    let turned = net.b.node("turned", Op::Transpose { order }, &[parted]);
    let [queries, keys, values] = [0, 1, 2].map(|at: i64| {
        let which = Tensor::i64(vec![], vec![at]).unwrap();
        let which = net.b.constant(format!("which{at}"), which);
        net.b.node(
            format!("picked{at}"),
            Op::Gather { axis: 0 },
            &[turned, which],
        )
    });
    let order = vec![0, 1, 3, 2];
    let keys = net.b.node("columns", Op::Transpose { order }, &[keys]);
    let scores = net.b.node("scores", Op::MatMul, &[queries, keys]);
    let shares = net.b.node("shares", Op::Softmax { axis: -1 }, &[scores]);
    let found = net.b.node("found", Op::MatMul, &[shares, values]);
    let order = vec![0, 2, 1, 3];
    let back = net.b.node("back", Op::Transpose { order }, &[found]);
    let lengths = Tensor::i64([3], vec![0, 5, (HEADS * DIMENSIONS) as i64]).unwrap();
    let lengths = net.b.constant("flat.lengths", lengths);
    let flat = net.b.node("flat", op, &[back, lengths]);
    let w = net.weights("out.w", &[HEADS * DIMENSIONS, 3], None);
    let out = net.b.node("out", Op::MatMul, &[flat, w]);
    let wide = net.built(out);
    let drawn = |seed, count| batches(&wide, count, seed);
    let (outcome, [before, after], untouched, _) =
        repaired_without((&wide, &[("all#3", 1)]), MadeSpread::Keep, drawn);
    assert_eq!(untouched, []);
    let names: Vec<&str> = outcome.readers.iter().map(|r| r.node.as_str()).collect();
    assert_eq!(names, ["scores", "out"]);
    assert!(before > 1e-3 && after < 1e-5, "{before:e} {after:e}");
    for name in ["w", "b"] {
        let (old, new) = (weights(&wide, name), weights(&outcome.graph, name));
        let left = old.chunks(DIMENSIONS).flat_map(|d| [d[0], d[2], d[3]]);
        let left: Vec<f64> = left.collect();
        // Six numbers of queries, twelve of keys and values.
        for (row, old) in new.chunks(18).zip(left.chunks(18)) {
            assert_eq!(row[6..], old[6..]);
            assert_ne!(row[..6], old[..6]);
        }
    }
}
