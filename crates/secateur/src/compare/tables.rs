//! A comparison as tables: scores and sizes, times, and paired differences, for each data set.

use super::arm::Role;
use super::cell::Measured;
use super::claims::{bounds, claims, signed};
use super::floor::of_group as floor;
use super::groups::{Group, average, dense_macs, groups, percent, spread, units};
use super::overview::{Quantity, overview};
use super::store::Comparison;
use super::tally::tally;
use crate::markdown::grouped;

/// A table of text, for a terminal, a page or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// How it was made, and what to mind.
    pub note: String,
    /// One heading a column.
    pub header: Vec<String>,
    /// Cells, a list a row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// As Markdown, without the title.
    pub fn to_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule: Vec<&str> = (0..self.header.len())
            .map(|i| if i == 0 { "---" } else { "---:" })
            .collect();
        let mut text = line(&self.header) + &format!("|{}|\n", rule.join("|"));
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }
}

/// Every table of a comparison, data set by data set.
pub fn tables(comparison: &Comparison) -> Vec<Table> {
    let mut names: Vec<&str> = vec![];
    for data in &comparison.head.data {
        if comparison.cells.iter().any(|c| c.unit.data == data.name) {
            names.push(&data.name);
        }
    }
    let mut all = vec![];
    for name in &names {
        let groups = groups(comparison, name);
        all.push(scores(
            name,
            &groups,
            comparison.head.shared.floor.unwrap_or(1),
        ));
        all.push(sizes(name, &groups));
        if groups.iter().all(|g| g.at.is_none()) {
            all.push(times(name, &groups));
        }
        all.extend(differences(comparison, name));
    }
    if names.len() > 1 {
        all.extend(SIDE_BY_SIDE.map(|quantity| overview(comparison, quantity)));
        all.push(tally(comparison));
        all.retain(|table| !table.rows.is_empty());
    }
    all
}

/// What is set side by side where there are several data sets.
const SIDE_BY_SIDE: [Quantity; 5] = [
    Quantity::Reduction,
    Quantity::GainOverDense,
    Quantity::GainOverNarrowed,
    Quantity::GainOverFull,
    Quantity::TrainGainOverFull,
];

/// What came out: scores, and MACs beside those of the control and, at equal MACs, of what the part always leaves.
fn scores(data: &str, groups: &[Group<'_>], least: usize) -> Table {
    let higher = groups
        .iter()
        .flat_map(|g| &g.cells)
        .any(|c| c.higher_is_better());
    let controlled = groups
        .iter()
        .any(|g| g.measured().iter().any(|m| m.narrow_test.is_some()));
    let seeds = groups.iter().map(|g| g.cells.len()).max().unwrap_or(0);
    let metric = if higher { "accuracy, %" } else { "RMSE" };
    let mut header = vec![
        "arm".to_owned(),
        format!("test {metric}"),
        format!("train {metric}"),
    ];
    if !higher {
        header.push("test R²".into());
    }
    if controlled {
        header.push("narrowed dense of equal MACs, test".into());
    }
    header.extend(["MACs".to_owned(), "dense / MACs".to_owned()]);
    let matched = groups.iter().any(|g| g.at.is_some());
    if matched {
        header.push("floor, MACs".into());
    }
    let dense = dense_macs(groups);
    let row = |g: &Group<'_>| {
        let mut cells = vec![
            g.name_and_failures(),
            g.score(|m| m.test),
            g.score(|m| m.train),
        ];
        if !higher {
            cells.push(spread(&g.values(|m| m.r2.unwrap_or(f64::NAN)), |v| {
                format!("{v:.3}")
            }));
        }
        if controlled {
            let all = g.measured().iter().all(|m| m.narrow_test.is_some());
            cells.push(match all {
                true => g.score(|m| m.narrow_test.unwrap_or(f64::NAN)),
                false => "-".into(),
            });
        }
        let macs = g.values(|m| m.macs as f64);
        if g.arm.role == Role::Penalised && !g.arm.removes_units() && !macs.is_empty() {
            cells.extend(["unchanged".to_owned(), "unchanged".to_owned()]);
        } else {
            cells.push(average(&macs, |v| grouped(v.round() as u64)));
            let ratios: Vec<f64> = macs.iter().map(|m| dense / m).collect();
            cells.push(spread(&ratios, |v| format!("{v:.1}")));
        }
        if matched {
            cells.push(floor(g, least).map_or("-".into(), grouped));
        }
        cells
    };
    let mut note = match seeds {
        1 => "One seed.".to_owned(),
        _ => format!("Means ± standard deviations over {seeds} seeds."),
    };
    if matched {
        note += " Floor: what the part leaves whatever the strength.";
    }
    Table {
        title: data.to_owned(),
        note,
        header,
        rows: groups.iter().map(row).collect(),
    }
}

