//! Shapes that a graph computes: they are settled, and follow when channels go.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Binary, ChannelGroups, Conv, Dim, Element, Graph, GraphBuilder, GroupKind, Index, Nearest, Op,
    Resize, ResizeForm, ResizeMode, ResizePlaces, Split, Squeeze, Tensor, ValueId, Window,
    evaluate, mask, settle, shrink,
};
use secateur_testkit::{bits, change, rows, some_keep};

/// A builder with what these networks have in common.
struct Net(GraphBuilder);

impl Net {
    fn new() -> (Self, ValueId) {
        let mut b = GraphBuilder::new("g");
        let shape = [Dim::batch(), Dim::Fixed(2), Dim::Fixed(4), Dim::Fixed(4)];
        let x = b.input("x", shape);
        (Self(b), x)
    }

    fn list(&mut self, name: &str, values: &[i64]) -> ValueId {
        let tensor = Tensor::i64([values.len()], values.to_vec()).unwrap();
        self.0.constant(name, tensor)
    }

    /// A node that makes whole numbers.
    fn whole(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> ValueId {
        let made = self.0.node(name, op, inputs);
        self.0.of_type(made, Element::I64);
        made
    }

    /// The lengths of a value at these axes, by `Shape` and `Gather`.
    fn lengths(&mut self, name: &str, x: ValueId, axes: &[i64]) -> ValueId {
        let shape = Op::Shape {
            start: 0,
            end: None,
        };
        let all = self.whole(&format!("{name}.all"), shape, &[x]);
        let axes = self.list(&format!("{name}.axes"), axes);
        self.whole(name, Op::Gather { axis: 0 }, &[all, axes])
    }

    fn concat(&mut self, name: &str, parts: &[ValueId]) -> ValueId {
        self.whole(name, Op::Concat { axis: 0 }, parts)
    }

    fn conv(&mut self, name: &str, x: ValueId, [outputs, inputs]: [usize; 2]) -> ValueId {
        let values = (0..outputs * inputs).map(|i| [1.0, -2.0, 3.0, 2.0, -1.0][(i * i) % 5]);
        let shape = [outputs, inputs, 1, 1];
        let weights = Tensor::f32(shape, values.collect()).unwrap();
        let weights = self.0.constant(format!("{name}.weight"), weights);
        let conv = Conv {
            window: Window::plain(2),
            conv_groups: 1,
        };
        self.0.node(name, Op::Conv(conv), &[x, weights])
    }

    fn end(mut self, y: ValueId) -> Graph {
        self.0.output(y);
        self.0.build().unwrap()
    }
}

/// What holds of every such network; how many units can go.
fn holds(graph: &Graph) -> usize {
    let settled = settle(graph).unwrap();
    let inputs = rows(graph, 3, 1);
    assert_eq!(
        evaluate(graph, &inputs).unwrap(),
        evaluate(&settled, &inputs).unwrap()
    );
    let groups = ChannelGroups::of(&settled).unwrap();
    assert_eq!(change(&settled, &groups, 5).unwrap(), 0.0);
    let mut compared = 0;
    for seed in 0..5 {
        let keep = some_keep(&groups, seed);
        let Ok(small) = shrink(&settled, &groups, &keep) else {
            continue;
        };
        let masked = mask(&settled, &groups, &keep).unwrap();
        let (want, have) = (evaluate(&masked, &inputs), evaluate(&small.graph, &inputs));
        assert_eq!(bits(&want.unwrap()), bits(&have.unwrap()), "seed {seed}");
        compared += 1;
    }
    assert!(compared > 0);
    let hidden = groups
        .groups()
        .iter()
        .filter(|g| g.kind == GroupKind::Hidden);
    hidden.filter(|g| g.frozen.is_none()).map(|g| g.units).sum()
}

/// Sizes hold the number of channels beside a batch that is computed.
#[test]
fn a_computed_size_loses_channels() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let batch = net.lengths("batch", h, &[0]);
    let rest = net.list("rest", &[6, 8, 8]);
    let sizes = net.concat("sizes", &[batch, rest]);
    let resize = Resize {
        form: ResizeForm::Resize,
        mode: ResizeMode::Nearest(Nearest::Floor),
        places: ResizePlaces::Asymmetric,
        axes: vec![],
    };
    let made = net.0.declare("resized", None);
    net.0.add_node(secateur_graph::Node {
        name: "resized".into(),
        op: Op::Resize(resize),
        inputs: vec![Some(h), None, None, Some(sizes)],
        outputs: vec![made],
    });
    let y = net.conv("y", made, [2, 6]);
    assert_eq!(holds(&net.end(y)), 6);
}

/// A channel shuffle whose shape is put together from lengths, their halves among them.
#[test]
fn a_computed_reshape_follows() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let [batch, channels, sides] = [("n", 0..1), ("c", 1..2), ("hw", 2..4)]
        .map(|(name, axes)| net.lengths(name, h, &axes.collect::<Vec<i64>>()));
    let two = net.list("two", &[2]);
    let half = net.whole("half", Op::Binary(Binary::Quotient), &[channels, two]);
    let shape = net.concat("split", &[batch, two, half, sides]);
    let apart = net
        .0
        .node("apart", Op::Reshape { allow_zero: false }, &[h, shape]);
    let order = vec![0, 2, 1, 3, 4];
    let turned = net.0.node("turned", Op::Transpose { order }, &[apart]);
    let shape = net.concat("joined", &[batch, channels, sides]);
    let shuffled = net.0.node(
        "shuffled",
        Op::Reshape { allow_zero: false },
        &[turned, shape],
    );
    let y = net.conv("y", shuffled, [2, 6]);
    // Two halves, and three places in each.
    assert_eq!(holds(&net.end(y)), 5);
}

