//! Each criterion on a network that trains, beside its scores on the same graph, measured by others.

use std::collections::HashSet;

use secateur_engine::Threads;
use secateur_graph::{
    Array, ChannelGroups, Graph, GroupId, Unary, ValueId, evaluate, infer_shapes,
};
use secateur_prox::{Limit, Part, Quantity, Share};
use secateur_prune::repair::reconstruction;
use secateur_prune::repair::{Activation, Batch, Compiled, Effort, Parts, Runner, held_bytes};
use secateur_prune::{Criterion, Measured, Needs};
use secateur_testkit::mlp;

use super::super::runner::OnEngine;
use super::super::{NetLearner, measuring_bytes, row_shape};
use super::networks::{SGD, group_lasso, plain, residual, rows, settings};
use super::ranking::{SINGLE, greedy, order};
use crate::budget::count;
use crate::learner::Learner;
use crate::{
    ErrorKind, PenaltySettings, Rows, Settings, activation_variances, planned_bytes, taylor_scores,
};

const ALL: [Criterion; 8] = [
    Criterion::L1,
    Criterion::L2,
    Criterion::Fpgm,
    Criterion::Variance,
    Criterion::Flap,
    Criterion::Taylor,
    Criterion::Reconstruction,
    Criterion::Random,
];

fn by(by: Criterion, part: Part) -> Settings {
    let penalty = PenaltySettings {
        by,
        part,
        ..group_lasso(0.1)
    };
    Settings {
        batch: 100,
        ..settings(SGD, Some(penalty))
    }
}

/// Runs networks on the naive evaluator.
struct Naive;

struct Whole(Graph);

impl Runner for Naive {
    fn compile(&self, graph: &Graph) -> secateur_prune::Result<Box<dyn Compiled>> {
        Ok(Box::new(Whole(graph.clone())))
    }
}

impl Compiled for Whole {
    fn run(&self, inputs: &[&Activation]) -> secateur_prune::Result<Vec<Activation>> {
        let array = |x: &&Activation| {
            let values = x.values.iter().map(|&v| f64::from(v)).collect();
            Array::new(x.shape.clone(), values).unwrap()
        };
        let inputs: Vec<Array> = inputs.iter().map(array).collect();
        let made = evaluate(&self.0, &inputs)?.into_iter();
        let made = made.map(|a| Activation {
            shape: a.shape,
            values: a.values.into_iter().map(|v| v as f32).collect(),
        });
        Ok(made.collect())
    }
}

/// Rows as inputs, each by itself.
fn inputs(rows: &Rows, row: &[usize]) -> Vec<Batch> {
    let one = |at| Activation {
        shape: row.to_vec(),
        values: rows.features(at, 1).unwrap().into_owned(),
    };
    (0..rows.len()).map(|at| vec![one(at)]).collect()
}

/// What a criterion needs, by the naive evaluator and by what ranks models of others.
fn measured(graph: &Graph, groups: &ChannelGroups, of: &Rows, seed: u64) -> Measured {
    let row = row_shape(graph, of).unwrap();
    let drawn = of.drawn(usize::MAX, seed);
    let graph = infer_shapes(graph).unwrap();
    let held = drawn.len().div_ceil(6);
    let all = inputs(&drawn, &row);
    let parts = Parts {
        fit: &all[held..],
        choose: &all[..held],
        test: &[],
    };
    let effort = Effort::usual(seed, 0);
    Measured {
        variances: Some(activation_variances(&graph, groups, of, 100, 1).unwrap()),
        gradients: Some(taylor_scores(&graph, groups, &drawn, 32, 1).unwrap()),
        reconstruction: Some(reconstruction(&graph, groups, parts, effort, &Naive).unwrap()),
    }
}

#[test]
fn units_go_in_the_order_of_each_criterion() {
    for graph in [residual(), plain()] {
        let of = rows(48);
        let mut orders = HashSet::new();
        for criterion in ALL {
            let settings = by(criterion, Part::Full);
            let mut net = NetLearner::new(graph.clone(), of.clone(), &settings).unwrap();
            let ranked = net.ranked(Quantity::Macs, SINGLE).unwrap();
            let limit = count(Quantity::Macs, &graph).unwrap() / 2;
            let (have, _) = order(&ranked, limit);
            orders.insert(have.clone());
            let measured = measured(&ranked.graph, &ranked.groups, &of, settings.seed);
            let scores = criterion.scores(&ranked.graph, &ranked.groups, &measured, settings.seed);
            let free = ranked.groups.iter().filter(|(_, g)| g.is_free());
            let scores = scores.unwrap();
            let worth = free.map(|(id, _)| {
                let own = &scores[id.index()];
                let whole = match criterion {
                    Criterion::Flap | Criterion::Taylor | Criterion::Reconstruction => 1.0,
                    _ => own.iter().sum(),
                };
                (id, own.iter().map(|s| s / whole).collect())
            });
            let worth: Vec<(GroupId, Vec<f64>)> = worth.collect();
            let want = greedy((&graph, &ranked.groups), &worth, (Quantity::Macs, limit));
            assert_eq!(have, want, "{}", criterion.name());
        }
        assert!(orders.len() >= 7, "{} of 8", orders.len());
    }
}

