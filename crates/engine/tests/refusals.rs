//! Graphs that the engine does not run are refused by name, with what to do.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use secateur_engine::{Chain, ErrorKind};
use secateur_graph::{Binary, Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary, ValueId};

fn graph(build: impl FnOnce(&mut GraphBuilder, ValueId) -> ValueId) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    let y = build(&mut b, x);
    b.output(y);
    b.build().unwrap()
}

fn constant(b: &mut GraphBuilder, name: &str, shape: &[usize]) -> ValueId {
    let elements = shape.iter().product();
    b.constant(name, Tensor::f32(shape, vec![0.5; elements]).unwrap())
}

fn layer(b: &mut GraphBuilder, name: &str, x: ValueId, shape: [usize; 2], gemm: Gemm) -> ValueId {
    let w = constant(b, &format!("{name}.w"), &shape);
    b.node(name, Op::Gemm(gemm), &[x, w])
}

fn refused(graph: &Graph) -> (ErrorKind, String) {
    let error = Chain::compile(graph, 4, 0, 1).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Invalid || error.hint_text().is_some(),
        "{error}"
    );
    (error.kind(), error.to_string())
}

#[test]
fn what_is_not_run_is_named() {
    let plain = Gemm::default();
    let cases = [
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                b.node("soft", Op::Softmax { axis: -1 }, &[y])
            }),
            "soft: Softmax is part of the loss here",
        ),
        (
            graph(|b, x| {
                let mean = constant(b, "mean", &[3]);
                let x = b.node("centre", Op::Binary(Binary::Sub), &[x, mean]);
                layer(b, "a", x, [3, 2], plain)
            }),
            "centre: Sub cannot be trained at this place",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                let y = b.node("one", Op::Unary(Unary::Relu), &[y]);
                b.node("two", Op::Unary(Unary::Tanh), &[y])
            }),
            "two: Tanh is run only right behind a layer",
        ),
        (
            graph(|b, x| {
                layer(
                    b,
                    "a",
                    x,
                    [3, 2],
                    Gemm {
                        alpha: 2.0,
                        ..plain
                    },
                )
            }),
            "a: Gemm with a factor or a transposed input cannot be trained",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                b.node("twice", Op::Binary(Binary::Add), &[y, y])
            }),
            "twice: the bias is not a constant of 32-bit floats",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                let c = constant(b, "c", &[1]);
                b.node("add", Op::Binary(Binary::Add), &[y, c])
            }),
            "add: a bias of shape [1] behind 2 units",
        ),
        (
            graph(|b, x| {
                let w = constant(b, "w", &[3, 3]);
                let y = b.node("a", Op::MatMul, &[x, w]);
                b.node("b", Op::MatMul, &[y, w])
            }),
            "b: shares its weights with another layer",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                let z = b.node("b", Op::Unary(Unary::Relu), &[y]);
                b.node("c", Op::Binary(Binary::Add), &[y, z])
            }),
            "a: is read by 2 nodes",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                b.node("leaky", Op::Unary(Unary::LeakyRelu { alpha: -1.0 }), &[y])
            }),
            "leaky: a LeakyRelu of slope -1 cannot be trained",
        ),
    ];
    for (graph, message) in cases {
        assert_eq!(
            refused(&graph),
            (ErrorKind::Unsupported, message.to_owned())
        );
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let plain = Gemm::default();
    let cases = [
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 2], plain);
                layer(b, "b", y, [3, 1], plain)
            }),
            "b: reads 3 units where 2 are made",
        ),
        (
            graph(|b, x| {
                let y = layer(b, "a", x, [3, 0], plain);
                layer(b, "b", y, [0, 1], plain)
            }),
            "a: a layer has no units",
        ),
        (graph(|_, x| x), "the network has no layer"),
        (
            graph(|b, x| {
                let i = b.constant("i", Tensor::i64([2], vec![0, 3]).unwrap());
                let y = b.node("pick", Op::Gather { axis: 1 }, &[x, i]);
                layer(b, "a", y, [2, 1], plain)
            }),
            "pick: an index lies beyond 3 inputs",
        ),
    ];
    for (graph, message) in cases {
        assert_eq!(refused(&graph), (ErrorKind::Invalid, message.to_owned()));
    }
    let fine = graph(|b, x| layer(b, "a", x, [3, 2], plain));
    for (batch, slots, threads) in [(0, 0, 1), (1, 3, 1), (1, 0, 0)] {
        let error = Chain::compile(&fine, batch, slots, threads).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn a_gather_before_the_first_layer_is_left_to_the_caller() {
    let graph = graph(|b, x| {
        let i = b.constant("i", Tensor::i64([2], vec![2, -3]).unwrap());
        let y = b.node("pick", Op::Gather { axis: -1 }, &[x, i]);
        layer(b, "a", y, [2, 1], Gemm::default())
    });
    let mut network = Chain::compile(&graph, 1, 0, 1).unwrap();
    assert_eq!(network.selected_inputs(), Some(&[2, 0][..]));
    assert_eq!(network.forward(&[1.0, 3.0], 1), [2.0]);
}
