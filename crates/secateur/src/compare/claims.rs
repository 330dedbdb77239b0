//! What the pairs say of the claims: less time, a better score on test rows and on training rows.

use super::cell::Cell;
use super::pairs::{Pair, pairs};
use super::store::Comparison;
use crate::statistics::{Finding, Interval, sign_test};

/// One claim about one pair of arms on one data set, with what the numbers say.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Of the data.
    pub data: String,
    /// Share of the dense MACs at which both were run, if they were.
    pub at: Option<f64>,
    /// What is claimed: `less time`, `better test score`, `better training score`.
    pub claim: &'static str,
    /// The partial and the full arm.
    pub arms: (String, String),
    /// Whether it is shown.
    pub finding: Finding,
    /// Ratio (of times) or difference (of scores: points, or per cent of the full arm's error; more is
    /// better).
    pub interval: Interval,
    /// The verdict: `less time: not shown, 1.00 [0.98, 1.02]`.
    pub words: String,
    /// What test rows say within each seed, where the claim is on them and classes are predicted.
    pub within_seeds: Option<WithinSeeds>,
}

/// In how many seeds the test rows themselves show a difference: McNemar's test at 5 %. It speaks of the two networks
/// at hand, not of the methods that they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WithinSeeds {
    /// The partial arm's network is better.
    pub better: usize,
    /// It is worse.
    pub worse: usize,
    /// Seeds that were looked at.
    pub of: usize,
}

/// Probability below which rows show a difference.
const LEVEL: f64 = 0.05;

impl WithinSeeds {
    fn of(pair: &Pair<'_>) -> Option<Self> {
        let rows = |c: &Cell| c.measured()?.right_rows.clone();
        let mut counts = Self::default();
        for (partial, full) in &pair.seeds {
            let Some((partial, full)) = rows(partial).zip(rows(full)) else {
                continue;
            };
            let Some((only_partial, only_full, p)) = partial.against(&full) else {
                continue;
            };
            counts.of += 1;
            counts.better += usize::from(p < LEVEL && only_partial > only_full);
            counts.worse += usize::from(p < LEVEL && only_partial < only_full);
        }
        (counts.of > 0).then_some(counts)
    }
}

impl std::fmt::Display for WithinSeeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "better in {}, worse in {} of {}",
            self.better, self.worse, self.of
        )
    }
}

/// Every claim about every pair.
pub fn claims(comparison: &Comparison) -> Vec<Claim> {
    pairs(comparison).iter().flat_map(of_pair).collect()
}

pub(super) fn of_pair(pair: &Pair<'_>) -> [Claim; 3] {
    let mut test = score(pair, "better test score", |m| m.test);
    test.within_seeds = WithinSeeds::of(pair);
    if let Some(within) = &test.within_seeds {
        test.words += &format!("; by the rows within a seed: {within}");
    }
    [
        time(pair),
        test,
        score(pair, "better training score", |m| m.train),
    ]
}

fn time(pair: &Pair<'_>) -> Claim {
    let ratios: Vec<f64> = pair
        .values(|m| m.seconds.total)
        .iter()
        .map(|(partial, full)| partial / full)
        .collect();
    let interval = Interval::of_ratios(&ratios);
    let finding = match pair.alone() {
        true => interval.below(1.0),
        false => Finding::NotShown,
    };
    let mut words = format!(
        "less time: {}, {} times",
        verdict(finding),
        bounds(&interval, 2)
    );
    if !pair.alone() {
        words += " (not judged: other runs went on at the same time)";
    } else {
        words += &caveat(
            &interval,
            &ratios.iter().map(|r| r.ln()).collect::<Vec<_>>(),
        );
    }
    claim(pair, "less time", finding, interval, words)
}

fn score(pair: &Pair<'_>, name: &'static str, of: impl Fn(&super::Measured) -> f64) -> Claim {
    let higher = pair
        .seeds
        .first()
        .is_some_and(|(p, _)| p.higher_is_better());
    let gain = |&(partial, full): &(f64, f64)| score_gain(higher, partial, full);
    let gains: Vec<f64> = pair.values(of).iter().map(gain).collect();
    let interval = Interval::of(&gains);
    let finding = interval.above(0.0);
    let unit = if higher { "points" } else { "% less error" };
    let words = format!(
        "{name}: {}, {} {unit}{}",
        verdict(finding),
        signed(&interval),
        caveat(&interval, &gains)
    );
    claim(pair, name, finding, interval, words)
}

/// By how much one score is better than another: points of accuracy, or per cent less error.
pub(super) fn score_gain(higher_is_better: bool, this: f64, other: f64) -> f64 {
    match higher_is_better {
        true => 100.0 * (this - other),
        false => 100.0 * (other - this) / other,
    }
}

fn claim(
    pair: &Pair<'_>,
    name: &'static str,
    finding: Finding,
    interval: Interval,
    words: String,
) -> Claim {
    Claim {
        data: pair.data.to_owned(),
        at: pair.at,
        claim: name,
        arms: (pair.partial.label(), pair.full.label()),
        finding,
        interval,
        words,
        within_seeds: None,
    }
}

fn verdict(finding: Finding) -> &'static str {
    match finding {
        Finding::Shown => "shown",
        Finding::Opposite => "the opposite is shown",
        Finding::NotShown => "not shown",
    }
}