#[test]
fn what_criteria_need_is_measured_on_the_rows_of_the_run() {
    let of = rows(13);
    for graph in [residual(), plain()] {
        let settings = by(Criterion::Flap, Part::Full);
        let mut net = NetLearner::new(graph, of.clone(), &settings).unwrap();
        let want = measured(&net.graph, &net.groups, &of, settings.seed);
        for criterion in ALL {
            let have = net.measured(criterion).unwrap();
            let has = [&have.variances, &have.gradients, &have.reconstruction];
            let needs = criterion.needs();
            let needed = [Needs::Variances, Needs::Gradients, Needs::Covariances];
            let needed = needed.map(|one| one == needs);
            assert_eq!(has.map(Option::is_some), needed, "{}", criterion.name());
            let want = [&want.variances, &want.gradients, &want.reconstruction];
            let pairs = has.into_iter().zip(want);
            let pairs = pairs.filter_map(|(have, want)| Some((have.as_ref()?, want.as_ref()?)));
            for (have, want) in pairs {
                // Of groups that lose no unit nobody asks.
                for (id, _) in net.groups.iter().filter(|(_, g)| g.is_free()) {
                    let (have, want) = (&have[id.index()], &want[id.index()]);
                    assert_eq!(have.len(), want.len());
                    for (have, want) in have.iter().zip(want) {
                        assert!((have - want).abs() <= 1e-3 * want, "{have} {want}");
                    }
                }
            }
        }
    }
}

#[test]
fn parts_run_as_on_the_naive_evaluator() {
    for graph in [residual(), plain()] {
        let rows = rows(2);
        let row = row_shape(&graph, &rows).unwrap();
        let runner = OnEngine::new(&graph, &row, Threads::new(1).unwrap()).unwrap();
        let made = graph.nodes().iter().map(|node| node.outputs[0]);
        let wanted: Vec<ValueId> = made.chain(graph.inputs().iter().copied()).collect();
        let part = graph.segment(graph.inputs(), &wanted).unwrap();
        let (own, naive) = (
            runner.compile(&part).unwrap(),
            Naive.compile(&part).unwrap(),
        );
        for batch in inputs(&rows, &row) {
            let batch: Vec<&Activation> = batch.iter().collect();
            let (own, naive) = (own.run(&batch).unwrap(), naive.run(&batch).unwrap());
            assert_eq!(own.len(), wanted.len());
            for (own, naive) in own.iter().zip(&naive) {
                assert_eq!(own.shape, naive.shape);
                for (a, b) in own.values.iter().zip(&naive.values) {
                    assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{a} {b}");
                }
            }
        }
        let nothing = graph.segment(graph.inputs(), graph.inputs()).unwrap();
        let batch = &inputs(&rows, &row)[1];
        let same = runner.compile(&nothing).unwrap().run(&[&batch[0]]).unwrap();
        assert_eq!(same, *batch);
        // Nothing is known of what another network reads.
        let other = mlp(&[72, 4, 3], Unary::Relu, 1).unwrap();
        assert!(runner.compile(&other).is_err());
    }
}

#[test]
fn chains_are_ranked_in_their_own_way_alone() {
    let graph = mlp(&[72, 4, 3], Unary::Relu, 1).unwrap();
    for criterion in ALL {
        let settings = by(criterion, Part::Full);
        let flat = rows(8).with_shape(vec![72]).unwrap();
        let learner = Learner::new(graph.clone(), flat, &settings);
        let planned = planned_bytes(&graph, &[72], &settings);
        assert_eq!(learner.is_ok(), criterion == Criterion::Flap);
        assert_eq!(planned.is_ok(), criterion == Criterion::Flap);
        let Err(error) = learner else { continue };
        assert_eq!(planned.unwrap_err(), error);
        assert_eq!(error.kind(), ErrorKind::Settings);
        let name = criterion.name();
        assert_eq!(
            error.to_string(),
            format!(
                "--by: units of a chain of dense layers are ranked by flap alone, not by {name}"
            )
        );
        assert!(error.hint_text().unwrap().contains("--net mlp"));
    }
}

#[test]
fn what_measuring_holds_is_planned_for_budgets() {
    let graph = plain();
    let row = [1, 2, 6, 6];
    let groups = ChannelGroups::of(&graph).unwrap();
    let of = |criterion| measuring_bytes(&graph, &row, criterion, 2).unwrap();
    let gradients = secateur_engine::Network::planned_bytes(&graph, &row, 32, 0, 2).unwrap();
    assert_eq!(of(Criterion::Taylor), gradients);
    let at = secateur_graph::at_lengths(&graph, &[row.to_vec()]).unwrap();
    let effort = Effort::usual(0, 0);
    let covariances = 4 * 1024 * 72 + held_bytes(&at, &groups, effort, 1024);
    assert_eq!(of(Criterion::Reconstruction), covariances);
    let limit = Limit::macs(Share::ALL);
    let planned = |criterion, part| planned_bytes(&graph, &row[1..], &by(criterion, part)).unwrap();
    let bare = planned(Criterion::Taylor, Part::Full);
    for criterion in ALL {
        assert_eq!(planned(criterion, Part::Full), bare);
        let more = planned(criterion, Part::Budget { limit }) - bare;
        assert_eq!(more, of(criterion), "{}", criterion.name());
    }
    assert_eq!(of(Criterion::Flap) + of(Criterion::L2), 0);
}
