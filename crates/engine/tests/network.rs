//! Networks of any form beside the naive evaluator: outputs, and gradients by finite differences in double precision.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod nets;

use nets::{Net, check, window_of};
use proptest::prelude::*;
use secateur_graph::{
    Binary, ConvTranspose, Norm, Op, Pad, PadMode, Padding, Pool, PoolKind, Reduce, ReduceAxes,
    ReduceKind, Resize, ResizeForm, ResizeMode, ResizePlaces, Split, Unary, ValueId, Window,
};

#[test]
fn a_residual_block_with_batch_normalisation() {
    let mut net = Net::new(&[3, 6, 6], 1);
    let x = net.input;
    let x = net.conv(x, 5, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let stem = net.unary(x, Unary::Relu);
    let y = net.conv(stem, 5, 3, 1, 1, 1);
    let y = net.batch_norm(y);
    let y = net.unary(y, Unary::Relu);
    let y = net.conv(y, 5, 3, 1, 1, 1);
    let y = net.batch_norm(y);
    let y = net.binary(Binary::Add, y, stem);
    let block = net.unary(y, Unary::Relu);
    let y = net.conv(block, 7, 3, 2, 1, 1);
    let y = net.batch_norm(y);
    let shortcut = net.conv(block, 7, 1, 2, 0, 1);
    let shortcut = net.batch_norm(shortcut);
    let y = net.binary(Binary::Add, y, shortcut);
    let y = net.unary(y, Unary::Relu);
    let y = net.global_mean(y);
    let y = net.flatten(y);
    let y = net.gemm(y, 4);
    check(&net.build(y), 5);
}

#[test]
fn the_first_networks_of_the_field() {
    let mut net = Net::new(&[1, 12, 12], 2);
    let x = net.input;
    let x = net.conv(x, 6, 5, 1, 0, 1);
    let x = net.max_pool(x, 2, 2, 0);
    let x = net.conv(x, 10, 3, 1, 0, 1);
    let x = net.max_pool(x, 2, 2, 0);
    let x = net.flatten(x);
    let x = net.gemm(x, 12);
    let x = net.unary(x, Unary::Relu);
    let x = net.gemm(x, 3);
    check(&net.build(x), 7);
}

#[test]
fn branches_that_are_joined_and_cut() {
    let mut net = Net::new(&[2, 5, 4], 3);
    let x = net.input;
    let x = net.conv(x, 6, 3, 1, 1, 1);
    let a = net.conv(x, 3, 1, 1, 0, 1);
    let a = net.unary(a, Unary::Tanh);
    let b = net.mean_pool(x, 3, 1, 1);
    let y = net.node(Op::Concat { axis: 1 }, &[a, b, a]);
    let y = net.conv(y, 4, 3, 1, 1, 2);
    let gate = net.global_mean(y);
    let gate = net.conv(gate, 4, 1, 1, 0, 1);
    let gate = net.unary(gate, Unary::Sigmoid);
    let y = net.binary(Binary::Mul, y, gate);
    let y = net.per_channel(y, 4);
    let y = net.flatten(y);
    let y = net.gemm(y, 3);
    check(&net.build(y), 3);
}

/// Depthwise in the middle, with a gate for each channel, as in MobileNetV3.
#[test]
fn an_inverted_residual_with_squeeze_and_excitation() {
    let mut net = Net::new(&[3, 7, 6], 4);
    let x = net.input;
    let x = net.conv(x, 5, 3, 2, 1, 1);
    let x = net.batch_norm(x);
    let stem = net.unary(x, Unary::HardSwish);
    let y = net.conv(stem, 11, 1, 1, 0, 1);
    let y = net.batch_norm(y);
    let y = net.unary(y, Unary::HardSwish);
    let y = net.conv(y, 11, 3, 1, 1, 11);
    let y = net.batch_norm(y);
    let gate = net.global_mean(y);
    let gate = net.conv(gate, 4, 1, 1, 0, 1);
    let gate = net.unary(gate, Unary::Relu);
    let gate = net.conv(gate, 11, 1, 1, 0, 1);
    let gate = net.unary(
        gate,
        Unary::HardSigmoid {
            alpha: 1.0 / 6.0,
            beta: 0.5,
        },
    );
    let y = net.binary(Binary::Mul, y, gate);
    let y = net.unary(y, Unary::HardSwish);
    let y = net.conv(y, 5, 1, 1, 0, 1);
    let y = net.batch_norm(y);
    let y = net.binary(Binary::Add, stem, y);
    let y = net.global_mean(y);
    let y = net.flatten(y);
    let y = net.gemm(y, 3);
    check(&net.build(y), 4);
}

/// Half of the channels pass by, and all are shuffled, as in ShuffleNetV2.
#[test]
fn channels_that_are_split_and_shuffled() {
    let mut net = Net::new(&[3, 5, 4], 5);
    let x = net.input;
    let x = net.conv(x, 10, 3, 1, 1, 1);
    let x = net.batch_norm(x);
    let x = net.unary(x, Unary::Relu);
    let lengths = net.whole(&[5, 5]);
    let halves = net.nodes(
        Op::Split(Split {
            axis: 1,
            parts: vec![5, 5],
            attribute: false,
        }),
        &[x, lengths],
        2,
    );
    let y = net.conv(halves[1], 5, 1, 1, 0, 1);
    let y = net.conv(y, 5, 3, 1, 1, 5);
    let y = net.batch_norm(y);
    let y = net.unary(y, Unary::Relu);
    let y = net.node(Op::Concat { axis: 1 }, &[halves[0], y]);
    let apart = net.whole(&[0, 2, 5, 5, 4]);
    let together = net.whole(&[0, 10, 5, 4]);
    let y = net.node(Op::Reshape { allow_zero: false }, &[y, apart]);
    let y = net.node(
        Op::Transpose {
            order: vec![0, 2, 1, 3, 4],
        },
        &[y],
    );
    let y = net.node(Op::Reshape { allow_zero: false }, &[y, together]);
    let y = net.conv(y, 4, 3, 2, 1, 2);
    let y = net.global_mean(y);
    let y = net.flatten(y);
    check(&net.build(y), 3);
}

/// Down and up again, with what was seen on the way down beside it.
#[test]
fn a_net_of_the_form_of_a_u() {
    let mut net = Net::new(&[1, 9, 8], 6);
    let x = net.input;
    let x = net.conv(x, 4, 3, 1, 1, 1);
    let norm = Norm::Group {
        count: 2,
        epsilon: 1e-3,
        by_run: false,
    };
    let [scale, shift] = [1.0, 0.1].map(|mean| net.constant(&[4], mean, 0.2));
    let x = net.node(Op::Norm(norm), &[x, scale, shift]);
    let first = net.unary(x, Unary::Swish { alpha: 1.0 });
    let x = net.max_pool(first, 2, 2, 0);
    let second = net.conv(x, 7, 3, 1, 1, 1);
    let second = net.unary(second, Unary::Relu);
    let x = net.mean_pool(second, 2, 2, 0);
    let x = net.conv(x, 6, 3, 1, 1, 1);
    let linear = Resize {
        form: ResizeForm::Resize,
        mode: ResizeMode::Linear,
        places: ResizePlaces::HalfPixel,
        axes: vec![],
    };
    let scales = net.numbers(&[4], &[1.0, 1.0, 2.0, 2.0]);
    let x = net.node_of(Op::Resize(linear), &[Some(x), None, Some(scales)]);
    let x = net.node(Op::Concat { axis: 1 }, &[second, x]);
    let weight = net.constant(&[13, 5, 2, 2], 0.0, 0.2);
    let bias = net.constant(&[5], 0.1, 0.1);
    let grow = ConvTranspose {
        window: Window {
            strides: vec![2; 2],
            dilations: vec![1; 2],
            padding: Padding::By {
                before: vec![0; 2],
                behind: vec![0; 2],
            },
            ceil: false,
        },
        conv_groups: 1,
        output_padding: vec![0; 2],
    };
    let x = net.node(Op::ConvTranspose(grow), &[x, weight, bias]);
    // The lowest row was left over by the pooling.
    let pads = net.whole(&[0, 0, 0, 0, 0, 0, 1, 0]);
    let x = net.node(
        Op::Pad(Pad {
            mode: PadMode::Constant(0.0),
            pads: None,
        }),
        &[x, pads],
    );
    let x = net.node(Op::Concat { axis: 1 }, &[x, first]);
    let x = net.conv(x, 2, 1, 1, 0, 1);
    let y = net.node(Op::LogSoftmax { axis: 1 }, &[x]);
    check(&net.build(y), 3);
}

/// Sequences: convolutions over one axis, with a mean and a largest number at the end.
#[test]
fn convolutions_over_one_axis() {
    let mut net = Net::new(&[3, 17], 7);
    let x = net.input;
    let x = net.conv_of(x, 5, &[5], window_of(1, 2, 2), 1);
    let x = net.batch_norm(x);
    let x = net.unary(x, Unary::Gelu { tanh: true });
    let mut wide = window_of(1, 1, 3);
    wide.dilations = vec![3];
    let y = net.conv_of(x, 5, &[3], wide, 5);
    let x = net.binary(Binary::Add, x, y);
    let pool = Pool {
        kind: PoolKind::Max,
        kernel: vec![3],
        window: window_of(1, 2, 1),
    };
    let x = net.node(Op::Pool(pool), &[x]);
    let ends = [ReduceKind::Mean, ReduceKind::Max].map(|kind| {
        let reduce = Reduce {
            kind,
            axes: ReduceAxes::These(vec![-1]),
            keep: false,
        };
        net.node(Op::Reduce(reduce), &[x])
    });
    let y = net.node(Op::Concat { axis: 1 }, &ends);
    let y = net.gemm(y, 4);
    check(&net.build(y), 5);
}

/// Patches, a class token, attention of two heads, and two dense layers, each with a residual.
#[test]
fn a_block_of_a_vision_transformer() {
    let mut net = Net::new(&[3, 6, 4], 8);
    let x = net.input;
    let x = net.conv(x, 6, 2, 2, 0, 1);
    let reshape = Op::Reshape { allow_zero: false };
    let tokens = net.whole(&[0, 6, 6]);
    let x = net.node(reshape.clone(), &[x, tokens]);
    let x = net.node(
        Op::Transpose {
            order: vec![0, 2, 1],
        },
        &[x],
    );
    // The token of the class is repeated for every row of the batch.
    let token = net.constant(&[1, 1, 6], 0.0, 0.5);
    let batch = net.node(
        Op::Shape {
            start: 0,
            end: Some(1),
        },
        &[x],
    );
    let rest = net.whole(&[1, 6]);
    let wanted = net.node(Op::Concat { axis: 0 }, &[batch, rest]);
    let token = net.node(Op::Expand, &[token, wanted]);
    let x = net.node(Op::Concat { axis: 1 }, &[token, x]);
    let positions = net.constant(&[1, 7, 6], 0.0, 0.5);
    let x = net.binary(Binary::Add, x, positions);

    let normal = layer_norm(&mut net, x);
    let heads = net.whole(&[0, 7, 2, 3]);
    let [q, k, v] = [(); 3].map(|()| {
        let y = affine(&mut net, normal, 6);
        net.node(reshape.clone(), &[y, heads])
    });
    let [q, v] = [q, v].map(|y| {
        net.node(
            Op::Transpose {
                order: vec![0, 2, 1, 3],
            },
            &[y],
        )
    });
    let k = net.node(
        Op::Transpose {
            order: vec![0, 2, 3, 1],
        },
        &[k],
    );
    let scores = net.node(Op::MatMul, &[q, k]);
    let scale = net.numbers(&[], &[1.0 / 3f32.sqrt()]);
    let scores = net.binary(Binary::Mul, scores, scale);
    let shares = net.node(Op::Softmax { axis: -1 }, &[scores]);
    let y = net.node(Op::MatMul, &[shares, v]);
    let y = net.node(
        Op::Transpose {
            order: vec![0, 2, 1, 3],
        },
        &[y],
    );
    let together = net.whole(&[0, 7, 6]);
    let y = net.node(reshape, &[y, together]);
    let y = affine(&mut net, y, 6);
    let x = net.binary(Binary::Add, x, y);

    let normal = layer_norm(&mut net, x);
    let y = affine(&mut net, normal, 10);
    let y = net.unary(y, Unary::Gelu { tanh: false });
    let y = affine(&mut net, y, 6);
    let x = net.binary(Binary::Add, x, y);
    let x = layer_norm(&mut net, x);
    let first = net.whole(&[0]);
    let class = net.node(Op::Gather { axis: 1 }, &[x, first]);
    let class = net.flatten(class);
    let y = net.gemm(class, 3);
    check(&net.build(y), 3);
}

fn layer_norm(net: &mut Net, x: ValueId) -> ValueId {
    let [scale, shift] = [1.0, 0.0].map(|mean| net.constant(&[6], mean, 0.2));
    let norm = Norm::Layer {
        axis: -1,
        epsilon: 1e-3,
    };
    net.node(Op::Norm(norm), &[x, scale, shift])
}

/// A dense layer as exporters write it for tokens: a product and a sum.
fn affine(net: &mut Net, x: ValueId, made: usize) -> ValueId {
    let inputs = net.shape(x)[2];
    let weight = net.constant(&[inputs, made], 0.0, 1.0 / (inputs as f64).sqrt());
    let bias = net.constant(&[made], 0.0, 0.1);
    let y = net.node(Op::MatMul, &[x, weight]);
    net.binary(Binary::Add, bias, y)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn convolutions_of_every_shape(
        (channels, made) in (1usize..20, 1usize..20),
        kernel in 1usize..4, stride in 1usize..3, pad in 0usize..3, size in 3usize..8, seed: u64,
    ) {
        let mut net = Net::new(&[3, size, size + 1], seed);
        let x = net.input;
        let x = net.conv(x, channels, 3, 1, 1, 1);
        let x = net.batch_norm(x);
        let x = net.unary(x, Unary::Relu);
        let x = net.conv(x, made, kernel, stride, pad, 1);
        let x = net.conv(x, made, 1, 1, 0, made);
        let x = net.global_mean(x);
        let x = net.flatten(x);
        check(&net.build(x), 3);
    }
}
