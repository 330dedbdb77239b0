//! Networks with units that others can stand for, repaired on the naive evaluator.

use secateur_graph::{
    Binary, ChannelGroups, Conv, ConvTranspose, Dim, Gemm, Graph, GraphBuilder, Keep, Op, Padding,
    Unary, ValueId, Window, infer_shapes, kept_positions, shrink,
};
use secateur_testkit::Stream;

use super::*;
use crate::repair::tests::Naive;

mod queries;
mod recurrent;
mod shared;

struct Net {
    b: GraphBuilder,
    stream: Stream,
}

impl Net {
    fn new(input: &[usize]) -> (Self, ValueId) {
        let mut b = GraphBuilder::new("net");
        let lengths = input.iter().map(|&n| Dim::Fixed(n));
        let shape: Vec<Dim> = std::iter::once(Dim::batch()).chain(lengths).collect();
        let x = b.input("x", shape);
        let stream = Stream::new(7);
        (Self { b, stream }, x)
    }

    /// Drawn weights. Where an axis is named, its second position is twice its first.
    fn weights(&mut self, name: &str, shape: &[usize], twice: Option<usize>) -> ValueId {
        let mut tensor: Vec<f32> = (0..shape.iter().product::<usize>())
            .map(|_| (self.stream.unit() - 0.5) as f32)
            .collect();
        if let Some(axis) = twice {
            let inner: usize = shape[axis + 1..].iter().product();
            let outer: usize = shape[..axis].iter().product();
            for at in 0..outer {
                let start = at * shape[axis] * inner;
                for i in 0..inner {
                    tensor[start + inner + i] = 2.0 * tensor[start + i];
                }
            }
        }
        self.b
            .constant(name, Tensor::f32(shape.to_vec(), tensor).unwrap())
    }

    fn relu(&mut self, x: ValueId) -> ValueId {
        self.b.node("relu", Op::Unary(Unary::Relu), &[x])
    }

    fn built(mut self, out: ValueId) -> Graph {
        self.b.output(out);
        infer_shapes(&self.b.build().unwrap()).unwrap()
    }
}

fn batches(graph: &Graph, count: usize, seed: u64) -> Vec<Batch> {
    let mut stream = Stream::new(seed);
    let of = |id: &ValueId, stream: &mut Stream| {
        let shape = graph.value(*id).shape.as_ref().unwrap();
        let shape: Vec<usize> = shape.iter().map(|d| d.fixed().unwrap_or(4)).collect();
        let values = (0..shape.iter().product::<usize>()).map(|_| stream.unit() as f32 - 0.3);
        Activation {
            values: values.collect(),
            shape,
        }
    };
    (0..count)
        .map(|_| {
            graph
                .inputs()
                .iter()
                .map(|id| of(id, &mut stream))
                .collect()
        })
        .collect()
}

/// The network without the second unit of the group that a weight makes, repaired; and how far its outputs are from those before:
/// without repair, and with it.
fn repaired(wide: &Graph, group: &str, spread: MadeSpread) -> (Outcome, [f64; 2], Vec<Untouched>) {
    let (outcome, distances, untouched, again) =
        repaired_without((wide, &[(group, 1)]), spread, |seed, count| {
            batches(wide, count, seed)
        });
    // What is held changes nothing.
    assert_eq!(again.readers, outcome.readers);
    (outcome, distances, untouched)
}

