//! What is the group step when every weight has its own step size?
//!
//! Adam's exact step minimises `penalty + 1/2 sum d_i (w_i - u_i)^2` with a positive metric `d`.
//! Terms that are sums over weights soften each by its own threshold; the group norm needs the root
//! of one equation. The two compose, soft threshold first, as they do with a single step size.

use crate::elementwise::soft;
use crate::{Error, Real, Result};

/// Newton's method on a concave function from the left gains digits at every step; a bound that
/// only a metric with 300 decades between its elements could reach.
const MOST_ITERATIONS: usize = 100;

/// Checks that the metric fits the group. A NaN passes, to come out as NaN.
pub(crate) fn checked<T: Real>(group: &[T], metric: &[T]) -> Result<()> {
    if group.len() != metric.len() {
        let (w, d) = (group.len(), metric.len());
        return Err(Error::invalid(format!("{d} elements for a group of {w}")).at("metric"));
    }
    let unfit = |d: f64| d <= 0.0 || d == f64::INFINITY;
    match metric.iter().find(|d| unfit(d.to_f64())) {
        None => Ok(()),
        Some(d) => Err(Error::invalid(format!("{d:?} is not positive and finite"))
            .at("metric")
            .hint("at a learning rate of 0 skip the step: it is the identity")),
    }
}

/// The step of `lambda * norm1`.
pub(crate) fn soft_step<T: Real>(group: &mut [T], metric: &[T], lambda: f64) {
    for (w, d) in group.iter_mut().zip(metric) {
        *w = soft(*w, T::from_f64(lambda / d.to_f64()));
    }
}

/// The step of `kappa * norm2`: 0 if `norm2(d u) <= kappa`, else `w_i = u_i / (1 + kappa / (d_i r))`
/// with `r = norm2(w)` the root of `sum (u_i / (r + kappa / d_i))^2 = 1`.
pub(crate) fn norm_step<T: Real>(group: &mut [T], metric: &[T], kappa: f64) {
    if kappa == 0.0 {
        return;
    }
    let pull = weighted_norm(group, metric);
    if pull <= kappa {
        group.fill(T::ZERO);
    } else if pull.is_nan() || kappa.is_nan() {
        group.fill(T::NAN);
    } else {
        let r = norm_after(group, metric, kappa);
        for (w, d) in group.iter_mut().zip(metric) {
            *w = T::from_f64(w.to_f64() / (1.0 + kappa / (d.to_f64() * r)));
        }
    }
}

/// `norm2(d u)`.
fn weighted_norm<T: Real>(group: &[T], metric: &[T]) -> f64 {
    let terms = group
        .iter()
        .zip(metric)
        .map(|(w, d)| w.to_f64() * d.to_f64());
    terms.map(|t| t * t).sum::<f64>().sqrt()
}

/// The root `r` by Newton's method on `1 / norm2(q(r)) - 1` with `q_i = u_i / (r + kappa / d_i)`: the
/// secular equation of trust regions, concave and increasing, so that the iteration climbs to the root
/// from the lower bound `norm2(u) - kappa / min(d)` without overshooting.
fn norm_after<T: Real>(group: &[T], metric: &[T], kappa: f64) -> f64 {
    let least = metric
        .iter()
        .map(|d| d.to_f64())
        .fold(f64::INFINITY, f64::min);
    let mut r = (T::norm(group) - kappa / least).max(0.0);
    for _ in 0..MOST_ITERATIONS {
        let (mut squares, mut slopes) = (0.0, 0.0);
        for (w, d) in group.iter().zip(metric) {
            let pole = r + kappa / d.to_f64();
            let q = w.to_f64() / pole;
            squares += q * q;
            slopes += q * q / pole;
        }
        let next = r + squares * (squares.sqrt() - 1.0) / slopes;
        // Rounding ends the climb.
        if next <= r || next.is_nan() {
            break;
        }
        r = next;
    }
    r
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_equal_metric_is_the_plain_step(
            u in prop::collection::vec(-3.0..3.0f64, 1..9), d in 0.01..100.0f64, kappa in 0.0..5.0f64,
        ) {
            let mut found = u.clone();
            norm_step(&mut found, &vec![d; u.len()], kappa);
            let r = f64::norm(&u);
            let factor = if r <= kappa / d { 0.0 } else { 1.0 - kappa / d / r };
            for (found, u) in found.iter().zip(&u) {
                prop_assert!((found - factor * u).abs() <= 1e-12, "{found} {}", factor * u);
            }
        }

        #[test]
        fn the_step_is_stationary(
            ud in prop::collection::vec((-3.0..3.0f64, -6.0..6.0f64), 1..9), share in 0.0..1.0f64,
        ) {
            let (u, d): (Vec<f64>, Vec<f64>) = ud.iter().map(|&(u, e)| (u, e.exp())).unzip();
            let kappa = share * weighted_norm(&u, &d);
            let mut w = u.clone();
            norm_step(&mut w, &d, kappa);
            let r = f64::norm(&w);
            prop_assume!(r > 1e-9);
            for i in 0..u.len() {
                let residual = d[i] * (w[i] - u[i]) + kappa * w[i] / r;
                // Relative to the terms that cancel.
                prop_assert!(residual.abs() <= 1e-8 * (d[i] * u[i].abs() + kappa), "{residual}");
            }
        }
    }

    #[test]
    fn unfit_metrics_are_refused_and_nan_is_kept() {
        assert!(checked(&[1.0], &[1.0, 1.0]).is_err());
        assert!(checked(&[1.0], &[0.0]).is_err());
        assert!(checked(&[1.0], &[f64::INFINITY]).is_err());
        assert!(checked(&[1.0], &[f64::NAN]).is_ok());
        for (u, d) in [([f64::NAN, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, f64::NAN])] {
            let mut group = u;
            norm_step(&mut group, &d, 0.5);
            assert!(group.iter().all(|w| w.is_nan()));
        }
    }
}
