//! Units that are worth nothing, little and much.

use secateur_graph::{Binary, ChannelGroups, Dim, Gemm, GraphBuilder, Op, Tensor, infer_shapes};
use secateur_testkit::Stream;

use super::*;
use crate::repair::tests::Naive;

/// `x` of three numbers through units to one number.
fn net(units: &[[f32; 3]], out: &[f32]) -> Graph {
    net_beside(units, out, None)
}

/// The same with so many times the sum of `x` added.
fn net_beside(units: &[[f32; 3]], out: &[f32], beside: Option<f32>) -> Graph {
    let mut b = GraphBuilder::new("net");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    let n = units.len();
    let w1 = b.constant("w1", Tensor::f32([n, 3], units.concat()).unwrap());
    let by_output = |op: &Gemm| {
        Op::Gemm(Gemm {
            trans_b: true,
            ..*op
        })
    };
    let hidden = b.node("first", by_output(&Gemm::default()), &[x, w1]);
    let w2 = b.constant("w2", Tensor::f32([1, n], out.to_vec()).unwrap());
    let mut made = b.node("second", by_output(&Gemm::default()), &[hidden, w2]);
    if let Some(weight) = beside {
        let w = b.constant("w", Tensor::f32([1, 3], vec![weight; 3]).unwrap());
        let other = b.node("beside", by_output(&Gemm::default()), &[x, w]);
        made = b.node("sum", Op::Binary(Binary::Add), &[made, other]);
    }
    b.output(made);
    infer_shapes(&b.build().unwrap()).unwrap()
}

fn scores(graph: &Graph) -> Vec<f64> {
    let groups = ChannelGroups::of(graph).unwrap();
    let mut stream = Stream::new(3);
    let batch = |stream: &mut Stream| {
        vec![Activation {
            shape: vec![400, 3],
            values: (0..1200).map(|_| stream.unit() as f32 - 0.5).collect(),
        }]
    };
    let mut inputs: Vec<Batch> = (0..12).map(|_| batch(&mut stream)).collect();
    let choose = inputs.split_off(8);
    let parts = Parts {
        fit: &inputs,
        choose: &choose,
        test: &[],
    };
    let effort = Effort {
        positions: 10_000,
        for_channel: 1,
        seed: 1,
        memory: u64::MAX,
    };
    let all = reconstruction(graph, &groups, parts, effort, &Naive).unwrap();
    let free = groups.iter().position(|(_, g)| g.is_free()).unwrap();
    all[free].clone()
}

#[test]
fn units_are_worth_as_much_as_outputs_answer_to_what_reads_them() {
    let units = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let out = [1.0, 2.0, 3.0];
    let (alone, beside) = (
        scores(&net(&units, &out)),
        scores(&net_beside(&units, &out, Some(1.0))),
    );
    // The numbers are alike and independent: of what is made, 1 + 4 + 9 parts of the variance go through the units, and 4 + 9 + 16 come out.
    for (alone, beside) in alone.iter().zip(&beside) {
        let share = beside / alone;
        assert!((share / (14.0 / 29.0) - 1.0).abs() < 0.05, "{share}");
    }
}

#[test]
fn what_others_can_make_up_for_is_worth_least_however_large_its_weights() {
    // The second unit is the sum of the first and the third, and weighs most.
    let found = scores(&net(
        &[
            [1.0, 0.0, 0.0],
            [1.0, 1.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 1.0],
        ],
        &[1.0, 5.0, 1.0, 1.0],
    ));
    let mut order: Vec<usize> = (0..4).collect();
    order.sort_by(|&a, &b| found[a].total_cmp(&found[b]));
    assert!(
        order[0] != 3 && found[order[0]] < 0.1 * found[3],
        "{found:?}"
    );
    assert!(found.iter().all(|s| s.is_finite() && *s > 0.0));
}

#[test]
fn worth_is_the_share_of_the_outputs_that_goes() {
    // Independent units: without one, its share of the variance goes. The last one cannot go.
    let found = scores(&net(
        &[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        &[1.0, 2.0, 3.0],
    ));
    // The ridge takes no part in what is measured on other inputs; some thousand of these tell it to some percent.
    for (found, wanted) in found.iter().zip([1.0 / 14.0, 4.0 / 14.0]) {
        assert!((found / wanted - 1.0).abs() < 0.06, "{found} {wanted}");
    }
    assert!(found[2] > found[1], "{found:?}");
}

#[test]
fn what_is_made_moves_towards_what_is_made_of_the_next_input() {
    let of = |rows: usize, first: f32| Activation {
        shape: vec![rows, 2, 2],
        values: (0..4 * rows).map(|n| first + n as f32).collect(),
    };
    // Two channels of two places: of the next rows, 4 to 7, and of the first one again, 0 to 3.
    let own = of(2, 100.0);
    let moved = disturbed(&own, &of(2, 0.0), (1, &[1.0, 2.0]));
    let by = moved.values.iter().zip(&own.values).map(|(a, b)| a - b);
    let wanted = [0.3, 0.4, 0.4, 0.5, -0.1, 0.0, 0.0, 0.1];
    for (by, wanted) in by.zip(wanted) {
        assert!((by - wanted).abs() < 1e-4, "{by} {wanted}");
    }
    // Where there is one row, it is its own next one.
    let alone = disturbed(&of(1, 10.0), &of(1, 10.0), (1, &[0.0, 0.0]));
    assert!((alone.values[0] - 11.0).abs() < 1e-5);
}
