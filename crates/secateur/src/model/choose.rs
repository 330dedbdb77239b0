//! Which units of a model stay, if the user says how many?

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use regex::Regex;
use secateur_graph::{ChannelGroups, Graph, Group, GroupKind, Keep, Role, Tensor, cost, shrink};

use super::fill::{Filling, Nearest, rounded};
use super::nothing::nothing_goes;
use super::rank::{Ranked, across, norms};
use crate::{Error, ErrorKind, Result};

/// By what units are ranked; the lowest go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitScore {
    /// Sum of the magnitudes of the weights that read the unit.
    L1,
    /// Root of the sum of their squares.
    L2,
    /// What the loss would change by, to first order, squared: see [`ModelData::taylor`](super::ModelData::taylor).
    Taylor,
    /// Drawn from the seed.
    Random,
}

impl FromStr for UnitScore {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "l1" => Ok(Self::L1),
            "l2" => Ok(Self::L2),
            "taylor" => Ok(Self::Taylor),
            "random" => Ok(Self::Random),
            other => Err(Error::usage(format!("'{other}' is no score"))
                .at("--by")
                .hint("l1, l2, taylor or random")),
        }
    }
}

/// How much stays.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    /// This share of the units of each group, in (0, 1]; rounded up.
    Units(f64),
    /// This share of the units of all groups together; units are ranked across groups by their scores as multiples
    /// of their group's mean.
    Global(f64),
    /// The same share of the units of each group, as large as this share of the MACs allows, and then those of most score that
    /// fit beside them.
    Macs(f64),
    /// All but these units, by the name of their group.
    AllBut(BTreeMap<String, Vec<usize>>),
}

/// What a choice came to.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) keep: Keep,
    /// Where much less stays than was asked for.
    pub(super) nearest: Option<Nearest>,
}

/// What a network costs, in MACs.
pub(super) type Macs<'a> = &'a dyn Fn(&Graph) -> Result<u64>;

/// How many units stay, and which.
#[derive(Debug, Clone)]
pub struct Choice {
    /// How much stays.
    pub amount: Amount,
    /// Which ones, if the amount leaves that open.
    pub by: UnitScore,
    /// Of random scores.
    pub seed: u64,
    /// Units that every group keeps in any case. With 0, [`Amount::Global`] may take whole branches that others stand beside.
    pub min: usize,
    /// Numbers of units are rounded up to a multiple of this, but never above what there is.
    pub round: usize,
    /// Only groups that have this in their name, or are made by a node that has.
    pub only: Option<Regex>,
    /// No groups that have this in their name, or are made by a node that has.
    pub except: Option<Regex>,
}

impl Choice {
    /// That much, of all groups, by the root of the squares of the weights that read a unit; at least one of each group.
    pub fn of(amount: Amount) -> Self {
        Self {
            amount,
            by: UnitScore::L2,
            seed: 1,
            min: 1,
            round: 1,
            only: None,
            except: None,
        }
    }

    /// The units that stay. Frozen groups and the features of inputs stay whole.
    ///
    /// # Errors
    /// If a share is none or cannot be met, no unit goes though some should, a group is not there or frozen, a pattern matches no
    /// group that can lose units, or scores are wanted that take data.
    pub fn decide(&self, graph: &Graph, groups: &ChannelGroups) -> Result<Keep> {
        let macs = |graph: &Graph| Ok(cost(graph)?.macs);
        let decided = self.decide_by(&self.scores(graph, groups)?, graph, groups, &macs)?;
        Ok(decided.keep)
    }

    /// The same by [scores](Self::scores) that are there already.
    pub(super) fn decide_by(
        &self,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        macs: Macs<'_>,
    ) -> Result<Decided> {
        let decided = self.decided(scores, graph, groups, macs)?;
        match decided.keep.is_all() && !self.asks_for_nothing() {
            true => Err(nothing_goes(graph, groups, &|g| self.why_whole(graph, g))),
            false => Ok(decided),
        }
    }

    fn decided(
        &self,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        macs: Macs<'_>,
    ) -> Result<Decided> {
        let keep = match &self.amount {
            Amount::Units(share) => {
                check_share("--keep", *share)?;
                let ranked = self.ranked(scores, graph, groups)?;
                self.keeping(&self.within_each(*share, &ranked), &ranked, groups)?
            }
            Amount::Global(share) => {
                check_share("--keep", *share)?;
                let ranked = self.ranked(scores, graph, groups)?;
                let counts = across(*share, self.min, &ranked);
                let counts = counts.iter().zip(&ranked);
                let counts: Vec<usize> = counts.map(|(&n, r)| self.rounded(n, r.units())).collect();
                let mut keep = self.keeping(&counts, &ranked, groups)?;
                for (_, emptied) in counts.iter().zip(&ranked).filter(|(n, _)| **n == 0) {
                    // Where the network cannot do without the branch, its best unit stays.
                    let mut without = keep.clone();
                    if without.empty(emptied.id).is_ok() && shrink(graph, groups, &without).is_ok()
                    {
                        keep = without;
                    }
                }
                keep
            }
            Amount::Macs(share) => {
                check_share("--macs", *share)?;
                return self.within(*share, scores, graph, groups, macs);
            }
            Amount::AllBut(dropped) => all_but(dropped, groups)?,
        };
        Ok(Decided {
            keep,
            nearest: None,
        })
    }

