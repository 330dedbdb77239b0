//! Groups drawn out for the eye.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use insta::assert_snapshot;
use secateur_graph::{Binary, ChannelGroups, Dim, Gemm, GraphBuilder, Op, Tensor, Unary, ValueId};
use secateur_testkit::{mlp, opaque};

/// A builder with short ways to say what these cases need; weights are ones.
struct Sketch(GraphBuilder);

impl Sketch {
    fn new(features: usize) -> (Self, ValueId) {
        let mut b = GraphBuilder::new("sketch");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(features)]);
        (Self(b), x)
    }

    fn ones(&mut self, name: &str, shape: &[usize]) -> ValueId {
        let tensor = Tensor::f32(shape, vec![1.0; shape.iter().product()]).unwrap();
        self.0.constant(name, tensor)
    }

    fn indices(&mut self, name: &str, indices: &[i64]) -> ValueId {
        let tensor = Tensor::i64([indices.len()], indices.to_vec()).unwrap();
        self.0.constant(name, tensor)
    }

    fn dense(&mut self, name: &str, x: ValueId, shape: [usize; 2]) -> ValueId {
        let w = self.ones(&format!("{name}.w"), &shape);
        let b = self.ones(&format!("{name}.b"), &shape[1..]);
        self.0.node(name, Op::Gemm(Gemm::default()), &[x, w, b])
    }

    fn relu(&mut self, name: &str, x: ValueId) -> ValueId {
        self.0.node(name, Op::Unary(Unary::Relu), &[x])
    }

    fn groups(mut self, outputs: &[ValueId]) -> String {
        for &output in outputs {
            self.0.output(output);
        }
        ChannelGroups::of(&self.0.build().unwrap())
            .unwrap()
            .to_string()
    }
}

