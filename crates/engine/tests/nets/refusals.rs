//! What the engine cannot run is told by the name of the node.

use secateur_engine::{Network, Threads};
use secateur_graph::{
    Attention, Einsum, Gemm, Index, Mix, Norm, Op, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind,
    Resize, ResizeForm, ResizeMode, ResizePlaces, Window,
};

use super::Net;

fn refused(make: impl Fn(&mut Net, secateur_graph::ValueId) -> secateur_graph::ValueId) -> String {
    let mut net = Net::new(&[3, 4], 1);
    let x = net.input;
    let x = net.conv_of(x, 4, &[1], super::window_of(1, 1, 0), 1);
    let y = make(&mut net, x);
    let graph = net.build(y);
    let pool = Threads::new(1).unwrap();
    let error = Network::compile(&graph, &[1, 3, 4], 2, 0, pool).unwrap_err();
    assert!(
        error.place().is_some_and(|p| p.starts_with(['n', 'c'])),
        "{error}"
    );
    assert!(error.hint_text().is_some(), "{error}");
    let text = error.to_string();
    text.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn nodes_that_cannot_be_run_are_named() {
    let sum = |axes| {
        Op::Reduce(Reduce {
            kind: ReduceKind::Mean,
            axes,
            keep: true,
        })
    };
    for axes in [ReduceAxes::All, ReduceAxes::These(vec![0])] {
        assert_eq!(
            refused(|net, x| net.node(sum(axes.clone()), &[x])),
            "ReduceMean over the batch cannot be trained"
        );
    }
    assert_eq!(
        refused(|net, x| {
            let cubic = Resize {
                form: ResizeForm::Resize,
                mode: ResizeMode::Other,
                places: ResizePlaces::HalfPixel,
                axes: vec![],
            };
            let scales = net.numbers(&[3], &[1.0, 1.0, 2.0]);
            net.node_of(Op::Resize(cubic), &[Some(x), None, Some(scales)])
        }),
        "Resize in this mode cannot be trained"
    );
    let largest = |axis| Index::Arg {
        largest: true,
        axis,
        keep: true,
        last: false,
    };
    for (op, name) in [
        (Op::Softmax { axis: 0 }, "Softmax"),
        (Op::LogSoftmax { axis: -3 }, "LogSoftmax"),
        (Op::Mix(Mix::Hardmax { axis: 0 }), "Hardmax"),
        (Op::Index(largest(-3)), "ArgMax"),
    ] {
        assert_eq!(
            refused(|net, x| net.node(op.clone(), &[x])),
            format!("{name} over the batch cannot be trained")
        );
    }
    assert_eq!(
        refused(|net, x| {
            let one = net.numbers(&[4, 4], &[1.0; 16]);
            let (axis, epsilon) = (0, 1e-3);
            net.node(Op::Norm(Norm::Layer { axis, epsilon }), &[x, one])
        }),
        "LayerNormalization over the batch cannot be trained"
    );
    let einsum = |equation: &str, count| Op::Einsum(Einsum::of(equation, count).unwrap().unwrap());
    assert_eq!(
        refused(|net, x| net.node(einsum("bij,bkj->ik", 2), &[x, x])),
        "Einsum by 'bij,bkj->ik' sums over the batch, and cannot be trained"
    );
    assert_eq!(
        refused(|net, x| net.node(einsum("bij,cij->bc", 2), &[x, x])),
        "Einsum by 'bij,cij->bc' pairs the rows of the batch, and cannot be trained"
    );
    assert_eq!(
        refused(|net, x| net.node(einsum("bij,bik->bj", 2), &[x, x])),
        "Einsum by 'bij,bik->bj' sums over a letter of one operand, and cannot be trained"
    );
    assert_eq!(
        refused(|net, x| net.node(einsum("bij,bij,bij->bij", 3), &[x, x, x])),
        "Einsum by 'bij,bij,bij->bij' has other than two operands, and cannot be trained"
    );
    assert_eq!(
        refused(|net, x| net.node(Op::Mix(Mix::Lp { axis: 1, p: 2 }), &[x])),
        "LpNormalization cannot be trained"
    );
    let pool = |p| Pool {
        kind: PoolKind::Lp { p },
        kernel: vec![2],
        window: Window::plain(1),
    };
    assert_eq!(
        refused(|net, x| net.node(Op::Pool(pool(2)), &[x])),
        "LpPool cannot be trained"
    );
    assert_eq!(
        refused(|net, x| {
            let kind = ReduceKind::Lp { p: 3 };
            let (axes, keep) = (ReduceAxes::Spatial, true);
            net.node(Op::Reduce(Reduce { kind, axes, keep }), &[x])
        }),
        "GlobalLpPool cannot be trained"
    );
    assert_eq!(
        refused(|net, x| {
            let one = net.numbers(&[4], &[1.0; 4]);
            let norm = Norm::Batch { epsilon: 1e-3 };
            net.node(Op::Norm(norm), &[x, one, one, one, one])
        }),
        "BatchNormalization with training_mode=1 mixes the rows of a batch"
    );
    assert_eq!(
        refused(|net, x| net.node(Op::Attention(Attention::plain(Some((2, 2)))), &[x, x, x])),
        "Attention cannot be trained"
    );
    // Rows beside each other: how alike they are, and what they have in common.
    let mixed = "MatMul of two values of one row each mixes the rows of a batch";
    for order in [[0, 1], [1, 0]] {
        let turned = |net: &mut Net, x, is: bool| match is {
            true => net.node(Op::Transpose { order: vec![1, 0] }, &[x]),
            false => x,
        };
        assert_eq!(
            refused(|net, x| {
                let x = net.flatten(x);
                let a = turned(net, x, order[0] == 1);
                let b = turned(net, x, order[1] == 1);
                net.node(Op::MatMul, &[a, b])
            }),
            mixed
        );
    }
    assert_eq!(
        refused(|net, x| {
            let x = net.flatten(x);
            let gemm = Gemm {
                trans_b: true,
                ..Gemm::default()
            };
            net.node(Op::Gemm(gemm), &[x, x])
        }),
        mixed.replace("MatMul", "Gemm")
    );
    let sums = Index::CumSum {
        exclusive: false,
        reverse: false,
    };
    assert_eq!(
        refused(|net, x| {
            let axis = net.whole(&[1]);
            net.node(Op::Index(sums), &[x, axis])
        }),
        "CumSum cannot be trained"
    );
}