    /// Whether all units may stay by what was asked for.
    fn asks_for_nothing(&self) -> bool {
        match &self.amount {
            Amount::Units(share) | Amount::Global(share) | Amount::Macs(share) => *share >= 1.0,
            Amount::AllBut(dropped) => dropped.values().all(Vec::is_empty),
        }
    }

    /// Why a group stays whole that could lose units, to be read after "it".
    fn why_whole(&self, graph: &Graph, group: &Group) -> String {
        let count = |of: &Self| match of.amount {
            Amount::Units(share) => of.count(share, group.units),
            Amount::Global(_) | Amount::Macs(_) | Amount::AllBut(_) => of.count(0.0, group.units),
        };
        let freely = Self {
            min: 1,
            round: 1,
            ..self.clone()
        };
        match () {
            () if !self.may_shrink(graph, group) => "is spared by --only or --except".into(),
            () if count(&freely) >= group.units => {
                "has so few units that the share, rounded up, is all of them".into()
            }
            () if count(self) >= group.units => "keeps all its units by --min or --round".into(),
            () => "would leave a tensor without channels if it lost any unit".into(),
        }
    }

    /// The largest share of the units that leaves no more than a share of the MACs, and what fits beside it.
    fn within(
        &self,
        share: f64,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        macs: Macs<'_>,
    ) -> Result<Decided> {
        let ranked = self.ranked(scores, graph, groups)?;
        let whole = macs(graph)?;
        let limit = share * whole as f64;
        let filling = Filling {
            ranked: &ranked,
            share: &|share| self.within_each(share, &ranked),
            attempt: &|counts| {
                let keep = self.keeping(counts, &ranked, groups)?;
                let left = ranked.iter().map(|r| keep.count(r.id)).collect();
                let cost = macs(&shrink(graph, groups, &keep)?.graph)?;
                Ok((keep, left, cost))
            },
            round: self.round,
            limit,
            above: None,
        };
        let filled = filling.go()?;
        let nearest = filled.nearest(share, whole);
        let least = filled.cost.min(whole);
        let keep = filled.best.ok_or_else(|| {
            if least == whole {
                return nothing_goes(graph, groups, &|g| self.why_whole(graph, g));
            }
            let of_whole = 100.0 * least as f64 / whole.max(1) as f64;
            let message = format!(
                "no choice leaves less than {least} MACs ({of_whole:.1} %), and {limit:.0} are asked for"
            );
            Error::new(ErrorKind::OutOfReach, message)
                .at("--macs")
                .hint("nothing was written; frozen groups, --min, --round, --only and --except keep the rest: secateur inspect tells what is frozen")
        })?;
        Ok(Decided { keep, nearest })
    }

    /// The groups that may lose units, with their units, those that go first in front.
    fn ranked(
        &self,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
    ) -> Result<Vec<Ranked>> {
        let all = match groups.groups().iter().any(Group::is_free) {
            true => groups.groups(),
            false => return Ok(vec![]),
        };
        let refuse = |flag: &str, message: String| {
            let hint = "secateur inspect lists the groups, and which of them are frozen";
            Err(Error::usage(message).at(flag).hint(hint))
        };
        let matches = |pattern: &Regex, group| is_meant(pattern, graph, group);
        if let Some(only) = &self.only
            && !all.iter().any(|g| g.is_free() && matches(only, g))
        {
            return refuse(
                "--only",
                format!("'{only}' matches no group that can lose units"),
            );
        }
        // A frozen one stays whole all the same.
        if let Some(except) = &self.except
            && !all.iter().any(|g| matches(except, g))
        {
            return refuse("--except", format!("'{except}' matches no group"));
        }
        let mut ranked = vec![];
        for ((id, group), scores) in groups.iter().zip(scores).filter(|((_, g), _)| g.is_free()) {
            if !self.may_shrink(graph, group) {
                continue;
            }
            if scores.iter().any(|s| s.is_nan()) {
                let message = format!(
                    "units of '{}' have no score, as no gradient reaches them",
                    group.name
                );
                return Err(Error::usage(message)
                    .at("--by")
                    .hint("leave the group alone with --except, or rank by weights: --by l2"));
            }
            ranked.push(Ranked::new(id, scores));
        }
        Ok(ranked)
    }

