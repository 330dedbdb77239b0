//! The units of a network of any form by how little they are of use.

use secateur_graph::{GroupId, Keep, cost};
use secateur_prox::Quantity;
use secateur_prune::UnitCosts;

use super::NetLearner;
use crate::Result;
use crate::budget::ranked::{Order, Ranked, Units};
use crate::settings::Widths;

/// What each group keeps of what it would keep if all were narrowed alike, as long as the limit can be met so.
///
/// Half, where chains of dense layers keep a quarter: a block of a few channels in a deep network is a bottleneck for all that
/// flows, which the shares of one layer at a time do not see.
const LEAST_OF_EVEN: f64 = 0.5;

/// The units of all groups that may lose some.
#[derive(Debug)]
pub(crate) struct NetUnits {
    groups: Vec<Scored>,
}

/// The units of one group and their scores, falling.
#[derive(Debug)]
struct Scored {
    group: GroupId,
    units: Vec<(usize, f64)>,
}

impl NetUnits {
    /// Units greedily from the worst, as many together as a multiple takes, by their score per multiply-add or parameter that their
    /// removal frees at the widths of that moment.
    pub(crate) fn order(&self, limit: u64, ranked: &Ranked) -> Result<Order> {
        let Ranked {
            graph,
            groups,
            of,
            widths,
            ..
        } = ranked;
        let mut costs = UnitCosts::of(graph, groups, *of, &cost(graph)?);
        let even = (limit as f64 / costs.left().max(1.0)).sqrt();
        let least = |all: usize| (all as f64 * even * LEAST_OF_EVEN).ceil() as usize;
        let mut keep = Keep::all(groups);
        let mut left: Vec<&[(usize, f64)]> = self.groups.iter().map(|g| &g.units[..]).collect();
        let mut units = vec![];
        let mut guess = None;
        loop {
            if guess.is_none() && costs.left() <= limit as f64 {
                guess = Some(units.len());
            }
            let worst = |least: &dyn Fn(usize) -> usize| {
                let groups = self.groups.iter().zip(&left).enumerate();
                let of_group = groups.filter_map(|(i, (all, left))| {
                    let next = widths.next_to_go(left.len(), least(all.units.len()))?;
                    let scores = left[left.len() - next..].iter().map(|(_, score)| score);
                    let freed = next as f64 * costs.freed_by_one(all.group);
                    Some((scores.sum::<f64>() / freed.max(1e-9), i, next))
                });
                of_group.min_by(|a, b| a.0.total_cmp(&b.0))
            };
            let Some((_, i, next)) = worst(&least).or_else(|| worst(&|_| 1)) else {
                break;
            };
            let (stay, go) = left[i].split_at(left[i].len() - next);
            left[i] = stay;
            let group = self.groups[i].group;
            for &(unit, _) in go.iter().rev() {
                if keep.can_drop(groups, group, unit) {
                    keep.drop(group, unit)?;
                    costs.remove(group);
                    units.push((group, unit));
                }
            }
        }
        Ok(Order {
            guess: guess.unwrap_or(units.len()),
            units,
        })
    }
}

impl NetLearner {
    /// The network with its units ranked by the criterion of its penalty.
    ///
    /// By [`Flap`](secateur_prune::Criterion::Flap), unless the user says otherwise. (Without its sum over readers the channels of residual stages go
    /// first, as they free at many places what they are of use at one by one; with weights by their size instead of shares, whichever
    /// layers cost most go down to the least.)
    ///
    /// # Errors
    /// If the network cannot be run, or what the criterion needs cannot be measured.
    pub(crate) fn ranked(&mut self, of: Quantity, widths: Widths) -> Result<Ranked> {
        self.network.write_back(&mut self.graph)?;
        let units = NetUnits {
            groups: self.scored()?,
        };
        Ok(Ranked {
            graph: self.graph.clone(),
            groups: self.groups.clone(),
            of,
            widths,
            units: Units::Net(units),
        })
    }

    fn scored(&mut self) -> Result<Vec<Scored>> {
        let Some(penalised) = &self.penalised else {
            return Ok(vec![]);
        };
        let by = penalised.settings().by;
        let groups: Vec<GroupId> = penalised.layers.iter().map(|l| l.past.id).collect();
        let measured = self.measured(by)?;
        let mut all = by.scores(&self.graph, &self.groups, &measured, self.seed)?;
        let scored = groups.into_iter().map(|group| {
            let scores = std::mem::take(&mut all[group.index()]);
            // What does not compare between groups counts as a share of its own.
            let whole = match by.compares_groups() {
                true => 1.0,
                false => scores.iter().sum::<f64>().max(f64::MIN_POSITIVE),
            };
            let shares = scores.into_iter().map(|score| score / whole);
            let mut units: Vec<(usize, f64)> = shares.enumerate().collect();
            units.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
            Scored { group, units }
        });
        Ok(scored.collect())
    }
}