#[test]
fn chain() {
    let graph = mlp(&[3, 2, 4], Unary::Relu, 1).unwrap();
    assert_snapshot!(ChannelGroups::of(&graph).unwrap(), @r"
    input x: 3 units
      reads    w1 axis 0
      flows in x axis 1
    hidden dense1: 2 units
      produces w1 axis 1
      produces b1 axis 0
      reads    w2 axis 0
      flows in dense1 axis 1
      flows in act1 axis 1
    hidden dense2: 4 units, frozen as it is an output of the graph (at 'dense2')
      produces w2 axis 1
      produces b2 axis 0
      flows in dense2 axis 1
    ");
}

#[test]
fn standardised_matmul_and_add() {
    let (mut s, x) = Sketch::new(2);
    let (mean, std) = (s.ones("mean", &[2]), s.ones("std", &[1, 2]));
    let centred = s.0.node("centred", Op::Binary(Binary::Sub), &[x, mean]);
    let scaled = s.0.node("scaled", Op::Binary(Binary::Div), &[centred, std]);
    let (w, b) = (s.ones("w", &[2, 3]), s.ones("b", &[3]));
    let product = s.0.node("product", Op::MatMul, &[scaled, w]);
    let sum = s.0.node("sum", Op::Binary(Binary::Add), &[product, b]);
    let h = s.relu("h", sum);
    let y = s.dense("y", h, [3, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      carries  mean axis 0
      carries  std axis 1
      reads    w axis 0
      flows in x axis 1
      flows in centred axis 1
      flows in scaled axis 1
    hidden product: 3 units
      produces w axis 1
      produces b axis 0
      reads    y.w axis 0
      flows in product axis 1
      flows in sum axis 1
      flows in h axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn residual() {
    let (mut s, x) = Sketch::new(2);
    let h = s.dense("h", x, [2, 3]);
    let branch = s.dense("branch", h, [3, 3]);
    let sum = s.0.node("sum", Op::Binary(Binary::Add), &[branch, h]);
    let y = s.dense("y", sum, [3, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    h.w axis 0
      flows in x axis 1
    hidden h: 3 units
      produces h.w axis 1
      produces h.b axis 0
      reads    branch.w axis 0
      produces branch.w axis 1
      produces branch.b axis 0
      reads    y.w axis 0
      flows in h axis 1
      flows in branch axis 1
      flows in sum axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn residual_onto_the_input() {
    let (mut s, x) = Sketch::new(2);
    let h = s.dense("h", x, [2, 2]);
    let sum = s.0.node("sum", Op::Binary(Binary::Add), &[h, x]);
    let y = s.dense("y", sum, [2, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    h.w axis 0
      produces h.w axis 1
      produces h.b axis 0
      reads    y.w axis 0
      flows in x axis 1
      flows in h axis 1
      flows in sum axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn two_heads() {
    let (mut s, x) = Sketch::new(2);
    let trunk = s.dense("trunk", x, [2, 3]);
    let left = s.dense("left", trunk, [3, 1]);
    let right = s.dense("right", trunk, [3, 2]);
    let classes = s.0.node("classes", Op::Softmax { axis: -1 }, &[right]);
    assert_snapshot!(s.groups(&[left, classes]), @r"
    input x: 2 units
      reads    trunk.w axis 0
      flows in x axis 1
    hidden trunk: 3 units
      produces trunk.w axis 1
      produces trunk.b axis 0
      reads    left.w axis 0
      reads    right.w axis 0
      flows in trunk axis 1
    hidden left: 1 unit, frozen as it is an output of the graph (at 'left')
      produces left.w axis 1
      produces left.b axis 0
      flows in left axis 1
    hidden right: 2 units, frozen as it is mixed across channels by Softmax (at 'classes')
      produces right.w axis 1
      produces right.b axis 0
      flows in right axis 1
      flows in classes axis 1
    ");
}

#[test]
fn flatten_of_an_image() {
    let mut b = GraphBuilder::new("sketch");
    let x = b.input(
        "x",
        [Dim::batch(), Dim::Fixed(2), Dim::Fixed(1), Dim::Fixed(3)],
    );
    let mut s = Sketch(b);
    let flat = s.0.node("flat", Op::Flatten { axis: 1 }, &[x]);
    let y = s.dense("y", flat, [6, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    y.w axis 0 [0 0 0 1 1 1]
      flows in x axis 1
      flows in flat axis 1 [0 0 0 1 1 1]
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn flatten_into_the_batch() {
    let (mut s, x) = Sketch::new(2);
    let h = s.dense("h", x, [2, 3]);
    let flat = s.0.node("flat", Op::Flatten { axis: 0 }, &[h]);
    assert_snapshot!(s.groups(&[flat]), @r"
    input x: 2 units
      reads    h.w axis 0
      flows in x axis 1
    hidden h: 3 units, frozen as it is moved so that its channels lie on no one axis (at 'flat')
      produces h.w axis 1
      produces h.b axis 0
      flows in h axis 1
    ");
}

#[test]
fn gather_of_an_input_and_of_a_layer() {
    let (mut s, x) = Sketch::new(4);
    let (first, second) = (
        s.indices("first", &[3, 0]),
        s.indices("second", &[-1, 0, 0]),
    );
    let selected = s.0.node("selected", Op::Gather { axis: 1 }, &[x, first]);
    let h = s.dense("h", selected, [2, 3]);
    let ends = s.0.node("ends", Op::Gather { axis: 1 }, &[h, second]);
    let y = s.dense("y", ends, [3, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    h.w axis 0
      flows in selected axis 1
    hidden h: 3 units
      produces h.w axis 1
      produces h.b axis 0
      reads    y.w axis 0 [2 0 0]
      flows in h axis 1
      flows in ends axis 1 [2 0 0]
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn an_input_that_is_read_whole_and_in_part() {
    let (mut s, x) = Sketch::new(3);
    let indices = s.indices("indices", &[2, 0]);
    let part = s.0.node("part", Op::Gather { axis: 1 }, &[x, indices]);
    let of_part = s.dense("of part", part, [2, 1]);
    let of_whole = s.dense("of whole", x, [3, 1]);
    assert_snapshot!(s.groups(&[of_part, of_whole]), @r"
    input x: 3 units
      reads    of part.w axis 0 [2 0]
      reads    of whole.w axis 0
      flows in x axis 1
      flows in part axis 1 [2 0]
    hidden of part: 1 unit, frozen as it is an output of the graph (at 'of part')
      produces of part.w axis 1
      produces of part.b axis 0
      flows in of part axis 1
    hidden of whole: 1 unit, frozen as it is an output of the graph (at 'of whole')
      produces of whole.w axis 1
      produces of whole.b axis 0
      flows in of whole axis 1
    ");
}

#[test]
fn weights_that_read_known_and_unknown_channels() {
    let (mut s, x) = Sketch::new(2);
    let made = s.0.declare("made", Some(vec![Dim::batch(), Dim::Fixed(2)]));
    s.0.add_node(opaque("mystery", vec![Some(x)], vec![made]));
    let h = s.dense("h", x, [2, 2]);
    let w = s.ones("w", &[2, 1]);
    let known = s.0.node("known", Op::MatMul, &[h, w]);
    let unknown = s.0.node("unknown", Op::MatMul, &[made, w]);
    assert_snapshot!(s.groups(&[known, unknown]), @r"
    input x: 2 units, frozen as it is read by Mystery, which is not understood (at 'mystery')
      reads    h.w axis 0
      flows in x axis 1
    hidden h: 2 units, frozen as it shares weights that read unknown channels (at 'unknown')
      produces h.w axis 1
      produces h.b axis 0
      reads    w axis 0
      flows in h axis 1
    hidden known: 1 unit, frozen as it is an output of the graph (at 'known')
      produces w axis 1
      flows in known axis 1
      flows in unknown axis 1
    ");
}

#[test]
fn a_constant_across_channels_here_and_pixels_there() {
    let mut b = GraphBuilder::new("sketch");
    let image = b.input("image", [Dim::batch(), Dim::Fixed(3), Dim::Fixed(2)]);
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let mut s = Sketch(b);
    let c = s.ones("c", &[2]);
    let brighter = s.0.node("brighter", Op::Binary(Binary::Add), &[image, c]);
    let shifted = s.0.node("shifted", Op::Binary(Binary::Add), &[x, c]);
    let flat = s.0.node("flat", Op::Flatten { axis: 1 }, &[brighter]);
    let left = s.dense("left", flat, [6, 1]);
    let right = s.dense("right", shifted, [2, 1]);
    assert_snapshot!(s.groups(&[left, right]), @r"
    input image: 3 units
      reads    left.w axis 0 [0 0 1 1 2 2]
      flows in image axis 1
      flows in brighter axis 1
      flows in flat axis 1 [0 0 1 1 2 2]
    input x: 2 units, frozen as it shares a constant that varies along another axis (at 'brighter')
      carries  c axis 0
      reads    right.w axis 0
      flows in x axis 1
      flows in shifted axis 1
    hidden left: 1 unit, frozen as it is an output of the graph (at 'left')
      produces left.w axis 1
      produces left.b axis 0
      flows in left axis 1
    hidden right: 1 unit, frozen as it is an output of the graph (at 'right')
      produces right.w axis 1
      produces right.b axis 0
      flows in right axis 1
    ");
}

#[test]
fn a_constant_across_rows_here_and_channels_there() {
    let mut b = GraphBuilder::new("sketch");
    let x = b.input("x", [Dim::Fixed(4), Dim::Fixed(2)]);
    let column = b.input("column", [Dim::Fixed(2), Dim::Fixed(1)]);
    let mut s = Sketch(b);
    let c = s.ones("c", &[4, 1]);
    let (w, left) = (s.ones("w", &[2, 3]), s.ones("left", &[4, 2]));
    let rows = s.0.node("rows", Op::Gemm(Gemm::default()), &[x, w, c]);
    let made = s.0.node("made", Op::MatMul, &[left, column]);
    let sum = s.0.node("sum", Op::Binary(Binary::Add), &[made, c]);
    let read = s.ones("read", &[1, 4]);
    let last = s.0.node("last", Op::MatMul, &[read, sum]);
    s.0.output(rows);
    s.0.output(last);
    let groups = ChannelGroups::of(&s.0.build().unwrap()).unwrap();
    let made = groups.groups().iter().find(|g| g.name == "made").unwrap();
    let frozen = made.frozen.as_ref().unwrap();
    assert_eq!(
        frozen.reason,
        "shares a constant that varies along another axis"
    );
    assert_eq!(frozen.node, "rows");
}

#[test]
fn gathers_that_share_their_indices() {
    let (mut s, x) = Sketch::new(2);
    let indices = s.indices("indices", &[1, 0]);
    let h = s.dense("h", x, [2, 2]);
    let turned = s.0.node("turned", Op::Gather { axis: 1 }, &[h, indices]);
    let g = s.dense("g", turned, [2, 2]);
    let again = s.0.node("again", Op::Gather { axis: 1 }, &[g, indices]);
    let y = s.dense("y", again, [2, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    h.w axis 0
      flows in x axis 1
    hidden h: 2 units, frozen as it is gathered other than by a constant list of its own (at 'turned')
      produces h.w axis 1
      produces h.b axis 0
      flows in h axis 1
    hidden g: 2 units, frozen as it is gathered other than by a constant list of its own (at 'again')
      produces g.w axis 1
      produces g.b axis 0
      flows in g axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn tied_weights() {
    let (mut s, x) = Sketch::new(3);
    let w = s.ones("w", &[3, 2]);
    let back = Op::Gemm(Gemm {
        trans_b: true,
        ..Gemm::default()
    });
    let code = s.0.node("code", Op::Gemm(Gemm::default()), &[x, w]);
    let decoded = s.0.node("decoded", back, &[code, w]);
    let y = s.dense("y", decoded, [3, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 3 units, frozen as it shares elements of a tensor with another unit (at 'w')
      reads    w axis 0
      produces w axis 0
      reads    y.w axis 0
      flows in x axis 1
      flows in decoded axis 1
    hidden code: 2 units, frozen as it shares elements of a tensor with another unit (at 'w')
      produces w axis 1
      reads    w axis 1
      flows in code axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn a_layer_used_twice() {
    let (mut s, x) = Sketch::new(2);
    let w = s.ones("w", &[2, 2]);
    let once = s.0.node("once", Op::MatMul, &[x, w]);
    let twice = s.0.node("twice", Op::MatMul, &[once, w]);
    let y = s.dense("y", twice, [2, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    w axis 0
      produces w axis 1
      reads    y.w axis 0
      flows in x axis 1
      flows in once axis 1
      flows in twice axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn opaque_in_the_middle() {
    let (mut s, x) = Sketch::new(2);
    let before = s.dense("before", x, [2, 3]);
    let made = s.0.declare("made", Some(vec![Dim::batch(), Dim::Fixed(3)]));
    s.0.add_node(opaque("mystery", vec![Some(before)], vec![made]));
    let after = s.dense("after", made, [3, 2]);
    let y = s.dense("y", after, [2, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    before.w axis 0
      flows in x axis 1
    hidden before: 3 units, frozen as it is read by Mystery, which is not understood (at 'mystery')
      produces before.w axis 1
      produces before.b axis 0
      flows in before axis 1
    hidden after: 2 units
      produces after.w axis 1
      produces after.b axis 0
      reads    y.w axis 0
      flows in after axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}

#[test]
fn gate_by_a_single_channel() {
    let (mut s, x) = Sketch::new(2);
    let wide = s.dense("wide", x, [2, 3]);
    let gate = s.dense("gate", x, [2, 1]);
    let gated = s.0.node("gated", Op::Binary(Binary::Mul), &[wide, gate]);
    let y = s.dense("y", gated, [3, 1]);
    assert_snapshot!(s.groups(&[y]), @r"
    input x: 2 units
      reads    wide.w axis 0
      reads    gate.w axis 0
      flows in x axis 1
    hidden wide: 3 units
      produces wide.w axis 1
      produces wide.b axis 0
      reads    y.w axis 0
      flows in wide axis 1
      flows in gated axis 1
    hidden gate: 1 unit, frozen as it is one channel for all that it meets (at 'gated')
      produces gate.w axis 1
      produces gate.b axis 0
      flows in gate axis 1
    hidden y: 1 unit, frozen as it is an output of the graph (at 'y')
      produces y.w axis 1
      produces y.b axis 0
      flows in y axis 1
    ");
}
