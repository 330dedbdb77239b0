//! Scores of the units of a chain, measured on rows.

use secateur_graph::{Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary};

use super::*;
use crate::removal::testing::{group_lasso, settings};
use crate::{PenaltySettings, RegressionLoss, Rows, Settings, Targets};

const SINGLE: Widths = Widths { floor: 1, round: 1 };
const WEIGHTS: [f32; 6] = [1.0, -2.0, 0.5, 0.25, 1.5, -1.0];
const BIAS: [f32; 3] = [0.1, -0.2, 0.3];
/// What is read of each unit by two outputs.
const READ: [[f32; 2]; 3] = [[3.0, -4.0], [0.5, 0.0], [-6.0, 8.0]];

/// Two inputs, three units and two outputs.
fn network() -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let w1 = b.constant("w1", Tensor::f32([2, 3], WEIGHTS.to_vec()).unwrap());
    let b1 = b.constant("b1", Tensor::f32([3], BIAS.to_vec()).unwrap());
    let w2 = b.constant("w2", Tensor::f32([3, 2], READ.concat()).unwrap());
    let h = b.node("h", Op::Gemm(Gemm::default()), &[x, w1, b1]);
    let h = b.node("relu", Op::Unary(Unary::Relu), &[h]);
    let y = b.node("y", Op::MatMul, &[h, w2]);
    b.output(y);
    b.build().unwrap()
}

/// Rows of two numbers, of which the first varies more.
fn drawn(rows: usize) -> Vec<[f32; 2]> {
    let mut stream = secateur_testkit::Stream::new(6);
    (0..rows)
        .map(|_| {
            [
                1.0 + 2.0 * stream.unit() as f32,
                0.5 * stream.unit() as f32 - 0.2,
            ]
        })
        .collect()
}

fn body(rows: &[[f32; 2]], inputs: Option<Inputs>) -> Body {
    let targets = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: vec![0.0; rows.len() * 2],
        columns: 2,
    };
    let rows = Rows::new(rows.concat(), 2, targets).unwrap();
    let settings = Settings {
        penalty: inputs.map(|inputs| PenaltySettings {
            inputs,
            ..group_lasso(0.0)
        }),
        ..settings()
    };
    Body::new(network(), rows, &settings).unwrap()
}

/// The standard deviation of some numbers.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// Those of the inputs, and of the hidden units, by plain formulas.
fn deviations(rows: &[[f32; 2]]) -> Vec<Vec<f64>> {
    let input = |i: usize| deviation(rows.iter().map(|row| f64::from(row[i])));
    let unit = |u: usize| {
        deviation(rows.iter().map(|row| {
            let sum = row[0] * WEIGHTS[u] + row[1] * WEIGHTS[3 + u] + BIAS[u];
            f64::from(sum.max(0.0))
        }))
    };
    vec![(0..2).map(input).collect(), (0..3).map(unit).collect()]
}

fn close(have: &[Vec<f64>], want: &[Vec<f64>]) {
    assert_eq!(have.len(), want.len());
    for (have, want) in have.iter().zip(want) {
        assert_eq!(have.len(), want.len());
        for (have, want) in have.iter().zip(want) {
            assert!(
                (have - want).abs() < 1e-5 * want.max(1.0),
                "{have} for {want}"
            );
        }
    }
}

#[test]
fn activations_vary_over_all_rows_and_no_more_than_are_ranked_by() {
    let batch = body(&drawn(RANKING_ROWS), None).network.batch();
    assert!(batch < 1000, "{batch}");
    // Less than a batch, whole ones, and some more than one.
    for count in [5, 2 * batch, 2 * batch + 5] {
        let rows = drawn(count);
        let found = activation_spread(&mut body(&rows, None)).unwrap();
        close(&found, &deviations(&rows));
    }
    let mut rows = drawn(RANKING_ROWS + 40);
    rows[RANKING_ROWS..].fill([1000.0, -1000.0]);
    let found = activation_spread(&mut body(&rows, None)).unwrap();
    close(&found, &deviations(&rows[..RANKING_ROWS]));
}

#[test]
fn units_are_worth_the_variance_that_they_give_to_what_reads_them() {
    let rows = drawn(37);
    let squares = |weights: &[f32]| weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
    let spread = deviations(&rows);
    let of_inputs = (0..2).map(|i| spread[0][i].powi(2) * squares(&WEIGHTS[3 * i..][..3]));
    let of_units = (0..3).map(|u| spread[1][u].powi(2) * squares(&READ[u]));
    let want: Vec<Vec<f64>> = vec![of_inputs.collect(), of_units.collect()];
    for (inputs, may_go) in [
        (None, false),
        (Some(Inputs::Spared), false),
        (Some(Inputs::Penalised), true),
    ] {
        let ranked = body(&rows, inputs).ranked(Quantity::Macs, SINGLE).unwrap();
        let Units::Chain(units) = ranked.units else {
            panic!("a chain is ranked as one");
        };
        let scores: Vec<Vec<f64>> = units.layers.iter().map(|(_, s)| s.clone()).collect();
        close(&scores, &want);
        assert_eq!(units.inputs_may_go, may_go);
        assert_eq!((units.has_bias, units.outputs), (vec![true, false], 2));
    }
}
