//! Whole runs on a small problem: what is removed, what is kept, and what stops a run.

mod common;

use common::{classes, group_lasso, network, run, settings, values};
use secateur_graph::{ChannelGroups, Keep, cost};
use secateur_prox::{Compensation, GroupWeights, Inputs, Members, Part, Penalty, Which};
use secateur_train::{
    AdamMetric, Ended, ErrorKind, Event, Flow, Optimizer, PenaltyStep, RemovalTime, Score,
    StrengthChoice, fit, score, widths,
};

fn accuracy(score: &Score) -> f64 {
    match score {
        Score::Classes { accuracy, .. } => *accuracy,
        Score::Values { .. } => panic!("not a classification"),
    }
}

#[test]
fn group_lasso_keeps_the_three_features_that_matter() {
    let trained = run(&settings(Some(group_lasso(0.02))));
    let units = widths(&trained.graph).unwrap();
    assert_eq!(units[0], 3, "{units:?}");
    assert!(units[1] < 24 && units[2] < 16, "{units:?}");
    assert!(accuracy(&trained.epochs.last().unwrap().validation) > 0.9);
    assert!(!trained.removals.is_empty());
    for removal in &trained.removals {
        assert!(!removal.asked && removal.naive_rows == 8 && removal.engine_rows > 8);
        if removal.folded == 0 {
            assert_eq!(removal.naive_difference, 0.0);
        }
    }
    // What the last epoch reports is what the returned graph scores and costs.
    let again = score(&trained.graph, &classes(200, 2), 1).unwrap();
    assert_eq!(
        accuracy(&again),
        accuracy(&trained.epochs.last().unwrap().validation)
    );
    assert_eq!(
        cost(&trained.graph).unwrap().macs,
        trained.epochs.last().unwrap().macs
    );
}

#[test]
fn nothing_dead_is_left_after_the_penalised_epochs() {
    let mut s = settings(Some(group_lasso(0.004)));
    s.epochs = 40;
    s.settle = 0;
    let trained = run(&s);
    let groups = ChannelGroups::of(&trained.graph).unwrap();
    assert!(Keep::unread(&trained.graph, &groups, 1).is_all());
}

#[test]
fn the_same_settings_give_the_same_bits_and_another_seed_does_not() {
    let s = settings(Some(group_lasso(0.002)));
    let first = run(&s);
    assert_eq!(first.graph, run(&s).graph);
    let mut other = s.clone();
    other.seed += 1;
    assert_ne!(first.graph, run(&other).graph);
}

#[test]
fn every_penalty_trains_and_only_those_that_can_remove_units() {
    for penalty in Penalty::all() {
        let strength = if matches!(penalty, Penalty::GroupL0(_)) {
            1e-4
        } else {
            0.003
        };
        let trained = run(&settings(Some(secateur_train::PenaltySettings {
            penalty,
            ..group_lasso(strength)
        })));
        let units = widths(&trained.graph).unwrap();
        let lost = units != [10, 24, 16];
        assert!(
            lost || !matches!(penalty, Penalty::GroupLasso(_)),
            "{penalty}: {units:?}"
        );
        if matches!(penalty, Penalty::SquaredL2(_) | Penalty::Exclusive(_)) {
            // Units can still die by never being active; nothing is removed by the penalty itself.
            assert!(
                trained.removals.iter().all(|r| r.inputs == 0),
                "{penalty}: {units:?}"
            );
        }
    }
}

#[test]
fn every_part_member_and_optimiser_passes_its_own_verification() {
    let parts = [
        "full",
        "spare-last:4",
        "spare-last:4:current",
        "fraction:0.5:last",
        "fraction:0.5:random",
        "fraction:0.5:ranked:10",
        "every-second",
        "budget:25%",
    ];
    for part in parts {
        for members in [Members::Outgoing, Members::Incoming] {
            for optimizer in [
                Optimizer::Sgd {
                    momentum: 0.9,
                    nesterov: true,
                },
                Optimizer::AdamW,
            ] {
                let mut p = group_lasso(0.004);
                p.part = part.parse().unwrap();
                p.members = members;
                p.compensation = Compensation::On;
                p.weights = GroupWeights::Macs;
                p.removal = RemovalTime::Steps(20);
                let mut s = settings(Some(p));
                s.optimizer = optimizer;
                s.rate = if optimizer == Optimizer::AdamW {
                    0.01
                } else {
                    0.05
                };
                let trained = run(&s);
                assert_eq!(trained.ended, Ended::Complete, "{part} {members:?}");
                assert!(trained.penalised_share > 0.0 && trained.penalised_share <= 1.0);
            }
        }
    }
}

#[test]
fn a_fixed_spared_set_is_a_floor_and_inputs_may_be_spared() {
    let mut p = group_lasso(0.5);
    p.part = "spare-last:4".parse().unwrap();
    p.inputs = Inputs::Spared;
    let units = widths(&run(&settings(Some(p))).graph).unwrap();
    // Spared units may still be folded once nothing feeds them, so the floor is not an equality.
    assert!(units[1] <= 6 && units[2] <= 4, "{units:?}");
    assert_eq!(units[0], 10);
}

