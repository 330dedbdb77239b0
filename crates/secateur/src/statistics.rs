//! Means, their uncertainty, and what paired differences show.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// Probability that an interval covers the mean.
const CONFIDENCE: f64 = 0.95;
/// Fewer pairs than this show nothing, whatever their interval.
pub const LEAST_PAIRS: usize = 5;

/// The mean of some numbers; NaN of none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample (n - 1); 0 of one number.
pub fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    (squares / (values.len().max(2) - 1) as f64).sqrt()
}

/// A mean with its 95 % interval under Student's t distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Its lower end; minus infinity for fewer than two numbers.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many numbers.
    pub count: usize,
}

/// What an interval says of a claim that its mean is below or above a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The interval lies on the claimed side of the mark.
    Shown,
    /// It lies on the other side.
    Opposite,
    /// It holds the mark, or there are fewer than [`LEAST_PAIRS`] numbers.
    NotShown,
}

impl Interval {
    /// Of numbers that are differences of pairs.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let centre = mean(values);
        let half = match StudentsT::new(0.0, 1.0, count.saturating_sub(1) as f64) {
            Ok(t) => {
                t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * deviation(values) / (count as f64).sqrt()
            }
            Err(_) => f64::INFINITY,
        };
        Self {
            mean: centre,
            low: centre - half,
            high: centre + half,
            count,
        }
    }

    /// Of ratios of pairs: the geometric mean, with the interval taken of the logarithms.
    pub fn of_ratios(ratios: &[f64]) -> Self {
        let logarithms: Vec<f64> = ratios.iter().map(|r| r.ln()).collect();
        let of = Self::of(&logarithms);
        Self {
            mean: of.mean.exp(),
            low: of.low.exp(),
            high: of.high.exp(),
            count: of.count,
        }
    }

    /// Whether the mean is shown to be above `mark`.
    pub fn above(&self, mark: f64) -> Finding {
        if self.count < LEAST_PAIRS {
            Finding::NotShown
        } else if self.low > mark {
            Finding::Shown
        } else if self.high < mark {
            Finding::Opposite
        } else {
            Finding::NotShown
        }
    }

    /// Whether the mean is shown to be below `mark`.
    pub fn below(&self, mark: f64) -> Finding {
        match self.above(mark) {
            Finding::Shown => Finding::Opposite,
            Finding::Opposite => Finding::Shown,
            Finding::NotShown => Finding::NotShown,
        }
    }
}

/// Two-sided sign test: the probability of signs at least as uneven if neither were likelier.
/// Differences of exactly 0 are left out.
pub fn sign_test(differences: &[f64]) -> f64 {
    let above = differences.iter().filter(|&&d| d > 0.0).count() as u64;
    let below = differences.iter().filter(|&&d| d < 0.0).count() as u64;
    two_sided(above, below)
}

/// McNemar's exact test of two classifiers on the same rows: the probability of counts at least as uneven, of rows
/// that only the one and only the other gets right, if neither were better. 1 where they agree on all rows.
pub fn mcnemar(only_one: u64, only_other: u64) -> f64 {
    two_sided(only_one, only_other)
}

/// Probability of at least as uneven a division of as many tosses of a fair coin.
fn two_sided(heads: u64, tails: u64) -> f64 {
    match Binomial::new(0.5, heads + tails) {
        Ok(even) => (2.0 * even.cdf(heads.min(tails))).min(1.0),
        Err(_) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_a_table() {
        // t at 0.975 with 4 degrees of freedom is 2.776445; the deviation is sqrt(2.5).
        let interval = Interval::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let half = 2.776_445 * 2.5f64.sqrt() / 5.0f64.sqrt();
        assert!((interval.mean - 3.0).abs() < 1e-12);
        assert!((interval.high - 3.0 - half).abs() < 1e-5, "{interval:?}");
        assert!((3.0 - interval.low - half).abs() < 1e-5);
    }

    #[test]
    fn few_or_scattered_pairs_show_nothing() {
        let finding = |values: &[f64]| Interval::of(values).above(0.0);
        assert_eq!(finding(&[1.0, 1.1, 0.9, 1.0]), Finding::NotShown);
        assert_eq!(finding(&[1.0, 1.1, 0.9, 1.0, 1.05]), Finding::Shown);
        assert_eq!(finding(&[1.0, -1.1, 0.9, -1.0, 1.05]), Finding::NotShown);
        assert_eq!(finding(&[-1.0, -1.1, -0.9, -1.0, -1.05]), Finding::Opposite);
        assert_eq!(Interval::of(&[1.0]).low, f64::NEG_INFINITY);
        assert_eq!(finding(&[f64::NAN; 6]), Finding::NotShown);
    }

    #[test]
    fn ratios_are_averaged_as_factors() {
        let interval = Interval::of_ratios(&[0.5, 2.0, 0.5, 2.0, 1.0]);
        assert!((interval.mean - 1.0).abs() < 1e-12);
        assert!(((interval.low * interval.high) - 1.0).abs() < 1e-9);
        assert_eq!(interval.below(1.0), Finding::NotShown);
    }

    #[test]
    fn five_equal_signs_have_a_chance_of_one_in_sixteen() {
        assert!((sign_test(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 0.0625).abs() < 1e-12);
        assert!((sign_test(&[1.0, -2.0]) - 1.0).abs() < 1e-12);
        assert!((sign_test(&[1.0, 0.0, 2.0, 3.0, 4.0, 5.0]) - 0.0625).abs() < 1e-12);
    }

    #[test]
    fn rows_on_which_classifiers_agree_say_nothing() {
        assert!((mcnemar(0, 0) - 1.0).abs() < 1e-12);
        assert!((mcnemar(5, 5) - 1.0).abs() < 1e-12);
        // 2 (1 + 10 + 45) / 1024.
        assert!((mcnemar(2, 8) - 0.109_375).abs() < 1e-12);
        assert!(mcnemar(40, 80) < 0.001);
    }
}
