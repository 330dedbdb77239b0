//! One quantity of a comparison over all its data sets: an arm a row, a data set a column.

use super::arm::Role;
use super::cell::{Cell, Measured};
use super::claims::{bounds, of_pair, score_gain, signed};
use super::floor::of_group as floor;
use super::groups::{Group, dense_macs, groups, percent, spread};
use super::pairs::{Pair, pairs};
use super::store::Comparison;
use super::tables::Table;
use crate::markdown::grouped;
use crate::statistics::{Finding, Interval};
use crate::{Error, Result};

/// What an overview shows of each arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Accuracy or RMSE on the test rows.
    TestScore,
    /// The same on the training rows.
    TrainScore,
    /// MACs of the dense network over those left.
    Reduction,
    /// MACs that the part leaves whatever the strength.
    Floor,
    /// Share of the weights left that are exactly zero.
    ZeroWeights,
    /// Of a run.
    Seconds,
    /// Gain on test rows over the dense network that the arm starts from.
    GainOverDense,
    /// Gain on test rows over a dense network narrowed to as many MACs.
    GainOverNarrowed,
    /// Gain of a part over the full penalty on test rows.
    GainOverFull,
    /// The same on training rows.
    TrainGainOverFull,
    /// Time of a run under a part over that under the full penalty.
    TimeOverFull,
}

const NAMES: [(Quantity, &str); 11] = [
    (Quantity::TestScore, "test score"),
    (Quantity::TrainScore, "training score"),
    (Quantity::Reduction, "dense MACs / MACs"),
    (Quantity::Floor, "floor"),
    (Quantity::ZeroWeights, "zero weights"),
    (Quantity::Seconds, "seconds"),
    (Quantity::GainOverDense, "gain over dense"),
    (Quantity::GainOverNarrowed, "gain over narrowed dense"),
    (Quantity::GainOverFull, "gain over full"),
    (Quantity::TrainGainOverFull, "training gain over full"),
    (Quantity::TimeOverFull, "time over full"),
];

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = NAMES.iter().find(|(quantity, _)| quantity == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl std::str::FromStr for Quantity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = NAMES.iter().find(|(_, name)| *name == text);
        known.map(|(quantity, _)| *quantity).ok_or_else(|| {
            let names = NAMES.map(|(_, name)| name).join(", ");
            Error::usage(format!("'{text}' is no quantity of a comparison"))
                .hint(format!("one of {names}"))
        })
    }
}

impl Quantity {
    fn note(self) -> &'static str {
        match self {
            Self::TestScore | Self::TrainScore => {
                "Accuracy in per cent, or RMSE in the target's units: mean ± standard deviation over seeds."
            }
            Self::Reduction => {
                "MACs of the dense network over those left, removed inputs included: mean ± standard deviation over seeds."
            }
            Self::Floor => {
                "MACs of the hidden units that a part spares from the penalty whatever the strength, or of one a layer, with one input."
            }
            Self::ZeroWeights => {
                "Exact zeros among the weights left, %: mean ± standard deviation over seeds."
            }
            Self::Seconds => "Mean ± standard deviation over seeds.",
            Self::GainOverDense
            | Self::GainOverNarrowed
            | Self::GainOverFull
            | Self::TrainGainOverFull => {
                "Paired by seed, mean and 95 % interval: points of accuracy, or per cent less error; above 0 is better. \
                 ▲ shown to be better, ▼ shown to be worse (at least five seeds, the interval without 0); of twenty \
                 differences without substance one is marked by chance."
            }
            Self::TimeOverFull => {
                "Paired by seed, geometric mean and 95 % interval; below 1 is faster. ▲ shown to be faster, ▼ shown to be \
                 slower; only runs that were alone on the machine are judged."
            }
        }
    }
}

/// One quantity of every arm on every data set.
pub fn overview(comparison: &Comparison, quantity: Quantity) -> Table {
    let measured = |name: &&str| comparison.cells.iter().any(|c| c.unit.data == *name);
    let all = comparison.head.data.iter().map(|d| d.name.as_str());
    let names: Vec<&str> = all.filter(measured).collect();
    let mut rows = Rows::default();
    match quantity {
        Quantity::GainOverFull | Quantity::TrainGainOverFull | Quantity::TimeOverFull => {
            for pair in pairs(comparison) {
                rows.put(&pair_name(&pair), pair.data, against_full(&pair, quantity));
            }
            rows.0.sort();
        }
        _ => {
            for name in &names {
                let groups = groups(comparison, name);
                for group in &groups {
                    if let Some(text) = of_group(comparison, group, &groups, quantity) {
                        rows.put(&group.name(), name, text);
                    }
                }
            }
        }
    }
    Table {
        title: quantity.to_string(),
        note: quantity.note().into(),
        header: std::iter::once("arm")
            .chain(names.iter().copied())
            .map(str::to_owned)
            .collect(),
        rows: rows.filled(&names),
    }
}

/// Rows by name, each with a text for some data sets.
#[derive(Default)]
struct Rows(Vec<(String, Vec<(String, String)>)>);

impl Rows {
    fn put(&mut self, name: &str, data: &str, text: String) {
        let cell = (data.to_owned(), text);
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, cells)) => cells.push(cell),
            None => self.0.push((name.to_owned(), vec![cell])),
        }
    }

    fn filled(self, data: &[&str]) -> Vec<Vec<String>> {
        let row = |(name, cells): (String, Vec<(String, String)>)| {
            let text = |data: &&str| {
                let cell = cells.iter().find(|(d, _)| d == data);
                cell.map_or("-".to_owned(), |(_, text)| text.clone())
            };
            std::iter::once(name.clone())
                .chain(data.iter().map(text))
                .collect()
        };
        self.0.into_iter().map(row).collect()
    }
}