    /// Whether the patterns let a group lose units.
    fn may_shrink(&self, graph: &Graph, group: &Group) -> bool {
        let named = |pattern: &Option<Regex>| pattern.as_ref().map(|p| is_meant(p, graph, group));
        named(&self.only) != Some(false) && named(&self.except) != Some(true)
    }

    /// What every unit of every group is worth, frozen ones included.
    ///
    /// # Errors
    /// If that takes data.
    pub(super) fn scores(&self, graph: &Graph, groups: &ChannelGroups) -> Result<Vec<Vec<f64>>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let all = groups.groups().iter();
        let each = all.map(|group| match self.by {
            UnitScore::Random => Ok((0..group.units).map(|_| rng.next_u64() as f64).collect()),
            UnitScore::L1 => Ok(norms(graph, group, f64::abs)),
            UnitScore::L2 => {
                let squares = norms(graph, group, |w| w * w);
                Ok(squares.into_iter().map(f64::sqrt).collect())
            }
            UnitScore::Taylor => Err(Error::usage("taylor scores are measured on data")
                .at("--by")
                .hint("name them: --data mnist")),
        });
        each.collect()
    }

    /// Keeps so many units of each group, the last in its order.
    fn keeping(&self, counts: &[usize], ranked: &[Ranked], groups: &ChannelGroups) -> Result<Keep> {
        let mut keep = Keep::all(groups);
        for (&enough, Ranked { id, order, .. }) in counts.iter().zip(ranked) {
            for &unit in order {
                if keep.count(*id) > enough && keep.can_drop(groups, *id, unit) {
                    keep.drop(*id, unit)?;
                }
            }
        }
        Ok(keep)
    }

    fn within_each(&self, share: f64, ranked: &[Ranked]) -> Vec<usize> {
        let counts = ranked.iter().map(|r| self.count(share, r.units()));
        counts.collect()
    }

    /// How many of so many units stay.
    fn count(&self, share: f64, units: usize) -> usize {
        let share = (share * units as f64).ceil() as usize;
        self.rounded(share.max(self.min).max(1), units)
    }

    fn rounded(&self, count: usize, units: usize) -> usize {
        rounded(count, self.round, units)
    }
}

/// Whether a pattern matches the name of a group or of a node that makes its units.
fn is_meant(pattern: &Regex, graph: &Graph, group: &Group) -> bool {
    let makers = group.members.iter().filter(|m| m.role == Role::Produces);
    let mut nodes = makers.flat_map(|m| graph.readers(m.tensor));
    pattern.is_match(&group.name) || nodes.any(|&id| pattern.is_match(&graph.node(id).name))
}

fn check_share(flag: &str, share: f64) -> Result<()> {
    match share > 0.0 && share <= 1.0 {
        true => Ok(()),
        false => Err(Error::usage(format!("{share} is no share"))
            .at(flag)
            .hint("write 50% or 0.5")),
    }
}

fn all_but(dropped: &BTreeMap<String, Vec<usize>>, groups: &ChannelGroups) -> Result<Keep> {
    let mut keep = Keep::all(groups);
    for (name, units) in dropped {
        let Some(id) = groups.named(name) else {
            return Err(Error::usage(format!("there is no group '{name}'"))
                .at("--drop")
                .hint("secateur inspect lists the groups"));
        };
        let fails = |error: secateur_graph::Error| {
            Error::usage(error.to_string())
                .at("--drop")
                .hint("secateur inspect tells the units of each group, and why some stay")
        };
        if groups.group(id).kind != GroupKind::Hidden {
            let message = format!("'{name}' is an input, and its features stay");
            return Err(Error::usage(message)
                .at("--drop")
                .hint("secateur compress --model removes features that are not needed"));
        }
        let all: BTreeSet<usize> = units.iter().copied().collect();
        if all.iter().copied().eq(0..groups.group(id).units) {
            keep.empty(id).map_err(fails)?;
            continue;
        }
        for &unit in units {
            if !keep.can_drop(groups, id, unit) {
                let message =
                    format!("without unit {unit}, a tensor of '{name}' would have no channel left");
                return Err(Error::usage(message).at("--drop").hint("keep one of them"));
            }
            keep.drop(id, unit).map_err(fails)?;
        }
    }
    Ok(keep)
}

/// The first tensor with an element that is not a number.
pub(super) fn first_not_a_number(graph: &Graph) -> Option<&str> {
    let bad = |t: &Tensor| match t.as_f32() {
        Some(weights) => weights.iter().any(|w| w.is_nan()),
        None => t.is_float() && t.numbers().iter().any(|w| w.is_nan()),
    };
    let mut values = graph.values().iter();
    let found = values.find(|v| v.constant.as_deref().is_some_and(bad));
    found.map(|v| v.name.as_str())
}

#[cfg(test)]
mod tests;
