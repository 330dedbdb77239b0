//! Every penalty obeys the laws of `check`, at the built-in points and at drawn ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use secateur_prox::{
    Cges, Exclusive, GroupL0, GroupLasso, GroupLogSum, GroupMcp, GroupScad, L1, Penalty,
    SparseGroupLasso, SquaredL2, Strength, check,
};

const SPECIAL: [&str; 18] = [
    "sparse-group-lasso:0",
    "sparse-group-lasso:0.5",
    "sparse-group-lasso:1",
    "cges:0",
    "cges:0.1",
    "cges:0.9",
    "cges:1",
    "group-mcp:0.05",
    "group-mcp:1",
    "group-mcp:1.7",
    "group-mcp:100",
    "group-scad:2.1",
    "group-scad:2.7",
    "group-scad:6",
    "group-scad:13",
    "group-log-sum:0.001",
    "group-log-sum:1",
    "group-log-sum:7",
];

#[track_caller]
fn passes(penalty: Penalty, lambda: f64, weight: f64) {
    let strength = Strength { lambda, weight };
    if let Err(failure) = check::penalty(&(penalty, strength)) {
        panic!("{penalty} with {strength:?}: {failure}");
    }
}

#[test]
fn every_penalty_passes_at_every_strength() {
    for penalty in Penalty::all() {
        for (lambda, weight) in [(1.0, 1.0), (0.3, 2.0), (0.0, 1.0), (1.0, 0.0), (1e-4, 17.0)] {
            passes(penalty, lambda, weight);
        }
    }
}

/// Both ends of every parameter's range, and values at and around the built-in steps.
#[test]
fn every_penalty_passes_with_special_parameters() {
    for text in SPECIAL {
        passes(text.parse().unwrap(), 1.0, 1.0);
    }
}

/// Numbers spread evenly over the decades from `10^low` to `10^high`.
fn decades(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low..high).prop_map(|exponent| 10f64.powf(exponent))
}

fn any_penalty() -> impl Strategy<Value = Penalty> {
    prop_oneof![
        Just(L1.into()),
        Just(SquaredL2.into()),
        Just(GroupLasso.into()),
        (0.0..=1.0).prop_map(|alpha| SparseGroupLasso::new(alpha).unwrap().into()),
        Just(Exclusive.into()),
        (0.0..=1.0).prop_map(|mu| Cges::new(mu).unwrap().into()),
        decades(-2.0, 2.0).prop_map(|gamma| GroupMcp::new(gamma).unwrap().into()),
        decades(-2.0, 2.0).prop_map(|over| GroupScad::new(2.0 + over).unwrap().into()),
        decades(-3.0, 1.0).prop_map(|epsilon| GroupLogSum::new(epsilon).unwrap().into()),
        Just(GroupL0.into()),
    ]
}

fn any_group() -> impl Strategy<Value = Vec<f64>> {
    let weight = prop_oneof![3 => -1.0..1.0f64, 1 => Just(0.0)];
    (prop::collection::vec(weight, 1..7), decades(-2.0, 1.5))
        .prop_map(|(group, length)| group.iter().map(|w| w * length).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_penalty_passes_at_drawn_points(
        penalty in any_penalty(),
        x in any_group(),
        y in any_group(),
        step in decades(-2.0, 1.5),
        lambda in prop_oneof![9 => decades(-2.0, 1.0), 1 => Just(0.0)],
        weight in prop_oneof![9 => decades(-1.0, 1.0), 1 => Just(0.0)],
    ) {
        let strength = Strength { lambda, weight };
        let outcome = check::at(&(penalty, strength), &x, &y, step);
        prop_assert!(outcome.is_ok(), "{penalty} with {strength:?}: {}", outcome.unwrap_err());
    }
}
