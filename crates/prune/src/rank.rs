//! Which units of a group go first, and how many of each group if all groups are ranked together.

use secateur_graph::GroupId;

/// The units of a group that may lose some.
pub(crate) struct Ranked {
    pub(crate) id: GroupId,
    /// Those that go first in front.
    pub(crate) order: Vec<usize>,
    /// Their scores in that order, as multiples of the mean of the group.
    scores: Vec<f64>,
    mean: f64,
}

impl Ranked {
    pub(crate) fn new(id: GroupId, scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        // Units of a group that nothing weighs are all worth nothing.
        let relative = |&unit: &usize| if mean > 0.0 { scores[unit] / mean } else { 0.0 };
        Self {
            id,
            scores: order.iter().map(relative).collect(),
            order,
            mean,
        }
    }

    /// The same where groups are compared by what a unit is worth for each multiply-add or parameter that it frees, `freed` of them.
    pub(crate) fn priced(mut self, freed: f64) -> Self {
        let prices = (0..self.units()).map(|place| self.worth(place) / freed.max(1.0));
        self.scores = prices.collect();
        self.mean = freed.max(1.0);
        self
    }

    /// The score of the unit at a place in the order, as it came.
    pub(crate) fn worth(&self, place: usize) -> f64 {
        self.scores[place] * self.mean
    }

    pub(crate) fn units(&self) -> usize {
        self.order.len()
    }

    /// The score of the unit at a place in the order, as it is compared with those of other groups.
    pub(crate) fn score(&self, place: usize) -> f64 {
        self.scores[place]
    }
}

/// How many units of each group stay, if the lowest of all go until a share of all is left, and each group keeps
/// `least`, which may be none.
///
/// Scores are compared as multiples of their group's mean: sums over many large weights would otherwise make all
/// units of one layer better than those of another.
pub(crate) fn across(share: f64, least: usize, ranked: &[Ranked]) -> Vec<usize> {
    let mut left: Vec<usize> = ranked.iter().map(Ranked::units).collect();
    let total: usize = left.iter().sum();
    let wanted = (share * total as f64).ceil() as usize;
    let mut spare = total.saturating_sub(wanted);
    let mut pool: Vec<(f64, usize)> = vec![];
    for (index, group) in ranked.iter().enumerate() {
        pool.extend(group.scores.iter().map(|&score| (score, index)));
    }
    // Stable, so that the units of a group stay in their order.
    pool.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, index) in pool {
        if spare == 0 {
            break;
        }
        if left[index] > least {
            left[index] -= 1;
            spare -= 1;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Unary};
    use secateur_testkit::mlp;

    use super::*;

    fn ranked(scores: &[&[f64]]) -> Vec<Ranked> {
        let widths = vec![2; scores.len() + 2];
        let groups = ChannelGroups::of(&mlp(&widths, Unary::Relu, 1).unwrap()).unwrap();
        let pairs = groups.ids().zip(scores);
        pairs.map(|(id, scores)| Ranked::new(id, scores)).collect()
    }

    #[test]
    fn the_lowest_go_wherever_they_are() {
        let groups = ranked(&[&[3.0, 1.0, 2.0, 2.0], &[100.0, 100.0, 100.0, 100.0]]);
        assert_eq!(groups[0].order, [1, 2, 3, 0]);
        // All of the second group are as good as its mean; scores as they are would spare it altogether.
        assert_eq!(across(7.0 / 8.0, 1, &groups), [3, 4]);
        assert_eq!(across(0.5, 1, &groups), [1, 3]);
        assert_eq!(across(1.0, 1, &groups), [4, 4]);
    }

    #[test]
    fn every_group_keeps_the_least() {
        let groups = ranked(&[&[0.0, 0.0, 0.0], &[1.0, 5.0, 6.0]]);
        assert_eq!(across(0.5, 2, &groups), [2, 2]);
        assert_eq!(across(0.5, 0, &groups), [0, 3]);
        assert_eq!(across(0.01, 1, &groups), [1, 1]);
    }
}
