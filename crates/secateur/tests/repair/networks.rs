//! Networks with drawn weights.

use secateur_graph::{
    Binary, Conv, Dim, Element, Gemm, Graph, GraphBuilder, Op, Tensor, Unary, ValueId, Window,
};
use secateur_testkit::{Stream, recurrent};

/// A builder that draws weights.
struct Net {
    b: GraphBuilder,
    stream: Stream,
}

impl Net {
    fn new() -> Self {
        Self {
            b: GraphBuilder::new("net"),
            stream: Stream::new(11),
        }
    }

    fn weights(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let count = shape.iter().product::<usize>();
        let scale = (2.0 / (count / shape[0]) as f64).sqrt();
        let values = (0..count).map(|_| (2.0 * scale * (self.stream.unit() - 0.5)) as f32);
        let tensor = Tensor::f32(shape.to_vec(), values.collect()).unwrap();
        self.b.constant(name, tensor)
    }

    /// Drawn weights whose first axis has positions that are mixtures of two thirds as many.
    fn mixed(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let inner: usize = shape[1..].iter().product();
        let rank = (2 * shape[0]).div_ceil(3);
        let mut draw =
            |count: usize| -> Vec<f64> { (0..count).map(|_| self.stream.unit() - 0.5).collect() };
        let (mut base, mix) = (draw(rank * inner), draw(shape[0] * rank));
        // What sums to zero is as often below zero as above it.
        for filter in base.chunks_mut(inner) {
            let mean = filter.iter().sum::<f64>() / inner as f64;
            filter.iter_mut().for_each(|w| *w -= mean);
        }
        let scale = 7.0 / (inner as f64 * rank as f64).sqrt();
        let of = |at: usize| -> f32 {
            let pairs =
                (0..rank).map(|r| mix[at / inner * rank + r] * base[r * inner + at % inner]);
            (scale * pairs.sum::<f64>()) as f32
        };
        let values = (0..shape.iter().product()).map(of).collect();
        let tensor = Tensor::f32(shape.to_vec(), values).unwrap();
        self.b.constant(name, tensor)
    }

    fn full(&mut self, name: &str, length: usize, value: f32) -> ValueId {
        self.b
            .constant(name, Tensor::f32([length], vec![value; length]).unwrap())
    }

    fn conv(&mut self, name: &str, shape: &[usize], x: ValueId) -> ValueId {
        let weights = self.mixed(&format!("{name}.w"), shape);
        let window = Window::plain(shape.len() - 2);
        let op = Op::Conv(Conv {
            window,
            conv_groups: 1,
        });
        self.b.node(name, op, &[x, weights])
    }
}

/// Pictures of 8 x 8 through three convolutions, the first two normalised if that is asked for, to ten classes.
pub(super) fn pictures(batch: Dim, normalised: bool) -> Graph {
    let mut net = Net::new();
    let x = net
        .b
        .input("x", [batch, Dim::Fixed(1), Dim::Fixed(8), Dim::Fixed(8)]);
    let mut h = x;
    for (layer, shape) in [[16, 1, 3, 3], [24, 16, 3, 3]].iter().enumerate() {
        h = net.conv(&format!("conv{layer}"), shape, h);
        if normalised {
            let own = [
                ("scale", 1.0),
                ("shift", 0.1),
                ("mean", 0.0),
                ("variance", 0.2),
            ];
            let own = own.map(|(name, value)| net.full(&format!("{name}{layer}"), shape[0], value));
            let norm = Op::BatchNorm {
                epsilon: 1e-5,
                momentum: 0.9,
            };
            h = net
                .b
                .node(format!("norm{layer}"), norm, &[&[h][..], &own[..]].concat());
        }
        h = net
            .b
            .node(format!("relu{layer}"), Op::Unary(Unary::Relu), &[h]);
    }
    let flat = net.b.node("flat", Op::Flatten { axis: 1 }, &[h]);
    let w = net.weights("dense.w", &[10, 24 * 16]);
    let bias = net.full("dense.b", 10, 0.0);
    let gemm = Gemm {
        trans_b: true,
        ..Gemm::default()
    };
    let y = net.b.node("dense", Op::Gemm(gemm), &[flat, w, bias]);
    net.b.output(y);
    net.b.build().unwrap()
}

