//! Each law, at one point or a pair of points.
//!
//! Tolerances are multiples of the rounding error that the inputs of each comparison carry: a step
//! returns every weight to about `ROUNDING` of the norm of its point.

use super::{Failure, Law, Prox};
use crate::real::Real;

/// Relative error allowed to a step: a few hundred roundings, which leaves room for iterative steps.
const ROUNDING: f64 = 1e-13;

/// Accuracy of the naive steps, which a minimiser found by comparing values cannot beat.
const NAIVE: f64 = 1e-6;

/// Accuracy of conjugates found by alternating minimisation.
const CONJUGATE: f64 = 1e-8;

/// A result, and where it came from.
struct Step<'a> {
    x: &'a [f64],
    step: f64,
    p: Vec<f64>,
}

impl Step<'_> {
    /// An error unless `found <= limit`; a NaN on either side is one.
    fn holds(&self, law: Law, found: f64, limit: f64, against: &[f64]) -> Result<(), Failure> {
        if found <= limit {
            return Ok(());
        }
        Err(Failure {
            law,
            point: self.x.to_vec(),
            step: self.step,
            result: self.p.clone(),
            found,
            limit,
            against: against.to_vec(),
        })
    }
}

/// All laws on ordinary points.
pub(super) fn at_pair(f: &impl Prox, x: &[f64], y: &[f64], step: f64) -> Result<(), Failure> {
    let here = take(f, x, step)?;
    let there = take(f, y, step)?;
    minimiser(f, &here)?;
    subdifferential(f, &here)?;
    pair(f, &here, &there)?;
    if f.is_convex() {
        variational(f, &here, y)?;
    }
    moreau(f, &here)?;
    naive(f, &here)?;
    single_precision(f, &here)?;
    small_step(f, x)
}

/// The laws that hold over the whole range of `f64`.
pub(super) fn at_extreme(f: &impl Prox, x: &[f64], step: f64) -> Result<(), Failure> {
    let here = take(f, x, step)?;
    // Exact up to the spacing of subnormal numbers.
    let grown = f64::norm(&here.p) - f64::norm(x) * (1.0 + ROUNDING);
    here.holds(Law::Minimiser, grown, f64::from_bits(8), x)?;
    if f64::norm(x) > 1e-200 {
        subdifferential(f, &here)
    } else {
        Ok(())
    }
}

fn take<'a>(f: &impl Prox, x: &'a [f64], step: f64) -> Result<Step<'a>, Failure> {
    let here = Step {
        x,
        step,
        p: f.prox(x, step),
    };
    let lengths = here.p.len().abs_diff(x.len());
    let undefined = here.p.iter().filter(|p| !p.is_finite()).count();
    here.holds(Law::Shape, (lengths + undefined) as f64, 0.0, x)?;
    // A removed group must be zero in every bit.
    let is_removed = here.p.iter().all(|&p| p == 0.0);
    let negative = here
        .p
        .iter()
        .filter(|p| is_removed && p.is_sign_negative())
        .count();
    here.holds(Law::Zero, negative as f64, 0.0, &[])?;
    Ok(here)
}

/// The result against a dense grid on the ray of `x`, zeros and shifts of each weight, and its own
/// neighbourhood.
fn minimiser(f: &impl Prox, here: &Step<'_>) -> Result<(), Failure> {
    const CELLS: usize = 100;
    let Step { x, step, p } = here;
    let objective = |z: &[f64]| f.value(z) + squared_distance(z, x) / (2.0 * step);
    let best = objective(p);
    // The value, and a rounding of the result that moves it along the slope of the distance.
    let slack = ROUNDING * (best + f64::norm(&difference(p, x)) * f64::norm(x) / step);
    let beats = |z: &[f64]| here.holds(Law::Minimiser, best, objective(z) + slack, z);
    for cell in 0..=CELLS {
        let share = 1.25 * cell as f64 / CELLS as f64;
        beats(&scaled(x, share))?;
        beats(&scaled(p, share))?;
    }
    let reach = f64::norm(x);
    for i in 0..x.len() {
        let shifts = [1e-1, 1e-2, 1e-4, 1e-6].map(|h| h * reach);
        let near = shifts.iter().flat_map(|&h| [p[i] - h, p[i] + h]);
        for moved in near.chain([0.0, x[i], 0.5 * (p[i] + x[i])]) {
            let mut z = p.clone();
            z[i] = moved;
            beats(&z)?;
        }
    }
    Ok(())
}

fn subdifferential(f: &impl Prox, here: &Step<'_>) -> Result<(), Failure> {
    let Step { x, step, p } = here;
    let gradient = scaled(&difference(p, x), 1.0 / step);
    match f.subdiff_distance(p, &gradient) {
        None => Ok(()),
        Some(distance) => {
            let limit = 100.0 * ROUNDING * f64::norm(x) / step;
            here.holds(Law::Subdifferential, distance, limit, &gradient)
        }
    }
}

/// The laws on two points: monotone, and firmly non-expansive where the penalty is convex.
fn pair(f: &impl Prox, here: &Step<'_>, there: &Step<'_>) -> Result<(), Failure> {
    let moved = difference(&here.p, &there.p);
    let inner = dot(&difference(here.x, there.x), &moved);
    let reach = f64::norm(here.x) + f64::norm(there.x);
    let slack = ROUNDING * reach * (f64::norm(&moved) + f64::norm(&difference(here.x, there.x)));
    here.holds(Law::Monotone, -inner, slack, &there.p)?;
    if f.is_convex() {
        here.holds(
            Law::FirmlyNonexpansive,
            dot(&moved, &moved),
            inner + slack,
            &there.p,
        )?;
    }
    Ok(())
}

