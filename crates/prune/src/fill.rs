//! How many units of each group stay within a limit: the same share of all first, then what still fits, best units first.

use std::fmt;

use crate::Result;
use crate::rank::Ranked;

/// Halvings of the share of units that is looked for: enough for groups of a thousand.
const HALVINGS: usize = 12;
/// How much less than was asked for may be left without a word, as a share of the whole.
const SHORT: f64 = 0.02;
/// What is missing of the limit that is not worth another look, as a share of it: every look makes a network.
const CLOSE: f64 = 0.001;

/// What a limit came to, where units are too coarse to come near it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Nearest {
    /// What is limited, such as `MACs`.
    pub of: &'static str,
    /// The share that may stay.
    pub asked: f64,
    /// The largest share that was found within it, which is what stays.
    pub below: f64,
    /// The smallest share that was found above it.
    pub above: Option<f64>,
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} % of the {} stay where {:.1} % may: ",
            100.0 * self.below,
            self.of,
            100.0 * self.asked
        )?;
        match self.above {
            Some(above) => write!(
                f,
                "whole units go, and the nearest shares found are {:.1} % and {:.1} %",
                100.0 * self.below,
                100.0 * above
            ),
            None => f.write_str("whole units go, and no larger share was found within it"),
        }
    }
}

/// Units of groups that are left within a limit on what the network costs.
#[derive(Debug)]
pub(crate) struct Filled<K> {
    /// The decision; none where even the least is above the limit.
    pub(crate) best: Option<K>,
    /// The cost of the best, or of the least; of none that was found, the largest number.
    pub(crate) cost: u64,
    /// The smallest cost above the limit that was found.
    pub(crate) above: Option<u64>,
}

impl<K> Filled<K> {
    /// What there is to say of a share of `whole`, if what stays is much less.
    pub(crate) fn nearest(&self, of: &'static str, asked: f64, whole: u64) -> Option<Nearest> {
        let share = |cost: u64| cost as f64 / whole.max(1) as f64;
        let below = share(self.cost);
        (below < asked - SHORT).then(|| Nearest {
            of,
            asked,
            below,
            above: self.above.map(share),
        })
    }
}

/// A decision for so many units of each group: the decision, how many units stay of each by it, and its cost.
pub(crate) type Tried<K> = (K, Vec<usize>, u64);

/// Looks for decisions within a limit.
pub(crate) struct Filling<'a, K> {
    pub(crate) ranked: &'a [Ranked],
    /// How many units of each group a share is.
    pub(crate) share: &'a dyn Fn(f64) -> Vec<usize>,
    /// Decides, and counts exactly.
    pub(crate) attempt: &'a dyn Fn(&[usize]) -> Result<Tried<K>>,
    /// Units come back in such multiples.
    pub(crate) round: usize,
    pub(crate) limit: f64,
    pub(crate) above: Option<u64>,
}

/// What an attempt came to.
enum Look<K> {
    Within(Tried<K>),
    Above,
}

/// Units of a group that would come back together.
#[derive(Debug, Clone, Copy)]
struct Step {
    group: usize,
    /// How many units of the group stay then.
    count: usize,
    /// Of the best of them.
    score: f64,
}

