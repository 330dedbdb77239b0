//! Which widths survive, from several starts: does a data set want a size of its own?

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::arm::{Arm, Choices, Role};
use super::cell::{Cell, Measured};
use super::grid::Unit;
use super::groups::{Group, average, groups, spread};
use super::store::Comparison;
use super::tables::Table;
use crate::markdown::grouped;
use crate::statistics::{deviation, mean};

/// The key that starts differ in.
const NET: &str = "net";
/// Probability below which a ratio of variances is taken for more than chance.
const LEVEL: f64 = 0.05;

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

fn survivors(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    cells
        .iter()
        .filter(|c| c.unit.arm.role == Role::Penalised && c.measured().is_some())
}

fn joined(widths: &[usize]) -> String {
    let text: Vec<String> = widths.iter().map(ToString::to_string).collect();
    text.join("-")
}

fn log_width(cell: &Cell, layer: usize) -> f64 {
    cell.measured()
        .map_or(f64::NAN, |m| (m.units[layer] as f64).log2())
}

fn log_macs(cell: &Cell) -> f64 {
    cell.measured().map_or(f64::NAN, |m| (m.macs as f64).log2())
}

/// The cells of one data set, start by start.
fn by_start<'a>(cells: &[&'a Cell]) -> Vec<Vec<&'a Cell>> {
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

/// Layer by layer: by which factor widths differ between seeds, starts and data sets.
fn agreement(comparison: &Comparison) -> Table {
    let cells: Vec<&Cell> = survivors(&comparison.cells).collect();
    let depth = cells
        .iter()
        .filter_map(|c| c.measured())
        .map(|m| m.units.len())
        .min()
        .unwrap_or(0);
    let factor = |deviation: f64| match deviation.is_finite() {
        true => format!("{:.2}", deviation.exp2()),
        false => "-".into(),
    };
    let row = |name: String, spread: Spread| {
        vec![
            name,
            factor(spread.seeds),
            factor(spread.starts),
            factor(spread.data),
            spread.verdict(),
        ]
    };
    let layers = (0..depth).map(|l| {
        let name = match l {
            0 => "inputs".to_owned(),
            _ => format!("hidden layer {l}"),
        };
        row(name, Spread::of(&cells, |c| log_width(c, l)))
    });
    let whole = row("MACs of all".to_owned(), Spread::of(&cells, log_macs));
    Table {
        title: "Do starts agree?".into(),
        note: "Factors of one standard deviation of the logarithm of a layer's width, or of the MACs: between seeds of the same \
               start, between starts on the same data, between data sets. Probabilities are those of F tests \
               against chance."
            .into(),
        header: ["layer", "seeds", "starts", "data sets", "verdict"].map(str::to_owned).to_vec(),
        rows: layers.chain([whole]).collect(),
    }
}

/// Standard deviations of a base-2 logarithm, such as that of a layer's width.
struct Spread {
    seeds: f64,
    starts: f64,
    data: f64,
    /// Probability of starts differing as much by chance, given the seeds.
    chance_of_starts: f64,
    /// Probability of data sets differing as much by chance, given starts and seeds.
    chance_of_data: f64,
}

impl Spread {
    fn of(cells: &[&Cell], logarithm: impl Fn(&Cell) -> f64) -> Self {
        let mut names: Vec<&str> = cells.iter().map(|c| c.unit.data.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let (mut seeds, mut starts, mut all) = (vec![], vec![], vec![]);
        for name in names {
            let of_data = cells.iter().copied().filter(|c| c.unit.data == name);
            let by_start: Vec<Vec<f64>> = by_start(&of_data.collect::<Vec<_>>())
                .into_iter()
                .map(|cells| cells.into_iter().map(&logarithm).collect())
                .collect();
            starts.push(by_start.iter().map(|w| mean(w)).collect::<Vec<f64>>());
            all.push(by_start.concat());
            seeds.extend(by_start);
        }
        let means: Vec<f64> = all.iter().map(|w| mean(w)).collect();
        Self {
            seeds: pooled(&seeds),
            starts: pooled(&starts),
            data: if means.len() > 1 {
                deviation(&means)
            } else {
                f64::NAN
            },
            chance_of_starts: chance(&starts, &seeds),
            chance_of_data: chance(&[means], &all),
        }
    }

    fn verdict(&self) -> String {
        let p = |p: f64| {
            if p < 0.001 {
                "p < 0.001".into()
            } else {
                format!("p = {p:.3}")
            }
        };
        let starts = match self.chance_of_starts {
            c if c.is_nan() => "starts: not judged".into(),
            c if c < LEVEL => format!("starts disagree, {}", p(c)),
            c => format!("no disagreement of starts shown, {}", p(c)),
        };
        let data = match self.chance_of_data {
            c if c.is_nan() => "data sets: not judged".into(),
            c if c < LEVEL => format!("depends on the data, {}", p(c)),
            c => format!("no dependence on the data shown, {}", p(c)),
        };
        format!("{data}; {starts}")
    }
}

/// Degrees of freedom within groups.
fn freedom(groups: &[Vec<f64>]) -> f64 {
    groups
        .iter()
        .map(|g| g.len().saturating_sub(1) as f64)
        .sum()
}

/// Standard deviation within groups.
fn pooled(groups: &[Vec<f64>]) -> f64 {
    let squares = |g: &Vec<f64>| {
        let centre = mean(g);
        g.iter().map(|v| (v - centre).powi(2)).sum::<f64>()
    };
    (groups.iter().map(squares).sum::<f64>() / freedom(groups)).sqrt()
}

/// Probability that means vary as much as `means` by chance, given the scatter `within` the groups that they are of.
fn chance(means: &[Vec<f64>], within: &[Vec<f64>]) -> f64 {
    let size = within.iter().map(|g| g.len() as f64).sum::<f64>() / within.len().max(1) as f64;
    let ratio = size * (pooled(means) / pooled(within)).powi(2);
    match FisherSnedecor::new(freedom(means), freedom(within)) {
        Ok(f) if ratio.is_finite() => f.sf(ratio),
        Ok(_) | Err(_) => f64::NAN,
    }
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

    #[test]
    fn chance_is_that_of_a_one_way_analysis_of_variance() {
        // Three groups of three with means 1, 2, 3 and variance 1 within: F(2, 6) = 3, p = 0.125.
        let within = vec![
            vec![0.0, 1.0, 2.0],
            vec![1.0, 2.0, 3.0],
            vec![2.0, 3.0, 4.0],
        ];
        let means = vec![vec![1.0, 2.0, 3.0]];
        assert!((pooled(&within) - 1.0).abs() < 1e-12);
        assert!(
            (chance(&means, &within) - 0.125).abs() < 1e-9,
            "{}",
            chance(&means, &within)
        );
        assert!(chance(&[vec![1.0]], &within).is_nan());
    }
}
