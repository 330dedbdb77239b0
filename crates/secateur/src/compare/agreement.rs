//! Do starts agree on the widths that are left, and do data sets differ? Analyses of variance, layer by layer.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::cell::Cell;
use super::store::Comparison;
use super::structure::{by_start, log_macs, log_width, survivors};
use super::tables::Table;
use crate::statistics::{deviation, mean};

/// Probability below which a ratio of variances is taken for more than chance.
const LEVEL: f64 = 0.05;

/// Layer by layer: by which factor widths differ between seeds, starts and data sets.
pub(super) fn agreement(comparison: &Comparison) -> Table {
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