fn of_group(
    comparison: &Comparison,
    group: &Group<'_>,
    all: &[Group<'_>],
    quantity: Quantity,
) -> Option<String> {
    if quantity == Quantity::Floor {
        let least = comparison.head.shared.floor.unwrap_or(1);
        return floor(group, least).map(grouped);
    }
    if let (true, Some(why)) = (group.measured().is_empty(), group.failures()) {
        return Some(why);
    }
    let penalised = group.arm.role == Role::Penalised;
    let removes = !penalised || group.arm.removes_units();
    let against = |other: &dyn Fn(&Cell) -> Option<f64>| {
        let gain = |cell: &&Cell| {
            let higher = cell.higher_is_better();
            Some(score_gain(higher, cell.measured()?.test, other(cell)?))
        };
        let gains: Vec<f64> = group.cells.iter().filter_map(gain).collect();
        let interval = Interval::of(&gains);
        (!gains.is_empty()).then(|| signed(&interval) + mark(interval.above(0.0)))
    };
    match quantity {
        Quantity::TestScore => Some(group.score(|m| m.test)),
        Quantity::TrainScore => Some(group.score(|m| m.train)),
        Quantity::Reduction if !removes => Some("unchanged".into()),
        Quantity::Reduction => {
            let dense = dense_macs(all);
            Some(spread(&group.values(|m| dense / m.macs as f64), |v| {
                format!("{v:.1}")
            }))
        }
        Quantity::ZeroWeights => {
            let share = |m: &Measured| 100.0 * m.zero_weights as f64 / m.weights.max(1) as f64;
            Some(spread(&group.values(share), |v| format!("{v:.1}")))
        }
        Quantity::Seconds => Some(spread(&group.values(|m| m.seconds.total), |v| {
            format!("{v:.2}")
        })),
        Quantity::GainOverDense if group.arm.role != Role::Dense => {
            against(&|cell| beside(comparison, cell, Role::Dense))
        }
        Quantity::GainOverNarrowed if penalised => against(&|cell| match cell.unit.at {
            Some(_) => beside(comparison, cell, Role::Narrow),
            None => cell.measured()?.narrow_test,
        }),
        _ => None,
    }
}

/// The test score of the dense or narrowed network that stands beside a cell.
fn beside(comparison: &Comparison, cell: &Cell, role: Role) -> Option<f64> {
    let unit = &cell.unit;
    let bare = unit.arm.bare();
    let is = |c: &&Cell| {
        let other = &c.unit;
        other.arm.role == role
            && other.data == unit.data
            && other.seed == unit.seed
            && (role == Role::Dense || other.at == unit.at)
            && other.arm.bare() == bare
    };
    comparison.cells.iter().find(is)?.measured().map(|m| m.test)
}

fn pair_name(pair: &Pair<'_>) -> String {
    let mut name = pair.partial.label();
    let epochs = |arm: &super::Arm| arm.choices.get("epochs").cloned();
    match epochs(pair.full) {
        Some(full) if epochs(pair.partial).as_ref() != Some(&full) => {
            name += &format!(" against full, epochs {full}");
        }
        _ => {}
    }
    if let Some(at) = pair.at {
        name += &format!(", {} %", percent(at));
    }
    name
}

fn against_full(pair: &Pair<'_>, quantity: Quantity) -> String {
    let [time, test, train] = of_pair(pair);
    let claim = match quantity {
        Quantity::TimeOverFull => time,
        Quantity::TrainGainOverFull => train,
        _ => test,
    };
    if claim.interval.count == 0 {
        return "-".into();
    }
    let numbers = match quantity {
        Quantity::TimeOverFull => bounds(&claim.interval, 2),
        _ => signed(&claim.interval),
    };
    numbers + mark(claim.finding)
}

fn mark(finding: Finding) -> &'static str {
    match finding {
        Finding::Shown => " ▲",
        Finding::Opposite => " ▼",
        Finding::NotShown => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::comparison;
    use super::*;

    #[test]
    fn an_arm_is_a_row_and_data_without_cells_no_column() {
        let table = overview(&comparison(), Quantity::TestScore);
        assert_eq!(table.header, ["arm", "a", "b"]);
        assert_eq!(table.rows[0], ["dense", "90.00 ± 0.00", "90.00 ± 0.00"]);
        assert_eq!(table.rows[1][1], "91.02 ± 0.02");
        assert_eq!(
            table.rows[2],
            ["group-lasso, spare-last:8", "diverged", "90.00 ± 0.00"]
        );
    }

    #[test]
    fn gains_are_paired_with_what_stands_beside() {
        let row = |quantity: &str, i: usize| {
            let table = overview(&comparison(), quantity.parse().unwrap());
            table.rows[i].clone()
        };
        let full = "group-lasso, full";
        assert_eq!(
            row("gain over dense", 0),
            [full, "+1.02 [+1.00, +1.04] ▲", "+1.02 [+1.00, +1.04] ▲"]
        );
        assert_eq!(
            row("gain over narrowed dense", 0)[1],
            "+2.00 [+2.00, +2.00] ▲"
        );
        let part = row("gain over full", 0);
        assert_eq!(
            part,
            ["group-lasso, spare-last:8", "-", "-1.02 [-1.04, -1.00] ▼"]
        );
        assert!("gain".parse::<Quantity>().is_err());
    }

    #[test]
    fn every_quantity_has_a_name_that_is_read_back() {
        for (quantity, name) in NAMES {
            assert_eq!(name.parse::<Quantity>().unwrap(), quantity);
            assert_eq!(quantity.to_string(), name);
        }
    }
}
