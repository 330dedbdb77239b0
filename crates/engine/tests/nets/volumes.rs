//! Layers over three axes of places and more.

use proptest::prelude::*;
use secateur_engine::{Network, Threads};
use secateur_graph::{
    Array, Binary, ConvTranspose, Op, Padding, Pool, PoolKind, Unary, Window, evaluate,
};
use secateur_testkit::Stream;

use super::{Net, check, drawn};

/// Three numbers.
fn three(from: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(from, 3)
}

fn window(strides: &[usize], dilations: &[usize], pads: [&[usize]; 2]) -> Window {
    Window {
        strides: strides.to_vec(),
        dilations: dilations.to_vec(),
        padding: Padding::By {
            before: pads[0].to_vec(),
            behind: pads[1].to_vec(),
        },
        ceil: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn convolutions_over_three_axes_of_every_shape(
        (groups, inputs, outputs) in (1usize..3, 1usize..5, 1usize..5),
        kernel in three(1..4), strides in three(1..3), dilations in three(1..3),
        before in three(0..3), behind in three(0..2), size in three(2..5),
        (first, relu) in (any::<bool>(), any::<bool>()), seed: u64,
    ) {
        let reach = |a: usize| dilations[a] * (kernel[a] - 1) + 1;
        prop_assume!((0..3).all(|a| size[a] + before[a] + behind[a] >= reach(a)));
        let channels = groups * inputs;
        let mut row = vec![if first { channels } else { 2 }];
        row.extend(&size);
        let mut net = Net::new(&row, seed);
        let x = match first {
            true => net.input,
            false => net.conv_of(net.input, channels, &[1; 3], Window::plain(3), 1),
        };
        let own = window(&strides, &dilations, [&before, &behind]);
        let y = net.conv_of(x, groups * outputs, &kernel, own.clone(), groups);
        let y = if relu { net.unary(y, Unary::Relu) } else { y };
        // A second reader of the input, so that gradients are added.
        let again = net.conv_of(x, groups * outputs, &kernel, own, groups);
        let y = net.binary(Binary::Mul, y, again);
        check(&net.build(y), 2);
    }

    #[test]
    fn transposed_convolutions_over_three_axes(
        (groups, inputs, outputs) in (1usize..3, 1usize..4, 1usize..4),
        kernel in three(1..3), strides in three(1..3), before in three(0..2),
        size in three(2..4), biased: bool, seed: u64,
    ) {
        let channels = groups * inputs;
        let mut row = vec![channels];
        row.extend(&size);
        let mut net = Net::new(&row, seed);
        let mut shape = vec![channels, outputs];
        shape.extend(&kernel);
        prop_assume!((0..3).all(|a| strides[a] * (size[a] - 1) + kernel[a] > before[a]));
        let weight = net.constant(&shape, 0.0, 0.3);
        let bias = net.constant(&[groups * outputs], 0.1, 0.2);
        let op = Op::ConvTranspose(ConvTranspose {
            window: window(&strides, &[1; 3], [&before, &[0; 3]]),
            conv_groups: groups,
            output_padding: vec![0; 3],
        });
        let given = [net.input, weight, bias];
        let y = net.node(op, &given[..if biased { 3 } else { 2 }]);
        check(&net.build(y), 2);
    }

    #[test]
    fn pools_over_three_axes(
        kernel in three(1..4), strides in three(1..3), before in three(0..2),
        size in three(3..5), (largest, counts, ceil) in any::<(bool, bool, bool)>(), seed: u64,
    ) {
        prop_assume!((0..3).all(|a| before[a] < kernel[a]));
        let mut row = vec![2];
        row.extend(&size);
        let mut net = Net::new(&row, seed);
        let x = net.conv_of(net.input, 3, &[1; 3], Window::plain(3), 1);
        let y = net.node(Op::Pool(Pool {
            kind: match largest {
                true => PoolKind::Max,
                false => PoolKind::Average { count_padding: counts },
            },
            kernel: kernel.clone(),
            window: Window { ceil, ..window(&strides, &[1; 3], [&before, &before]) },
        }), &[x]);
        check(&net.build(y), 2);
    }
}

/// Normalised, added to, padded with planes in which no window reaches the input, reduced.
#[test]
fn volumes_flow_through_what_images_do() {
    let mut net = Net::new(&[2, 4, 5, 3], 3);
    let wide = window(&[2, 1, 1], &[1; 3], [&[3, 1, 1], &[3, 1, 1]]);
    let x = net.conv_of(net.input, 5, &[2, 3, 3], wide, 1);
    let y = net.batch_norm(x);
    let y = net.unary(y, Unary::Relu);
    let z = net.conv_of(y, 5, &[1; 3], Window::plain(3), 5);
    let z = net.batch_norm(z);
    let z = net.binary(Binary::Add, z, y);
    let z = net.node(Op::Concat { axis: 1 }, &[z, x]);
    let z = net.global_mean(z);
    let z = net.flatten(z);
    let z = net.gemm(z, 3);
    check(&net.build(z), 3);
}

/// Five axes of places, which training has no other word for.
#[test]
fn convolutions_over_five_axes() {
    let mut net = Net::new(&[2, 3, 2, 3, 2, 3], 4);
    let same = super::window_of(5, 1, 1);
    let y = net.conv_of(net.input, 3, &[3; 5], same, 1);
    check(&net.build(y), 2);
}

/// Two inputs, and as outputs a value that another one is made of in place, an image, and the input itself.
#[test]
fn several_inputs_and_outputs_are_told_apart() {
    let mut net = Net::new(&[2, 3, 4], 5);
    let x = net.input;
    let other = net.second_input(&[3, 3, 4]);
    let y = net.conv_of(x, 3, &[3, 3], super::window_of(2, 1, 1), 1);
    let relu = net.unary(y, Unary::Relu);
    let z = net.binary(Binary::Add, relu, other);
    let flat = net.flatten(z);
    let last = net.gemm(flat, 2);
    let graph = net.build(last);
    let graph = graph.with_outputs(vec![last, y, relu, x, last]);
    let mut stream = Stream::new(6);
    let rows = 5;
    let array = |shape: [usize; 4], stream: &mut Stream| {
        let count = shape.iter().product();
        let values = drawn(stream, count)
            .into_iter()
            .map(|v| f64::from(v as f32));
        Array::new(shape, values.collect()).unwrap()
    };
    let inputs = [
        array([rows, 2, 3, 4], &mut stream),
        array([rows, 3, 3, 4], &mut stream),
    ];
    let want = evaluate(&graph, &inputs).unwrap();
    let given: Vec<Vec<f32>> = inputs
        .iter()
        .map(|a| a.values.iter().map(|&v| v as f32).collect())
        .collect();
    let given: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
    for threads in [1, 2] {
        let pool = Threads::new(threads).unwrap();
        let shapes = [vec![1, 2, 3, 4], vec![1, 3, 3, 4]];
        // Fewer rows at once than there are.
        let mut network = Network::to_run_all(&graph, &shapes, 2, pool).unwrap();
        assert_eq!(
            (network.inputs(), network.outputs()),
            (60, 2 + 36 + 36 + 24 + 2)
        );
        let have = network.forward_all(&given, rows);
        assert_eq!(have.len(), want.len());
        for (have, want) in have.iter().zip(&want) {
            assert_eq!(have.len(), want.values.len());
            let near = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() < 1e-5;
            assert!(have.iter().zip(&want.values).all(near));
        }
    }
}
