//! How much of what may a network keep?

use std::fmt;
use std::str::FromStr;

use super::Share;
use crate::{Error, Result, names};

/// What a limit counts. Units are ranked by what their removal frees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Multiply-adds of a row.
    Macs,
    /// Weights and biases.
    Params,
}

/// How much may be left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// Of what the network has at the start; rounded down.
    Share(Share),
    /// So many; at least 1.
    Count(u64),
}

/// The most that a network may keep of something that can be counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What is counted.
    pub of: Quantity,
    /// How much of it may be left.
    pub most: Amount,
}

impl Quantity {
    const NAMES: [(&'static str, Self); 2] = [("macs", Self::Macs), ("params", Self::Params)];

    /// The name in a limit: `macs` or `params`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Macs => "macs",
            Self::Params => "params",
        }
    }
}

impl Amount {
    /// The count that it stands for, where the start has `of`.
    pub fn of(self, of: u64) -> u64 {
        match self {
            Self::Share(share) => (share.get() * of as f64) as u64,
            Self::Count(count) => count,
        }
    }
}

impl Limit {
    /// A share of the multiply-adds.
    pub fn macs(share: Share) -> Self {
        Self {
            of: Quantity::Macs,
            most: Amount::Share(share),
        }
    }
}

impl FromStr for Amount {
    type Err = Error;

    /// Reads `25%` and `0.25` as shares, `50000` as a count.
    fn from_str(text: &str) -> Result<Self> {
        if text.ends_with('%') || text.contains('.') {
            return Ok(Self::Share(text.parse()?));
        }
        match text.parse() {
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ => Err(Error::invalid(format!("\"{text}\" is no amount"))
                .at("limit")
                .hint("write a share such as 25%, or a whole number of at least 1")),
        }
    }
}

impl FromStr for Limit {
    type Err = Error;

    /// Reads `macs=25%`, `macs=2000000`, `params=10%`, `params=50000`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, most) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self {
            of: names::choose("limit", name, &Quantity::NAMES)?,
            most: most.parse()?,
        })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => f.write_str(&share.percent()),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.of.name(), self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_in_percent_or_have_a_point_and_counts_are_whole() {
        let most = |text: &str| text.parse::<Limit>().unwrap().most;
        let quarter = Amount::Share(Share::new(0.25).unwrap());
        assert_eq!(most("macs=25%"), quarter);
        assert_eq!(most("params=0.25"), quarter);
        assert_eq!(most("params=1"), Amount::Count(1));
        assert_eq!(quarter.of(1003), 250);
        assert_eq!(Amount::Count(7).of(1003), 7);
    }

    #[test]
    fn what_is_no_limit_is_refused_with_a_way_out() {
        for (text, hint) in [
            ("mac=25%", "did you mean \"macs\"?"),
            ("25%", "allowed: macs, params"),
            ("macs", "a share such as 25%"),
            ("macs=0", "at least 1"),
            ("params=-3", "at least 1"),
            ("params=1e6", "at least 1"),
        ] {
            let error = text.parse::<Limit>().unwrap_err();
            let told = error.hint_text().unwrap_or_default();
            assert!(told.contains(hint), "{text}: {error:?}");
        }
        assert!("macs=120%".parse::<Limit>().is_err());
        assert!("macs=1.5".parse::<Limit>().is_err());
    }
}
