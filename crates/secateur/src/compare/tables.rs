//! A comparison as tables: scores and sizes, times, and paired differences, for each data set.

use super::cell::{Cell, Measured, Outcome};
use super::claims::{bounds, claims, signed};
use super::grid::{Arm, Role};
use super::store::Comparison;
use crate::markdown::{grouped, significant};
use crate::statistics::{deviation, mean};

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

/// One arm on one data set at one share: its cells, one a seed.
struct Group<'a> {
    arm: &'a Arm,
    at: Option<f64>,
    cells: Vec<&'a Cell>,
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
    for name in names {
        let groups = groups(comparison, name);
        all.push(scores(name, &groups));
        if groups.iter().all(|g| g.at.is_none()) {
            all.push(times(name, &groups));
        }
        all.extend(differences(comparison, name));
    }
    all
}

fn groups<'a>(comparison: &'a Comparison, data: &str) -> Vec<Group<'a>> {
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
    fn measured(&self) -> Vec<&Measured> {
        self.cells.iter().filter_map(|c| c.measured()).collect()
    }

    fn values(&self, of: impl Fn(&Measured) -> f64) -> Vec<f64> {
        self.measured().into_iter().map(of).collect()
    }

    fn name(&self) -> String {
        match self.at {
            Some(at) => format!("{}, {} %", self.arm.label(), percent(at)),
            None => self.arm.label(),
        }
    }

    /// Mean and deviation of a score, as its metric is printed.
    fn score(&self, of: impl Fn(&Measured) -> f64) -> String {
        let values = self.values(of);
        let higher = self.cells.first().is_some_and(|c| c.higher_is_better());
        spread(&values, |v| match higher {
            true => format!("{:.2}", 100.0 * v),
            false => significant(v),
        })
    }

    /// Why some seeds have no network.
    fn failures(&self) -> Option<String> {
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

fn spread(values: &[f64], print: impl Fn(f64) -> String) -> String {
    match values.len() {
        0 => "-".to_owned(),
        1 => print(values[0]),
        _ => format!("{} ± {}", print(mean(values)), print(deviation(values))),
    }
}

fn percent(share: f64) -> String {
    format!("{:.4}", 100.0 * share)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

fn scores(data: &str, groups: &[Group<'_>]) -> Table {
    let higher = groups
        .iter()
        .flat_map(|g| &g.cells)
        .any(|c| c.higher_is_better());
    let matched = groups.iter().any(|g| g.at.is_some());
    let seeds = groups.iter().map(|g| g.cells.len()).max().unwrap_or(0);
    let metric = if higher { "accuracy, %" } else { "RMSE" };
    let mut header: Vec<String> = vec![
        "arm".into(),
        format!("test {metric}"),
        format!("train {metric}"),
    ];
    if !higher {
        header.push("test R²".into());
    }
    header.extend(
        [
            "inputs and units",
            "MACs",
            "dense / MACs",
            "params",
            "zero weights, %",
        ]
        .map(str::to_owned),
    );
    if !matched {
        header.push("narrowed dense of equal MACs".into());
    }
    header.extend(["strength", "penalised, %", "seconds"].map(str::to_owned));
    let row = |g: &Group<'_>| {
        let measured = g.measured();
        let name = match g.failures() {
            Some(why) if measured.is_empty() => format!("{}: {why}", g.name()),
            Some(why) => format!(
                "{} ({} of {} seeds: {why})",
                g.name(),
                g.cells.len() - measured.len(),
                g.cells.len()
            ),
            None => g.name(),
        };
        let mut cells = vec![name, g.score(|m| m.test), g.score(|m| m.train)];
        if !higher {
            cells.push(spread(&g.values(|m| m.r2.unwrap_or(f64::NAN)), |v| {
                format!("{v:.3}")
            }));
        }
        let unchanged = g.arm.role == Role::Penalised && !g.arm.removes_units();
        cells.push(units(&measured));
        cells.push(match (measured.is_empty(), unchanged) {
            (true, _) => "-".into(),
            (false, true) => "unchanged".into(),
            (false, false) => grouped(mean(&g.values(|m| m.macs as f64)).round() as u64),
        });
        cells.push(spread(
            &g.values(|m| m.macs_before as f64 / m.macs as f64),
            |v| format!("{v:.1}"),
        ));
        if g.arm.role == Role::Narrow && !measured.is_empty() {
            // Its own start is narrow already.
            let last = cells.len() - 1;
            cells[last] = "as asked".into();
        }
        cells.push(match measured.is_empty() {
            true => "-".into(),
            false => grouped(mean(&g.values(|m| m.params as f64)).round() as u64),
        });
        cells.push(spread(
            &g.values(|m| 100.0 * m.zero_weights as f64 / m.weights.max(1) as f64),
            |v| format!("{v:.1}"),
        ));
        if !matched {
            let narrow = measured.iter().all(|m| m.narrow_test.is_some());
            cells.push(match narrow && !measured.is_empty() {
                true => g.score(|m| m.narrow_test.unwrap_or(f64::NAN)),
                false => "-".into(),
            });
        }
        cells.push(match g.arm.role {
            Role::Penalised => spread(&g.values(|m| m.strength), |v| format!("{v:.1e}")),
            Role::Dense | Role::Narrow => "-".into(),
        });
        cells.push(spread_short(&g.values(|m| 100.0 * m.penalised_share), 0));
        cells.push(spread_short(&g.values(|m| m.seconds.total), 2));
        cells
    };
    Table {
        title: data.to_owned(),
        note: format!("Means ± standard deviations over {seeds} seeds."),
        header,
        rows: groups.iter().map(row).collect(),
    }
}

/// The mean alone.
fn spread_short(values: &[f64], digits: usize) -> String {
    match values.is_empty() {
        true => "-".into(),
        false => format!("{:.digits$}", mean(values)),
    }
}

/// Mean widths.
fn units(measured: &[&Measured]) -> String {
    let Some(first) = measured.first() else {
        return "-".into();
    };
    let width = |l: usize| {
        let widths: Vec<f64> = measured.iter().map(|m| m.units[l] as f64).collect();
        format!("{:.0}", mean(&widths))
    };
    (0..first.units.len())
        .map(width)
        .collect::<Vec<_>>()
        .join("-")
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
            true => "Each run was alone on the machine.".into(),
            false => "Other runs went on at the same time: not to be compared closely.".into(),
        },
        header,
        rows: groups.iter().map(row).collect(),
    }
}

fn differences(comparison: &Comparison, data: &str) -> Option<Table> {
    let all = claims(comparison);
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
        rows.push(vec![
            name,
            format!("{}: {}", bounds(&time.interval, 2), short(time)),
            format!("{}: {}", signed(&test.interval), short(test)),
            format!("{}: {}", signed(&train.interval), short(train)),
            test.interval.count.to_string(),
        ]);
    }
    rows.sort();
    (!rows.is_empty()).then(|| Table {
        title: format!("{data}: partial against full"),
        note: "Paired by seed, mean and 95 % interval: time as a ratio (less than 1 is faster), scores as \
               gains in points of accuracy or per cent of the full arm's error (above 0 is better)."
            .into(),
        header: ["pair", "less time?", "better on test rows?", "better on training rows?", "seeds"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    })
}