fn variational(f: &impl Prox, here: &Step<'_>, y: &[f64]) -> Result<(), Failure> {
    let Step { x, step, p } = here;
    let pull = scaled(&difference(x, p), 1.0 / step);
    let zero = vec![0.0; x.len()];
    for z in [
        x.to_vec(),
        y.to_vec(),
        zero,
        scaled(p, 0.99),
        scaled(p, 1.01),
        scaled(x, -1.0),
    ] {
        let away = difference(&z, p);
        let below = f.value(p) + dot(&pull, &away);
        let rounding = f64::norm(x) / step * f64::norm(&away) + f.value(p) + f.value(&z);
        here.holds(
            Law::VariationalInequality,
            below,
            f.value(&z) + ROUNDING * rounding,
            &z,
        )?;
    }
    Ok(())
}

fn moreau(f: &impl Prox, here: &Step<'_>) -> Result<(), Failure> {
    let Step { x, step, p } = here;
    match f.conjugate_prox(&scaled(x, 1.0 / step), 1.0 / step) {
        None => Ok(()),
        Some(dual) => {
            let gap = difference(&difference(x, p), &scaled(&dual, *step));
            here.holds(
                Law::Moreau,
                f64::norm(&gap),
                CONJUGATE * f64::norm(x),
                &dual,
            )
        }
    }
}

/// Equal points, or, where a jump makes two points equally good and rounding decides, equal objectives.
fn naive(f: &impl Prox, here: &Step<'_>) -> Result<(), Failure> {
    let Step { x, step, p } = here;
    let Some(expected) = f.naive(x, *step) else {
        return Ok(());
    };
    let objective = |z: &[f64]| f.value(z) + squared_distance(z, x) / (2.0 * step);
    let gap = f64::norm(&difference(p, &expected));
    let excess = (objective(p) - objective(&expected)).abs();
    if !f.is_convex() && excess <= 1e-9 * objective(p) {
        return Ok(());
    }
    here.holds(Law::Naive, gap, NAIVE * f64::norm(x), &expected)
}

/// Within 4 ulp of the norm of the step in double precision, at the point or at one 4 ulp longer or
/// shorter: near a jump, or where a step magnifies, that is all single precision can promise.
fn single_precision(f: &impl Prox, here: &Step<'_>) -> Result<(), Failure> {
    let ulps = 4.0 * f64::from(f32::EPSILON);
    let x: Vec<f32> = here.x.iter().map(|&x| x as f32).collect();
    let Some(found) = f.prox_f32(&x, here.step) else {
        return Ok(());
    };
    let found: Vec<f64> = found.iter().map(|&p| f64::from(p)).collect();
    let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let around = [1.0 - ulps, 1.0, 1.0 + ulps].map(|share| f.prox(&scaled(&x, share), here.step));
    let mut gap = 0.0f64;
    for (i, found) in found.iter().enumerate() {
        let low = around.iter().map(|p| p[i]).fold(f64::INFINITY, f64::min);
        let high = around
            .iter()
            .map(|p| p[i])
            .fold(f64::NEG_INFINITY, f64::max);
        gap = gap.max((found - found.clamp(low, high)).abs());
    }
    // The last term is half the spacing of subnormal numbers.
    let limit = ulps * f64::norm(&x) + 1e-45;
    here.holds(Law::SinglePrecision, gap, limit, &found)
}

fn small_step(f: &impl Prox, x: &[f64]) -> Result<(), Failure> {
    const TINY: f64 = 1e-30;
    let norm = f64::norm(x);
    // Shorter points may rightly go, even in a tiny step.
    if norm < 1e-6 {
        return Ok(());
    }
    let here = take(f, x, TINY)?;
    here.holds(
        Law::SmallStep,
        f64::norm(&difference(&here.p, x)),
        1e-9 * norm,
        x,
    )
}

pub(super) fn nan_stays(f: &impl Prox) -> Result<(), Failure> {
    for x in [
        [f64::NAN, 1e-3, 2.0],
        [1e-3, f64::NAN, 1e-3],
        [30.0, -20.0, f64::NAN],
    ] {
        for step in super::points::STEPS {
            let here = Step {
                x: &x,
                step,
                p: f.prox(&x, step),
            };
            let kept = here
                .p
                .iter()
                .zip(&x)
                .filter(|(p, x)| p.is_nan() && x.is_nan())
                .count();
            here.holds(Law::Nan, 1.0, kept as f64, &x)?;
            let single = f.prox_f32(&x.map(|x| x as f32), step);
            let is_lost = single.is_some_and(|p| !p.iter().any(|p| p.is_nan()));
            here.holds(Law::Nan, f64::from(u8::from(is_lost)), 0.0, &x)?;
        }
    }
    Ok(())
}

pub(super) fn zero_stays(f: &impl Prox) -> Result<(), Failure> {
    for x in [&[0.0][..], &[-0.0, 0.0], &[0.0; 40], &[]] {
        for step in super::points::STEPS {
            let here = take(f, x, step)?;
            here.holds(Law::Zero, f64::norm(&here.p), 0.0, x)?;
        }
    }
    Ok(())
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn scaled(a: &[f64], factor: f64) -> Vec<f64> {
    a.iter().map(|a| a * factor).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