/// What was left of the networks, and what the penalty saw.
fn sizes(data: &str, groups: &[Group<'_>]) -> Table {
    // Only a subgradient leaves weights that are small and not zero.
    let thresholds = groups.iter().any(|g| g.arm.is_subgradient());
    let mut header = vec!["arm", "inputs and units", "params", "zero weights, %"];
    if thresholds {
        header.extend(["units above 1e-3", "weights below 1e-3, %"]);
    }
    header.extend(["strength", "penalised weights, %", "seconds"]);
    let share = |g: &Group<'_>, of: &dyn Fn(&Measured) -> u64| {
        let shares = g.values(|m| 100.0 * of(m) as f64 / m.weights.max(1) as f64);
        spread(&shares, |v| format!("{v:.1}"))
    };
    let row = |g: &Group<'_>| {
        let mut cells = vec![
            g.name(),
            units(&g.measured(), |m| &m.units),
            average(
                &g.values(|m| m.params as f64),
                |v| grouped(v.round() as u64),
            ),
            share(g, &|m| m.zero_weights),
        ];
        if thresholds {
            cells.push(units(&g.measured(), |m| &m.live_units));
            cells.push(share(g, &|m| m.small_weights));
        }
        cells.push(match g.arm.role {
            Role::Penalised => average(&g.values(|m| m.strength), |v| format!("{v:.2e}")),
            Role::Dense | Role::Narrow => "-".into(),
        });
        cells.push(average(&g.values(|m| 100.0 * m.penalised_share), |v| {
            format!("{v:.0}")
        }));
        cells.push(average(&g.values(|m| m.seconds.total), |v| {
            format!("{v:.2}")
        }));
        cells
    };
    Table {
        title: format!("{data}: what is left"),
        note: match thresholds {
            true => "Means over seeds. A unit is above 1e-3 if the magnitudes of its outgoing weights add up to \
                     more: what the published script counts as alive."
                .into(),
            false => "Means over seeds.".into(),
        },
        header: header.into_iter().map(str::to_owned).collect(),
        rows: groups.iter().filter(|g| !g.measured().is_empty()).map(row).collect(),
    }
}

fn times(data: &str, groups: &[Group<'_>]) -> Table {
    let names = [
        "total", "forward", "backward", "update", "penalty", "shrink", "scoring",
    ];
    let mut header = vec!["arm".to_owned()];
    header.extend(names.map(str::to_owned));
    let row = |g: &Group<'_>| {
        let mut cells = vec![g.name()];
        let parts: [&dyn Fn(&Measured) -> f64; 7] = [
            &|m| m.seconds.total,
            &|m| m.seconds.forward,
            &|m| m.seconds.backward,
            &|m| m.seconds.update,
            &|m| m.seconds.penalty,
            &|m| m.seconds.shrink,
            &|m| m.seconds.score,
        ];
        cells.extend(parts.map(|of| spread(&g.values(of), |v| format!("{v:.2}"))));
        cells
    };
    let alone = groups.iter().flat_map(Group::measured).all(|m| m.alone);
    Table {
        title: format!("{data}: seconds of a run"),
        note: match alone {
            true => "No other run of the comparison went on meanwhile.".into(),
            false => "Other runs went on at the same time: not to be compared closely.".into(),
        },
        header,
        rows: groups.iter().map(row).collect(),
    }
}

fn differences(comparison: &Comparison, data: &str) -> Option<Table> {
    let all = claims(comparison);
    let by_rows = all
        .iter()
        .any(|c| c.data == data && c.within_seeds.is_some());
    let mut rows: Vec<Vec<String>> = vec![];
    // Three claims a pair, in the order of `claims`.
    for three in all.chunks(3).filter(|c| c[0].data == data) {
        let [time, test, train] = three else { continue };
        let mut name = format!("{} against {}", time.arms.0, time.arms.1);
        if let Some(at) = time.at {
            name += &format!(", {} %", percent(at));
        }
        let short = |c: &super::Claim| {
            c.words
                .split(',')
                .next()
                .unwrap_or("")
                .split(": ")
                .nth(1)
                .unwrap_or("")
                .to_owned()
        };
        if test.interval.count == 0 {
            continue;
        }
        rows.push(vec![
            name,
            format!("{}: {}", bounds(&time.interval, 2), short(time)),
            format!("{}: {}", signed(&test.interval), short(test)),
            format!("{}: {}", signed(&train.interval), short(train)),
            test.interval.count.to_string(),
        ]);
        if let (true, Some(row)) = (by_rows, rows.last_mut()) {
            row.push(test.within_seeds.map_or("-".into(), |w| w.to_string()));
        }
    }
    rows.sort();
    (!rows.is_empty()).then(|| Table {
        title: format!("{data}: partial against full"),
        note: "Paired by seed, mean and 95 % interval: time as a ratio (less than 1 is faster), scores as \
               gains in points of accuracy or per cent of the full arm's error (above 0 is better). Of twenty \
               claims without substance one is shown by chance."
            .into(),
        header: ["pair", "less time?", "better on test rows?", "better on training rows?", "seeds"]
            .into_iter()
            .chain(by_rows.then_some("McNemar's test within seeds"))
            .map(str::to_owned)
            .collect(),
        rows,
    })
}

#[cfg(test)]
mod tests;
