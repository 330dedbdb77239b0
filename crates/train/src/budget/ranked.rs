//! A network whose units are ranked, and the smaller ones that the ranking leads to.

use std::collections::{BTreeMap, BTreeSet};

use secateur_graph::{ChannelGroups, Graph, GroupId, Keep, shrink};
use secateur_prox::Quantity;

use super::chain::ChainUnits;
use super::count;
use crate::Result;
use crate::net::NetUnits;
use crate::settings::Widths;

/// Units in the order in which they go.
#[derive(Debug)]
pub(crate) struct Order {
    /// All that may go.
    pub(crate) units: Vec<(GroupId, usize)>,
    /// How many of them must, by an estimate.
    pub(crate) guess: usize,
}

/// The units of a network with their scores.
#[derive(Debug)]
pub(crate) enum Units {
    Chain(ChainUnits),
    Net(NetUnits),
}

/// A network with its ranking.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) graph: Graph,
    pub(crate) groups: ChannelGroups,
    pub(crate) of: Quantity,
    pub(crate) widths: Widths,
    pub(crate) units: Units,
}

/// One of the networks that a ranking leads to.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) keep: Keep,
    pub(crate) graph: Graph,
    /// What it has of the quantity.
    pub(crate) count: u64,
}

impl Ranked {
    /// The network as it is.
    pub(crate) fn whole(&self) -> Result<Candidate> {
        self.without(&[])
    }

    /// The largest network of the ranking with at most `limit` of the quantity; the smallest there is if none is so small.
    pub(crate) fn candidate(&self, limit: u64) -> Result<Candidate> {
        let order = match &self.units {
            Units::Chain(units) => units.order(limit, self.widths),
            Units::Net(units) => units.order(limit, self)?,
        };
        let holds = |n: usize| Ok(self.without(&order.units[..n])?.count <= limit);
        let gone = shortest(order.units.len(), order.guess, &holds)?;
        let units = &order.units[..gone];
        match self.widths.round {
            1 => self.without(units),
            _ => self.filled(self.without(units)?, units, limit),
        }
    }

    /// The network without these units, but for those that its groups need to be left with a multiple: of each group the last ones
    /// stay. So the more units are given, the fewer are left in every group.
    fn without(&self, units: &[(GroupId, usize)]) -> Result<Candidate> {
        let mut keep = Keep::all(&self.groups);
        for &(group, unit) in units {
            keep.drop(group, unit)?;
        }
        let mut left: BTreeMap<GroupId, usize> = BTreeMap::new();
        for &(group, unit) in units.iter().rev() {
            let left = left.entry(group).or_insert_with(|| keep.count(group));
            if !left.is_multiple_of(self.widths.round) {
                keep.take_back(group, unit);
                *left += 1;
            }
        }
        self.keeping(keep)
    }

    /// A candidate with what fits of its dropped `units`, multiple by multiple from the group whose units were the last to go: the
    /// multiple that met the limit was larger than what was missing.
    fn filled(
        &self,
        mut best: Candidate,
        units: &[(GroupId, usize)],
        limit: u64,
    ) -> Result<Candidate> {
        if best.count >= limit {
            return Ok(best);
        }
        let mut tried = BTreeSet::new();
        for &(group, _) in units.iter().rev() {
            if !tried.insert(group) {
                continue;
            }
            let of_group = units.iter().rev().filter(|(g, _)| *g == group);
            let gone: Vec<usize> = of_group
                .map(|&(_, unit)| unit)
                .filter(|&unit| !best.keep.keeps(group, unit))
                .collect();
            for units in gone.chunks(self.widths.round) {
                let mut keep = best.keep.clone();
                units.iter().for_each(|&unit| keep.take_back(group, unit));
                let next = self.keeping(keep)?;
                if next.count > limit {
                    break;
                }
                best = next;
            }
        }
        Ok(best)
    }

    fn keeping(&self, keep: Keep) -> Result<Candidate> {
        let graph = match keep.is_all() {
            true => self.graph.clone(),
            false => shrink(&self.graph, &self.groups, &keep)?.graph,
        };
        Ok(Candidate {
            count: count(self.of, &graph)?,
            keep,
            graph,
        })
    }
}

