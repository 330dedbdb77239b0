//! Group normalisation as it was exported before there was an operator: its runs of channels may go, whether places are known
//! or not.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Binary, ChannelGroups, Conv, Dim, Element, Gemm, Graph, GraphBuilder, Norm, Op, Padding,
    Reduce, ReduceAxes, ReduceKind, Tensor, Unary, ValueId, Window, evaluate, mask, settle, shrink,
};
use secateur_testkit::{Stream, bits, change, rows, some_keep};

/// Runs, and channels of each.
const RUNS: usize = 4;
const OWN: usize = 2;

struct Net(GraphBuilder, Stream);

impl Net {
    fn weights(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let count = shape.iter().product();
        let values = (0..count).map(|_| self.1.unit() as f32).collect();
        self.0.constant(name, Tensor::f32(shape, values).unwrap())
    }

    fn list(&mut self, name: &str, values: &[i64]) -> ValueId {
        let tensor = Tensor::i64([values.len()], values.to_vec()).unwrap();
        self.0.constant(name, tensor)
    }

    fn conv(&mut self, name: &str, x: ValueId, [inner, outer]: [usize; 2]) -> ValueId {
        let weights = self.weights(&format!("{name}.w"), &[outer, inner, 3, 3]);
        let bias = self.weights(&format!("{name}.b"), &[outer]);
        let conv = Conv {
            window: Window {
                padding: Padding::By {
                    before: vec![1; 2],
                    behind: vec![1; 2],
                },
                ..Window::plain(2)
            },
            conv_groups: 1,
        };
        self.0.node(name, Op::Conv(conv), &[x, weights, bias])
    }

    fn norm(&mut self, name: &str, x: ValueId, places: Option<usize>) -> ValueId {
        let channels = RUNS * OWN;
        let part = |what: &str| format!("{name}.{what}");
        let runs = self.list(&part("runs"), &[0, RUNS as i64, -1]);
        let reshape = Op::Reshape { allow_zero: false };
        let folded = self.0.node(part("folded"), reshape.clone(), &[x, runs]);
        let scale = self.weights(&part("own scale"), &[RUNS]);
        let shift = self.weights(&part("own shift"), &[RUNS]);
        let instance = Op::Norm(Norm::Instance { epsilon: 0.125 });
        let normal = self
            .0
            .node(part("normal"), instance, &[folded, scale, shift]);
        let wanted = match places {
            Some(places) => {
                let shape = [0, channels as i64, places as i64, places as i64];
                self.list(&part("shape"), &shape)
            }
            None => {
                let (start, end) = (0, None);
                let shape = self.0.node(part("shape"), Op::Shape { start, end }, &[x]);
                self.0.of_type(shape, Element::I64);
                shape
            }
        };
        let back = self.0.node(part("back"), reshape, &[normal, wanted]);
        let scale = self.weights(&part("scale"), &[channels, 1, 1]);
        let shift = self.weights(&part("shift"), &[channels, 1, 1]);
        let scaled = self
            .0
            .node(part("scaled"), Op::Binary(Binary::Mul), &[back, scale]);
        self.0
            .node(part("shifted"), Op::Binary(Binary::Add), &[scaled, shift])
    }
}

/// A network with places that are known or not, a shape to go back to that is computed or not, and perhaps another branch.
fn network(open: bool, computed: bool, residual: bool) -> Graph {
    let mut net = Net(GraphBuilder::new("g"), Stream::new(5));
    let length = |name: &str| match open {
        true => Dim::Named(name.into()),
        false => Dim::Fixed(4),
    };
    let shape = [Dim::batch(), Dim::Fixed(3), length("h"), length("w")];
    let x = net.0.input("x", shape);
    let mut h = net.conv("first", x, [3, RUNS * OWN]);
    let places = (!computed).then_some(4);
    let mut normal = net.norm("n1", h, places);
    if residual {
        normal = net.0.node("sum", Op::Binary(Binary::Add), &[normal, h]);
        h = net.conv("second", normal, [RUNS * OWN; 2]);
        let other = net.norm("n2", h, places);
        normal = net
            .0
            .node("sum2", Op::Binary(Binary::Add), &[other, normal]);
    }
    let relu = net.0.node("relu", Op::Unary(Unary::Relu), &[normal]);
    let mean = Op::Reduce(Reduce {
        kind: ReduceKind::Mean,
        axes: ReduceAxes::Spatial,
        keep: true,
    });
    let mean = net.0.node("mean", mean, &[relu]);
    let flat = net.0.node("flat", Op::Flatten { axis: 1 }, &[mean]);
    let weights = net.weights("last.w", &[RUNS * OWN, 2]);
    let y = net.0.node("y", Op::Gemm(Gemm::default()), &[flat, weights]);
    net.0.output(y);
    net.0.build().unwrap()
}

fn all() -> impl Iterator<Item = (bool, bool, bool)> {
    let places = [(false, false), (false, true), (true, true)];
    places
        .into_iter()
        .flat_map(|(o, c)| [(o, c, false), (o, c, true)])
}

#[test]
fn laws_hold() {
    for (open, computed, residual) in all() {
        let graph = settle(&network(open, computed, residual)).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        assert!(change(&graph, &groups, 1).unwrap() < 1e-9);
        for seed in 0..8 {
            let keep = some_keep(&groups, seed);
            let inputs = rows(&graph, 4, seed);
            let masked = mask(&graph, &groups, &keep).unwrap();
            let small = shrink(&graph, &groups, &keep).unwrap().graph;
            assert_eq!(
                bits(&evaluate(&masked, &inputs).unwrap()),
                bits(&evaluate(&small, &inputs).unwrap()),
                "open {open}, computed {computed}, residual {residual}, seed {seed}"
            );
        }
    }
}

#[test]
fn whole_runs_may_go() {
    for (open, computed, residual) in all() {
        let graph = settle(&network(open, computed, residual)).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let free = groups.groups().iter().filter(|g| g.is_free());
        let free: Vec<usize> = free.map(|g| g.units).collect();
        assert_eq!(
            free,
            [RUNS],
            "open {open}, computed {computed}, residual {residual}: {groups}"
        );
    }
}
