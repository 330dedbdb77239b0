//! Which units of a model stay, if the user says how many?

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use secateur_graph::{
    ChannelGroups, Cost, Graph, Group, GroupKind, Keep, Role, Tensor, cost, shrink,
};
use secateur_prox::Amount;

use secateur_prox::Quantity;

use crate::curves::Curves;
use crate::fill::{Filling, Nearest, rounded};
use crate::limit::{Allocation, Limit, count_of, most_of, words};
use crate::nothing::nothing_goes;
use crate::rank::{Ranked, across};
use crate::{Criterion, Error, ErrorKind, Measured, Result, UnitCosts};

/// What a choice came to.
#[derive(Debug)]
pub struct Selection {
    /// What stays.
    pub keep: Keep,
    /// Where much less stays than was asked for.
    pub nearest: Option<Nearest>,
}

/// What a network costs.
pub type Costs<'a> = &'a dyn Fn(&Graph) -> secateur_graph::Result<Cost>;

/// How many units stay, and which.
#[derive(Debug, Clone)]
pub struct Choice {
    /// How much stays.
    pub limit: Limit,
    /// How that is divided over the groups, if the limit leaves that open.
    pub allocation: Allocation,
    /// Which units, if the limit leaves that open.
    pub by: Criterion,
    /// Of random scores.
    pub seed: u64,
    /// Units that every group keeps in any case. With 0, [`Allocation::Global`] may take whole branches that others stand beside.
    pub min: usize,
    /// Numbers of units are rounded up to a multiple of this, but never above what there is.
    pub round: usize,
    /// Only groups that have this in their name, or are made by a node that has.
    pub only: Option<Regex>,
    /// No groups that have this in their name, or are made by a node that has.
    pub except: Option<Regex>,
}

/// An allocation for the groups of a network.
enum Division {
    Even,
    Global,
    Curves(Curves),
}

