//! How much of a network stays, and how that is divided over its groups.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use secateur_graph::Cost;
use secateur_prox::{Amount, Quantity, Share};

use crate::{Error, Result};

/// How much stays.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// This share of the units; rounded up.
    Units(Share),
    /// As many units as leave this of what can be counted.
    Counted(secateur_prox::Limit),
    /// All but these units, by the name of their group.
    AllBut(BTreeMap<String, Vec<usize>>),
}

/// How a limit is divided over groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// The same share of the units of each group, and then those of most score that still fit.
    #[default]
    Even,
    /// Units of all groups are ranked together, by their scores as multiples of their group's mean.
    Global,
    /// Each time those go that are worth least, by their scores as they are, for what they free.
    Curves,
}

impl Limit {
    /// Whether all units may stay of a network that costs so much.
    pub(crate) fn is_met(&self, cost: &Cost) -> bool {
        match self {
            Self::Units(share) => *share == Share::ALL,
            Self::Counted(limit) => {
                let whole = count_of(limit.of, cost);
                whole as f64 <= most_of(limit.most, whole)
            }
            Self::AllBut(dropped) => dropped.values().all(Vec::is_empty),
        }
    }
}

impl FromStr for Limit {
    type Err = Error;

    /// Reads `50%` as a share of the units, `macs=50%` and `params=20000` as what may be left of these.
    fn from_str(text: &str) -> Result<Self> {
        let (read, usual) = match text.contains('=') {
            true => (
                text.parse().map(Self::Counted),
                "write a share such as 50%, or a count of MACs or parameters",
            ),
            false => (text.parse().map(Self::Units), "write 0.25 or 25%"),
        };
        read.map_err(|e: secateur_prox::Error| {
            Error::choice(e.to_string()).hint(e.hint_text().unwrap_or(usual))
        })
    }
}

impl fmt::Display for Limit {
    /// As it is read back, but for lists of units.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(share) => f.write_str(&share.percent()),
            Self::Counted(limit) => limit.fmt(f),
            Self::AllBut(dropped) => {
                let units: usize = dropped.values().map(Vec::len).sum();
                write!(f, "all but {units} units")
            }
        }
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(_, own)| own == self);
        f.pad(found.map_or("", |(name, _)| name))
    }
}

impl Allocation {
    const NAMES: [(&'static str, Self); 3] = [
        ("even", Self::Even),
        ("global", Self::Global),
        ("curves", Self::Curves),
    ];
}

impl FromStr for Allocation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut names = Self::NAMES.iter();
        match names.find(|(name, _)| *name == text) {
            Some((_, allocation)) => Ok(*allocation),
            None => {
                let all: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                Err(Error::choice(format!("'{text}' is no allocation"))
                    .at("--allocation")
                    .hint(all.join(", ")))
            }
        }
    }
}

/// What a network has of a quantity.
pub(crate) fn count_of(quantity: Quantity, cost: &Cost) -> u64 {
    match quantity {
        Quantity::Macs => cost.macs,
        Quantity::Params => cost.params,
    }
}

/// How much that is of so much, without rounding.
pub(crate) fn most_of(most: Amount, whole: u64) -> f64 {
    match most {
        Amount::Share(share) => share.get() * whole as f64,
        Amount::Count(count) => count as f64,
    }
}

/// The words of a quantity.
pub(crate) fn words(of: Quantity) -> &'static str {
    match of {
        Quantity::Macs => "MACs",
        Quantity::Params => "parameters",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn limits_are_of_units_or_of_what_is_counted() {
        let read = |text: &str| text.parse::<Limit>();
        assert_eq!(read("50%").unwrap(), Limit::Units(Share::new(0.5).unwrap()));
        for text in ["macs=40%", "params=20000"] {
            assert_eq!(read(text).unwrap(), Limit::Counted(text.parse().unwrap()));
        }
        for text in ["50%", "macs=40%", "params=20000"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        let dropped = BTreeMap::from([("a".to_owned(), vec![0, 2]), ("b".to_owned(), vec![1])]);
        assert_eq!(Limit::AllBut(dropped).to_string(), "all but 3 units");
        for text in ["0", "101%", "macs=0", "units=3", ""] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Choice, "{text}");
            assert!(error.hint_text().is_some(), "{text}");
        }
    }

    #[test]
    fn names_are_read_back_and_others_list_them() {
        for (name, allocation) in Allocation::NAMES {
            assert_eq!(name.parse::<Allocation>().unwrap(), allocation);
            assert_eq!(allocation.to_string(), name);
        }
        let error = "fair".parse::<Allocation>().unwrap_err();
        assert_eq!(error.to_string(), "--allocation: 'fair' is no allocation");
        assert_eq!(error.hint_text(), Some("even, global, curves"));
    }
}
