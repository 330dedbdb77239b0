//! The weights that bring a reader of fewer activations nearest to what it made of all.

use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Side};

use super::Moments;
use crate::{Error, ErrorKind, Result};

/// Variance, as a share of the largest, below which a position tells nothing and keeps its weights.
const NOTHING: f64 = 1e-14;
/// Variance, as a share of the mean one, that every position is taken to have besides its own where the ridge holds its weights: one that
/// hardly varies on the inputs at hand may do so on others.
const LEAST: f64 = 0.01;
/// Numbers of the right-hand sides that are there at once.
const AT_ONCE: usize = 1 << 20;

/// New weights of a reader.
#[derive(Debug, Clone)]
pub struct Solution {
    /// `outputs x kept`.
    pub weights: Mat<f64>,
    /// `||A X - B|| / ||B||` of the normal equations; 0 where nothing is to be given back.
    pub residual: f64,
    /// How far apart the pivots of the scaled normal equations lie, squared: their condition number is at least that.
    pub condition: f64,
}

/// Minimises `E || W x - W' x' ||^2 + r || W' - W_S ||^2_D` over `W'`, where `x` is what the reader read, `x'` what it reads still, `S`
/// the positions of `x'` in `x`, moments are about the means, and `D` holds the variances of `x'`, each and a hundredth of their mean:
///
/// ```text
/// W' = W_S + (W Cov(x, x') - W_S Cov(x', x')) (Cov(x', x') + r D)^-1
/// ```
///
/// `weights` are `outputs x read`, `kept` is `S`, `ridge` is `r`. A position of `x'` that does not vary keeps its weights. Equations are
/// scaled to variances of 1, so that what `r` means does not hang on units of measurement.
///
/// # Errors
/// If sizes do not fit together, or the equations cannot be solved at this ridge.
pub fn solve(
    weights: MatRef<'_, f64>,
    kept: &[usize],
    moments: &Moments,
    ridge: f64,
) -> Result<Solution> {
    let (own, cross) = (moments.own(), moments.cross());
    let fits = weights.ncols() == cross.nrows()
        && kept.len() == own.nrows()
        && kept.iter().all(|&i| i < weights.ncols());
    if !fits {
        let message = format!(
            "weights of {} inputs, {} of which are kept, do not fit moments of {} and {}",
            weights.ncols(),
            kept.len(),
            cross.nrows(),
            own.nrows()
        );
        return Err(Error::new(ErrorKind::Network, message));
    }
    let outputs = weights.nrows();
    let mut solved = Mat::from_fn(outputs, kept.len(), |o, j| weights[(o, kept[j])]);
    let largest = (0..kept.len()).map(|j| own[(j, j)]).fold(0.0, f64::max);
    let varying: Vec<usize> = (0..kept.len())
        .filter(|&j| own[(j, j)] > NOTHING * largest)
        .collect();
    if varying.is_empty() || outputs == 0 {
        return Ok(Solution {
            weights: solved,
            residual: 0.0,
            condition: 1.0,
        });
    }
    let scale: Vec<f64> = varying.iter().map(|&j| own[(j, j)].sqrt()).collect();
    let n = varying.len();
    let least = LEAST * varying.iter().map(|&j| own[(j, j)]).sum::<f64>() / n as f64;
    let a = Mat::from_fn(n, n, |i, j| {
        let correlation = own[(varying[i], varying[j])] / (scale[i] * scale[j]);
        let held = ridge * (1.0 + least / own[(varying[i], varying[i])]);
        correlation + if i == j { held } else { 0.0 }
    });
    let factors = a.llt(Side::Lower).map_err(|_| {
        Error::new(
            ErrorKind::Singular,
            format!("the equations of {n} positions are singular at a ridge of {ridge:e}"),
        )
        .hint("use a larger ridge or more inputs")
    })?;
    let (mut left_over, mut wanted) = (0.0, 0.0);
    // Outputs some at a time: there may be many more than inputs.
    let some = (AT_ONCE / n).max(1);
    for first in (0..outputs).step_by(some) {
        let count = some.min(outputs - first);
        let left = solved.subrows(first, count);
        let missing = weights.subrows(first, count) * &cross - left * &own;
        let b = Mat::from_fn(n, count, |i, o| missing[(o, varying[i])] / scale[i]);
        let mut x = factors.solve(&b);
        // Takes the residual from that of a factorization to that of the numbers.
        let rest = &b - &a * &x;
        x += factors.solve(&rest);
        left_over += (&b - &a * &x).squared_norm_l2();
        wanted += b.squared_norm_l2();
        for (i, &j) in varying.iter().enumerate() {
            for o in 0..count {
                solved[(first + o, j)] += x[(i, o)] / scale[i];
            }
        }
    }
    let residual = (left_over / f64::max(wanted, f64::MIN_POSITIVE)).sqrt();
    let pivots: Vec<f64> = (0..n).map(|i| factors.L()[(i, i)]).collect();
    let most = pivots.iter().copied().fold(0.0, f64::max);
    let least = pivots.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Solution {
        weights: solved,
        residual,
        condition: (most / least).powi(2),
    })
}

#[cfg(test)]
mod tests;
