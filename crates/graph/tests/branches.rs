//! Branches that lose all units of a group: what stands in for them, and where nothing can.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Array, Binary, ChannelGroups, Conv, Dim, Graph, GraphBuilder, Keep, Op, Padding, Tensor, Unary,
    ValueId, Window, evaluate, mask, shrink,
};

fn drawn(shape: &[usize], seed: f32) -> Tensor {
    let count: usize = shape.iter().product();
    let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.3).sin());
    Tensor::f32(shape, numbers.collect()).unwrap()
}

/// A convolution to `channels` with a bias, and a ReLU behind it.
fn layer(
    b: &mut GraphBuilder,
    name: &str,
    x: ValueId,
    [from, channels, kernel]: [usize; 3],
) -> ValueId {
    let shape = [channels, from, kernel, kernel];
    let weights = b.constant(format!("{name}.w"), drawn(&shape, 0.3));
    let bias = b.constant(format!("{name}.b"), drawn(&[channels], 2.1));
    let pad = vec![kernel / 2; 2];
    let conv = Op::Conv(Conv {
        window: Window {
            strides: vec![1; 2],
            dilations: vec![1; 2],
            padding: Padding::By {
                before: pad.clone(),
                behind: pad,
            },
            ceil: false,
        },
        conv_groups: 1,
    });
    let conv = b.node(name, conv, &[x, weights, bias]);
    b.node(format!("{name}.relu"), Op::Unary(Unary::Relu), &[conv])
}

fn image(b: &mut GraphBuilder) -> ValueId {
    b.input(
        "x",
        [Dim::batch(), Dim::Fixed(2), Dim::Fixed(4), Dim::Fixed(4)],
    )
}

/// A bottleneck beside a path that goes on, read by a last layer.
fn residual() -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = image(&mut b);
    let h = layer(&mut b, "stem", x, [2, 3, 3]);
    let narrow = layer(&mut b, "narrow", h, [3, 2, 1]);
    let middle = layer(&mut b, "middle", narrow, [2, 4, 3]);
    let wide = layer(&mut b, "wide", middle, [4, 3, 1]);
    let sum = b.node("sum", Op::Binary(Binary::Add), &[h, wide]);
    let y = layer(&mut b, "last", sum, [3, 2, 1]);
    b.output(y);
    b.build().unwrap()
}

fn without(graph: &Graph, names: &[&str]) -> secateur_graph::Result<(Graph, Graph)> {
    let groups = ChannelGroups::of(graph).unwrap();
    let mut keep = Keep::all(&groups);
    without_also(graph, &groups, &mut keep, names)
}

fn without_also(
    graph: &Graph,
    groups: &ChannelGroups,
    keep: &mut Keep,
    names: &[&str],
) -> secateur_graph::Result<(Graph, Graph)> {
    for name in names {
        keep.empty(groups.named(name).unwrap()).unwrap();
    }
    let masked = mask(graph, groups, keep).unwrap();
    Ok((masked, shrink(graph, groups, keep)?.graph))
}

fn run(graph: &Graph) -> Vec<Array> {
    let x = (0..64).map(|i| f64::from(i).cos()).collect();
    evaluate(graph, &[Array::new([2, 2, 4, 4], x).unwrap()]).unwrap()
}

#[test]
fn an_empty_branch_leaves_its_bias_to_the_sum() {
    let graph = residual();
    for emptied in [&["middle"][..], &["narrow", "middle"], &["narrow"]] {
        let (masked, small) = without(&graph, emptied).unwrap();
        // The bias that stays is a number of single precision, of what the masked network computes.
        let off = |other: &Graph| {
            let pairs = run(&masked)[0]
                .values
                .clone()
                .into_iter()
                .zip(run(other)[0].values.clone());
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        assert!(off(&small) < 1e-6, "{emptied:?}: {}", off(&small));
        assert!(off(&graph) > 0.1, "{emptied:?}");
        let names: Vec<&str> = small.nodes().iter().map(|n| n.name.as_str()).collect();
        assert_eq!(names, ["stem", "stem.relu", "sum", "last", "last.relu"]);
    }
}

/// What stands in for the branch was once computed with units behind the empty layer that go, too.
#[test]
fn other_units_of_an_empty_branch_may_go() {
    let graph = residual();
    let groups = ChannelGroups::of(&graph).unwrap();
    let mut keep = Keep::all(&groups);
    keep.drop(groups.named("middle").unwrap(), 1).unwrap();
    keep.drop(groups.named("stem").unwrap(), 2).unwrap();
    let (masked, small) = without_also(&graph, &groups, &mut keep, &["narrow"]).unwrap();
    let pairs = run(&masked)[0]
        .values
        .clone()
        .into_iter()
        .zip(run(&small)[0].values.clone());
    let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-6, "{off}");
}

#[test]
fn an_empty_branch_leaves_a_concatenation() {
    let mut b = GraphBuilder::new("g");
    let x = image(&mut b);
    let one = layer(&mut b, "one", x, [2, 3, 1]);
    let other = layer(&mut b, "other", x, [2, 2, 3]);
    let both = b.node("both", Op::Concat { axis: 1 }, &[one, other]);
    let y = layer(&mut b, "last", both, [5, 2, 3]);
    b.output(y);
    let graph = b.build().unwrap();
    let (masked, small) = without(&graph, &["other"]).unwrap();
    assert_eq!(run(&masked), run(&small));
    assert_eq!(small.nodes().len(), graph.nodes().len() - 2);
    let error = without(&graph, &["one", "other"]).unwrap_err();
    assert!(error.to_string().contains("is an output"), "{error}");
}

#[test]
fn a_layer_that_nothing_stands_beside_cannot_be_emptied() {
    let error = without(&residual(), &["stem"]).unwrap_err();
    assert!(error.to_string().contains("needs it"), "{error}");
}
