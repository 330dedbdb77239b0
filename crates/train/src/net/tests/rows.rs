//! Rows as networks take them.

use secateur_graph::{Dim, Graph, GraphBuilder, Op, Unary};
use secateur_testkit::mlp;

use super::super::{NetLearner, even_batches, row_of};
use super::networks::{OUTPUTS, SGD, rows, sample, settings};
use crate::evaluate::SCORE_ROWS;
use crate::{ErrorKind, Score, Targets};

#[test]
fn batches_differ_by_one_row_at_most_and_make_up_all_rows() {
    let of = |rows, batch| even_batches(rows, batch).collect::<Vec<_>>();
    assert_eq!(of(11, 4), [0..3, 3..7, 7..11]);
    assert_eq!(of(8, 4), [0..4, 4..8]);
    assert_eq!(even_batches(3, 4).next(), Some(0..3));
    assert_eq!(of(3, 4).len(), 1);
    assert_eq!(of(2, 0), [0..1, 1..2]);
    assert!(of(0, 4).is_empty());
}

/// A network that takes rows of such a shape.
fn taking(shape: &[Dim]) -> Graph {
    let mut b = GraphBuilder::new("any");
    let x = b.input("x", shape.to_vec());
    let y = b.node("same", Op::Identity, &[x]);
    b.output(y);
    b.build().unwrap()
}

#[test]
fn rows_take_the_shape_that_the_network_states_and_their_own_where_it_states_none() {
    let fixed = |n| Dim::Fixed(n);
    let any = || Dim::Named("any".into());
    let stated = taking(&[Dim::batch(), fixed(2), fixed(6), fixed(6)]);
    assert_eq!(row_of(&stated, &[2, 6, 6]).unwrap(), [1, 2, 6, 6]);
    assert_eq!(row_of(&stated, &[72]).unwrap(), [1, 2, 6, 6]);
    let open = taking(&[Dim::batch(), fixed(2), any(), any()]);
    assert_eq!(row_of(&open, &[2, 5, 7]).unwrap(), [1, 2, 5, 7]);
    for (graph, shape, told) in [
        (
            &stated,
            &[2, 6, 7][..],
            "the network takes rows of 2 x 6 x 6, the data have 2 x 6 x 7",
        ),
        (
            &open,
            &[72],
            "the network takes rows of 2 x any x any, the data have 72",
        ),
        (
            &open,
            &[3, 6, 6],
            "the network takes rows of 2 x any x any, the data have 3 x 6 x 6",
        ),
    ] {
        let error = row_of(graph, shape).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Data, told)
        );
    }
    let error = row_of(&taking(&[]), &[2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the network states no shape for its input"
    );
}

#[test]
fn a_network_with_other_features_or_outputs_than_the_rows_is_refused() {
    let dense = settings(SGD, None);
    let of = |graph| NetLearner::new(graph, rows(8), &dense).unwrap_err();
    let error = of(mlp(&[72, 4], Unary::Tanh, 1).unwrap());
    assert_eq!(
        error.to_string(),
        "the network maps 72 features to 4 outputs, the rows have 72 and 3"
    );
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(NetLearner::new(mlp(&[72, 3], Unary::Tanh, 1).unwrap(), rows(8), &dense).is_ok());
}

#[test]
fn scores_are_of_all_rows_whatever_is_run_at_once() {
    let graph = mlp(&[72, OUTPUTS], Unary::Tanh, 1).unwrap();
    for count in [3, SCORE_ROWS, SCORE_ROWS + 1, 2 * SCORE_ROWS + 5] {
        let mut net = NetLearner::new(graph.clone(), rows(count), &settings(SGD, None)).unwrap();
        let rows = net.rows.clone();
        let outputs = secateur_graph::evaluate(&graph, &[sample(&net)])
            .unwrap()
            .remove(0);
        let Targets::Values { values, .. } = rows.targets() else {
            panic!("numbers");
        };
        let pairs = outputs.values.iter().zip(values);
        let squares = pairs.map(|(y, &t)| (y - f64::from(t)).powi(2)).sum::<f64>();
        let want = squares / values.len() as f64;
        let score = net.score(&rows).unwrap();
        assert!(
            (score.loss() - want).abs() < 1e-5 * want,
            "{} for {want}",
            score.loss()
        );
        assert!(matches!(score, Score::Values { .. }));
    }
}
