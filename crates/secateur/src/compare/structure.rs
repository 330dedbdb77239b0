//! Which widths survive, from several starts: does a data set want a size of its own?

use super::agreement::agreement;
use super::arm::{Arm, Choices, Role};
use super::cell::{Cell, Measured};
use super::grid::Unit;
use super::groups::{Group, average, groups, spread};
use super::store::Comparison;
use super::tables::Table;
use crate::markdown::grouped;
use crate::statistics::mean;

/// The key that starts differ in.
const NET: &str = "net";

/// Dense networks of the widths that each finished penalised cell was left with, to be trained from
/// scratch: is it the widths that matter, or how they were come by?
pub fn retraining(comparison: &Comparison) -> Vec<Unit> {
    let mut units: Vec<Unit> = vec![];
    for cell in survivors(&comparison.cells) {
        let Some(measured) = cell.measured() else {
            continue;
        };
        let net = joined(&measured.units[1..]);
        let choices = Choices::from([
            (NET.to_owned(), net),
            ("penalty".to_owned(), "none".to_owned()),
        ]);
        let unit = Unit {
            data: cell.unit.data.clone(),
            arm: Arm::new(choices),
            at: None,
            seed: cell.unit.seed,
        };
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    units
}

/// The tables of `structure`: what survived from every start, and whether starts agree.
pub fn structure_tables(comparison: &Comparison) -> Vec<Table> {
    let mut tables: Vec<Table> = comparison
        .head
        .data
        .iter()
        .map(|data| survived(comparison, &data.name))
        .filter(|table| !table.rows.is_empty())
        .collect();
    tables.push(agreement(comparison));
    tables
}

/// Starts agree on a size if the MACs that they end at differ by less than this factor.
const AGREEMENT: f64 = 1.5;

/// The size that a data set wants, if it wants one.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Name of the data.
    pub data: String,
    /// Units of each hidden layer: geometric means over starts and seeds.
    pub widths: Vec<usize>,
    /// Least and most MACs a row that a start ends at: geometric means over seeds.
    pub macs: (u64, u64),
}

impl Wanted {
    /// Whether all starts end at about as many MACs.
    pub fn is_one_size(&self) -> bool {
        (self.macs.1 as f64) < AGREEMENT * self.macs.0 as f64
    }

    fn of(comparison: &Comparison, data: &str) -> Option<Self> {
        let cells: Vec<&Cell> = survivors(&comparison.cells)
            .filter(|c| c.unit.data == data)
            .collect();
        let depth = cells.first()?.measured()?.units.len();
        let layer = |l: usize| {
            let logs: Vec<f64> = cells.iter().map(|c| log_width(c, l)).collect();
            mean(&logs).exp2().round() as usize
        };
        let starts = by_start(&cells).into_iter().map(|cells| {
            let logs: Vec<f64> = cells.into_iter().map(log_macs).collect();
            mean(&logs).exp2().round() as u64
        });
        let starts: Vec<u64> = starts.collect();
        Some(Self {
            data: data.to_owned(),
            widths: (1..depth).map(layer).collect(),
            macs: (*starts.iter().min()?, *starts.iter().max()?),
        })
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { data, macs, .. } = self;
        let (low, high) = (grouped(macs.0), grouped(macs.1));
        match self.is_one_size() {
            true => write!(
                f,
                "{data} wants about {}: {low} to {high} MACs are left from every start",
                joined(&self.widths)
            ),
            false => write!(
                f,
                "{data} wants no one size: {low} to {high} MACs are left, depending on the start"
            ),
        }
    }
}

/// The size that each data set wants.
pub fn wanted(comparison: &Comparison) -> Vec<Wanted> {
    let names = comparison.head.data.iter();
    names
        .filter_map(|data| Wanted::of(comparison, &data.name))
        .collect()
}

pub(super) fn survivors(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    cells
        .iter()
        .filter(|c| c.unit.arm.role == Role::Penalised && c.measured().is_some())
}

fn joined(widths: &[usize]) -> String {
    let text: Vec<String> = widths.iter().map(ToString::to_string).collect();
    text.join("-")
}

pub(super) fn log_width(cell: &Cell, layer: usize) -> f64 {
    cell.measured()
        .map_or(f64::NAN, |m| (m.units[layer] as f64).log2())
}

pub(super) fn log_macs(cell: &Cell) -> f64 {
    cell.measured().map_or(f64::NAN, |m| (m.macs as f64).log2())
}

