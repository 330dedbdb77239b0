//! What the pairs say of the claims: less time, a better score on test rows and on training rows.

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
}

/// Every claim about every pair.
pub fn claims(comparison: &Comparison) -> Vec<Claim> {
    pairs(comparison).iter().flat_map(of_pair).collect()
}

fn of_pair(pair: &Pair<'_>) -> [Claim; 3] {
    [
        time(pair),
        score(pair, "better test score", |m| m.test),
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
    let gain = |&(partial, full): &(f64, f64)| match higher {
        true => 100.0 * (partial - full),
        false => 100.0 * (full - partial) / full,
    };
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

/// `1.00 [0.98, 1.02]`.
pub(super) fn bounds(interval: &Interval, digits: usize) -> String {
    match interval.low.is_finite() {
        true => format!(
            "{:.digits$} [{:.digits$}, {:.digits$}]",
            interval.mean, interval.low, interval.high
        ),
        false => format!("{:.digits$}", interval.mean),
    }
}

/// `+0.12 [-0.03, +0.27]`.
pub(super) fn signed(interval: &Interval) -> String {
    match interval.low.is_finite() {
        true => format!(
            "{:+.2} [{:+.2}, {:+.2}]",
            interval.mean, interval.low, interval.high
        ),
        false => format!("{:+.2}", interval.mean),
    }
}
