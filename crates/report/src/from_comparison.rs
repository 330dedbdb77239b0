//! A finished grid as the page shows it.

use secateur::compare::{Cell, Claim, Measured, Role, claims, structure_tables, tables};
use secateur::statistics::{Finding, deviation, mean};

use crate::{Comparison, Point, Table, TimeBar, TradeOff, Verdict, WidthPlot};

/// Tables, verdicts and pictures of a comparison.
pub fn of_comparison(grid: &secateur::compare::Comparison) -> Comparison {
    let arms = arms(grid);
    let starts = arms
        .iter()
        .any(|a| a.first().unit.arm.choices.contains_key("net"));
    let made = match starts {
        true => structure_tables(grid),
        false => tables(grid),
    };
    let names: Vec<&str> = grid.head.data.iter().map(|d| d.name.as_str()).collect();
    Comparison {
        title: if starts { "Structure" } else { "Comparison" }.into(),
        notes: vec![format!(
            "{} finished cells on {}.",
            grid.cells.len(),
            names.join(", ")
        )],
        verdicts: verdicts(&claims(grid)),
        tables: made.into_iter().map(table).collect(),
        trade_offs: names
            .iter()
            .filter_map(|name| trade_off(name, &arms))
            .collect(),
        times: match names.as_slice() {
            // Seconds on unlike data have no common scale.
            [_] => arms.iter().map(Arm::time).collect(),
            _ => vec![],
        },
        widths: match starts {
            true => names.iter().map(|name| widths(name, &arms)).collect(),
            false => vec![],
        },
    }
}

/// More verdicts than this are summed up: the tables have each of them.
const MANY: usize = 9;

/// Every verdict, or one for each claim and partial arm where there are many.
fn verdicts(all: &[Claim]) -> Vec<Verdict> {
    if all.len() <= MANY {
        let one = |claim: &Claim| Verdict {
            claim: format!(
                "{}: {} against {}",
                place(claim),
                claim.arms.0,
                claim.arms.1
            ),
            words: claim.words.clone(),
        };
        return all.iter().map(one).collect();
    }
    let mut keys: Vec<(&str, &str)> = vec![];
    for claim in all {
        let key = (claim.arms.0.as_str(), claim.claim);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.sort_unstable();
    keys.into_iter()
        .map(|(arm, name)| {
            let same = all
                .iter()
                .filter(|c| (c.arms.0.as_str(), c.claim) == (arm, name));
            Verdict {
                claim: format!("{arm}: {name} than full"),
                words: summed_up(&same.collect::<Vec<_>>()),
            }
        })
        .collect()
}

/// `shown: energy at 10 %; the opposite: concrete at 25 %; not shown: 6`.
fn summed_up(claims: &[&Claim]) -> String {
    let with = |finding: Finding| claims.iter().filter(move |c| c.finding == finding);
    let mut words = vec![];
    for (name, finding) in [
        ("shown", Finding::Shown),
        ("the opposite", Finding::Opposite),
    ] {
        let places: Vec<String> = with(finding).map(|c| place(c)).collect();
        if !places.is_empty() {
            words.push(format!("{name}: {}", places.join(", ")));
        }
    }
    let rest = with(Finding::NotShown).count();
    if rest > 0 {
        words.push(format!("not shown: {rest} of {}", claims.len()));
    }
    words.join("; ")
}

/// Data, and the share of the MACs if arms were compared at one.
fn place(claim: &Claim) -> String {
    match claim.at {
        Some(at) => format!("{} at {} %", claim.data, 100.0 * at),
        None => claim.data.clone(),
    }
}

/// The finished cells of one arm on one data set: never empty.
struct Arm<'a> {
    cells: Vec<(&'a Cell, &'a Measured)>,
}

fn arms(grid: &secateur::compare::Comparison) -> Vec<Arm<'_>> {
    let mut arms: Vec<Arm<'_>> = vec![];
    for cell in &grid.cells {
        let Some(measured) = cell.measured() else {
            continue;
        };
        let same = |arm: &&mut Arm<'_>| {
            let unit = &arm.first().unit;
            unit.data == cell.unit.data && unit.arm == cell.unit.arm && unit.at == cell.unit.at
        };
        match arms.iter_mut().find(same) {
            Some(arm) => arm.cells.push((cell, measured)),
            None => arms.push(Arm {
                cells: vec![(cell, measured)],
            }),
        }
    }
    arms
}