/// The same without other units, on other batches: of a seed, so many; and what comes if nothing is held.
fn repaired_without(
    (wide, units): (&Graph, &[(&str, usize)]),
    spread: MadeSpread,
    batches: impl Fn(u64, usize) -> Vec<Batch>,
) -> (Outcome, [f64; 2], Vec<Untouched>, Outcome) {
    let groups = ChannelGroups::of(wide).unwrap();
    let mut keep = Keep::all(&groups);
    for (group, unit) in units {
        let id = groups.named(group).unwrap_or_else(|| {
            let names: Vec<&str> = groups.groups().iter().map(|g| g.name.as_str()).collect();
            panic!("{group} of {names:?}")
        });
        keep.drop(id, *unit).unwrap();
    }
    let small = infer_shapes(&shrink(wide, &groups, &keep).unwrap().graph).unwrap();
    let (fit, choose, test) = (batches(1, 12), batches(2, 3), batches(3, 3));
    let parts = Parts {
        fit: &fit,
        choose: &choose,
        test: &test,
    };
    let effort = Effort {
        positions: 10_000,
        for_channel: 1,
        seed: 1,
        memory: u64::MAX,
    };
    let kept = kept_positions(&groups, &keep);
    let repairer = Repairer::new((wide, &small), &kept, parts, effort, &Naive).unwrap();
    let outcome = repairer.repaired(spread).unwrap();
    let run = |graph: &Graph| -> Vec<f32> {
        let network = Naive.compile(graph).unwrap();
        let each = test
            .iter()
            .map(|batch| network.run(&batch.iter().collect::<Vec<_>>()).unwrap());
        each.flat_map(|made| made[0].values.clone()).collect()
    };
    let want = run(wide);
    let far = |graph: &Graph| {
        let gaps = want
            .iter()
            .zip(run(graph))
            .map(|(a, b)| f64::from(a - b).powi(2));
        gaps.sum::<f64>() / want.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>()
    };
    let distances = [far(&small), far(&outcome.graph)];
    let little = Effort {
        memory: 0,
        ..effort
    };
    let again = Repairer::new((wide, &small), &kept, parts, little, &Naive).unwrap();
    let again = again.repaired(spread).unwrap();
    (outcome, distances, repairer.untouched().to_vec(), again)
}

fn exactly(wide: &Graph, group: &str, reader: &str) {
    for spread in [MadeSpread::Keep, MadeSpread::Match] {
        let (outcome, [before, after], untouched) = repaired(wide, group, spread);
        let names: Vec<&str> = outcome.readers.iter().map(|r| r.node.as_str()).collect();
        assert_eq!((names, untouched), (vec![reader], vec![]));
        // The smallest ridge that is tried is 1e-4.
        assert!(
            before > 1e-3 && after < 1e-5,
            "{reader}: {before:e} {after:e}"
        );
        let told = &outcome.readers[0];
        assert!(
            told.tested[1] < told.tested[0] && told.chosen[1] < told.chosen[0],
            "{told:?}"
        );
        assert!(told.ridge.is_some_and(f64::is_finite), "{told:?}");
    }
}

#[test]
fn what_others_can_stand_for_is_given_back_by_dense_readers() {
    let gemm = |trans_b, bias: bool| {
        let (mut net, x) = Net::new(&[3]);
        let w1 = net.weights("w1", &[3, 4], Some(1));
        let made = net.b.node("first", Op::MatMul, &[x, w1]);
        let hidden = net.relu(made);
        let shape = if trans_b { [2, 4] } else { [4, 2] };
        let w2 = net.weights("w2", &shape, None);
        let mut inputs = vec![hidden, w2];
        if bias {
            inputs.push(net.weights("b2", &[2], None));
        }
        let gemm = Gemm {
            trans_b,
            ..Gemm::default()
        };
        let out = net.b.node("second", Op::Gemm(gemm), &inputs);
        net.built(out)
    };
    for (trans_b, bias) in [(false, true), (true, true), (true, false)] {
        exactly(&gemm(trans_b, bias), "first", "second");
    }
    // A product has no bias of its own: what is added behind is one, and without it moments are about zero.
    for added in [true, false] {
        let (mut net, x) = Net::new(&[5, 3]);
        let w1 = net.weights("w1", &[3, 4], Some(1));
        let made = net.b.node("first", Op::MatMul, &[x, w1]);
        let hidden = net.relu(made);
        let w2 = net.weights("w2", &[4, 2], None);
        let mut out = net.b.node("second", Op::MatMul, &[hidden, w2]);
        if added {
            let b2 = net.weights("b2", &[2], None);
            out = net.b.node("sum", Op::Binary(Binary::Add), &[out, b2]);
        }
        exactly(&net.built(out), "first", "second");
    }
}