/// Words and numbers: whole numbers into a table of vectors, summed with a layer of floats, and two outputs.
pub(super) fn two_inputs() -> Graph {
    let mut net = Net::new();
    let words = net.b.input("words", [Dim::batch()]);
    net.b.of_type(words, Element::I64);
    let numbers = net.b.input("numbers", [Dim::batch(), Dim::Fixed(5)]);
    let table = net.weights("table", &[30, 12]);
    let looked = net.b.node("look", Op::Gather { axis: 0 }, &[table, words]);
    let w = net.weights("w", &[5, 12]);
    let made = net.b.node("made", Op::MatMul, &[numbers, w]);
    let sum = net.b.node("sum", Op::Binary(Binary::Add), &[looked, made]);
    let hidden = net.b.node("act", Op::Unary(Unary::Relu), &[sum]);
    for (name, outputs) in [("first", 3), ("second", 1)] {
        let w = net.weights(&format!("{name}.w"), &[12, outputs]);
        let y = net.b.node(name, Op::MatMul, &[hidden, w]);
        net.b.output(y);
    }
    net.b.build().unwrap()
}

/// Two layers to eight units and behind each the same one to four numbers.
pub(super) fn shared_weights() -> Graph {
    let mut net = Net::new();
    let mut h = net.b.input("x", [Dim::batch(), Dim::Fixed(6)]);
    let shared = [net.weights("shared", &[4, 12]), net.weights("bias", &[4])];
    let gemm = Op::Gemm(Gemm {
        trans_b: true,
        ..Gemm::default()
    });
    for (layer, width) in [6, 4].into_iter().enumerate() {
        let w = net.mixed(&format!("w{layer}"), &[12, width]);
        let made = net.b.node(format!("make{layer}"), gemm.clone(), &[h, w]);
        let units = Op::Unary(Unary::Relu);
        let units = net.b.node(format!("units{layer}"), units, &[made]);
        let inputs = [units, shared[0], shared[1]];
        h = net.b.node(format!("read{layer}"), gemm.clone(), &inputs);
    }
    let w = net.weights("dense.w", &[3, 4]);
    let y = net.b.node("dense", gemm, &[h, w]);
    net.b.output(y);
    net.b.build().unwrap()
}

/// Five steps of six numbers through a layer and an LSTM in both directions to three numbers.
pub(super) fn steps() -> Graph {
    let mut net = Net::new();
    let x = net
        .b
        .input("x", [Dim::batch(), Dim::Fixed(5), Dim::Fixed(6)]);
    let w = net.weights("w", &[6, 12]);
    let made = net.b.node("made", Op::MatMul, &[x, w]);
    let units = net.b.node("units", Op::Unary(Unary::Relu), &[made]);
    let turn = |order: &[usize]| Op::Transpose {
        order: order.to_vec(),
    };
    let by_step = net.b.node("by_step", turn(&[1, 0, 2]), &[units]);
    let operands = [
        by_step,
        net.weights("lstm.w", &[2, 16, 12]),
        net.weights("lstm.r", &[2, 16, 4]),
        net.weights("lstm.b", &[2, 32]),
    ];
    let op = recurrent("LSTM", (4, "bidirectional"), 4).unwrap();
    let states = net.b.node("lstm", op, &operands);
    let by_row = net.b.node("by_row", turn(&[2, 0, 1, 3]), &[states]);
    let flat = net.b.node("flat", Op::Flatten { axis: 1 }, &[by_row]);
    let w = net.weights("dense.w", &[40, 3]);
    let y = net.b.node("dense", Op::MatMul, &[flat, w]);
    net.b.output(y);
    net.b.build().unwrap()
}

/// Three layers that compute in floats of some type, between inputs and outputs in single precision.
pub(super) fn of_floats(element: Element) -> Graph {
    let mut net = Net::new();
    let x = net.b.input("x", [Dim::batch(), Dim::Fixed(8)]);
    let mut h = net.b.node("to", Op::Cast { to: element }, &[x]);
    for (name, shape) in [("first", [8, 24]), ("second", [24, 16]), ("third", [16, 4])] {
        let count = shape[0] * shape[1];
        let scale = (6.0 / shape[0] as f64).sqrt();
        let numbers = (0..count).map(|_| scale * net.stream.unit());
        let tensor = Tensor::of_floats(element, shape, numbers.collect::<Vec<_>>()).unwrap();
        let weights = net.b.constant(name, tensor);
        h = net
            .b
            .node(format!("{name}.product"), Op::MatMul, &[h, weights]);
        if name != "third" {
            h = net
                .b
                .node(format!("{name}.act"), Op::Unary(Unary::Relu), &[h]);
        }
    }
    let y = net.b.node("from", Op::Cast { to: Element::F32 }, &[h]);
    net.b.output(y);
    net.b.build().unwrap()
}
