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

/// `your data wants about 38-17`, for each data set: geometric means over starts and seeds.
pub fn wanted(comparison: &Comparison) -> Vec<(String, Vec<usize>)> {
    let of = |data: &str| {
        let cells: Vec<&Cell> = survivors(&comparison.cells)
            .filter(|c| c.unit.data == data)
            .collect();
        let depth = cells.first()?.measured()?.units.len();
        let layer = |l: usize| {
            let logs: Vec<f64> = cells.iter().map(|c| log_width(c, l)).collect();
            mean(&logs).exp2().round() as usize
        };
        Some((data.to_owned(), (1..depth).map(layer).collect()))
    };
    let names = comparison.head.data.iter();
    names.filter_map(|data| of(&data.name)).collect()
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
    let rows = (0..depth).map(|l| {
        let spread = Spread::of(&cells, l);
        let name = if l == 0 {
            "inputs".to_owned()
        } else {
            format!("hidden layer {l}")
        };
        vec![
            name,
            factor(spread.seeds),
            factor(spread.starts),
            factor(spread.data),
            spread.verdict(),
        ]
    });
    Table {
        title: "Do starts agree?".into(),
        note: "Factors of one standard deviation of the logarithm of a layer's width: between seeds of the same \
               start, between starts on the same data, between data sets. Probabilities are those of F tests \
               against chance."
            .into(),
        header: ["layer", "seeds", "starts", "data sets", "verdict"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// Standard deviations of the base-2 logarithm of a layer's width.
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
    fn of(cells: &[&Cell], layer: usize) -> Self {
        let mut names: Vec<&str> = cells.iter().map(|c| c.unit.data.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let (mut seeds, mut starts, mut all) = (vec![], vec![], vec![]);
        for name in names {
            let of_data: Vec<&&Cell> = cells.iter().filter(|c| c.unit.data == name).collect();
            let mut nets: Vec<Option<&String>> = of_data
                .iter()
                .map(|c| c.unit.arm.choices.get(NET))
                .collect();
            nets.sort_unstable();
            nets.dedup();
            let by_start: Vec<Vec<f64>> = nets
                .iter()
                .map(|&net| {
                    let same = of_data
                        .iter()
                        .filter(|c| c.unit.arm.choices.get(NET) == net);
                    same.map(|c| log_width(c, layer)).collect()
                })
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
    use super::*;

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