impl<K> Filling<'_, K> {
    /// The largest share of the units of all groups within the limit, and what fits beside it.
    ///
    /// # Errors
    /// Those of an attempt.
    pub(crate) fn go(mut self) -> Result<Filled<K>> {
        let mut best = None;
        let (mut low, mut high) = (0.0, 1.0);
        let mut share = 0.0;
        for _ in 0..=HALVINGS {
            match self.look(&(self.share)(share))? {
                Look::Within(tried) => {
                    best = Some(tried);
                    low = share;
                }
                // Nothing is less than the least.
                Look::Above if share == 0.0 => break,
                Look::Above => high = share,
            }
            share = 0.5 * (low + high);
        }
        let Some(best) = best else {
            return Ok(Filled {
                best: None,
                cost: self.above.unwrap_or(u64::MAX),
                above: self.above,
            });
        };
        let (keep, _, cost) = self.filled(best)?;
        Ok(Filled {
            best: Some(keep),
            cost,
            above: self.above,
        })
    }

    fn look(&mut self, counts: &[usize]) -> Result<Look<K>> {
        let tried = (self.attempt)(counts)?;
        if tried.2 as f64 <= self.limit {
            return Ok(Look::Within(tried));
        }
        self.above = Some(self.above.map_or(tried.2, |above| above.min(tried.2)));
        Ok(Look::Above)
    }

    /// Gives units back, the best first, as long as the limit holds. A group whose next units do not fit gets no more: they would
    /// fit even less once others are back.
    fn filled(&mut self, mut best: Tried<K>) -> Result<Tried<K>> {
        let mut steps = self.steps(&best.1);
        while !steps.is_empty() && (best.2 as f64) < (1.0 - CLOSE) * self.limit {
            let with = |best: &Tried<K>, steps: &[Step]| {
                let mut counts = best.1.clone();
                for step in steps {
                    counts[step.group] = counts[step.group].max(step.count);
                }
                counts
            };
            // All before `fit` do, and not all up to `most`.
            let (mut fit, mut most) = (0, steps.len() + 1);
            let mut next = best.1.clone();
            let mut largest = None;
            let mut stride = 1;
            while fit + 1 < most {
                let middle = match most > steps.len() {
                    true => (fit + stride).min(steps.len()),
                    false => fit + (most - fit) / 2,
                };
                stride *= 2;
                match self.look(&with(&best, &steps[..middle]))? {
                    Look::Within(tried) => {
                        next.clone_from(&tried.1);
                        largest = Some(tried);
                        fit = middle;
                    }
                    Look::Above => most = middle,
                }
            }
            if let Some(tried) = largest {
                best = tried;
            }
            let Some(full) = steps.get(fit).map(|step| step.group) else {
                break;
            };
            let left = steps.split_off(fit);
            steps = left.into_iter().filter(|s| s.group != full).collect();
        }
        Ok(best)
    }

    /// What may come back behind these counts, the best first.
    fn steps(&self, counts: &[usize]) -> Vec<Step> {
        let mut steps = vec![];
        for (group, (ranked, &count)) in self.ranked.iter().zip(counts).enumerate() {
            let mut count = count;
            while count < ranked.units() {
                let score = ranked.score(ranked.units() - count - 1);
                count = rounded(count + 1, self.round, ranked.units());
                steps.push(Step {
                    group,
                    count,
                    score,
                });
            }
        }
        // Stable, so that the units of a group stay in their order.
        steps.sort_by(|a, b| b.score.total_cmp(&a.score));
        steps
    }
}