/// The cells of one data set, start by start.
pub(super) fn by_start<'a>(cells: &[&'a Cell]) -> Vec<Vec<&'a Cell>> {
    let net = |c: &Cell| c.unit.arm.choices.get(NET).cloned();
    let mut nets: Vec<Option<String>> = cells.iter().map(|c| net(c)).collect();
    nets.sort_unstable();
    nets.dedup();
    let of = |start: Option<String>| cells.iter().copied().filter(|c| net(c) == start).collect();
    nets.into_iter().map(of).collect()
}

fn survived(comparison: &Comparison, data: &str) -> Table {
    let groups = groups(comparison, data);
    let higher = comparison
        .cells
        .iter()
        .any(|c| c.unit.data == data && c.higher_is_better());
    let metric = if higher { "accuracy, %" } else { "RMSE" };
    let start = |g: &Group<'_>| g.arm.choices.get(NET).cloned().unwrap_or_default();
    let rows = groups
        .iter()
        .filter(|g| g.arm.role == Role::Penalised)
        .map(|g| {
            let dense = groups
                .iter()
                .find(|d| d.arm.role == Role::Dense && start(d) == start(g));
            let again = Group {
                arm: g.arm,
                at: None,
                cells: g
                    .cells
                    .iter()
                    .filter_map(|cell| {
                        let net = joined(&cell.measured()?.units[1..]);
                        let is = |c: &&Cell| {
                            c.unit.arm.role == Role::Dense
                                && c.unit.data == data
                                && c.unit.seed == cell.unit.seed
                                && c.unit.arm.choices.get(NET) == Some(&net)
                        };
                        comparison.cells.iter().find(is)
                    })
                    .collect(),
            };
            vec![
                start(g),
                survivors_text(&g.measured()),
                average(&g.values(|m| m.macs as f64), |v| grouped(v.round() as u64)),
                dense.map_or("-".into(), |d| d.score(|m| m.test)),
                g.score(|m| m.test),
                again.score(|m| m.test),
            ]
        });
    Table {
        title: data.to_owned(),
        note: "Mean ± standard deviation over seeds. Retrained: a dense network of the surviving widths that \
               reads all inputs, from new weights."
            .into(),
        header: [
            "start".to_owned(),
            "inputs read, units left".to_owned(),
            "MACs".to_owned(),
            format!("dense start, test {metric}"),
            "compressed".to_owned(),
            "retrained".to_owned(),
        ]
        .to_vec(),
        rows: rows.collect(),
    }
}

fn survivors_text(measured: &[&Measured]) -> String {
    let depth = measured.first().map_or(0, |m| m.units.len());
    let layer = |l: usize| {
        let widths: Vec<f64> = measured.iter().map(|m| m.units[l] as f64).collect();
        spread(&widths, |v| format!("{v:.0}"))
    };
    (0..depth).map(layer).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::cell::Outcome;
    use super::super::grid::Grid;
    use super::super::store::Head;
    use super::super::testing::measured;
    use super::*;
    use crate::Config;

    fn cell(data: &str, net: &str, macs: u64) -> Cell {
        let choices = [("net", net), ("part", "full"), ("penalty", "group-lasso")];
        let choices = choices.map(|(k, v)| (k.to_owned(), v.to_owned()));
        Cell {
            unit: Unit {
                data: data.into(),
                arm: Arm::new(choices.into()),
                at: None,
                seed: 0,
            },
            fingerprint: String::new(),
            metric: "accuracy".into(),
            result: Outcome::Done(Box::new(Measured {
                units: vec![10, (macs / 100) as usize],
                macs,
                ..measured()
            })),
        }
    }

    #[test]
    fn data_want_a_size_only_if_starts_agree_on_it() {
        let grid = Grid {
            shared: Config::default(),
            data: vec!["a=x".parse().unwrap(), "b=y".parse().unwrap()],
            arms: vec![],
            seeds: 1,
            at: vec![],
        };
        let comparison = Comparison {
            head: Head::of(&grid),
            cells: vec![
                cell("a", "20", 2_000),
                cell("a", "40", 2_880),
                cell("b", "20", 2_000),
                cell("b", "40", 3_100),
            ],
        };
        let told: Vec<String> = wanted(&comparison)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "a wants about 24: 2,000 to 2,880 MACs are left from every start",
                "b wants no one size: 2,000 to 3,100 MACs are left, depending on the start",
            ]
        );
        let agreement = structure_tables(&comparison).pop().unwrap();
        assert_eq!(agreement.rows.len(), 3);
        assert_eq!(agreement.rows[2][0], "MACs of all");
    }
}