/// The least number up to `all` for which something holds that goes on to hold above it; `all` if there is none. Looked for
/// around a guess.
fn shortest(all: usize, guess: usize, holds: &dyn Fn(usize) -> Result<bool>) -> Result<usize> {
    let guess = guess.min(all);
    let is_enough = holds(guess)?;
    // Holds at `high`, and not below `low`.
    let (mut low, mut high) = match is_enough {
        true => (0, guess),
        false => (guess + 1, all),
    };
    let mut step = 1;
    while low < high {
        // Estimates are off by a few units at most: in steps that double from where the guess lies, then by halves.
        let middle = low + (high - low) / 2;
        let next = match is_enough {
            true => middle.max(high.saturating_sub(step)),
            false => middle.min(low + step - 1),
        };
        step *= 2;
        match holds(next)? {
            true => high = next,
            false => low = next + 1,
        }
    }
    Ok(high.min(all))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;
    use secateur_graph::Unary;
    use secateur_testkit::mlp;

    use super::*;

    proptest! {
        #[test]
        fn the_least_number_is_found_whatever_the_guess(
            all in 0usize..300, least in 0usize..300, guess in 0usize..310,
        ) {
            let found = shortest(all, guess, &|n| Ok(n >= least)).unwrap();
            prop_assert_eq!(found, least.min(all));
        }
    }

    #[test]
    fn units_come_back_until_a_multiple_is_left_and_no_others() {
        let graph = mlp(&[2, 13, 5, 1], Unary::Relu, 1).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let hidden: Vec<GroupId> = [13, 5]
            .iter()
            .filter_map(|&n| groups.iter().find(|(_, g)| g.units == n))
            .map(|(id, _)| id)
            .collect();
        let scores = [2, 13, 5].map(|n| vec![1.0; n]);
        let ranked = |round| Ranked {
            graph: graph.clone(),
            groups: groups.clone(),
            of: Quantity::Macs,
            widths: Widths { floor: 1, round },
            units: Units::Chain(ChainUnits::of_scores(&scores, Quantity::Macs, false)),
        };
        // Six of 13 go, and one of five.
        let gone: Vec<(GroupId, usize)> = (0..6).map(|u| (hidden[0], u)).collect();
        let gone = [gone, vec![(hidden[1], 2)]].concat();
        for (round, kept) in [
            (1, [vec![6, 7, 8, 9, 10, 11, 12], vec![0, 1, 3, 4]]),
            // The last that went is the first that comes back.
            (2, [vec![5, 6, 7, 8, 9, 10, 11, 12], vec![0, 1, 3, 4]]),
            (
                5,
                [vec![3, 4, 5, 6, 7, 8, 9, 10, 11, 12], vec![0, 1, 2, 3, 4]],
            ),
        ] {
            let found = ranked(round).without(&gone).unwrap();
            let of = |id: &GroupId| found.keep.kept(*id);
            assert_eq!([of(&hidden[0]), of(&hidden[1])], kept, "{round}");
            let [a, b] = [kept[0].len(), kept[1].len()];
            assert_eq!(found.count, (2 * a + a * b + b) as u64);
        }
    }

    #[test]
    fn a_good_guess_costs_two_looks() {
        let looks = Cell::new(0);
        let holds = |n: usize| {
            looks.set(looks.get() + 1);
            Ok(n >= 500)
        };
        assert_eq!(shortest(1000, 500, &holds).unwrap(), 500);
        assert_eq!(looks.get(), 2);
    }

    #[test]
    fn a_guess_that_is_off_by_few_costs_few_looks() {
        // Halving alone would take seventeen.
        for (guess, most) in [(493, 6), (496, 6), (499, 2), (501, 4), (504, 6), (507, 8)] {
            let looks = Cell::new(0);
            let holds = |n: usize| {
                looks.set(looks.get() + 1);
                Ok(n >= 500)
            };
            assert_eq!(shortest(100_000, guess, &holds).unwrap(), 500);
            assert_eq!(looks.get(), most, "from {guess}");
        }
    }
}
