//! Penalties become one another at the ends of their parameters' ranges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use secateur_prox::{Exclusive, GroupL0, GroupLasso, L1, Penalty, SquaredL2, Strength, naive};

fn step_of(penalty: impl Into<Penalty>, group: &[f64], s: Strength, step: f64) -> Vec<f64> {
    let mut result = group.to_vec();
    penalty.into().prox_in_place(&mut result, s, step);
    result
}

fn parsed(text: &str) -> Penalty {
    text.parse().unwrap()
}

fn norm(group: &[f64]) -> f64 {
    group.iter().map(|w| w * w).sum::<f64>().sqrt()
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt()
}

/// Rounding of two formulas for the same number, on weights of at most 10.
const ROUNDING: f64 = 1e-12;

proptest! {
    #[test]
    fn at_the_ends_of_their_mix(
        group in prop::collection::vec(-10.0..10.0f64, 1..7),
        lambda in 0.0..5.0f64, weight in 0.0..3.0f64, step in 0.01..5.0f64,
    ) {
        let s = Strength { lambda, weight };
        let lasso = step_of(GroupLasso, &group, s, step);
        let same = |a: &[f64], b: &[f64]| gap(a, b) <= ROUNDING;
        prop_assert!(same(&step_of(parsed("sparse-group-lasso:0"), &group, s, step), &lasso));
        prop_assert!(same(&step_of(parsed("cges:1"), &group, s, step), &lasso));
        let l1 = step_of(L1, &group, s, step);
        prop_assert!(same(&step_of(parsed("sparse-group-lasso:1"), &group, s, step), &l1));
        let exclusive = step_of(Exclusive, &group, s, step);
        prop_assert!(same(&step_of(parsed("cges:0"), &group, s, step), &exclusive));
    }

    #[test]
    fn on_groups_of_one(x in -10.0..10.0f64, lambda in 0.0..5.0f64, step in 0.01..5.0f64) {
        let s = Strength { lambda, weight: 1.0 };
        let soft = step_of(L1, &[x], s, step)[0];
        prop_assert!((step_of(GroupLasso, &[x], s, step)[0] - soft).abs() <= ROUNDING);
        let divided = step_of(SquaredL2, &[x], s, step)[0];
        prop_assert!((step_of(Exclusive, &[x], s, step)[0] - divided).abs() <= ROUNDING);
    }

    #[test]
    fn in_the_limits_of_their_parameters(
        group in prop::collection::vec(-10.0..10.0f64, 1..7),
        lambda in 0.1..5.0f64, step in 0.01..5.0f64,
    ) {
        let s = Strength { lambda, weight: 1.0 };
        let lasso = step_of(GroupLasso, &group, s, step);
        for flat in ["group-mcp:1e12", "group-scad:1e12"] {
            // Off by norm^2 / parameter.
            prop_assert!(gap(&step_of(parsed(flat), &group, s, step), &lasso) < 1e-8);
        }
        let wide = Strength { lambda: lambda * 1e9, weight: 1.0 };
        let log_sum = step_of(parsed("group-log-sum:1e9"), &group, wide, step);
        prop_assert!(gap(&log_sum, &lasso) < 1e-5);
        // MCP of fixed height gamma lambda^2 / 2 and no width is L0.
        let r = norm(&group);
        prop_assume!((r - (2.0 * step * lambda).sqrt()).abs() > 1e-4);
        let narrow = Strength { lambda: (2.0 * lambda / 1e-10).sqrt(), weight: 1.0 };
        let counted = step_of(GroupL0, &group, s, step);
        prop_assert!(gap(&step_of(parsed("group-mcp:1e-10"), &group, narrow, step), &counted) < 1e-8);
    }

    #[test]
    fn the_moreau_envelope_of_the_norm_is_huber(
        group in prop::collection::vec(-10.0..10.0f64, 1..7),
        lambda in 0.1..5.0f64, step in 0.01..5.0f64,
    ) {
        let s = Strength { lambda, weight: 1.0 };
        let p = step_of(GroupLasso, &group, s, step);
        let envelope =
            Penalty::from(GroupLasso).value(&p, s) + gap(&p, &group).powi(2) / (2.0 * step);
        let r = norm(&group);
        let huber = if r <= step * lambda {
            r * r / (2.0 * step)
        } else {
            lambda * r - 0.5 * step * lambda * lambda
        };
        prop_assert!((envelope - huber).abs() <= ROUNDING * (1.0 + huber), "{envelope} {huber}");
    }

    #[test]
    fn the_step_in_a_metric_is_the_naive_one(
        pairs in prop::collection::vec((-10.0..10.0f64, -6.0..6.0f64), 1..7),
        lambda in 0.0..5.0f64, weight in 0.0..3.0f64, alpha in 0.0..=1.0f64,
    ) {
        let s = Strength { lambda, weight };
        let (u, d): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&(u, e)| (u, e.exp())).unzip();
        let mixes = [
            (Penalty::from(L1), lambda, 0.0),
            (Penalty::from(GroupLasso), 0.0, lambda * weight),
            (parsed(&format!("sparse-group-lasso:{alpha}")), lambda * alpha, (1.0 - alpha) * lambda * weight),
        ];
        for (penalty, l1, l2) in mixes {
            let mut found = u.clone();
            penalty.prox_in_metric(&mut found, &d, s).unwrap();
            let expected = naive::mixed(&u, &d, l1, l2);
            // The naive root is exact to the last bit of the norm of u, magnified by the range of d.
            prop_assert!(gap(&found, &expected) <= 1e-9 * (1.0 + norm(&u)), "{penalty} {found:?} {expected:?}");
        }
    }

    #[test]
    fn the_step_in_an_equal_metric_is_the_plain_one(
        group in prop::collection::vec(-10.0..10.0f64, 1..7),
        lambda in 0.0..5.0f64, weight in 0.0..3.0f64, step in 0.01..5.0f64,
    ) {
        let s = Strength { lambda, weight };
        let metric = vec![1.0 / step; group.len()];
        for penalty in Penalty::all() {
            let mut found = group.clone();
            if penalty.prox_in_metric(&mut found, &metric, s).is_ok() {
                let expected = step_of(penalty, &group, s, step);
                prop_assert!(gap(&found, &expected) <= 1e-10 * (1.0 + norm(&group)), "{penalty}");
            }
        }
    }
}
