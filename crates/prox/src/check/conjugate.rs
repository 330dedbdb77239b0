//! What are the steps of the conjugates, computed without the penalties' own?
//!
//! The conjugate of a norm is the indicator of the ball of its dual norm; that of a sum is the
//! infimal convolution of the conjugates, whose step is found by alternating minimisation.

use crate::{Penalty, Strength};

/// The minimiser of `f*(.) + norm2(. - v)^2 / (2 step)` for a convex penalty `f`.
pub(super) fn prox(penalty: Penalty, v: &[f64], s: Strength, step: f64) -> Option<Vec<f64>> {
    let norm = s.lambda * s.weight;
    match penalty {
        Penalty::L1(_) => Some(onto_box(v, s.lambda)),
        Penalty::GroupLasso(_) => Some(onto_ball(v, norm)),
        Penalty::SquaredL2(_) => Some(v.iter().map(|v| v * s.lambda / (s.lambda + step)).collect()),
        Penalty::Exclusive(_) => Some(squared_maximum(v, s.lambda, step)),
        Penalty::SparseGroupLasso(p) => {
            let (side, radius) = (p.alpha() * s.lambda, (1.0 - p.alpha()) * norm);
            Some(convolution(
                v,
                |v| onto_ball(v, radius),
                |v| onto_box(v, side),
            ))
        }
        Penalty::Cges(p) => {
            let (radius, b) = (p.mu() * norm, (1.0 - p.mu()) * s.lambda);
            Some(convolution(
                v,
                |v| onto_ball(v, radius),
                |v| squared_maximum(v, b, step),
            ))
        }
        Penalty::GroupMcp(_)
        | Penalty::GroupScad(_)
        | Penalty::GroupLogSum(_)
        | Penalty::GroupL0(_) => None,
    }
}

/// Projection onto `max |z_i| <= side`.
fn onto_box(v: &[f64], side: f64) -> Vec<f64> {
    v.iter().map(|v| v.clamp(-side, side)).collect()
}

/// Projection onto `norm2(z) <= radius`.
fn onto_ball(v: &[f64], radius: f64) -> Vec<f64> {
    let norm = v.iter().fold(0.0, |norm: f64, v| norm.hypot(*v));
    let factor = if norm > radius { radius / norm } else { 1.0 };
    v.iter().map(|v| v * factor).collect()
}

/// The step of `max |z_i|^2 / (2 lambda)`, the conjugate of `lambda / 2 norm1^2`: `v` clamped to the
/// maximum `m` with `m step = lambda sum (|v_i| - m)+`, by bisection.
fn squared_maximum(v: &[f64], lambda: f64, step: f64) -> Vec<f64> {
    let (mut low, mut high) = (0.0, v.iter().fold(0.0, |m: f64, v| m.max(v.abs())));
    for _ in 0..200 {
        let m = 0.5 * (low + high);
        let above: f64 = v.iter().map(|v| (v.abs() - m).max(0.0)).sum();
        if m * step < lambda * above {
            low = m;
        } else {
            high = m;
        }
    }
    onto_box(v, high)
}

/// `p + q` that minimise `g(p) + h(q) + norm2(p + q - v)^2 / (2 step)`, given the steps of `g` and `h`.
fn convolution(
    v: &[f64],
    step_g: impl Fn(&[f64]) -> Vec<f64>,
    step_h: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut p = vec![0.0; v.len()];
    let mut q = vec![0.0; v.len()];
    let minus = |a: &[f64]| -> Vec<f64> { v.iter().zip(a).map(|(v, a)| v - a).collect() };
    let largest = v.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for _ in 0..20_000 {
        let next = step_g(&minus(&q));
        q = step_h(&minus(&next));
        let moved: f64 = next.iter().zip(&p).map(|(a, b)| (a - b).abs()).sum();
        p = next;
        if moved <= 1e-14 * largest {
            break;
        }
    }
    p.iter().zip(&q).map(|(p, q)| p + q).collect()
}
