//! Each comparison of a removal refuses without the others, in networks of any form.

use super::*;
use crate::ErrorKind;
use crate::removal::testing::{LOST, ROWS, grown, live, network, rows, sample, settings};

const FOLDED: Cause = Cause::Dead {
    folded: 1,
    tolerance: 1e-5,
};

/// Takes the dead unit out of `base`, which was made of `before`.
fn removed(before: &Graph, base: &Graph, cause: Cause) -> Result<Removal> {
    let mut net = NetLearner::new(before.clone(), rows(), &settings()).unwrap();
    let groups = ChannelGroups::of(base).unwrap();
    net.apply(before, base, &groups, &live(&groups), 1, cause)
}

fn refused(result: Result<Removal>, by: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    assert!(
        error.to_string().contains(&format!("on the {by}")),
        "{error}"
    );
}

#[test]
fn a_network_is_held_to_what_it_was_on_both_ways_to_run_it() {
    let same = network(0.0);
    let removal = removed(&same, &same, FOLDED).unwrap();
    assert_eq!((removal.units, removal.naive_difference), (1, 0.0));
    assert_eq!((removal.naive_rows, removal.engine_rows), (8, ROWS));
    assert!(removal.engine_difference < 1e-6, "{removal:?}");
    refused(removed(&grown(1e-3), &same, FOLDED), "naive evaluator");
    // Only single precision sees this.
    refused(removed(&network(LOST), &same, FOLDED), "engine");
}

#[test]
fn a_network_that_the_caller_cuts_is_held_to_the_masked_one() {
    let removal = removed(&grown(0.1), &network(0.0), Cause::Asked).unwrap();
    assert_eq!((removal.units, removal.naive_difference), (1, 0.0));
    assert!(removal.asked && removal.engine_difference < 1e-6);
}

#[test]
fn the_naive_evaluator_is_given_real_rows() {
    let net = NetLearner::new(network(0.0), rows(), &settings()).unwrap();
    assert_eq!(net.sample(8).unwrap(), sample(8));
    assert_eq!(net.sample(ROWS).unwrap(), sample(ROWS));
}

#[test]
fn the_naive_evaluator_is_given_as_many_rows_as_it_can_afford() {
    for (macs, rows) in [
        (0, 8),
        (1000, 8),
        (NAIVE_MACS / 8, 8),
        (NAIVE_MACS / 8 + 1, 7),
        (NAIVE_MACS / 3, 3),
        (NAIVE_MACS, 1),
        (10 * NAIVE_MACS, 1),
    ] {
        assert_eq!(affordable(macs), rows, "{macs}");
    }
}
