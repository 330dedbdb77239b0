//! Which units a limit keeps of networks whose spreads and weights are round numbers.

use secateur_graph::{Binary, Dim, GraphBuilder, Op, Tensor, ValueId};
use secateur_prox::Quantity;

use super::super::NetLearner;
use super::networks::{SGD, group_lasso, settings};
use super::ranking::{SINGLE, left};
use crate::{RegressionLoss, Rows, Targets};

/// Rows in which the only feature is 1 and -1 by turns, so that its standard deviation is 1.
pub(super) fn alternating(outputs: usize) -> Rows {
    let features: Vec<f32> = (0..8)
        .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    let targets = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: vec![0.0; 8 * outputs],
        columns: outputs,
    };
    Rows::new(features, 1, targets).unwrap()
}

fn matrix(b: &mut GraphBuilder, name: &str, shape: [usize; 2], numbers: &[f64]) -> ValueId {
    let numbers = numbers.iter().map(|&w| w as f32).collect();
    b.constant(name, Tensor::f32(shape, numbers).unwrap())
}

/// One feature, units that make `spread` of it, and layers that read them by such weights, added up.
fn read_by(spread: &[f64], readers: &[&[f64]]) -> NetLearner {
    let mut b = GraphBuilder::new("by hand");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
    let made = matrix(&mut b, "made", [1, spread.len()], spread);
    let x = b.node("units", Op::MatMul, &[x, made]);
    let mut sum = None;
    for (index, weights) in readers.iter().enumerate() {
        let weights = matrix(
            &mut b,
            &format!("weights{index}"),
            [spread.len(), 1],
            weights,
        );
        let y = b.node(format!("reader{index}"), Op::MatMul, &[x, weights]);
        sum = Some(match sum {
            None => y,
            Some(sum) => b.node(format!("sum{index}"), Op::Binary(Binary::Add), &[sum, y]),
        });
    }
    b.output(sum.unwrap());
    let settings = settings(SGD, Some(group_lasso(0.1)));
    NetLearner::new(b.build().unwrap(), alternating(1), &settings).unwrap()
}

#[test]
fn a_limit_keeps_the_units_that_vary_most_by_spread_times_weights() {
    // 1, 6, 1.5 and 8: another order than that of the spread alone, and than that of the weights alone.
    let mut net = read_by(&[1.0, 2.0, 3.0, 4.0], &[&[1.0, -3.0, 0.5, 2.0]]);
    // A unit has two multiply-adds, of eight.
    let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
    assert_eq!(left(&ranked, 8), [[0, 1, 2, 3]]);
    assert_eq!(left(&ranked, 7), [[1, 2, 3]]);
    assert_eq!(left(&ranked, 5), [[1, 3]]);
    assert_eq!(left(&ranked, 4), [[1, 3]]);
    for limit in [3, 2, 0] {
        assert_eq!(left(&ranked, limit), [[3]]);
    }
    assert_eq!(ranked.whole().unwrap().count, 8);
}

#[test]
fn of_units_of_equal_worth_the_first_go_first() {
    let mut net = read_by(&[2.0, 1.0, 1.0, -1.0], &[&[1.0, 2.0, -2.0, 2.0]]);
    let ranked = net.ranked(Quantity::Params, SINGLE).unwrap();
    assert_eq!(left(&ranked, 6), [[1, 2, 3]]);
    assert_eq!(left(&ranked, 4), [[2, 3]]);
}

#[test]
fn a_unit_that_two_layers_read_has_a_share_of_each_whatever_their_scale() {
    // Shares of 16, 1 and 3 in 20, and of 1, 50 and 49 in 100: 0.81, 0.55 and 0.64.
    let first = [4.0, 1.0, 3.0f64.sqrt()];
    for scale in [0.01, 1.0, 100.0] {
        let second = [1.0, 50.0f64.sqrt(), 7.0].map(|w| scale * w);
        let mut net = read_by(&[1.0; 3], &[&first, &second]);
        let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
        // Each unit has three of nine.
        assert_eq!(left(&ranked, 6), [[0, 2]], "{scale}");
        assert_eq!(left(&ranked, 3), [[0]], "{scale}");
    }
}

#[test]
fn a_unit_of_little_more_worth_goes_first_where_it_frees_more() {
    let mut b = GraphBuilder::new("two layers");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
    let made = matrix(&mut b, "made", [1, 6], &[1.0; 6]);
    let x = b.node("first", Op::MatMul, &[x, made]);
    // Units of the first layer have shares of 0.073 and five times 0.1854, those of the second of 0.1 and three times 0.3.
    let rows = [0.073f64, 0.1854, 0.1854, 0.1854, 0.1854, 0.1854];
    let rows: Vec<f64> = rows.iter().flat_map(|share| [share.sqrt(); 4]).collect();
    let middle = matrix(&mut b, "middle", [6, 4], &rows);
    let x = b.node("second", Op::MatMul, &[x, middle]);
    let last = matrix(&mut b, "last", [4, 1], &[0.1, 0.3, 0.3, 0.3].map(f64::sqrt));
    let y = b.node("output", Op::MatMul, &[x, last]);
    b.output(y);
    let settings = settings(SGD, Some(group_lasso(0.1)));
    let mut net = NetLearner::new(b.build().unwrap(), alternating(1), &settings).unwrap();
    let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
    let all = (0..6).collect::<Vec<_>>();
    assert_eq!(left(&ranked, 34), [all.clone(), vec![0, 1, 2, 3]]);
    // A unit of the first frees 1 + 4, one of the second 6 + 1: 0.073 / 5 is more than 0.1 / 7.
    assert_eq!(left(&ranked, 28), [all, vec![1, 2, 3]]);
    assert_eq!(left(&ranked, 24), [vec![1, 2, 3, 4, 5], vec![1, 2, 3]]);
}
