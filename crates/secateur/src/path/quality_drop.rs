//! How much quality may a smaller network cost?

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::curve::Spot;
use crate::{Error, Result};

/// What rounding may add to a difference of qualities, relative to them.
const ROUNDING: f64 = 1e-9;

/// The most that a chosen network may lose on validation rows against the one that it was cut from.
///
/// Written `0.5pt` or `2%`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QualityDrop {
    /// Percentage points of accuracy, from 0 to 100; for classes.
    Points(f64),
    /// A share of the error by which it may grow, from 0 on; for numbers.
    OfError(f64),
}

impl QualityDrop {
    /// The lowest quality that is within the drop of `reference`.
    pub fn limit(self, reference: f64) -> f64 {
        let limit = match self {
            Self::Points(points) => reference - points / 100.0,
            Self::OfError(share) => reference * (1.0 + share),
        };
        limit - ROUNDING * reference.abs()
    }

    /// The same, if it is one for this task.
    ///
    /// # Errors
    /// Points where numbers are predicted, a share of the error where classes are.
    pub(crate) fn checked(self, is_classification: bool) -> Result<Self> {
        match (self, is_classification) {
            (Self::Points(_), true) | (Self::OfError(_), false) => Ok(self),
            (Self::Points(_), false) => Err(Error::usage(format!(
                "{self} are points of accuracy, and numbers are predicted"
            ))
            .at("--drop")
            .hint("give a share of the error, such as 2%")),
            (Self::OfError(_), true) => Err(Error::usage(format!(
                "{self} is a share of the error, and classes are predicted"
            ))
            .at("--drop")
            .hint("give points of accuracy, such as 0.5pt")),
        }
    }
}

impl fmt::Display for QualityDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Points(points) => write!(f, "{points}pt"),
            // Three digits behind the point are more than anybody gives; binary fractions show more.
            Self::OfError(share) => write!(f, "{}%", (share * 1e5).round() / 1e3),
        }
    }
}

impl FromStr for QualityDrop {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            Error::usage(format!("\"{text}\" is no drop"))
                .at("--drop")
                .hint(
                    "write points of accuracy, such as 0.5pt, or a share of the error, such as 2%",
                )
        };
        let number = |digits: &str, most: f64| {
            let value = digits.parse::<f64>().map_err(|_| refused())?;
            match (0.0..=most).contains(&value) {
                true => Ok(value),
                false => Err(refused()),
            }
        };
        if let Some(digits) = text.strip_suffix("pt") {
            return Ok(Self::Points(number(digits, 100.0)?));
        }
        if let Some(digits) = text.strip_suffix('%') {
            return Ok(Self::OfError(number(digits, f64::MAX)? / 100.0));
        }
        Err(refused())
    }
}

/// The cheapest of `points` whose validation quality is within `drop` of the first one's; of equally cheap ones the best.
///
/// The first point is what the others are held against, and never the answer.
pub fn smallest_within(points: &[Spot], drop: QualityDrop) -> Option<usize> {
    let limit = drop.limit(points.first()?.quality);
    let within = (1..points.len()).filter(|&i| points[i].quality >= limit);
    within.min_by(|&i, &j| {
        let (a, b) = (points[i], points[j]);
        a.macs.cmp(&b.macs).then(b.quality.total_cmp(&a.quality))
    })
}

/// The best of `points` but the first: what to name where nothing is within a drop. Of equally good ones the cheapest.
pub fn nearest(points: &[Spot]) -> Option<usize> {
    let numbers = (1..points.len()).filter(|&i| !points[i].quality.is_nan());
    numbers.min_by(|&i, &j| {
        let (a, b) = (points[i], points[j]);
        b.quality.total_cmp(&a.quality).then(a.macs.cmp(&b.macs))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots(points: &[(u64, f64)]) -> Vec<Spot> {
        let spot = |&(macs, quality): &(u64, f64)| Spot { macs, quality };
        points.iter().map(spot).collect()
    }

    #[test]
    fn drops_are_read_and_shown() {
        assert_eq!("0.5pt".parse(), Ok(QualityDrop::Points(0.5)));
        assert_eq!("2%".parse(), Ok(QualityDrop::OfError(0.02)));
        for text in ["0.5pt", "0pt", "2%", "0.7%", "250%"] {
            let read: QualityDrop = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        for bad in [
            "", "pt", "%", "2", "-1pt", "101pt", "-1%", "nan%", "inf%", "NaNpt", "1 pt", "half",
        ] {
            assert!(bad.parse::<QualityDrop>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_smallest_within_the_drop_is_chosen_whatever_lies_between() {
        let points = spots(&[(100, 0.97), (50, 0.968), (25, 0.95), (12, 0.966), (6, 0.9)]);
        assert_eq!(smallest_within(&points, QualityDrop::Points(0.5)), Some(3));
        assert_eq!(smallest_within(&points, QualityDrop::Points(0.2)), Some(1));
        assert_eq!(smallest_within(&points, QualityDrop::Points(7.0)), Some(4));
        assert_eq!(smallest_within(&points, QualityDrop::Points(0.1)), None);
        assert_eq!(nearest(&points), Some(1));
    }

    #[test]
    fn a_share_of_the_error_is_of_the_first_one() {
        let points = spots(&[(100, -50.0), (50, -51.0), (25, -51.1), (12, -49.0)]);
        assert_eq!(
            smallest_within(&points[..3], QualityDrop::OfError(0.02)),
            Some(1)
        );
        // Better than the first is within any drop.
        assert_eq!(smallest_within(&points, QualityDrop::OfError(0.0)), Some(3));
    }

    #[test]
    fn a_loss_of_exactly_the_drop_is_within_it() {
        // 435 and 407 right of 500: 0.87 - 0.056 comes out above 0.814 in binary.
        let points = spots(&[(2, 435.0 / 500.0), (1, 407.0 / 500.0)]);
        assert_eq!(smallest_within(&points, QualityDrop::Points(5.6)), Some(1));
    }

    #[test]
    fn the_first_point_and_what_is_no_number_are_never_chosen() {
        assert_eq!(smallest_within(&[], QualityDrop::Points(1.0)), None);
        let points = spots(&[(2, 0.9), (1, f64::NAN)]);
        assert_eq!(smallest_within(&points, QualityDrop::Points(100.0)), None);
        assert_eq!((nearest(&points), nearest(&points[..1])), (None, None));
    }

    #[test]
    fn each_task_has_its_drop() {
        assert!(QualityDrop::Points(1.0).checked(true).is_ok());
        assert!(QualityDrop::OfError(0.1).checked(false).is_ok());
        assert!(QualityDrop::Points(1.0).checked(false).is_err());
        assert!(QualityDrop::OfError(0.1).checked(true).is_err());
    }
}
