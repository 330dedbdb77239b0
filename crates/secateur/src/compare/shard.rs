//! A share of a grid, for one of several machines.

use std::fmt;

use super::grid::Unit;
use crate::{Error, Result};

/// One share of a grid: the units whose number leaves this remainder, so that shards take equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
}

impl Shard {
    /// Everything.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// The units of this shard, in their order.
    pub fn take(self, units: Vec<Unit>) -> Vec<Unit> {
        let mine = |&(i, _): &(usize, Unit)| i % self.of == self.number - 1;
        units
            .into_iter()
            .enumerate()
            .filter(mine)
            .map(|(_, unit)| unit)
            .collect()
    }
}

impl std::str::FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(Error::usage(format!("'{text}' is not a shard"))
                .hint("write 3/16 for the third of sixteen; they are numbered from 1")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}
