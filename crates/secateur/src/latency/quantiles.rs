//! Where the numbers of a sample lie.

use serde::{Deserialize, Serialize};

/// Quantiles of a sample, in its unit. Each is a number of the sample: the smallest that so large a share does not exceed, so
/// that what is below a limit at 90 % held it in 90 % of the cases, and not between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The smallest number.
    pub least: f64,
    /// A quarter is not above this.
    pub p25: f64,
    /// Half is not above this.
    pub median: f64,
    /// Three quarters are not above this.
    pub p75: f64,
    /// 90 % are not above this.
    pub p90: f64,
}

impl Quantiles {
    /// Of numbers in any order; none of no numbers.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        // Whole percents, as 0.9 times a count may lie above the whole number that it stands for.
        let at = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100);
            sorted.get(rank.max(1) - 1).copied()
        };
        Some(Self {
            least: at(0)?,
            p25: at(25)?,
            median: at(50)?,
            p75: at(75)?,
            p90: at(90)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &[f64]) -> [f64; 5] {
        let q = Quantiles::of(values).unwrap();
        [q.least, q.p25, q.median, q.p75, q.p90]
    }

    #[test]
    fn quantiles_are_numbers_of_the_sample() {
        let backwards: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(all(&backwards), [1.0, 5.0, 10.0, 15.0, 18.0]);
        assert_eq!(all(&[3.0, 1.0, 2.0]), [1.0, 1.0, 2.0, 3.0, 3.0]);
        assert_eq!(all(&[7.0]), [7.0; 5]);
        assert_eq!(Quantiles::of(&[]), None);
    }

    #[test]
    fn a_limit_at_90_percent_is_held_by_as_many() {
        for count in 1..200 {
            let values: Vec<f64> = (0..count).map(f64::from).collect();
            let limit = Quantiles::of(&values).unwrap().p90;
            let below = |limit: f64| values.iter().filter(|&&v| v <= limit).count() * 10;
            assert!(below(limit) >= values.len() * 9, "{count}");
            assert!(below(limit - 1.0) < values.len() * 9, "{count}");
        }
    }
}