impl Arm<'_> {
    fn first(&self) -> &Cell {
        self.cells[0].0
    }

    fn name(&self) -> String {
        let unit = &self.first().unit;
        match unit.at {
            Some(at) => format!("{}, {} %", unit.arm.label(), 100.0 * at),
            None => unit.arm.label(),
        }
    }

    fn values(&self, of: impl Fn(&Measured) -> f64) -> Vec<f64> {
        self.cells.iter().map(|(_, m)| of(m)).collect()
    }

    /// Test scores as they are printed.
    fn scores(&self) -> Vec<f64> {
        let factor = if self.first().higher_is_better() {
            100.0
        } else {
            1.0
        };
        self.values(|m| factor * m.test)
    }

    fn time(&self) -> TimeBar {
        let part =
            |name: &str, of: &dyn Fn(&Measured) -> f64| (name.to_owned(), mean(&self.values(of)));
        TimeBar {
            arm: self.name(),
            parts: vec![
                part("forward", &|m| m.seconds.forward),
                part("backward", &|m| m.seconds.backward),
                part("update", &|m| m.seconds.update),
                part("penalty", &|m| m.seconds.penalty),
                part("shrink", &|m| m.seconds.shrink),
                part("scoring", &|m| m.seconds.score),
            ],
        }
    }
}

fn table(table: secateur::compare::Table) -> Table {
    Table {
        title: table.title,
        note: Some(table.note),
        header: table.header,
        rows: table.rows,
    }
}

fn trade_off(name: &str, arms: &[Arm<'_>]) -> Option<TradeOff> {
    let own: Vec<&Arm<'_>> = arms
        .iter()
        .filter(|a| a.first().unit.data == name)
        .collect();
    let higher = own.first()?.first().higher_is_better();
    let is_dense = |arm: &Arm<'_>| arm.first().unit.arm.role == Role::Dense;
    // Dense networks that differ are arms like others: a level of one of them would mislead about the rest.
    let dense: Vec<&Arm<'_>> = own.iter().copied().filter(|a| is_dense(a)).collect();
    let level = match dense.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let point = |arm: &&&Arm<'_>| {
        let (macs, scores) = (arm.values(|m| m.macs as f64), arm.scores());
        Point {
            arm: arm.name(),
            macs: mean(&macs),
            macs_sd: deviation(&macs),
            score: mean(&scores),
            score_sd: deviation(&scores),
        }
    };
    let points = own
        .iter()
        .filter(|a| level.is_none() || !is_dense(a))
        .map(|arm| point(&arm))
        .collect();
    Some(TradeOff {
        title: name.to_owned(),
        score_name: if higher {
            "test accuracy (%)"
        } else {
            "test RMSE"
        }
        .into(),
        higher_is_better: higher,
        points,
        dense: level.map(|arm| (mean(&arm.scores()), deviation(&arm.scores()))),
    })
}

fn widths(name: &str, arms: &[Arm<'_>]) -> WidthPlot {
    let of_start = |arm: &&Arm<'_>| {
        let unit = &arm.first().unit;
        unit.data == name && unit.arm.role == Role::Penalised
    };
    let start = |arm: &Arm<'_>| {
        let left = |m: &Measured| m.units[1..].iter().map(|&w| w as f64).collect();
        let net = arm.first().unit.arm.choices.get("net").cloned();
        (
            net.unwrap_or_default(),
            arm.cells.iter().map(|(_, m)| left(m)).collect(),
        )
    };
    WidthPlot {
        title: name.to_owned(),
        starts: arms.iter().filter(of_start).map(start).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secateur::statistics::Interval;

    fn claim(data: &str, claim: &'static str, finding: Finding) -> Claim {
        Claim {
            data: data.into(),
            at: Some(0.25),
            claim,
            arms: ("spare-last:8".into(), "full".into()),
            finding,
            interval: Interval::of(&[1.0, 2.0]),
            words: "words".into(),
            within_seeds: None,
        }
    }

    #[test]
    fn many_verdicts_are_summed_up_and_few_are_told_one_by_one() {
        let few = [claim("a", "less time", Finding::Shown)];
        assert_eq!(
            verdicts(&few)[0].claim,
            "a at 25 %: spare-last:8 against full"
        );
        assert_eq!(verdicts(&few)[0].words, "words");

        let mut many = vec![claim("a", "less time", Finding::Shown); 9];
        many.push(claim("b", "less time", Finding::Opposite));
        many.push(claim("c", "better test score", Finding::NotShown));
        let told = verdicts(&many);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].words, "not shown: 1 of 1");
        assert!(
            told[1]
                .words
                .ends_with("a at 25 %; the opposite: b at 25 %"),
            "{}",
            told[1].words
        );
    }
}