/// Halves by `Slice` with bounds that are computed, and uneven parts by `Split`.
#[test]
fn bounds_and_parts_follow() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let channels = net.lengths("c", h, &[1]);
    let (zero, one, two) = (
        net.list("zero", &[0]),
        net.list("one", &[1]),
        net.list("two", &[2]),
    );
    let half = net.whole("half", Op::Binary(Binary::Quotient), &[channels, two]);
    let slice = || Op::Slice { bounds: None };
    let first = net.0.node("first", slice(), &[h, zero, half, one]);
    let second = net.0.node("second", slice(), &[h, half, channels, one]);
    let a = net.conv("a", first, [5, 3]);
    let parts = net.list("parts", &[2, 3]);
    let (left, right) = (net.0.declare("left", None), net.0.declare("right", None));
    net.0.add_node(secateur_graph::Node {
        name: "parted".into(),
        op: Op::Split(Split {
            axis: 1,
            parts: vec![2, 3],
            attribute: false,
        }),
        inputs: vec![Some(a), Some(parts)],
        outputs: vec![left, right],
    });
    let ys = [
        net.conv("b", second, [2, 3]),
        net.conv("c2", left, [2, 2]),
        net.conv("d", right, [2, 3]),
    ];
    let sum = net.0.node("sum", Op::Binary(Binary::Add), &ys[..2]);
    let y = net.0.node("y", Op::Binary(Binary::Add), &[sum, ys[2]]);
    assert_eq!(holds(&net.end(y)), 6 + 5);
}

/// A row of its own for every row, of a length that only the input knows.
#[test]
fn a_constant_is_repeated_for_every_row() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let token = Tensor::f32([1, 1, 6], vec![1.0, -1.0, 2.0, -2.0, 3.0, -3.0]).unwrap();
    let token = net.0.constant("token", token);
    let batch = net.lengths("batch", h, &[0]);
    let ones = net.list("ones", &[1, 1]);
    let rank = net.list("rank", &[3]);
    let keep = net.whole(
        "keep",
        Op::Index(Index::ConstantOfShape {
            value: -1.0,
            element: Element::I64,
        }),
        &[rank],
    );
    let wanted = net.concat("wanted", &[batch, ones]);
    let minus = net.list("minus", &[-1]);
    let is_open = net
        .0
        .node("open", Op::Binary(Binary::Equal), &[wanted, minus]);
    let shape = net.whole("shape", Op::Where, &[is_open, keep, wanted]);
    let repeated = net.0.node("repeated", Op::Expand, &[token, shape]);
    let flat = net.list("flat", &[0, 6, -1]);
    let places = net
        .0
        .node("places", Op::Reshape { allow_zero: false }, &[h, flat]);
    let order = vec![0, 2, 1];
    let rows = net.0.node("rows", Op::Transpose { order }, &[places]);
    let all = net.0.node("all", Op::Concat { axis: 1 }, &[repeated, rows]);
    let weights = Tensor::f32(
        [6, 2],
        (0..12).map(|i| f32::from(i as u8 % 5) - 2.0).collect(),
    );
    let weights = net.0.constant("w", weights.unwrap());
    let y = net.0.node("y", Op::MatMul, &[all, weights]);
    assert_eq!(holds(&net.end(y)), 6);
}

/// Elements of an input, picked at places that are computed, meet channels, which go all the same.
#[test]
fn what_is_picked_from_an_input_has_a_shape() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let allowed = net.0.input("allowed", [Dim::Fixed(2), Dim::Fixed(4)]);
    let table = Tensor::i64([2, 4, 2], (0..16).map(|i| i % 2).collect()).unwrap();
    let table = net.0.constant("table", table);
    let order = Tensor::i64([1, 4, 2], vec![0; 8]).unwrap();
    let order = net.0.constant("order", order);
    let pick = Op::Index(Index::GatherElements { axis: 0 });
    let places = net.whole("places", pick, &[table, order]);
    let picked = net.0.node(
        "picked",
        Op::Index(Index::GatherNd { rows: 0 }),
        &[allowed, places],
    );
    let shape = net.list("shape", &[4]);
    let fill = Op::Index(Index::ConstantOfShape {
        value: 1.0,
        element: Element::Bool,
    });
    let yes = net.0.node("yes", fill, &[shape]);
    net.0.of_type(yes, Element::Bool);
    let masked = net.0.node("masked", Op::Where, &[yes, h, picked]);
    let sum = net
        .0
        .node("sum", Op::Binary(Binary::Add), &[masked, picked]);
    let y = net.conv("y", sum, [2, 6]);
    assert_eq!(holds(&net.end(y)), 6);
}

/// An index without an axis leaves the channels where the axis was that it picks from.
#[test]
fn channels_come_to_the_axis_of_one_index() {
    let (mut net, x) = Net::new();
    let h = net.conv("h", x, [6, 2]);
    let order = vec![0, 2, 1, 3];
    let turned = net.0.node("turned", Op::Transpose { order }, &[h]);
    let second = net.0.constant("second", Tensor::i64([], vec![2]).unwrap());
    let row = net.0.node("row", Op::Gather { axis: 1 }, &[turned, second]);
    let wide = net
        .0
        .node("wide", Op::Squeeze(Squeeze::In(vec![3])), &[row]);
    let y = net.conv("y", wide, [2, 6]);
    assert_eq!(holds(&net.end(y)), 6);
}
