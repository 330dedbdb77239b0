//! Subgradients, distances to the subdifferential and least strengths agree with the values.

use proptest::prelude::*;
use secateur_prox::{Penalty, Strength};

fn step_of(penalty: Penalty, group: &[f64], s: Strength, step: f64) -> Vec<f64> {
    let mut result = group.to_vec();
    penalty.prox_in_place(&mut result, s, step);
    result
}

proptest! {
    #[test]
    fn a_subgradient_is_the_slope_of_the_value(
        group in prop::collection::vec(prop_oneof![0.1..3.0f64, -3.0..-0.1f64], 1..7),
        direction in prop::collection::vec(-1.0..1.0f64, 7),
        lambda in 0.1..3.0f64, weight in 0.1..3.0f64,
    ) {
        let s = Strength { lambda, weight };
        const H: f64 = 1e-6;
        for penalty in Penalty::all() {
            let moved = |h: f64| -> f64 {
                let near: Vec<f64> = group.iter().zip(&direction).map(|(w, d)| w + h * d).collect();
                penalty.value(&near, s)
            };
            let slope = (moved(H) - moved(-H)) / (2.0 * H);
            let mut gradient = vec![0.0; group.len()];
            penalty.subgradient_add(&group, s, &mut gradient);
            let stated: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            // Central differences: h^2 of curvature and 1e-16 / h of rounding, on values of up to 1e3; h
            // times the jump in curvature where a piece of MCP or SCAD ends within h.
            prop_assert!((slope - stated).abs() <= 1e-5 * (1.0 + slope.abs()), "{penalty} {slope} {stated}");
        }
    }

    #[test]
    fn minus_a_subgradient_is_at_no_distance(
        group in prop::collection::vec(prop_oneof![2 => -3.0..3.0f64, 1 => Just(0.0)], 1..7),
        lambda in 0.0..3.0f64, weight in 0.0..3.0f64,
    ) {
        let s = Strength { lambda, weight };
        for penalty in Penalty::all() {
            for group in [group.clone(), vec![0.0; group.len()]] {
                let mut gradient = vec![0.0; group.len()];
                penalty.subgradient_add(&group, s, &mut gradient);
                gradient.iter_mut().for_each(|g| *g = -*g);
                prop_assert!(penalty.subdiff_distance(&group, &gradient, s) <= 1e-12, "{penalty}");
                // And what is added is added to what was there.
                let mut twice = gradient.iter().map(|g| -2.0 * g).collect::<Vec<_>>();
                penalty.subgradient_add(&group, s, &mut twice);
                for (twice, once) in twice.iter().zip(&gradient) {
                    prop_assert!((twice + 3.0 * once).abs() <= 1e-12 * once.abs());
                }
            }
        }
    }

    #[test]
    fn a_group_stays_at_zero_from_the_least_strength_on(
        gradient in prop::collection::vec(-3.0..3.0f64, 1..7), weight in 0.1..3.0f64,
    ) {
        prop_assume!(gradient.iter().any(|g| g.abs() > 0.01));
        let zero = vec![0.0; gradient.len()];
        let pulled: Vec<f64> = gradient.iter().map(|g| -g).collect();
        for penalty in Penalty::all() {
            let Some(least) = penalty.lambda_max(&gradient, weight) else { continue };
            let above = Strength { lambda: least * (1.0 + 1e-9), weight };
            let below = Strength { lambda: least * (1.0 - 1e-3), weight };
            prop_assert_eq!(penalty.subdiff_distance(&zero, &gradient, above), 0.0);
            prop_assert!(penalty.subdiff_distance(&zero, &gradient, below) > 0.0, "{}", penalty);
            if penalty.is_convex() {
                prop_assert_eq!(step_of(penalty, &pulled, above, 1.0), zero.clone());
                prop_assert!(step_of(penalty, &pulled, below, 1.0) != zero, "{}", penalty);
            }
        }
    }
}

#[test]
fn only_penalties_with_a_slope_at_zero_have_a_least_strength() {
    let without: Vec<_> = Penalty::all()
        .iter()
        .filter(|p| p.lambda_max(&[1.0], 1.0).is_none())
        .map(Penalty::name)
        .collect();
    assert_eq!(without, ["l2", "exclusive", "group-l0"]);
}

/// Least squares on 12 rows and 4 groups of 3 weights, by proximal gradient.
#[test]
fn proximal_gradient_reaches_a_stationary_point() {
    const ROWS: usize = 12;
    const GROUPS: usize = 4;
    const SIZE: usize = 3;
    const WEIGHTS: usize = GROUPS * SIZE;
    // A fixed, well-conditioned matrix without a pattern: the identity and fractions of a golden-ratio
    // sequence.
    let noise = |i: usize| (i as f64 * 0.618_033_988_749_895).fract() - 0.5;
    let entry =
        |row: usize, col: usize| f64::from(u8::from(row == col)) + 0.3 * noise(13 * row + col);
    let target = |row: usize| 3.0 * noise(7 * row + 5) + if row < SIZE { 2.0 } else { 0.0 };
    let gradient = |w: &[f64]| -> Vec<f64> {
        let residual =
            |row: usize| (0..WEIGHTS).map(|c| entry(row, c) * w[c]).sum::<f64>() - target(row);
        let residuals: Vec<f64> = (0..ROWS).map(residual).collect();
        (0..WEIGHTS)
            .map(|c| (0..ROWS).map(|r| entry(r, c) * residuals[r]).sum())
            .collect()
    };
    let s = Strength {
        lambda: 2.0,
        weight: 1.0,
    };
    for penalty in Penalty::all().into_iter().filter(Penalty::is_convex) {
        let mut w = vec![0.5; WEIGHTS];
        // 1 / 6 is below 1 / norm2(A)^2.
        for _ in 0..20_000 {
            let g = gradient(&w);
            for (w, g) in w.iter_mut().zip(&g) {
                *w -= g / 6.0;
            }
            for group in w.chunks_mut(SIZE) {
                penalty.prox_in_place(group, s, 1.0 / 6.0);
            }
        }
        let g = gradient(&w);
        let groups = w.chunks(SIZE).zip(g.chunks(SIZE));
        let distance = groups
            .map(|(w, g)| penalty.subdiff_distance(w, g, s))
            .fold(0.0, f64::max);
        assert!(distance < 1e-10, "{penalty}: {distance}");
        let removed = w
            .chunks(SIZE)
            .filter(|group| group.iter().all(|&w| w == 0.0))
            .count();
        // The strength is such that the penalties that know groups remove some, but not all.
        if matches!(penalty, Penalty::GroupLasso(_)) {
            assert!((1..GROUPS).contains(&removed), "{penalty}: {removed}");
        }
        if !penalty.removes_units() {
            assert_eq!(removed, 0, "{penalty}");
        }
    }
}
