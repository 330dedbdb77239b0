//! A share of a whole: more than nothing, at most all.

use std::fmt;
use std::str::FromStr;

use crate::error::in_range;
use crate::{Error, Result};

/// A number in `(0, 1]`; written `0.25` or `25%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// The whole.
    pub const ALL: Self = Self(1.0);

    /// A share above 0 and of at most 1, else an error.
    pub fn new(share: f64) -> Result<Self> {
        Ok(Self(in_range(
            "share",
            share,
            f64::MIN_POSITIVE..=1.0,
            "above 0 and at most 1",
        )?))
    }

    /// The share as a number in `(0, 1]`.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The share in per cent where that reads back to the same, else as a number: `25%`, `0.1234567`.
    pub fn percent(self) -> String {
        let percent = self.0 * 100.0;
        match percent / 100.0 == self.0 {
            true => format!("{percent}%"),
            false => self.0.to_string(),
        }
    }

    /// This share of `count`, rounded up, but for the rounding error of the product itself: 0.9 of 10
    /// is 9.
    pub fn of(self, count: usize) -> usize {
        let exact = self.0 * count as f64;
        let whole = (exact - 1e-9 * exact).ceil() as usize;
        whole.clamp(count.min(1), count)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Share {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (digits, divisor) = match text.strip_suffix('%') {
            Some(digits) => (digits, 100.0),
            None => (text, 1.0),
        };
        let number: f64 = digits.parse().map_err(|_| {
            Error::invalid(format!("\"{text}\" is no number"))
                .at("share")
                .hint("write 0.25 or 25%")
        })?;
        Self::new(number / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentages_and_fractions_are_the_same() {
        assert_eq!("25%".parse(), Share::new(0.25));
        assert_eq!("0.25".parse(), Share::new(0.25));
        for bad in ["0", "101%", "-1", "NaN", "x", "", "%", "inf"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }

    #[test]
    fn decimal_shares_of_whole_counts_are_exact() {
        for tenths in 1..=10usize {
            let share = Share::new(tenths as f64 / 10.0).unwrap();
            assert_eq!(
                [10, 100, 1000].map(|n| share.of(n)),
                [1, 10, 100].map(|n| n * tenths)
            );
        }
    }

    proptest! {
        #[test]
        fn a_share_is_within_one_of_the_exact_product(share in 1e-6..=1.0f64, count in 0usize..5000) {
            let part = Share::new(share).unwrap().of(count);
            prop_assert!(part <= count);
            prop_assert!((part as f64 - share * count as f64).abs() < 1.0);
        }
    }
}
