//! Each comparison of a removal refuses without the others.

use super::testing::{LOST, ROWS, grown, live, network, rows, sample, settings};
use super::*;

const DEAD: Cause = Cause::Dead {
    folded: 0,
    tolerance: 0.0,
};
const FOLDED: Cause = Cause::Dead {
    folded: 1,
    tolerance: FOLD_TOLERANCE,
};

fn refused<T: std::fmt::Debug>(result: Result<T>, by: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    assert!(
        error.to_string().contains(&format!("on the {by}")),
        "{error}"
    );
}

#[test]
fn not_a_number_anywhere_is_a_difference_that_fails() {
    for b in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
        let d = relative(&[1.0, 1.0], &b);
        assert!(d.is_nan() && agree("test", d, 1.0, 1).is_err());
    }
    let d = relative(&[100.0, 1.0], &[100.0, 2.0]);
    assert_eq!(d, 0.01);
    assert!(agree("test", d, 0.01, 1).is_ok() && agree("test", d, 0.009, 1).is_err());
}

#[test]
fn outputs_that_are_missing_or_longer_are_infinitely_far() {
    let array = |values: &[f64]| Array::new([values.len()], values.to_vec()).unwrap();
    let one = [array(&[1.0, 2.0])];
    assert_eq!(difference(&one, &one), 0.0);
    for other in [
        vec![],
        vec![array(&[1.0])],
        vec![array(&[1.0, 2.0, 0.0])],
        vec![array(&[1.0, 2.0]), array(&[0.0])],
    ] {
        assert_eq!(difference(&one, &other), f64::INFINITY, "{other:?}");
        assert_eq!(difference(&other, &one), f64::INFINITY, "{other:?}");
    }
    // The last of several outputs counts as the first does.
    let (a, b) = (array(&[4.0]), array(&[3.0]));
    assert_eq!(difference(&[b.clone(), a.clone()], &[b.clone(), b]), 0.25);
}

#[test]
fn the_naive_evaluator_holds_what_is_left_to_the_masked_network_and_to_the_one_before() {
    let (same, other) = (network(0.0), grown(1e-3));
    let sample = [sample(8)];
    let held = |networks: [&Graph; 3], cause| agree_naively(networks, &sample, cause, 1);
    for cause in [DEAD, FOLDED] {
        assert_eq!(held([&same, &same, &same], cause).unwrap(), 0.0);
        refused(held([&other, &same, &same], cause), "naive evaluator");
        refused(held([&same, &other, &same], cause), "naive evaluator");
        refused(held([&same, &same, &other], cause), "naive evaluator");
    }
    // What the caller wants changes the function, but not that of the masked network.
    assert_eq!(held([&other, &same, &same], Cause::Asked).unwrap(), 0.0);
    refused(
        held([&same, &other, &same], Cause::Asked),
        "naive evaluator",
    );
    refused(
        held([&same, &same, &other], Cause::Asked),
        "naive evaluator",
    );
}

#[test]
fn only_folding_may_round_and_not_by_much() {
    let (same, sample) = (network(0.0), [sample(8)]);
    let within = |share, cause| agree_naively([&grown(share), &same, &same], &sample, cause, 1);
    let moved = within(5e-6, FOLDED).unwrap();
    assert!((1e-6..1e-5).contains(&moved), "{moved}");
    refused(within(5e-6, DEAD), "naive evaluator");
    refused(within(4e-5, FOLDED), "naive evaluator");
    // The masked network computes the very same.
    let masked = agree_naively([&same, &grown(5e-6), &same], &sample, FOLDED, 1);
    refused(masked, "naive evaluator");
}

#[test]
fn rounding_is_allowed_where_constants_were_folded_and_nowhere_else() {
    let graph = network(0.0);
    let groups = ChannelGroups::of(&graph).unwrap();
    let keep = live(&groups);
    let (hidden, _) = groups
        .iter()
        .find(|(_, g)| g.kind == GroupKind::Hidden)
        .unwrap();
    let cause = |units: Vec<_>| {
        let folded = Folded {
            graph: graph.clone(),
            units,
            left: vec![],
        };
        match Cause::dead(&folded, &keep) {
            Cause::Dead { folded, tolerance } => (folded, tolerance),
            Cause::Asked => panic!("nobody asked"),
        }
    };
    assert_eq!(cause(vec![]), (0, 0.0));
    assert_eq!(cause(vec![(hidden, 3)]), (1, 1e-5));
    // One that stays has been folded, too.
    assert_eq!(cause(vec![(hidden, 0), (hidden, 3)]), (1, 1e-5));
}

#[test]
fn the_engine_refuses_one_output_that_differs() {
    let before: Vec<f32> = (0..40).map(|i| 2.0 - i as f32 / 40.0).collect();
    let last = |share: f32| {
        let mut after = before.clone();
        after[39] += 2.0 * share;
        agree_on_engine(&before, &after, 1)
    };
    assert_eq!(last(0.0).unwrap(), 0.0);
    let moved = last(5e-5).unwrap();
    assert!((moved - 5e-5).abs() < 1e-6, "{moved}");
    for share in [2e-4, 1e-3, -1e-3, f32::NAN, f32::INFINITY] {
        refused(last(share), "engine");
    }
    refused(agree_on_engine(&before, &before[..39], 1), "engine");
    refused(agree_on_engine(&before[..39], &before, 1), "engine");
}

/// Takes the dead unit out of `base` in a run that trains `graph`.
fn removed(graph: Graph, base: &Graph, cause: Cause) -> Result<Removal> {
    let mut body = Body::new(graph, rows(), &settings()).unwrap();
    let groups = ChannelGroups::of(base).unwrap();
    body.apply(base, &groups, &live(&groups), 1, cause)
}

#[test]
fn a_chain_is_held_to_what_it_was_on_both_ways_to_run_it() {
    let same = network(0.0);
    let removal = removed(same.clone(), &same, DEAD).unwrap();
    assert_eq!((removal.units, removal.naive_difference), (1, 0.0));
    assert_eq!((removal.naive_rows, removal.engine_rows), (8, ROWS));
    assert!(removal.engine_difference < 1e-6, "{removal:?}");
    refused(removed(grown(1e-3), &same, FOLDED), "naive evaluator");
    // Only single precision sees this.
    refused(removed(network(LOST), &same, FOLDED), "engine");
}

#[test]
fn a_chain_that_the_caller_cuts_is_held_to_the_masked_one() {
    let same = network(0.0);
    let removal = removed(grown(0.1), &same, Cause::Asked).unwrap();
    assert_eq!((removal.units, removal.naive_difference), (1, 0.0));
    assert!(removal.asked && removal.engine_difference < 1e-6);
}

#[test]
fn the_naive_evaluator_is_given_real_rows() {
    let mut body = Body::new(network(0.0), rows(), &settings()).unwrap();
    assert_eq!(body.full_width(8).unwrap(), sample(8));
    assert_eq!(body.full_width(ROWS).unwrap(), sample(ROWS));
    let groups = ChannelGroups::of(&body.graph).unwrap();
    let keep = live(&groups);
    let base = body.graph.clone();
    body.apply(&base, &groups, &keep, 1, DEAD).unwrap();
    assert_eq!(body.full_width(8).unwrap(), sample(8));
}
