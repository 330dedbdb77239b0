//! How many units of each group stay, if each time those go that are worth least for what they free.

use crate::UnitCosts;
use crate::fill::rounded;
use crate::rank::Ranked;

/// The groups that lose units, one after the other.
#[derive(Debug)]
pub(crate) struct Curves {
    /// Of each step: the group, by its place among those that are ranked, and how many of its units stay then.
    steps: Vec<(usize, usize)>,
    units: Vec<usize>,
}

impl Curves {
    /// Steps down to the least of every group; numbers of units are `least` at least and multiples of `round`. Scores of all groups are
    /// taken as they are.
    pub(crate) fn of(ranked: &[Ranked], mut costs: UnitCosts, least: usize, round: usize) -> Self {
        let units: Vec<usize> = ranked.iter().map(Ranked::units).collect();
        let mut left = units.clone();
        let mut steps = vec![];
        let next = |units: usize| {
            // The next multiple below, and never less than the least.
            let below = (units - 1) / round.max(1) * round.max(1);
            let least = rounded(least, round, units);
            (units > least).then(|| below.max(least))
        };
        loop {
            let of_group = |(at, group): (usize, &Ranked)| {
                let to = next(left[at])?;
                let gone = group.units() - left[at]..group.units() - to;
                let worth: f64 = gone.clone().map(|place| group.worth(place)).sum();
                let freed = gone.len() as f64 * costs.freed_by_one(group.id);
                Some((worth / freed.max(f64::MIN_POSITIVE), at, to))
            };
            let all = ranked.iter().enumerate().filter_map(of_group);
            let Some((_, at, to)) = all.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            (to..left[at]).for_each(|_| costs.remove(ranked[at].id));
            left[at] = to;
            steps.push((at, to));
        }
        Self { steps, units }
    }

    /// How many units of each group stay where a share of all does.
    pub(crate) fn counts(&self, share: f64) -> Vec<usize> {
        let mut counts = self.units.clone();
        let all: usize = counts.iter().sum();
        let wanted = (share * all as f64).ceil() as usize;
        let mut left = all;
        for &(at, to) in &self.steps {
            let next = left - (counts[at] - to);
            if next < wanted {
                break;
            }
            (counts[at], left) = (to, next);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Unary, cost};
    use secateur_prox::Quantity;
    use secateur_testkit::mlp;

    use super::*;

    /// Two hidden layers of 4 units: one of the first frees `10 + 4` multiply-adds, one of the second `4 + 1`.
    fn curves(scores: [[f64; 4]; 2], least: usize, round: usize) -> Curves {
        let graph = mlp(&[10, 4, 4, 1], Unary::Relu, 1).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let hidden = groups.iter().filter(|(_, g)| g.is_free());
        let ranked = hidden
            .zip(&scores)
            .map(|((id, _), scores)| Ranked::new(id, scores));
        let ranked: Vec<Ranked> = ranked.collect();
        let costs = UnitCosts::of(&graph, &groups, Quantity::Macs, &cost(&graph).unwrap());
        Curves::of(&ranked, costs, least, round)
    }

    #[test]
    fn what_is_worth_least_for_what_it_frees_goes_first() {
        let even = curves([[1.0; 4]; 2], 1, 1);
        // 14 for one of the first, 5 for one of the second; once three of the first are gone, 2 for one of the second.
        assert_eq!(even.steps, [(0, 3), (0, 2), (0, 1), (1, 3), (1, 2), (1, 1)]);
        assert_eq!(even.counts(1.0), [4, 4]);
        assert_eq!(even.counts(0.75), [2, 4]);
        assert_eq!(even.counts(0.0), [1, 1]);
        let other = curves([[1.0, 2.0, 9.0, 9.0], [0.1, 0.2, 0.3, 0.4]], 1, 1);
        assert_eq!(other.steps[..3], [(1, 3), (1, 2), (1, 1)]);
    }

    #[test]
    fn steps_are_multiples_and_keep_the_least() {
        let pairs = curves([[1.0; 4]; 2], 1, 2);
        assert_eq!(pairs.steps, [(0, 2), (1, 2)]);
        assert_eq!(pairs.counts(0.9), [4, 4]);
        let three = curves([[1.0; 4]; 2], 3, 1);
        assert_eq!(three.counts(0.0), [3, 3]);
        assert_eq!(curves([[1.0; 4]; 2], 9, 1).steps, []);
    }
}