/// The next multiple of `round` from `count` on, never above `most`.
pub(crate) fn rounded(count: usize, round: usize, most: usize) -> usize {
    let next = count.checked_next_multiple_of(round.max(1));
    next.map_or(most, |next| next.min(most))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use secateur_graph::{ChannelGroups, Unary};
    use secateur_testkit::mlp;

    use super::*;

    fn ranked(scores: &[&[f64]]) -> Vec<Ranked> {
        let widths = vec![2; scores.len() + 2];
        let groups = ChannelGroups::of(&mlp(&widths, Unary::Relu, 1).unwrap()).unwrap();
        let pairs = groups.ids().zip(scores);
        pairs.map(|(id, scores)| Ranked::new(id, scores)).collect()
    }

    /// Fills up where each unit of a group costs `each`; the counts, what is said, and how many attempts that took.
    fn filled(
        scores: &[&[f64]],
        each: &[u64],
        round: usize,
        limit: f64,
    ) -> (Option<Vec<usize>>, Option<u64>, usize) {
        let ranked = ranked(scores);
        let attempts = Cell::new(0);
        let share = |share: f64| -> Vec<usize> {
            let count = |r: &Ranked| (share * r.units() as f64).ceil().max(1.0) as usize;
            let rounded = |r: &Ranked| count(r).next_multiple_of(round).min(r.units());
            ranked.iter().map(rounded).collect()
        };
        let attempt = |counts: &[usize]| {
            attempts.set(attempts.get() + 1);
            let cost = counts.iter().zip(each).map(|(&n, &c)| n as u64 * c).sum();
            Ok((counts.to_vec(), counts.to_vec(), cost))
        };
        let filling = Filling {
            ranked: &ranked,
            share: &share,
            attempt: &attempt,
            round,
            limit,
            above: None,
        };
        let filled = filling.go().unwrap();
        (filled.best, filled.above, attempts.get())
    }

    #[test]
    fn coarse_groups_leave_room_for_fine_ones() {
        // Two heads of 40 and ten units of 2 cost 100: an equal share of both leaves one head, and 50.
        let scores: [&[f64]; 2] = [&[1.0, 2.0], &[1.0; 10]];
        let (counts, above, _) = filled(&scores, &[40, 2], 1, 51.0);
        assert_eq!((counts, above), (Some(vec![1, 5]), Some(52)));
        let (counts, _, _) = filled(&scores, &[40, 2], 1, 79.0);
        assert_eq!(counts, Some(vec![1, 10]));
        let (counts, above, _) = filled(&scores, &[40, 2], 1, 41.0);
        assert_eq!((counts, above), (None, Some(42)));
    }

    #[test]
    fn the_best_units_come_back_first_and_what_does_not_fit_is_passed_over() {
        // One unit of each of four groups is an equal share; the other one of the first is worth most, and never fits.
        let scores: [&[f64]; 4] = [&[8.0, 9.0], &[4.0, 5.0], &[5.0, 6.0], &[1.0, 9.0]];
        let (counts, above, _) = filled(&scores, &[10, 3, 3, 3], 1, 23.0);
        assert_eq!((counts, above), (Some(vec![1, 1, 2, 1]), Some(25)));
        let (counts, above, _) = filled(&scores, &[10, 3, 3, 3], 1, 25.0);
        assert_eq!((counts, above), (Some(vec![1, 2, 2, 1]), Some(28)));
    }

    #[test]
    fn groups_lose_the_same_share_before_scores_are_compared() {
        // By scores alone, all of the second group would come back before any but the best of the first.
        let scores: [&[f64]; 2] = [&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0], &[1.0; 8]];
        let (counts, above, _) = filled(&scores, &[1, 1], 1, 8.0);
        assert_eq!((counts, above), (Some(vec![4, 4]), Some(10)));
    }

    #[test]
    fn what_is_close_to_the_limit_is_enough() {
        // An equal share of all is 997 + 1 + 1, a thousandth below.
        let scores: [&[f64]; 3] = [&[1.0], &[1.0; 10], &[1.0; 10]];
        let filled_to = |limit| filled(&scores, &[997, 1, 1], 1, limit).0;
        assert_eq!(filled_to(1000.0), Some(vec![1, 1, 1]));
        assert_eq!(filled_to(1000.5), Some(vec![1, 2, 1]));
    }

    #[test]
    fn the_least_is_tried_once() {
        let scores: [&[f64]; 2] = [&[1.0, 2.0], &[1.0; 10]];
        assert_eq!(filled(&scores, &[40, 2], 1, 41.0), (None, Some(42), 1));
    }

    #[test]
    fn units_come_back_in_multiples() {
        let scores: [&[f64]; 2] = [&[1.0; 32], &[1.0; 20]];
        let (counts, _, _) = filled(&scores, &[3, 1], 8, 80.0);
        assert_eq!(counts, Some(vec![16, 20]));
    }

    #[test]
    fn hundreds_of_groups_take_few_attempts() {
        let units: Vec<f64> = (0..64).map(f64::from).collect();
        let scores = vec![units.as_slice(); 300];
        let each: Vec<u64> = (0..300).map(|i| 1000 + 7 * i).collect();
        let whole: u64 = each.iter().map(|c| 64 * c).sum();
        let limit = 0.509 * whole as f64;
        let (counts, _, attempts) = filled(&scores, &each, 1, limit);
        let counts = counts.unwrap().into_iter();
        let cost: u64 = counts.zip(&each).map(|(n, c)| n as u64 * c).sum();
        assert!(
            cost as f64 <= limit && cost as f64 > 0.998 * limit,
            "{cost} of {whole}"
        );
        assert!(attempts < 30, "{attempts}");
    }

    #[test]
    fn groups_that_get_nothing_back_take_one_attempt_each() {
        let scores: [&[f64]; 41] = std::array::from_fn(|_| [1.0; 64].as_slice());
        // A unit of each is 41 thousand of 2.6 million; the last 900 are too few for another one.
        let (counts, _, attempts) = filled(&scores, &[1000; 41], 1, 41_900.0);
        assert_eq!(counts, Some(vec![1; 41]));
        assert!((13 + 41..13 + 50).contains(&attempts), "{attempts}");
    }

    #[test]
    fn what_is_much_less_than_asked_for_is_told() {
        let filled = |cost| Filled {
            best: Some(()),
            cost,
            above: Some(540),
        };
        assert_eq!(filled(481).nearest("MACs", 0.5, 1000), None);
        assert_eq!(filled(480).nearest("MACs", 0.5, 1000), None);
        let told = filled(312).nearest("MACs", 0.5, 1000).unwrap().to_string();
        assert!(
            told.ends_with("the nearest shares found are 31.2 % and 54.0 %"),
            "{told}"
        );
    }
}
