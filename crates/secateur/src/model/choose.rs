//! Which units of a model stay, if the user says how many?

use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use regex::Regex;
use secateur_graph::{ChannelGroups, Graph, Group, GroupKind, Keep, Role, Tensor};

use crate::{Error, Result};

/// By what units are ranked; the lowest go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitScore {
    /// Sum of the magnitudes of the weights that read the unit.
    L1,
    /// Root of the sum of their squares.
    L2,
    /// Drawn from the seed.
    Random,
}

impl FromStr for UnitScore {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "l1" => Ok(Self::L1),
            "l2" => Ok(Self::L2),
            "random" => Ok(Self::Random),
            other => Err(Error::usage(format!("'{other}' is no score"))
                .at("--by")
                .hint("l1, l2 or random")),
        }
    }
}

/// How many units stay, and which.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Share of the units of each group, in (0, 1]; rounded up.
    pub keep: f64,
    /// Which ones.
    pub by: UnitScore,
    /// Of random scores.
    pub seed: u64,
    /// Units that every group keeps in any case.
    pub min: usize,
    /// Numbers of units are rounded up to a multiple of this, but never above what there is.
    pub round: usize,
    /// Only groups whose name this matches.
    pub only: Option<Regex>,
    /// No groups whose name this matches.
    pub except: Option<Regex>,
}

impl Choice {
    /// The units that stay. Frozen groups and the features of inputs stay whole.
    ///
    /// # Errors
    /// If the share is none, or a pattern matches no group that can lose units.
    pub fn decide(&self, graph: &Graph, groups: &ChannelGroups) -> Result<Keep> {
        if !(self.keep > 0.0 && self.keep <= 1.0) {
            return Err(
                Error::usage(format!("{} is no share of the units", self.keep))
                    .at("--keep")
                    .hint("write 50% or 0.5"),
            );
        }
        let free = |g: &Group| g.frozen.is_none() && g.kind == GroupKind::Hidden;
        for (flag, pattern) in [("--only", &self.only), ("--except", &self.except)] {
            if let Some(pattern) = pattern
                && !groups
                    .groups()
                    .iter()
                    .any(|g| free(g) && pattern.is_match(&g.name))
            {
                let message = format!("'{pattern}' matches no group that can lose units");
                return Err(Error::usage(message)
                    .at(flag)
                    .hint("secateur inspect lists the groups"));
            }
        }
        let mut keep = Keep::all(groups);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        for (id, group) in groups.iter().filter(|(_, g)| free(g)) {
            let scores = match self.by {
                UnitScore::Random => (0..group.units).map(|_| rng.next_u64() as f64).collect(),
                UnitScore::L1 => norms(graph, group, f64::abs),
                UnitScore::L2 => norms(graph, group, |w| w * w),
            };
            let named = |pattern: &Option<Regex>| pattern.as_ref().map(|p| p.is_match(&group.name));
            if named(&self.only) == Some(false) || named(&self.except) == Some(true) {
                continue;
            }
            let mut order: Vec<usize> = (0..group.units).collect();
            order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            for unit in order {
                if keep.count(id) > self.count(group.units) && keep.can_drop(groups, id, unit) {
                    keep.drop(id, unit)?;
                }
            }
        }
        Ok(keep)
    }

    /// How many of so many units stay.
    fn count(&self, units: usize) -> usize {
        let share = (self.keep * units as f64).ceil() as usize;
        let least = share.max(self.min).max(1);
        least.next_multiple_of(self.round.max(1)).min(units)
    }
}

/// For each unit the sum of `of` over the weights that read it, or make it where nothing with weights reads it.
fn norms(graph: &Graph, group: &Group, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let reads = group.members.iter().any(|m| m.role == Role::Reads);
    let role = if reads { Role::Reads } else { Role::Produces };
    let mut sums = vec![0.0; group.units];
    for member in group.members.iter().filter(|m| m.role == role) {
        let Some(tensor) = graph.constant(member.tensor) else {
            continue;
        };
        let inner: usize = tensor.shape()[member.axis + 1..].iter().product();
        let slices = tensor.as_f32().unwrap_or(&[]).chunks_exact(inner.max(1));
        for (slice, unit) in slices.zip(member.unit_of.iter().cycle()) {
            if let Some(unit) = *unit {
                sums[unit as usize] += slice.iter().map(|&w| of(f64::from(w))).sum::<f64>();
            }
        }
    }
    sums
}

/// Whether all weights of a network are numbers; else the first tensor that has one that is not.
pub(super) fn first_not_finite(graph: &Graph) -> Option<&str> {
    let bad = |t: &Tensor| t.as_f32().is_some_and(|w| w.iter().any(|v| v.is_nan()));
    let mut values = graph.values().iter();
    let found = values.find(|v| v.constant.as_deref().is_some_and(bad));
    found.map(|v| v.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_rounded_up_and_never_above_what_there_is() {
        let choice = |keep, min, round| Choice {
            keep,
            by: UnitScore::L2,
            seed: 0,
            min,
            round,
            only: None,
            except: None,
        };
        assert_eq!(choice(0.5, 1, 1).count(7), 4);
        assert_eq!(choice(0.5, 1, 8).count(20), 16);
        assert_eq!(choice(0.5, 1, 8).count(10), 8);
        assert_eq!(choice(0.9, 1, 8).count(10), 10);
        assert_eq!(choice(0.01, 3, 1).count(2), 2);
        assert_eq!(choice(0.01, 0, 1).count(2), 1);
    }
}
