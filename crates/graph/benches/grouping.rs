//! Milliseconds of grouping and shrinking for networks of up to 10,000 nodes, and the exponent at which they grow.
//!
//! `cargo bench -p secateur-graph --bench grouping [-- NODES]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;
use std::time::Instant;

use secateur_graph::{
    Binary, ChannelGroups, Dim, Graph, GraphBuilder, GroupKind, Keep, ModelMeta, Op, Tensor, Unary,
    cost, fold_constants, from_model, mask, patch, shrink, to_model,
};
use secateur_testkit::{Block, Images};

/// Each time is the least of so many runs.
const RUNS: usize = 3;

fn main() {
    let most = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(10_000);
    let sizes: Vec<usize> = [100, 1_000, 10_000]
        .into_iter()
        .filter(|&n| n <= most)
        .collect();
    table("chain of products and sums", &sizes, products);
    for (name, blocks) in networks() {
        table(name, &sizes, |nodes| network(&blocks, nodes));
    }
}

fn table(name: &str, sizes: &[usize], build: impl Fn(usize) -> Graph) {
    println!("{name}");
    let timed = |&nodes: &usize| {
        let graph = build(nodes);
        (graph.nodes().len(), work(&graph))
    };
    let sizes: Vec<_> = sizes.iter().map(timed).collect();
    for (index, (what, _)) in sizes[0].1.iter().enumerate() {
        let points: Vec<(usize, f64)> = sizes.iter().map(|(n, t)| (*n, t[index].1)).collect();
        let each = points.iter().map(|(n, ms)| format!("{n} nodes {ms:.2} ms"));
        let each: Vec<String> = each.collect();
        println!(
            "  {what:<18} {}; exponent {:.2}",
            each.join(", "),
            exponent(&points)
        );
    }
}

/// Dense layers as exporters of sequences write them.
fn products(nodes: usize) -> Graph {
    let mut b = GraphBuilder::new("products");
    let mut x = b.input("x", [Dim::batch(), Dim::Fixed(8)]);
    for layer in 0..nodes / 3 {
        let constant = |shape: &[usize]| {
            let count = shape.iter().product();
            Tensor::f32(shape, vec![1.0; count]).unwrap()
        };
        let weights = b.constant(format!("w{layer}"), constant(&[8, 8]));
        let bias = b.constant(format!("b{layer}"), constant(&[8]));
        x = b.node(format!("product{layer}"), Op::MatMul, &[x, weights]);
        x = b.node(format!("sum{layer}"), Op::Binary(Binary::Add), &[x, bias]);
        x = b.node(format!("act{layer}"), Op::Unary(Unary::Relu), &[x]);
    }
    b.output(x);
    b.build().unwrap()
}

/// What is repeated along the trunk; widths stay bounded.
fn networks() -> [(&'static str, Vec<Block>); 4] {
    let relu = Block::Activate(Unary::Relu);
    let dense = [Block::BatchNorm, relu.clone(), Block::Dense(4)];
    let mut concatenated = repeated(&dense, 6);
    concatenated.push(Block::Conv(8, 1, false));
    [
        (
            "chain of convolutions",
            vec![Block::Conv(8, 3, false), Block::BatchNorm, relu.clone()],
        ),
        ("blocks of dense concatenations", concatenated),
        ("residual sums", vec![Block::Residual, relu.clone()]),
        (
            "channel shuffles",
            vec![Block::Conv(8, 1, false), Block::Shuffle, relu],
        ),
    ]
}

fn repeated(blocks: &[Block], times: usize) -> Vec<Block> {
    std::iter::repeat_n(blocks, times)
        .flatten()
        .cloned()
        .collect()
}

/// A network of about so many nodes.
fn network(blocks: &[Block], nodes: usize) -> Graph {
    let build = |repeats: usize| {
        let mut all = vec![Block::Conv(8, 3, false)];
        all.extend(repeated(blocks, repeats));
        let plan = Images {
            inputs: 3,
            blocks: all,
            flat: false,
            outputs: 4,
            seed: 1,
        };
        plan.build().unwrap()
    };
    let (none, one) = (build(0).nodes().len(), build(1).nodes().len());
    build((nodes - none).div_ceil(one - none))
}

/// Names of the steps and their milliseconds.
fn work(graph: &Graph) -> Vec<(&'static str, f64)> {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    let groups = ChannelGroups::of(graph).unwrap();
    let keep = half(&groups);
    let small = shrink(graph, &groups, &keep).unwrap().graph;
    vec![
        // Together, as a network keeps what was found out about its links.
        (
            "lower and group",
            least(|| ChannelGroups::of(&from_model(&model).unwrap()).unwrap()),
        ),
        ("choose half", least(|| half(&groups))),
        (
            "shrink to half",
            least(|| shrink(graph, &groups, &keep).unwrap()),
        ),
        ("mask half", least(|| mask(graph, &groups, &keep).unwrap())),
        (
            "fold constants",
            least(|| fold_constants(graph, &groups).unwrap()),
        ),
        ("cost", least(|| cost(graph).unwrap())),
        ("patch", least(|| patch(&model, graph, &small).unwrap())),
    ]
}

fn half(groups: &ChannelGroups) -> Keep {
    let mut keep = Keep::all(groups);
    for (id, group) in groups.iter() {
        if group.frozen.is_some() || group.kind != GroupKind::Hidden {
            continue;
        }
        for unit in (0..group.units).step_by(2) {
            if keep.can_drop(groups, id, unit) && keep.count(id) > 1 {
                keep.drop(id, unit).unwrap();
            }
        }
    }
    keep
}

fn least<T>(mut work: impl FnMut() -> T) -> f64 {
    let run = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}

/// The slope of a line through the logarithms.
fn exponent(points: &[(usize, f64)]) -> f64 {
    let logs = points.iter().map(|&(n, ms)| ((n as f64).ln(), ms.ln()));
    let logs: Vec<(f64, f64)> = logs.collect();
    let count = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let along = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>();
    along / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}
