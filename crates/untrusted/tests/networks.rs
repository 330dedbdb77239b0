//! Small networks that ask for much while they are read: each stays within what networks may take, and is soon done.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::print_stdout,
    reason = "how near the bounds are, with --nocapture"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secateur_graph::{
    Dim, Element, Graph, GraphBuilder, Index, Node, Op, Opaque, Padding, Pool, PoolKind, Tensor,
    Unary, ValueId, Variadic, Window, settle,
};
use secateur_untrusted::{CHECKPOINT_MULTIPLE, Memory, NETWORK_BYTES, Watch, peak_of};

#[global_allocator]
static MEMORY: Memory = Memory {};

/// Memory is that of the whole program: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a network as checkpoints hold it, and settles it as those of ONNX files are; whether it was read.
fn within(what: &str, builder: GraphBuilder, last: ValueId) -> bool {
    let _alone = alone();
    let mut builder = builder;
    builder.output(last);
    let bytes = postcard::to_allocvec(&builder.build().unwrap()).unwrap();
    let watch = Watch::new(Duration::from_secs(10));
    let read = || postcard::from_bytes::<Graph>(&bytes);
    let (read, peak) = peak_of(|| watch.over(format!("reading {what}"), read));
    let (is_read, settled) = match read {
        Ok(graph) => {
            let settle = || settle(&graph).is_ok();
            (
                true,
                peak_of(|| watch.over(format!("settling {what}"), settle)).1,
            )
        }
        Err(_) => (false, 0),
    };
    let bound = NETWORK_BYTES + CHECKPOINT_MULTIPLE * bytes.len() as u64;
    let length = bytes.len();
    println!("{what}: {length} bytes took {peak} and {settled}, read: {is_read}");
    assert!(peak.max(settled) <= bound, "{peak}, {settled}: {what}");
    is_read
}

fn shape(b: &mut GraphBuilder, name: &str, lengths: &[i64]) -> ValueId {
    b.constant(
        name,
        Tensor::i64([lengths.len()], lengths.to_vec()).unwrap(),
    )
}

fn one(b: &mut GraphBuilder) -> ValueId {
    b.constant("one", Tensor::f32([1], vec![1.0]).unwrap())
}

#[test]
fn many_nodes_that_say_nothing() {
    let _alone = alone();
    // Two lengths, on either side of what is taken at once for a list whose length is only claimed.
    for count in [5_000, 140_000] {
        let node = Node {
            name: String::new(),
            op: Op::Identity,
            inputs: vec![],
            outputs: vec![],
        };
        let none: Vec<u8> = vec![];
        let rest = (&none, &none, &none, &none, false);
        let stored = ("", vec![node; count], rest);
        let bytes = postcard::to_allocvec(&stored).unwrap();
        let (read, peak) = peak_of(|| postcard::from_bytes::<Graph>(&bytes));
        assert!(read.is_err());
        let times = peak / bytes.len() as u64;
        println!("{count} nodes: {times} times");
        assert!((32..CHECKPOINT_MULTIPLE).contains(&times), "{times}");
    }
}

#[test]
fn many_large_constants_of_a_shape() {
    let mut b = GraphBuilder::new("g");
    let wanted = shape(&mut b, "shape", &[1 << 12, 1 << 12]);
    let fill = Index::ConstantOfShape {
        value: 1.0,
        element: Element::F32,
    };
    let mut last = wanted;
    for n in 0..100 {
        last = b.node(format!("{n}"), Op::Index(fill), &[wanted]);
    }
    assert!(within("constants of a shape", b, last));
}

#[test]
fn many_large_expansions_and_what_follows_from_them() {
    let mut b = GraphBuilder::new("g");
    let one = one(&mut b);
    let wanted = shape(&mut b, "shape", &[1 << 11, 1 << 10]);
    let mut last = one;
    for n in 0..100 {
        last = b.node(format!("{n}"), Op::Expand, &[one, wanted]);
        last = b.node(format!("{n}.exp"), Op::Unary(Unary::Exp), &[last]);
    }
    assert!(within("expansions", b, last));
}

#[test]
fn products_of_large_matrices() {
    let mut b = GraphBuilder::new("g");
    let one = one(&mut b);
    let wanted = shape(&mut b, "shape", &[1000, 1000]);
    let square = b.node("square", Op::Expand, &[one, wanted]);
    let mut last = square;
    for n in 0..20 {
        last = b.node(format!("{n}"), Op::MatMul, &[last, square]);
    }
    assert!(within("products", b, last));
}

#[test]
fn a_constant_that_is_read_again_and_again() {
    let mut b = GraphBuilder::new("g");
    let bytes = Tensor::new(
        [1 << 18],
        secateur_graph::Data::Raw(Element::U8, vec![1; 1 << 18]),
    );
    let constant = b.constant("c", bytes.unwrap());
    let largest = Op::Variadic(Variadic::Max);
    let last = b.node("largest", largest, &[constant; 5000]);
    assert!(within("a constant in many places", b, last));
}

#[test]
fn windows_that_are_larger_than_what_they_see() {
    let mut b = GraphBuilder::new("g");
    let image = Tensor::f32([1, 1, 1, 1], vec![1.0]).unwrap();
    let x = b.constant("x", image);
    let side = 1 << 15;
    let pool = Op::Pool(Pool {
        kind: PoolKind::Max,
        kernel: vec![side, side],
        window: Window {
            strides: vec![1, 1],
            dilations: vec![1, 1],
            padding: Padding::By {
                before: vec![side / 2; 2],
                behind: vec![side / 2; 2],
            },
            ceil: false,
        },
    });
    let last = b.node("pool", pool, &[x]);
    within("a large window", b, last);
}

#[test]
fn axes_whose_lengths_multiply_to_more_than_64_bits() {
    let mut b = GraphBuilder::new("g");
    let one = one(&mut b);
    let named = |n| Dim::Named(format!("n{n}"));
    let made = b.declare("made", Some((0..12).map(named).collect()));
    let unknown = Opaque {
        domain: String::new(),
        op_type: "Mystery".into(),
        opset: 17,
        message: vec![],
    };
    b.add_node(Node {
        name: "mystery".into(),
        op: Op::Opaque(unknown),
        inputs: vec![Some(one)],
        outputs: vec![made],
    });
    assert!(within("twelve axes", b, made));
}

#[test]
fn many_axes_of_unknown_length() {
    let mut b = GraphBuilder::new("g");
    let lengths = Op::Shape {
        start: 0,
        end: None,
    };
    let mut last = None;
    for n in 0..1_000 {
        let axis = |i| Dim::Named(format!("{n}.{i}"));
        let x = b.input(format!("x{n}"), (0..8).map(axis).collect::<Vec<_>>());
        last = Some(b.node(format!("{n}"), lengths.clone(), &[x]));
    }
    assert!(within("many unknown lengths", b, last.unwrap()));
}

#[test]
fn a_long_name_of_an_axis_of_every_value() {
    let mut b = GraphBuilder::new("g");
    let mut last = b.input("x", [Dim::Named("n".repeat(1 << 20))]);
    for n in 0..1_000 {
        last = b.node(format!("{n}"), Op::Unary(Unary::Relu), &[last]);
    }
    assert!(!within("a long name", b, last));
}

#[test]
fn values_of_many_axes() {
    for (axes, fits) in [(64, true), (65, false)] {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", vec![Dim::Fixed(1); axes]);
        let y = b.node("y", Op::Unary(Unary::Relu), &[x]);
        assert_eq!(within("many axes", b, y), fits);
    }
}