#[test]
fn a_ranked_part_penalises_the_weakest() {
    let mut p = group_lasso(0.004);
    p.part = "fraction:0.5:ranked:10".parse().unwrap();
    assert!(matches!(
        p.part,
        Part::Fraction {
            which: Which::Ranked { .. },
            ..
        }
    ));
    let ranked = widths(&run(&settings(Some(p))).graph).unwrap();
    p.part = "fraction:0.5:first".parse().unwrap();
    let fixed = widths(&run(&settings(Some(p))).graph).unwrap();
    // The floor of a fixed half is 12 and 8; a ranked one has none.
    assert!(
        ranked[1] < 12 && ranked[2] <= fixed[2],
        "{ranked:?} {fixed:?}"
    );
}

#[test]
fn a_budget_is_met() {
    let mut p = group_lasso(1e-4);
    p.part = "budget:20%".parse().unwrap();
    let trained = run(&settings(Some(p)));
    let dense = cost(&network(&[24, 16], 3)).unwrap().macs;
    let left = cost(&trained.graph).unwrap().macs;
    assert!(left as f64 <= 0.2 * dense as f64, "{left} of {dense}");
    assert!(trained.removals.iter().any(|r| r.asked));
}

#[test]
fn subgradients_remove_nothing_but_lower_the_penalty() {
    for members in [Members::Outgoing, Members::Incoming] {
        let mut p = group_lasso(0.01);
        p.step = PenaltyStep::Subgradient;
        p.members = members;
        let penalised = run(&settings(Some(p)));
        assert!(penalised.removals.is_empty());
        let free = run(&settings(None));
        let size = |t: &secateur_train::Trained| -> f64 {
            let id = t.graph.value_named("dense2.weight").unwrap();
            let w = t.graph.constant(id).unwrap().as_f32().unwrap();
            w.iter().map(|&w| f64::from(w).powi(2)).sum()
        };
        assert!(size(&penalised) < 0.7 * size(&free), "{members:?}");
    }
}

#[test]
fn exact_and_mean_metrics_of_adam_both_remove_units() {
    for metric in [AdamMetric::Exact, AdamMetric::Mean] {
        let mut p = group_lasso(0.004);
        p.adam_metric = metric;
        let mut s = settings(Some(p));
        s.optimizer = Optimizer::Adam;
        s.rate = 0.01;
        let units = widths(&run(&s).graph).unwrap();
        assert!(units[1] < 24, "{metric:?}: {units:?}");
    }
}

#[test]
fn a_balanced_strength_is_where_penalty_and_loss_are_equal() {
    let mut p = group_lasso(0.0);
    p.strength = StrengthChoice::Balance(1.0);
    let once = run(&settings(Some(p))).lambda;
    p.strength = StrengthChoice::Balance(0.5);
    assert_eq!(run(&settings(Some(p))).lambda, once / 2.0);
    // ln 3 is the loss of ignorance; the penalty at lambda = 1 is a few hundred here.
    assert!((1e-4..1e-1).contains(&once), "{once}");
}

#[test]
fn regression_with_every_loss_explains_the_targets() {
    let s = settings(Some(group_lasso(1e-4)));
    let graph = network(&[24, 16], 2);
    let trained = fit(graph, values(600, 1), &values(200, 2), &s, &mut |_| {
        Flow::Continue
    })
    .unwrap();
    let Score::Values { r2, .. } = &trained.epochs.last().unwrap().validation else {
        panic!("not a regression")
    };
    assert!(r2.iter().all(|&r| r > 0.7), "{r2:?}");
}

#[test]
fn a_loss_that_is_not_a_number_stops_the_run_and_names_the_epoch() {
    let mut s = settings(None);
    s.rate = 1e30;
    let graph = network(&[24, 16], 3);
    let error = fit(graph, classes(400, 1), &classes(50, 2), &s, &mut |_| {
        Flow::Continue
    })
    .expect_err("diverges at once");
    assert_eq!(error.kind(), ErrorKind::Diverged);
    assert_eq!(
        error.to_string(),
        "epoch 1: the loss is not a finite number"
    );
    assert!(error.hint_text().unwrap().contains("learning-rate"));
}

#[test]
fn a_stopped_run_returns_what_it_has() {
    let s = settings(Some(group_lasso(0.004)));
    let mut epochs = 0;
    let mut stop_after_three = |event: Event<'_>| {
        epochs += usize::from(matches!(event, Event::Epoch(_)));
        if epochs >= 3 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    };
    let graph = network(&[24, 16], 3);
    let trained = fit(
        graph,
        classes(400, 1),
        &classes(50, 2),
        &s,
        &mut stop_after_three,
    )
    .unwrap();
    assert_eq!(trained.ended, Ended::Interrupted { epoch: 3 });
    assert_eq!(trained.epochs.len(), 3);
    assert!(score(&trained.graph, &classes(50, 2), 1).is_ok());
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let s = settings(None);
    let graph = network(&[4], 2);
    let error = fit(graph, classes(40, 1), &classes(20, 2), &s, &mut |_| {
        Flow::Continue
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Data);
}
