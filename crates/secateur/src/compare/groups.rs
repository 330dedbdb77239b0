//! The cells of one arm on one data set, and how their numbers are printed.

use super::arm::Arm;
use super::cell::{Cell, Measured, Outcome};
use super::store::Comparison;
use crate::markdown::{grouped, significant};
use crate::statistics::{deviation, mean};

/// One arm on one data set at one share: its cells, one a seed.
pub(super) struct Group<'a> {
    pub(super) arm: &'a Arm,
    pub(super) at: Option<f64>,
    pub(super) cells: Vec<&'a Cell>,
}
pub(super) fn groups<'a>(comparison: &'a Comparison, data: &str) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = vec![];
    for cell in comparison.cells.iter().filter(|c| c.unit.data == data) {
        let unit = &cell.unit;
        match groups
            .iter_mut()
            .find(|g| *g.arm == unit.arm && g.at == unit.at)
        {
            Some(group) => group.cells.push(cell),
            None => groups.push(Group {
                arm: &unit.arm,
                at: unit.at,
                cells: vec![cell],
            }),
        }
    }
    // Largest share first; within it dense, narrowed, then by name, so that order of finishing does not show.
    groups.sort_by(|a, b| {
        let share = |g: &Group<'_>| g.at.unwrap_or(2.0);
        share(b)
            .total_cmp(&share(a))
            .then_with(|| a.arm.role.cmp(&b.arm.role))
            .then_with(|| is_full(b.arm).cmp(&is_full(a.arm)))
            .then_with(|| a.arm.label().cmp(&b.arm.label()))
    });
    groups
}

fn is_full(arm: &Arm) -> bool {
    arm.choices.get("part").is_some_and(|p| p == "full")
}

impl Group<'_> {
    pub(super) fn measured(&self) -> Vec<&Measured> {
        self.cells.iter().filter_map(|c| c.measured()).collect()
    }

    pub(super) fn values(&self, of: impl Fn(&Measured) -> f64) -> Vec<f64> {
        self.measured().into_iter().map(of).collect()
    }

    pub(super) fn name(&self) -> String {
        match self.at {
            Some(at) => format!("{}, {} %", self.arm.label(), percent(at)),
            None => self.arm.label(),
        }
    }

    /// Mean and deviation of a score, as its metric is printed.
    pub(super) fn score(&self, of: impl Fn(&Measured) -> f64) -> String {
        let values = self.values(of);
        let higher = self.cells.first().is_some_and(|c| c.higher_is_better());
        spread(&values, |v| match higher {
            true => format!("{:.2}", 100.0 * v),
            false => significant(v),
        })
    }

    pub(super) fn name_and_failures(&self) -> String {
        let (all, left) = (self.cells.len(), self.measured().len());
        match self.failures() {
            Some(why) if left == 0 => format!("{}: {why}", self.name()),
            Some(why) => format!("{} ({} of {all} seeds: {why})", self.name(), all - left),
            None => self.name(),
        }
    }

    /// Why some seeds have no network.
    pub(super) fn failures(&self) -> Option<String> {
        let mut words: Vec<String> = vec![];
        for cell in &self.cells {
            let word = match &cell.result {
                Outcome::Done(_) => continue,
                Outcome::NotReachable { floor } => {
                    format!("not reachable (floor {} MACs)", grouped(*floor))
                }
                Outcome::NotReached { .. } => "not reached".to_owned(),
                Outcome::Diverged => "diverged".to_owned(),
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

pub(super) fn spread(values: &[f64], print: impl Fn(f64) -> String) -> String {
    match values.len() {
        0 => "-".to_owned(),
        1 => print(values[0]),
        _ => format!("{} ± {}", print(mean(values)), print(deviation(values))),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.4}", 100.0 * share)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// MACs of the network that arms start from.
pub(super) fn dense_macs(groups: &[Group<'_>]) -> f64 {
    let macs = groups
        .iter()
        .flat_map(Group::measured)
        .map(|m| m.macs_before);
    macs.max().map_or(f64::NAN, |m| m as f64)
}

/// The mean alone.
pub(super) fn average(values: &[f64], print: impl Fn(f64) -> String) -> String {
    match values.is_empty() {
        true => "-".into(),
        false => print(mean(values)),
    }
}

/// Mean widths.
pub(super) fn units(measured: &[&Measured], of: impl Fn(&Measured) -> &[usize]) -> String {
    let Some(first) = measured.first() else {
        return "-".into();
    };
    let width = |l: usize| {
        let widths: Vec<f64> = measured.iter().map(|m| of(m)[l] as f64).collect();
        format!("{:.0}", mean(&widths))
    };
    let layers: Vec<String> = (0..of(first).len()).map(width).collect();
    layers.join("-")
}
