//! Which arms are set against which: a part against the full one, seed by seed.

use super::arm::{Arm, Role};
use super::cell::{Cell, Measured};
use super::store::Comparison;

/// A part and the full part that it is compared with, on one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<'a> {
    /// Of the data.
    pub data: &'a str,
    /// Share of the dense MACs at which both were run, if they were.
    pub at: Option<f64>,
    /// The partial arm.
    pub partial: &'a Arm,
    /// The full arm.
    pub full: &'a Arm,
    /// Both, for every seed that has both.
    pub seeds: Vec<(&'a Cell, &'a Cell)>,
}

impl Pair<'_> {
    /// Some number of the partial arm and the same of the full one, seed by seed.
    pub fn values(&self, of: impl Fn(&Measured) -> f64) -> Vec<(f64, f64)> {
        self.seeds
            .iter()
            .filter_map(|(p, f)| Some((of(p.measured()?), of(f.measured()?))))
            .collect()
    }

    /// Whether both ran alone on the machine for every seed.
    pub fn alone(&self) -> bool {
        let alone = |c: &Cell| c.measured().is_some_and(|m| m.alone);
        !self.seeds.is_empty() && self.seeds.iter().all(|(p, f)| alone(p) && alone(f))
    }
}

/// Every partial arm with the full arms that differ from it in the part alone, or in the number of epochs too.
pub fn pairs(comparison: &Comparison) -> Vec<Pair<'_>> {
    let cells = &comparison.cells;
    let mut pairs: Vec<Pair<'_>> = vec![];
    for partial in cells.iter().filter(|c| is_partial(&c.unit.arm)) {
        for full in cells {
            let (p, f) = (&partial.unit, &full.unit);
            if (p.data == f.data && p.seed == f.seed && p.at == f.at) && is_full_of(&p.arm, &f.arm)
            {
                let known = pairs.iter_mut().find(|pair| {
                    pair.data == p.data
                        && pair.at == p.at
                        && *pair.partial == p.arm
                        && *pair.full == f.arm
                });
                match known {
                    Some(pair) => pair.seeds.push((partial, full)),
                    None => pairs.push(Pair {
                        data: &p.data,
                        at: p.at,
                        partial: &p.arm,
                        full: &f.arm,
                        seeds: vec![(partial, full)],
                    }),
                }
            }
        }
    }
    pairs
}

fn is_partial(arm: &Arm) -> bool {
    arm.role == Role::Penalised && arm.choices.get("part").is_some_and(|p| p != "full")
}

fn is_full_of(partial: &Arm, full: &Arm) -> bool {
    let rest = |arm: &Arm| {
        let mut choices = arm.choices.clone();
        choices.retain(|key, _| key != "part" && key != "epochs");
        choices
    };
    full.role == Role::Penalised
        && full.choices.get("part").is_some_and(|p| p == "full")
        && rest(partial) == rest(full)
}
