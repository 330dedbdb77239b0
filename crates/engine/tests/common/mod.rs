//! Networks of every form that the engine runs, drawn by proptest.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use proptest::prelude::*;
use secateur_engine::Chain;
use secateur_graph::{Array, Binary, Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary, evaluate};
use secateur_testkit::Stream;

/// How a layer is written in the graph.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Gemm,
    TransposedGemm,
    GemmWithoutBias,
    MatMulAdd,
    MatMul,
}

/// A layer to be: its outputs, form and activation.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) width: usize,
    pub(crate) form: Form,
    pub(crate) activation: Option<Unary>,
}

/// A chain of layers with weights from a seed.
#[derive(Debug, Clone)]
pub(crate) struct DrawnChain {
    pub(crate) inputs: usize,
    pub(crate) layers: Vec<Layer>,
    pub(crate) seed: u64,
}

pub(crate) fn chains(activations: Vec<Option<Unary>>) -> impl Strategy<Value = DrawnChain> {
    let form = prop_oneof![
        Just(Form::Gemm),
        Just(Form::TransposedGemm),
        Just(Form::GemmWithoutBias),
        Just(Form::MatMulAdd),
        Just(Form::MatMul),
    ];
    let layer = (1usize..40, form, prop::sample::select(activations)).prop_map(
        |(width, form, activation)| Layer {
            width,
            form,
            activation,
        },
    );
    let layers = prop::collection::vec(layer, 1..5);
    (1usize..40, layers, any::<u64>()).prop_map(|(inputs, layers, seed)| DrawnChain {
        inputs,
        layers,
        seed,
    })
}

pub(crate) fn all_activations() -> Vec<Option<Unary>> {
    vec![
        None,
        Some(Unary::Relu),
        Some(Unary::LeakyRelu { alpha: 0.1 }),
        Some(Unary::Tanh),
        Some(Unary::Sigmoid),
    ]
}

impl DrawnChain {
    pub(crate) fn graph(&self) -> Graph {
        let mut stream = Stream::new(self.seed);
        let mut b = GraphBuilder::new("chain");
        let mut x = b.input("x", [Dim::batch(), Dim::Fixed(self.inputs)]);
        let mut inputs = self.inputs;
        for (l, layer) in self.layers.iter().enumerate() {
            let outputs = layer.width;
            let scale = (3.0 / inputs as f64).sqrt();
            let mut draw = |n: usize, scale: f64| -> Vec<f32> {
                (0..n).map(|_| (scale * stream.unit()) as f32).collect()
            };
            let weights = draw(inputs * outputs, scale);
            let bias = Tensor::f32([outputs], draw(outputs, 0.5)).unwrap();
            let shape = match layer.form {
                Form::TransposedGemm => [outputs, inputs],
                _ => [inputs, outputs],
            };
            let w = b.constant(format!("w{l}"), Tensor::f32(shape, weights).unwrap());
            let name = format!("layer{l}");
            let gemm = |trans_b| {
                Op::Gemm(Gemm {
                    trans_b,
                    ..Gemm::default()
                })
            };
            x = match layer.form {
                Form::Gemm | Form::TransposedGemm => {
                    let trans_b = matches!(layer.form, Form::TransposedGemm);
                    let c = b.constant(format!("b{l}"), bias);
                    b.node(name, gemm(trans_b), &[x, w, c])
                }
                Form::GemmWithoutBias => b.node(name, gemm(false), &[x, w]),
                Form::MatMul => b.node(name, Op::MatMul, &[x, w]),
                Form::MatMulAdd => {
                    let product = b.node(name, Op::MatMul, &[x, w]);
                    let c = b.constant(format!("b{l}"), bias);
                    let sides = if l % 2 == 0 {
                        [product, c]
                    } else {
                        [c, product]
                    };
                    b.node(format!("add{l}"), Op::Binary(Binary::Add), &sides)
                }
            };
            if let Some(activation) = layer.activation {
                x = b.node(format!("act{l}"), Op::Unary(activation), &[x]);
            }
            inputs = outputs;
        }
        b.output(x);
        b.build().unwrap()
    }

    pub(crate) fn rows(&self, rows: usize) -> Vec<f32> {
        let mut stream = Stream::new(self.seed ^ 0x5eed);
        (0..rows * self.inputs)
            .map(|_| (2.0 * stream.unit()) as f32)
            .collect()
    }
}

/// What the naive evaluator says, row-major.
pub(crate) fn naive(graph: &Graph, x: &[f64], inputs: usize) -> Vec<f64> {
    let x = Array::new([x.len() / inputs, inputs], x.to_vec()).unwrap();
    evaluate(graph, &[x]).unwrap().remove(0).values
}

pub(crate) fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| f64::from(v)).collect()
}

/// `max |a - b| / max(max |b|, 1e-6)`.
pub(crate) fn relative(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let most = b.iter().fold(1e-6f64, |m, v| m.max(v.abs()));
    off(a, b) / most
}

/// `max |a - b|`.
pub(crate) fn off(a: &[f32], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.fold(0.0f64, |m, (a, b)| m.max((f64::from(*a) - b).abs()))
}

/// Compiles a network that uses all its threads however little there is to do.
pub(crate) fn split(graph: &Graph, batch: usize, slots: usize, threads: usize) -> Chain {
    let mut network = Chain::compile(graph, batch, slots, threads).unwrap();
    network.set_macs_per_thread(1);
    network
}
