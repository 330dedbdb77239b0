//! What should every step return, by means too slow and too plain to be wrong?
//!
//! Nothing here shares code with the operators. Convex penalties are solved by bisection on their
//! optimality conditions (the exclusive lasso by sorting), the others by a grid over the norm and a
//! golden-section search around its best point, which is good to about 1e-8 of the norm.

use crate::{Penalty, Strength};

/// The value of a penalty, for the radial ones as the area under their slope.
pub fn value(penalty: Penalty, group: &[f64], s: Strength) -> f64 {
    let norm1: f64 = group.iter().map(|w| w.abs()).sum();
    let norm2 = norm2(group);
    let lambda = s.lambda * s.weight;
    match penalty {
        Penalty::L1(_) => s.lambda * norm1,
        Penalty::SquaredL2(_) => s.lambda * norm2.powi(2) / 2.0,
        Penalty::SparseGroupLasso(p) => {
            p.alpha() * s.lambda * norm1 + (1.0 - p.alpha()) * lambda * norm2
        }
        Penalty::Exclusive(_) => s.lambda * norm1.powi(2) / 2.0,
        Penalty::Cges(p) => {
            p.mu() * lambda * norm2 + (1.0 - p.mu()) * s.lambda * norm1.powi(2) / 2.0
        }
        Penalty::GroupLasso(_)
        | Penalty::GroupMcp(_)
        | Penalty::GroupScad(_)
        | Penalty::GroupLogSum(_)
        | Penalty::GroupL0(_) => phi(penalty, norm2, lambda),
    }
}

/// The minimiser of `value(w) + norm2(w - group)^2 / (2 step)`.
pub fn prox(penalty: Penalty, group: &[f64], s: Strength, step: f64) -> Vec<f64> {
    let a = step * s.lambda * s.weight;
    let b = step * s.lambda;
    match penalty {
        Penalty::L1(_) => mixed(group, &vec![1.0; group.len()], b, 0.0),
        Penalty::SquaredL2(_) => group.iter().map(|x| x - x * b / (1.0 + b)).collect(),
        Penalty::GroupLasso(_) => mixed(group, &vec![1.0; group.len()], 0.0, a),
        Penalty::SparseGroupLasso(p) => {
            let (l1, l2) = (p.alpha() * b, (1.0 - p.alpha()) * a);
            mixed(group, &vec![1.0; group.len()], l1, l2)
        }
        Penalty::Exclusive(_) => exclusive(group, b),
        Penalty::Cges(p) => cges(group, p.mu() * a, (1.0 - p.mu()) * b),
        Penalty::GroupMcp(_)
        | Penalty::GroupScad(_)
        | Penalty::GroupLogSum(_)
        | Penalty::GroupL0(_) => {
            let r = norm2(group);
            let p = global_minimum(r, |p| {
                phi(penalty, p, s.lambda * s.weight) + (p - r).powi(2) / (2.0 * step)
            });
            group
                .iter()
                .map(|x| if p == 0.0 { 0.0 } else { x * p / r })
                .collect()
        }
    }
}

/// The minimiser of `l1 norm1(w) + l2 norm2(w) + 1/2 sum d_i (w_i - u_i)^2`, by bisection on the norm `n` of
/// the solution: for a known norm each weight solves its own equation.
pub fn mixed(u: &[f64], d: &[f64], l1: f64, l2: f64) -> Vec<f64> {
    let at_norm = |n: f64| -> Vec<f64> {
        let pull = |d: f64| if l2 == 0.0 { 0.0 } else { l2 / n / d };
        let terms = u.iter().zip(d);
        terms
            .map(|(&u, &d)| (u - u.clamp(-l1 / d, l1 / d)) / (1.0 + pull(d)))
            .collect()
    };
    let n = bisect(0.0, norm2(u), |n| norm2(&at_norm(n)) < n);
    if n == 0.0 {
        vec![0.0; u.len()]
    } else {
        at_norm(n)
    }
}

/// The largest `k` magnitudes survive: `tau = b S / (1 + b k)` with the largest `k` for which the k-th
/// stays above its own `tau`.
fn exclusive(x: &[f64], b: f64) -> Vec<f64> {
    let mut sorted: Vec<f64> = x.iter().map(|x| x.abs()).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut tau = 0.0;
    let mut sum = 0.0;
    for (i, magnitude) in sorted.iter().enumerate() {
        sum += magnitude;
        let candidate = b * sum / (1.0 + b * (i as f64 + 1.0));
        if *magnitude > candidate {
            tau = candidate;
        }
    }
    x.iter().map(|x| x - x.clamp(-tau, tau)).collect()
}

/// For a known sum of magnitudes the squared term is an l1 term, so that one bisection solves for the
/// sum around another for the norm.
fn cges(x: &[f64], a: f64, b: f64) -> Vec<f64> {
    let ones = vec![1.0; x.len()];
    let norm1 = |w: Vec<f64>| w.iter().map(|w| w.abs()).sum::<f64>();
    let largest: f64 = norm1(x.to_vec());
    let sum = bisect(0.0, largest, |sum| norm1(mixed(x, &ones, b * sum, a)) < sum);
    mixed(x, &ones, b * sum, a)
}