#[test]
fn what_others_can_stand_for_is_given_back_by_convolutions() {
    let window = |stride| Window {
        strides: vec![stride; 2],
        padding: Padding::By {
            before: vec![1; 2],
            behind: vec![1; 2],
        },
        ..Window::plain(2)
    };
    for (stride, bias) in [(1, true), (2, true), (2, false)] {
        let (mut net, x) = Net::new(&[3, 6, 6]);
        let w1 = net.weights("w1", &[4, 3, 3, 3], Some(0));
        let conv = |stride| {
            Op::Conv(Conv {
                window: window(stride),
                conv_groups: 1,
            })
        };
        let made = net.b.node("first", conv(1), &[x, w1]);
        let hidden = net.relu(made);
        let w2 = net.weights("w2", &[2, 4, 3, 3], None);
        let mut inputs = vec![hidden, w2];
        if bias {
            inputs.push(net.weights("b2", &[2], None));
        }
        let out = net.b.node("second", conv(stride), &inputs);
        exactly(&net.built(out), "first", "second");
    }
    let (mut net, x) = Net::new(&[3, 5]);
    let w1 = net.weights("w1", &[4, 3, 1], Some(0));
    let conv = Op::Conv(Conv {
        window: Window::plain(1),
        conv_groups: 1,
    });
    let made = net.b.node("first", conv, &[x, w1]);
    let hidden = net.relu(made);
    let w2 = net.weights("w2", &[4, 2, 3], None);
    let back = Op::ConvTranspose(ConvTranspose {
        window: Window {
            strides: vec![2],
            ..Window::plain(1)
        },
        conv_groups: 1,
        output_padding: vec![0],
    });
    let out = net.b.node("second", back, &[hidden, w2]);
    exactly(&net.built(out), "first", "second");
}

#[test]
fn variances_are_brought_back_where_they_are_to_match() {
    // Nothing stands for the unit that goes.
    let (mut net, x) = Net::new(&[6]);
    let w1 = net.weights("w1", &[6, 4], None);
    let made = net.b.node("first", Op::MatMul, &[x, w1]);
    let w2 = net.weights("w2", &[4, 2], None);
    let b2 = net.weights("b2", &[2], None);
    let out = net
        .b
        .node("second", Op::Gemm(Gemm::default()), &[made, w2, b2]);
    let wide = net.built(out);
    let variance = |graph: &Graph| {
        let network = Naive.compile(graph).unwrap();
        let mut spread = Spread::default();
        // Those that are fitted and chosen on.
        for batch in [batches(&wide, 12, 1), batches(&wide, 3, 2)].concat() {
            let made = network.run(&batch.iter().collect::<Vec<_>>()).unwrap();
            spread.add(&made[0], 1);
        }
        spread.of()
    };
    let (mean, want) = variance(&wide);
    let of = |spread| variance(&repaired(&wide, "first", spread).0.graph);
    let (kept, matched) = (of(MadeSpread::Keep), of(MadeSpread::Match));
    for c in 0..2 {
        assert!(kept.1[c] < 0.999 * want[c], "{kept:?} {want:?}");
        assert!(
            (matched.1[c] / want[c] - 1.0).abs() < 1e-4,
            "{matched:?} {want:?}"
        );
        for found in [&kept.0, &matched.0] {
            assert!((found[c] - mean[c]).abs() < 1e-5, "{found:?} {mean:?}");
        }
    }
}

#[test]
fn maps_that_lie_flat_share_what_is_found_of_their_channels() {
    // 8 channels of 23 x 23 places are more than are looked at place by place.
    let (mut net, x) = Net::new(&[3, 23, 23]);
    let w1 = net.weights("w1", &[8, 3, 1, 1], Some(0));
    let conv = Op::Conv(Conv {
        window: Window::plain(2),
        conv_groups: 1,
    });
    let made = net.b.node("first", conv, &[x, w1]);
    let hidden = net.relu(made);
    let flat = net.b.node("flat", Op::Flatten { axis: 1 }, &[hidden]);
    let w2 = net.weights("w2", &[1, 8 * 23 * 23], None);
    let b2 = net.weights("b2", &[1], None);
    let gemm = Gemm {
        trans_b: true,
        ..Gemm::default()
    };
    let out = net.b.node("second", Op::Gemm(gemm), &[flat, w2, b2]);
    exactly(&net.built(out), "first", "second");
}