impl Choice {
    /// That much, of all groups, by the root of the squares of the weights that read a unit; at least one of each group.
    pub fn of(limit: Limit) -> Self {
        Self {
            limit,
            allocation: Allocation::Even,
            by: Criterion::L2,
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
        let scores = self
            .by
            .scores(graph, groups, &Measured::default(), self.seed)?;
        let selection = self.decide_by(&scores, graph, groups, &|graph| cost(graph))?;
        Ok(selection.keep)
    }

    /// The same by [scores](Criterion::scores) that are there already, and by what a network costs.
    ///
    /// # Errors
    /// As [`Choice::decide`].
    pub fn decide_by(
        &self,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        costs: Costs<'_>,
    ) -> Result<Selection> {
        let decided = self.decided(scores, graph, groups, costs)?;
        match decided.keep.is_all() && !self.limit.is_met(&costs(graph)?) {
            true => Err(nothing_goes(graph, groups, &|g| self.why_whole(graph, g))),
            false => Ok(decided),
        }
    }

    fn decided(
        &self,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        costs: Costs<'_>,
    ) -> Result<Selection> {
        let keep = match &self.limit {
            Limit::Units(share) => {
                let ranked = self.ranked(scores, graph, groups)?;
                let (ranked, division) =
                    self.divided(ranked, (graph, groups), Quantity::Macs, &costs(graph)?);
                let counts = self.counts(share.get(), &ranked, &division);
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
            Limit::Counted(limit) => {
                return self.within(*limit, scores, graph, groups, costs);
            }
            Limit::AllBut(dropped) => all_but(dropped, groups)?,
        };
        Ok(Selection {
            keep,
            nearest: None,
        })
    }

    /// Why a group stays whole that could lose units, to be read after "it".
    fn why_whole(&self, graph: &Graph, group: &Group) -> String {
        let count = |of: &Self| match (&of.limit, of.allocation) {
            (Limit::Units(share), Allocation::Even) => of.count(share.get(), group.units),
            _ => of.count(0.0, group.units),
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

    /// The largest share of the units that leaves no more than so much, and what fits beside it.
    fn within(
        &self,
        limit: secateur_prox::Limit,
        scores: &[Vec<f64>],
        graph: &Graph,
        groups: &ChannelGroups,
        costs: Costs<'_>,
    ) -> Result<Selection> {
        let ranked = self.ranked(scores, graph, groups)?;
        let (ranked, division) = self.divided(ranked, (graph, groups), limit.of, &costs(graph)?);
        let cost = |graph: &Graph| Ok::<_, Error>(count_of(limit.of, &costs(graph)?));
        let whole = cost(graph)?;
        let most = most_of(limit.most, whole);
        let filling = Filling {
            ranked: &ranked,
            share: &|share| self.counts(share, &ranked, &division),
            attempt: &|counts| {
                let keep = self.keeping(counts, &ranked, groups)?;
                let left = ranked.iter().map(|r| keep.count(r.id)).collect();
                let cost = cost(&shrink(graph, groups, &keep)?.graph)?;
                Ok((keep, left, cost))
            },
            round: self.round,
            limit: most,
            above: None,
        };
        let filled = filling.go()?;
        let nearest = filled.nearest(words(limit.of), most / whole.max(1) as f64, whole);
        let least = filled.cost.min(whole);
        let keep = filled.best.ok_or_else(|| {
            if least == whole {
                return nothing_goes(graph, groups, &|g| self.why_whole(graph, g));
            }
            let of_whole = 100.0 * least as f64 / whole.max(1) as f64;
            let message = format!(
                "no choice leaves less than {least} {} ({of_whole:.1} %), and {most:.0} are asked for",
                words(limit.of)
            );
            // Whoever means a share may leave out its sign.
            let hint = match limit.most {
                Amount::Count(count) if count <= 100 => format!("{count} is a count; a share is {count}%"),
                _ => "nothing was written; frozen groups, --min, --round, --only and --except keep the rest: secateur inspect tells what is frozen".to_owned(),
            };
            Error::new(ErrorKind::OutOfReach, message)
                .at(format!("--{}", limit.of.name()))
                .hint(hint)
        })?;
        Ok(Selection { keep, nearest })
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
            Err(Error::choice(message).at(flag).hint(hint))
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
                return Err(Error::choice(message)
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

    /// How many units of each group a share of all is.
    fn counts(&self, share: f64, ranked: &[Ranked], division: &Division) -> Vec<usize> {
        match division {
            Division::Even => ranked
                .iter()
                .map(|r| self.count(share, r.units()))
                .collect(),
            Division::Global => {
                let counts = across(share, self.min, ranked).into_iter().zip(ranked);
                counts.map(|(n, r)| self.rounded(n, r.units())).collect()
            }
            Division::Curves(curves) => curves.counts(share),
        }
    }

    /// The groups as the allocation compares them, and how it divides what stays, in a network that costs `cost`.
    fn divided(
        &self,
        ranked: Vec<Ranked>,
        (graph, groups): (&Graph, &ChannelGroups),
        of: Quantity,
        cost: &Cost,
    ) -> (Vec<Ranked>, Division) {
        match self.allocation {
            Allocation::Even => (ranked, Division::Even),
            Allocation::Global => (ranked, Division::Global),
            Allocation::Curves => {
                let costs = UnitCosts::of(graph, groups, of, cost);
                let ranked = ranked.into_iter();
                let ranked = ranked.map(|r| {
                    let freed = costs.freed_by_one(r.id);
                    r.priced(freed)
                });
                let ranked: Vec<Ranked> = ranked.collect();
                let curves = Curves::of(&ranked, costs, self.min, self.round);
                (ranked, Division::Curves(curves))
            }
        }
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

fn all_but(dropped: &BTreeMap<String, Vec<usize>>, groups: &ChannelGroups) -> Result<Keep> {
    let mut keep = Keep::all(groups);
    for (name, units) in dropped {
        let Some(id) = groups.named(name) else {
            return Err(Error::choice(format!("there is no group '{name}'"))
                .at("--drop")
                .hint("secateur inspect lists the groups"));
        };
        let fails = |error: secateur_graph::Error| {
            Error::choice(error.to_string())
                .at("--drop")
                .hint("secateur inspect tells the units of each group, and why some stay")
        };
        if groups.group(id).kind != GroupKind::Hidden {
            let message = format!("'{name}' is an input, and its features stay");
            return Err(Error::choice(message)
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
                return Err(Error::choice(message).at("--drop").hint("keep one of them"));
            }
            keep.drop(id, unit).map_err(fails)?;
        }
    }
    Ok(keep)
}

/// The first tensor with an element that is not a number.
pub fn first_not_a_number(graph: &Graph) -> Option<&str> {
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