/// The scalar penalties, as the area under their slope.
fn phi(penalty: Penalty, r: f64, lambda: f64) -> f64 {
    match penalty {
        Penalty::GroupMcp(p) => {
            let end = p.gamma() * lambda;
            trapezoid(r.min(end), lambda, lambda - r.min(end) / p.gamma())
        }
        Penalty::GroupScad(p) => {
            let end = (p.a() * lambda).min(r);
            let slope = (p.a() * lambda - end) / (p.a() - 1.0);
            lambda * r.min(lambda) + trapezoid((end - lambda).max(0.0), lambda, slope)
        }
        Penalty::GroupLogSum(p) => lambda * ((r + p.epsilon()) / p.epsilon()).ln(),
        Penalty::GroupL0(_) => lambda * f64::from(u8::from(r > 0.0)),
        _ => lambda * r,
    }
}

fn trapezoid(width: f64, left: f64, right: f64) -> f64 {
    width * (left + right) / 2.0
}

fn norm2(group: &[f64]) -> f64 {
    group.iter().fold(0.0, |norm: f64, w| norm.hypot(*w))
}

/// The point between `low` and `high` above which `is_above` holds, to the last bit of `high`.
fn bisect(mut low: f64, mut high: f64, is_above: impl Fn(f64) -> bool) -> f64 {
    let resolution = high * f64::EPSILON / 4.0;
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high || high - low <= resolution {
            return if is_above(high) { low } else { high };
        }
        if is_above(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// The minimiser of `objective` over `[0, r]`.
fn global_minimum(r: f64, objective: impl Fn(f64) -> f64) -> f64 {
    const CELLS: usize = 300;
    let at = |i: usize| r * i as f64 / CELLS as f64;
    let mut best = 0.0;
    let mut improve = |p: f64| {
        if objective(p) < objective(best) {
            best = p;
        }
    };
    (0..=CELLS).for_each(|i| improve(at(i)));
    // Every cell that could hold a minimum: no neighbour of its centre is lower.
    for i in 1..CELLS {
        if objective(at(i)) <= objective(at(i - 1)).min(objective(at(i + 1))) {
            improve(golden(at(i - 1), at(i + 1), &objective));
        }
    }
    // At the ends there is no neighbour beyond.
    improve(golden(0.0, at(1), &objective));
    improve(golden(at(CELLS - 1), r, &objective));
    best
}

/// Golden-section search for the minimum of a function with one valley.
fn golden(mut low: f64, mut high: f64, objective: impl Fn(f64) -> f64) -> f64 {
    let share = (5.0f64.sqrt() - 1.0) / 2.0;
    for _ in 0..80 {
        let (left, right) = (high - share * (high - low), low + share * (high - low));
        if objective(left) <= objective(right) {
            high = right;
        } else {
            low = left;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cges, Exclusive, GroupL0, GroupLasso, GroupMcp, GroupScad, L1, SparseGroupLasso, SquaredL2,
    };

    #[test]
    fn minima_beside_zero_are_found() {
        let (r, s) = (
            1.000_25,
            Strength {
                lambda: 1.0,
                weight: 1.0,
            },
        );
        let penalty = Penalty::GroupMcp(GroupMcp::new(2.0).unwrap());
        // (r - 1) / (1 - 1/2), a seventh of the way to the first point of the grid.
        let found = prox(penalty, &[r], s, 1.0)[0];
        assert!((found - 5e-4).abs() < 1e-7, "{found}");
    }

    #[test]
    fn values_are_those_of_the_penalties() {
        let all: [Penalty; 9] = [
            L1.into(),
            SquaredL2.into(),
            GroupLasso.into(),
            GroupL0.into(),
            Exclusive.into(),
            SparseGroupLasso::new(0.3).unwrap().into(),
            Cges::new(0.4).unwrap().into(),
            GroupMcp::new(2.5).unwrap().into(),
            GroupScad::new(3.5).unwrap().into(),
        ];
        for lambda in [0.7, 2.0] {
            let s = Strength {
                lambda,
                weight: 1.5,
            };
            for penalty in all {
                for group in [&[0.1, -0.2, 0.05][..], &[1.0, -2.0], &[9.0], &[0.0, 0.0]] {
                    let (found, want) = (value(penalty, group, s), penalty.value(group, s));
                    assert!(
                        (found - want).abs() < 1e-12,
                        "{penalty} {group:?}: {found} {want}"
                    );
                }
            }
        }
    }

    #[test]
    fn worked_examples() {
        let s = Strength {
            lambda: 1.0,
            weight: 1.0,
        };
        let cases: [(Penalty, [f64; 2], f64, [f64; 2]); 6] = [
            (L1.into(), [3.0, -0.5], 1.0, [2.0, 0.0]),
            (Exclusive.into(), [3.0, -1.0], 1.0, [1.5, 0.0]),
            (GroupLasso.into(), [0.6, 0.8], 1.0, [0.0, 0.0]),
            (GroupLasso.into(), [6.0, 8.0], 5.0, [3.0, 4.0]),
            (GroupL0.into(), [1.4, 0.0], 1.0, [0.0, 0.0]),
            (GroupL0.into(), [1.5, 0.0], 1.0, [1.5, 0.0]),
        ];
        for (penalty, x, step, expected) in cases {
            let found = prox(penalty, &x, s, step);
            let gap = (found[0] - expected[0]).hypot(found[1] - expected[1]);
            assert!(gap < 1e-14, "{penalty}: {found:?}");
        }
    }
}
