//! Nodes that are right, and outputs that are not.

use secateur_graph::{
    Binary, Conv, ConvTranspose, Gemm, GraphBuilder, Padding, Pool, PoolKind, Reduce, ReduceAxes,
    ReduceKind, Unary, Window, evaluate,
};
use secateur_testkit::Stream;

use super::*;
use crate::model::draw::draw;
use crate::on_engine::OnEngine;

/// Most kinds of parts behind each other, and a shape that is computed.
fn graph() -> Graph {
    let mut stream = Stream::new(1);
    let mut b = GraphBuilder::new("g");
    let mut count = 0;
    let mut constant = |b: &mut GraphBuilder, shape: &[usize]| {
        count += 1;
        let len = shape.iter().product();
        let numbers = (0..len).map(|_| stream.unit() as f32 - 0.4).collect();
        b.constant(format!("c{count}"), Tensor::f32(shape, numbers).unwrap())
    };
    let x = b.input(
        "x",
        [
            Dim::batch(),
            Dim::Fixed(2),
            Dim::Fixed(5),
            Dim::Fixed(20),
            Dim::Fixed(21),
        ],
    );
    let window = |stride: usize, pad: usize| Window {
        strides: vec![stride; 3],
        padding: Padding::By {
            before: vec![pad; 3],
            behind: vec![pad; 3],
        },
        ..Window::plain(3)
    };
    let (w, bias) = (constant(&mut b, &[4, 1, 3, 3, 3]), constant(&mut b, &[4]));
    let conv = Conv {
        window: window(2, 1),
        conv_groups: 2,
    };
    let y = b.node("conv", Op::Conv(conv), &[x, w, bias]);
    let norm: Vec<ValueId> = (0..3).map(|_| constant(&mut b, &[4])).collect();
    let variance = b.constant("variance", Tensor::f32([4], vec![1.0; 4]).unwrap());
    let op = Op::BatchNorm {
        epsilon: 1e-5,
        momentum: 0.9,
    };
    let y = b.node("norm", op, &[y, norm[0], norm[1], norm[2], variance]);
    let y = b.node("relu", Op::Unary(Unary::Relu), &[y]);
    let scale = constant(&mut b, &[4, 1, 1, 1]);
    let y = b.node("scaled", Op::Binary(Binary::Mul), &[y, scale]);
    let pool = Pool {
        kind: PoolKind::Average {
            count_padding: true,
        },
        kernel: vec![2; 3],
        window: Window {
            ceil: true,
            ..window(2, 1)
        },
    };
    let y = b.node("pool", Op::Pool(pool), &[y]);
    let w = constant(&mut b, &[4, 3, 2, 2, 2]);
    let spread = ConvTranspose {
        window: window(1, 0),
        conv_groups: 1,
        output_padding: vec![0; 3],
    };
    let y = b.node("spread", Op::ConvTranspose(spread), &[y, w]);
    let reduce = Reduce {
        kind: ReduceKind::Mean,
        axes: ReduceAxes::Spatial,
        keep: true,
    };
    let y = b.node("mean", Op::Reduce(reduce), &[y]);
    let y = b.node("flat", Op::Flatten { axis: 1 }, &[y]);
    let op = Op::Shape {
        start: 0,
        end: None,
    };
    let shape = b.node("shape", op, &[y]);
    let y = b.node("again", Op::Reshape { allow_zero: false }, &[y, shape]);
    let (w, bias) = (constant(&mut b, &[40, 3]), constant(&mut b, &[40]));
    let gemm = Gemm {
        trans_b: true,
        ..Gemm::default()
    };
    let y = b.node("gemm", Op::Gemm(gemm), &[y, w, bias]);
    let w = constant(&mut b, &[40, 30]);
    let y = b.node("product", Op::MatMul, &[y, w]);
    b.output(y);
    b.build().unwrap()
}

fn inputs(graph: &Graph) -> Vec<Array> {
    let drawn = draw(graph, 3, 2).into_iter();
    drawn.map(|(_, array)| array).collect()
}

fn on_engine(graph: &Graph, inputs: &[Array]) -> Vec<Vec<f32>> {
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|i| i.shape.clone()).collect();
    let at = at_lengths(graph, &shapes).unwrap();
    let threads = Threads::new(1).unwrap();
    let mut own = OnEngine::new(graph, &at, inputs, threads).unwrap();
    own.run().to_vec()
}

#[test]
fn parts_of_every_node_are_what_the_whole_has_there() {
    let graph = graph();
    let inputs = inputs(&graph);
    let outputs = on_engine(&graph, &inputs);
    for seed in 0..5 {
        let threads = Threads::new(1).unwrap();
        let worst = sampled(&graph, &inputs, &outputs, threads, seed).unwrap();
        assert!(worst.difference < 2e-6, "{worst:?}");
    }
    let want = evaluate(&graph, &inputs).unwrap();
    assert!(relative(&want[0].values, &outputs[0]) < 1e-5);
}

#[test]
fn outputs_that_are_not_those_of_the_nodes_are_found() {
    let graph = graph();
    let inputs = inputs(&graph);
    let mut outputs = on_engine(&graph, &inputs);
    let most = outputs[0].iter().fold(0.0f32, |m, v| m.max(v.abs()));
    outputs[0][7] += 1e-3 * most;
    let threads = Threads::new(1).unwrap();
    let worst = sampled(&graph, &inputs, &outputs, threads, 0).unwrap();
    assert_eq!(worst.node, "product");
    assert!(worst.difference > 5e-4, "{worst:?}");
}

#[test]
fn each_of_several_outputs_is_looked_at() {
    let graph = graph();
    let both = ["gemm", "product"].map(|name| graph.value_named(name).unwrap());
    let graph = graph.with_outputs(both.to_vec());
    let inputs = inputs(&graph);
    let right = on_engine(&graph, &inputs);
    for (output, name) in ["gemm", "product"].into_iter().enumerate() {
        let mut outputs = right.clone();
        let most = outputs[output].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        outputs[output][7] += 1e-3 * most;
        let threads = Threads::new(1).unwrap();
        let worst = sampled(&graph, &inputs, &outputs, threads, 0).unwrap();
        assert_eq!(worst.node, name);
        assert!(worst.difference > 5e-4, "{worst:?}");
    }
}

#[test]
fn infinite_numbers_are_equal_to_themselves_only() {
    let array = |values: &[f64]| Array::new([values.len()], values.to_vec()).unwrap();
    let whole = [f32::NEG_INFINITY, 2.0];
    let engine = array(&[f64::NEG_INFINITY, 2.0]);
    let distance = |naive: &[f64]| distance(&engine, &whole, &array(naive));
    assert_eq!(distance(&[f64::NEG_INFINITY, 1.0]), 0.5);
    assert_eq!(distance(&[0.0, 2.0]), f64::INFINITY);
    assert!(distance(&[f64::NAN, 2.0]).is_nan());
    assert_eq!(distance(&[1.0]), f64::INFINITY);
}
