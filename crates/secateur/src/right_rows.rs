//! Which rows a classifier gets right, so that two of them can be compared row by row.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::statistics::mcnemar;

/// Whether each test row is right, in the order of the split; in files as hexadecimal digits of four rows each, the
/// first row highest, behind the number of rows: `6:a8` says right, wrong, right, wrong, right, wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightRows(Vec<bool>);

impl RightRows {
    /// One flag a row.
    pub fn new(right: Vec<bool>) -> Self {
        Self(right)
    }

    /// Share of the rows that are right.
    pub fn accuracy(&self) -> f64 {
        self.0.iter().filter(|&&r| r).count() as f64 / self.0.len() as f64
    }

    /// Rows that only this classifier gets right, rows that only `other` does, and the probability of so uneven
    /// counts if neither were better (McNemar's exact test); none if they saw unlike numbers of rows.
    pub fn against(&self, other: &Self) -> Option<(u64, u64, f64)> {
        if self.0.len() != other.0.len() {
            return None;
        }
        let count = |mine: bool| {
            let differs = self.0.iter().zip(&other.0).filter(|&(a, b)| a != b);
            differs.filter(|&(&a, _)| a == mine).count() as u64
        };
        let (only_this, only_other) = (count(true), count(false));
        Some((only_this, only_other, mcnemar(only_this, only_other)))
    }

    fn to_text(&self) -> String {
        let digit = |four: &[bool]| {
            let bits = (0..4).map(|i| u32::from(four.get(i) == Some(&true)) << (3 - i));
            char::from_digit(bits.sum(), 16).unwrap_or('0')
        };
        let digits: String = self.0.chunks(4).map(digit).collect();
        format!("{}:{digits}", self.0.len())
    }

    fn from_text(text: &str) -> Option<Self> {
        let (rows, digits) = text.split_once(':')?;
        let rows: usize = rows.parse().ok()?;
        let digits: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(16)).collect();
        let digits = digits.filter(|d| d.len() == rows.div_ceil(4))?;
        let bits = |&d: &u32| (0..4).map(move |i| (d >> (3 - i)) & 1 == 1);
        let mut right: Vec<bool> = digits.iter().flat_map(bits).collect();
        right.truncate(rows);
        Some(Self(right))
    }
}

impl Serialize for RightRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for RightRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text)
            .ok_or_else(|| serde::de::Error::custom("right rows are written as ROWS:DIGITS"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pattern: &str) -> RightRows {
        RightRows::new(pattern.chars().map(|c| c == '1').collect())
    }

    #[test]
    fn files_hold_every_row_and_no_more() {
        assert_eq!(rows("101010").to_text(), "6:a8");
        for pattern in ["", "1", "0001", "11111", "010011100"] {
            let text = serde_json::to_string(&rows(pattern)).unwrap();
            assert_eq!(
                serde_json::from_str::<RightRows>(&text).unwrap(),
                rows(pattern)
            );
        }
        for wrong in ["", "4", "4:", "4:ff", "4:x", "-1:f"] {
            assert_eq!(RightRows::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rows_are_compared_one_by_one() {
        let (this, other, p) = rows("11110000").against(&rows("10000001")).unwrap();
        assert_eq!((this, other), (3, 1));
        // Of four rows that differ, three or more on one side: 2 (1 + 4) / 16.
        assert!((p - 0.625).abs() < 1e-12, "{p}");
        assert_eq!(rows("11").against(&rows("1")), None);
        assert!((rows("1101").accuracy() - 0.75).abs() < 1e-12);
    }
}
