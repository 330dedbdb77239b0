//! Rows on which rounding alone moves what a network makes further than runtimes may differ, such as those that a normalization
//! scales up where they hardly vary. They tell nothing of a file, and are set apart, where they are few.

use std::ops::Range;

use crate::model::check::TOLERANCE;
use crate::verify::worse;

/// How much further off than the engine the runtime may be by rounding alone, as it sums in another order.
const ROUNDED: f64 = 4.0;
/// One row in so many may be set apart.
const ONE_IN: usize = 10;

/// Rows that were set apart: the engine, every node of which is held to the evaluator, is as far from the evaluator there.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Rounded {
    /// How many.
    pub rows: usize,
    /// Of how many.
    pub of: usize,
    /// The largest difference of the engine from the evaluator on them, relative to the largest number of all rows.
    pub rounding: f64,
    /// That of the runtime.
    pub difference: f64,
}

/// Outputs of so many rows, with the largest number of each output.
pub(super) struct Scaled<'a> {
    /// What the runtime is held to.
    pub(super) reference: &'a [Vec<f64>],
    /// What the engine made.
    pub(super) made: &'a [Vec<f32>],
    pub(super) rows: usize,
}

impl Scaled<'_> {
    /// Puts what the runtime is held to in the place of what it made on rows where rounding explains how far it is off; `exact` is what
    /// the evaluator makes of a row.
    pub(super) fn set_apart(
        &self,
        have: &mut [Vec<f32>],
        exact: impl Fn(usize) -> Option<Vec<Vec<f64>>>,
    ) -> Option<Rounded> {
        let is_near = |row: &usize| {
            let made = (0..have.len()).map(|k| self.reference.get(k)?.get(self.range(k, *row)));
            self.apart(made, have, *row) <= TOLERANCE
        };
        let far: Vec<usize> = (0..self.rows).filter(|row| !is_near(row)).collect();
        if far.len() * ONE_IN > self.rows.max(ONE_IN) || far.len() == self.rows {
            return None;
        }
        let mut rounded: Option<Rounded> = None;
        for row in far {
            let exact = exact(row)?;
            let exact = || exact.iter().map(|output| Some(&output[..]));
            let rounding = self.apart(exact(), self.made, row);
            let difference = self.apart(exact(), have, row);
            // No number explains nothing.
            if rounding.is_nan() || difference.is_nan() || difference > ROUNDED * rounding {
                continue;
            }
            let before = rounded.map_or((0, 0.0, 0.0), |r| (r.rows, r.rounding, r.difference));
            rounded = Some(Rounded {
                rows: before.0 + 1,
                of: self.rows,
                rounding: worse(before.1, rounding),
                difference: worse(before.2, difference),
            });
            for (k, output) in have.iter_mut().enumerate() {
                let range = self.range(k, row);
                let own = self.reference[k][range.clone()].iter();
                output[range]
                    .iter_mut()
                    .zip(own)
                    .for_each(|(to, &v)| *to = v as f32);
            }
        }
        rounded
    }

    /// The numbers of a row of an output.
    fn range(&self, output: usize, row: usize) -> Range<usize> {
        let len = self.reference[output].len() / self.rows.max(1);
        row * len..(row + 1) * len
    }

    /// How far outputs of a row are from what they should be, each relative to the largest number of the output in all rows.
    fn apart<'v>(
        &self,
        want: impl Iterator<Item = Option<&'v [f64]>>,
        have: &[Vec<f32>],
        row: usize,
    ) -> f64 {
        let mut most = 0.0;
        for (k, (want, have)) in want.zip(have).enumerate() {
            let scale = self.reference[k]
                .iter()
                .fold(1e-6, |m: f64, v| m.max(v.abs()));
            let (Some(want), Some(have)) = (want, have.get(self.range(k, row))) else {
                return f64::INFINITY;
            };
            if want.len() != have.len() {
                return f64::INFINITY;
            }
            let pairs = want.iter().zip(have);
            most = pairs.fold(most, |m, (a, &b)| {
                worse(m, (a - f64::from(b)).abs() / scale)
            });
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten rows of two numbers, the first of which is 1: how many are set apart, and whether the others are as they were.
    fn apart(made: &[(usize, f32)], have: &[(usize, f32)]) -> Option<Rounded> {
        let exact: Vec<f64> = (0..20).map(|i| 1.0 / (1 + i) as f64).collect();
        let single: Vec<f32> = exact.iter().map(|&v| v as f32).collect();
        let moved = |by: &[(usize, f32)]| {
            let mut all = single.clone();
            by.iter().for_each(|&(row, d)| all[2 * row + 1] += d);
            vec![all]
        };
        let (made, mut own) = (moved(made), moved(have));
        let reference: Vec<Vec<f64>> = vec![exact.clone()];
        let scaled = Scaled {
            reference: &reference,
            made: &made,
            rows: 10,
        };
        let before = own.clone();
        let found = scaled.set_apart(&mut own, |row| {
            Some(vec![exact[2 * row..2 * row + 2].to_vec()])
        });
        let changed = own[0]
            .iter()
            .zip(&before[0])
            .filter(|(a, b)| a.to_bits() != b.to_bits())
            .count();
        assert_eq!(changed, found.map_or(0, |f| f.rows));
        found
    }

    #[test]
    fn rows_are_set_apart_where_the_engine_is_as_far_off() {
        let found = apart(&[(3, 3e-4)], &[(3, 1e-3)]).unwrap();
        assert_eq!((found.rows, found.of), (1, 10));
        assert!((found.rounding - 3e-4).abs() < 1e-6, "{found:?}");
        assert!((found.difference - 1e-3).abs() < 1e-6, "{found:?}");
        // The other side, and a little more than four times.
        assert!(apart(&[(3, 3e-4)], &[(3, -1e-3)]).is_some());
        assert_eq!(apart(&[(3, 2e-4)], &[(3, 1e-3)]), None);
        // Elsewhere rounding explains nothing, nor where it is no number.
        assert_eq!(apart(&[(4, 3e-4)], &[(3, 1e-3)]), None);
        assert_eq!(apart(&[(3, f32::NAN)], &[(3, 1e-3)]), None);
        assert_eq!(apart(&[(3, 1e-3)], &[(3, f32::NAN)]), None);
        // What is near stays.
        assert_eq!(apart(&[(3, 9e-5)], &[(3, 9e-5)]), None);
        // One in ten.
        let all = [(3, 1e-3), (7, 1e-3)];
        assert_eq!(apart(&all, &all), None);
    }
}