/// What too few seeds can say.
fn caveat(interval: &Interval, differences: &[f64]) -> String {
    match interval.count {
        0 => " (no seed has both)".to_owned(),
        n if n < crate::statistics::LEAST_PAIRS => {
            format!(
                " ({n} seeds show nothing; sign test p = {:.2})",
                sign_test(differences)
            )
        }
        _ => String::new(),
    }
}

/// `1.00 [0.98, 1.02]`; without bounds for one pair.
pub(super) fn bounds(interval: &Interval, digits: usize) -> String {
    let Interval {
        mean, low, high, ..
    } = interval;
    match interval.count {
        0 => "-".to_owned(),
        1 => format!("{mean:.digits$}"),
        _ => format!("{mean:.digits$} [{low:.digits$}, {high:.digits$}]"),
    }
}

/// `+0.12 [-0.03, +0.27]`; without bounds for one pair.
pub(super) fn signed(interval: &Interval) -> String {
    let Interval {
        mean, low, high, ..
    } = interval;
    match interval.count {
        0 => "-".to_owned(),
        1 => format!("{mean:+.2}"),
        _ => format!("{mean:+.2} [{low:+.2}, {high:+.2}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arm::Arm;
    use super::super::cell::{Measured, Outcome};
    use super::super::grid::{Grid, Unit};
    use super::super::store::{Comparison, Head};
    use super::super::testing::measured;
    use super::*;
    use crate::{Config, RightRows, Seconds};

    fn cell(part: &str, seed: u64, metric: &str, test: f64, seconds: f64, alone: bool) -> Cell {
        let choices = [("penalty", "group-lasso"), ("part", part)];
        let choices = choices.map(|(k, v)| (k.to_owned(), v.to_owned()));
        Cell {
            unit: Unit {
                data: "d".into(),
                arm: Arm::new(choices.into()),
                at: None,
                seed,
            },
            fingerprint: String::new(),
            metric: metric.into(),
            result: Outcome::Done(Box::new(Measured {
                test,
                train: test,
                seconds: Seconds {
                    total: seconds,
                    ..measured().seconds
                },
                alone,
                ..measured()
            })),
        }
    }

    fn judged(metric: &str, seeds: u64, alone: bool) -> Vec<Claim> {
        let noise = |seed: u64| 1e-3 * (seed % 3) as f64;
        let full =
            (0..seeds).map(|s| cell("full", s, metric, 0.90 + noise(s), 10.0 + noise(s), alone));
        let part = (0..seeds).map(|s| {
            cell(
                "spare-last:8",
                s,
                metric,
                0.88,
                8.0 + 10.0 * noise(s),
                alone,
            )
        });
        claims(&comparison(seeds, full.chain(part).collect()))
    }

    fn comparison(seeds: u64, cells: Vec<Cell>) -> Comparison {
        let grid = Grid {
            shared: Config::default(),
            data: vec![],
            arms: vec![],
            seeds,
            at: vec![],
        };
        Comparison {
            head: Head::of(&grid),
            cells,
        }
    }

    #[test]
    fn the_verdict_follows_from_the_numbers() {
        let claims = judged("accuracy", 5, true);
        assert_eq!(claims.len(), 3);
        assert_eq!(claims[0].words, "less time: shown, 0.80 [0.80, 0.80] times");
        assert_eq!(claims[0].arms.1, "group-lasso, full");
        assert_eq!(
            claims[1].words,
            "better test score: the opposite is shown, -2.08 [-2.18, -1.98] points"
        );
        let errors = judged("rmse", 5, true);
        assert_eq!(errors[1].finding, Finding::Shown);
        assert!(
            errors[1].words.ends_with("% less error"),
            "{}",
            errors[1].words
        );
    }

    #[test]
    fn rows_are_told_of_where_cells_have_them() {
        let right = |count: usize| RightRows::new((0..100).map(|row| row < count).collect());
        let mut cells = vec![];
        for (seed, (partial, full)) in [(90, 60), (60, 90), (75, 74)].into_iter().enumerate() {
            for (part, count) in [("spare-last:8", partial), ("full", full)] {
                let score = f64::from(count) / 100.0;
                let mut cell = cell(part, seed as u64, "accuracy", score, 1.0, false);
                if let Outcome::Done(measured) = &mut cell.result {
                    measured.right_rows = Some(right(count as usize));
                }
                cells.push(cell);
            }
        }
        let claims = claims(&comparison(3, cells));
        assert_eq!(claims[0].within_seeds, None);
        assert!(
            claims[1].words.ends_with("better in 1, worse in 1 of 3"),
            "{}",
            claims[1].words
        );
    }

    #[test]
    fn times_of_crowded_runs_and_few_seeds_show_nothing() {
        let crowded = judged("accuracy", 5, false);
        assert_eq!(crowded[0].finding, Finding::NotShown);
        assert!(
            crowded[0].words.contains("not judged"),
            "{}",
            crowded[0].words
        );
        let few = judged("accuracy", 4, true);
        assert!(few.iter().all(|c| c.finding == Finding::NotShown));
        assert!(
            few[1]
                .words
                .ends_with("(4 seeds show nothing; sign test p = 0.13)"),
            "{}",
            few[1].words
        );
    }
}
