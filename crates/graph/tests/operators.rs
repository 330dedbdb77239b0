//! Operators that are rarer than layers: written with their attributes, and read with the meaning of their operator set.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    ChannelGroups, Dim, Einsum, Element, ErrorKind, Graph, GraphBuilder, Index, Merge, Mix,
    ModelMeta, Node, Norm, Op, Reduce, ReduceAxes, ReduceKind, Tensor, Unary, Variadic, evaluate,
    from_model, to_model,
};
use secateur_testkit::rows;

fn meta(opset: i64) -> ModelMeta {
    ModelMeta {
        opset,
        ..ModelMeta::default()
    }
}

/// One node on an input of 2 by 4 numbers and constants.
fn of(op: Op, constants: &[Tensor], outputs: usize) -> Graph {
    let mut b = GraphBuilder::new("g");
    let mut inputs = vec![Some(b.input("x", [Dim::Fixed(2), Dim::Fixed(4)]))];
    for (at, tensor) in constants.iter().enumerate() {
        inputs.push(Some(b.constant(format!("c{at}"), tensor.clone())));
    }
    let outputs: Vec<_> = (0..outputs)
        .map(|at| b.declare(format!("y{at}"), None))
        .collect();
    for &output in &outputs {
        b.output(output);
    }
    let name = "node".into();
    b.add_node(Node {
        name,
        op,
        inputs,
        outputs,
    });
    b.build().unwrap()
}

fn floats(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::f32(shape, values.to_vec()).unwrap()
}

fn whole(shape: &[usize], values: &[i64]) -> Tensor {
    Tensor::i64(shape, values.to_vec()).unwrap()
}

#[test]
fn attributes_come_back_and_numbers_with_them() {
    let row = floats(&[4], &[1.0, 2.0, 3.0, 4.0]);
    let at = whole(&[2, 1], &[3, -4]);
    let two = floats(&[2, 1], &[7.0, 8.0]);
    let unary = [
        Unary::Selu {
            alpha: 2.0,
            gamma: 3.0,
        },
        Unary::Celu { alpha: 2.0 },
        Unary::ThresholdedRelu { alpha: 0.5 },
        Unary::Swish { alpha: 0.5 },
        Unary::Shrink {
            bias: 0.5,
            lambda: 1.0,
        },
        Unary::Softsign,
        Unary::IsInf {
            negative: false,
            positive: true,
        },
    ];
    let mut cases: Vec<(Op, Vec<Tensor>)> =
        unary.into_iter().map(|u| (Op::Unary(u), vec![])).collect();
    let kinds = [ReduceKind::LogSum, ReduceKind::LogSumExp];
    cases.extend(kinds.map(|kind| {
        let (axes, keep) = (ReduceAxes::These(vec![1]), false);
        (
            Op::Reduce(Reduce { kind, axes, keep }),
            vec![whole(&[1], &[1])],
        )
    }));
    for variadic in [Variadic::Sum, Variadic::Mean, Variadic::Min, Variadic::Max] {
        cases.push((Op::Variadic(variadic), vec![row.clone(), row.clone()]));
    }
    let einsum = Einsum::of("ab,b->a", 2).unwrap().unwrap();
    cases.push((Op::Einsum(einsum), vec![row.clone()]));
    let lrn = Mix::Lrn {
        size: 3,
        alpha: 0.5,
        beta: 0.5,
        bias: 2.0,
    };
    let mixes = [
        Mix::Hardmax { axis: 0 },
        Mix::Lp { axis: 1, p: 1 },
        Mix::MeanVariance { axes: vec![1] },
        lrn,
    ];
    cases.extend(mixes.map(|mix| (Op::Mix(mix), vec![])));
    let (axis, merge) = (1, Merge::Add);
    let places = whole(&[1, 1], &[1]);
    let indices = [
        (Index::GatherElements { axis }, vec![at.clone()]),
        (
            Index::ScatterElements { axis, merge },
            vec![at.clone(), two],
        ),
        (Index::GatherNd { rows: 1 }, vec![at]),
        (Index::ScatterNd { merge }, vec![places, row.clone()]),
        (
            Index::EyeLike {
                right: 1,
                to: Some(Element::I64),
            },
            vec![],
        ),
    ];
    cases.extend(indices.map(|(index, inputs)| (Op::Index(index), inputs)));
    let arg = Index::Arg {
        largest: true,
        axis,
        keep: false,
        last: true,
    };
    cases.push((Op::Index(arg), vec![]));
    let top = Index::TopK {
        largest: false,
        axis,
    };
    cases.push((Op::Index(top), vec![whole(&[1], &[2])]));
    for (op, constants) in cases {
        let outputs = 1 + usize::from(matches!(op, Op::Index(Index::TopK { .. })));
        let graph = of(op.clone(), &constants, outputs);
        let back = from_model(&to_model(&graph, &meta(24)).unwrap()).unwrap();
        assert_eq!(back.nodes()[0].op, op);
        let inputs = rows(&graph, 2, 3);
        let before = format!("{:?}", evaluate(&graph, &inputs).unwrap());
        assert_eq!(
            before,
            format!("{:?}", evaluate(&back, &inputs).unwrap()),
            "{op:?}"
        );
        // Nobody has to ask twice what they do with channels.
        ChannelGroups::of(&graph).unwrap();
    }
}

/// Before operator set 21 there is a scale for each group, and since then for each channel.
#[test]
fn scales_of_groups_are_those_of_their_operator_set() {
    let norm = |by_run| {
        Op::Norm(Norm::Group {
            count: 2,
            epsilon: 0.5,
            by_run,
        })
    };
    let (two, four) = (floats(&[2], &[1.0; 2]), floats(&[4], &[1.0; 4]));
    let old = of(norm(true), &[two.clone(), two], 1);
    let new = of(norm(false), &[four.clone(), four], 1);
    for (graph, own, other) in [(old, 20, 21), (new, 21, 20)] {
        let back = from_model(&to_model(&graph, &meta(own)).unwrap()).unwrap();
        assert_eq!(back.nodes()[0].op, graph.nodes()[0].op);
        let error = to_model(&graph, &meta(other)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let inputs = rows(&graph, 2, 3);
        assert_eq!(
            evaluate(&graph, &inputs).unwrap(),
            evaluate(&back, &inputs).unwrap()
        );
    }
}
