//! Several runs on the same data, side by side.

use std::collections::{BTreeMap, BTreeSet};

use secateur::{Arm, RunRecord};

use super::settings::choices;
use super::trade_off;
use crate::input::{Point, Table, TradeOff};
use crate::number::{grouped, joined, seconds, short, spread};
use crate::outline::Block;

/// Choices that do not make runs different arms.
const NOT_ARMS: [&str; 6] = ["seed", "threads", "data", "format", "baseline", "control"];

/// A table of `runs`, which share data and metric, and their scores against cost if `trade_offs`.
pub(crate) fn blocks(runs: &[(String, &RunRecord)], trade_offs: bool) -> Vec<Block> {
    let mut blocks = vec![Block::Table(table(runs))];
    let arms = arms(runs);
    let dense = runs.iter().any(|(_, run)| run.report.dense.is_some());
    if trade_offs && (arms.len() > 1 || dense) {
        blocks.push(Block::Figure(trade_off::figure(&scores_by_cost(
            runs, &arms,
        ))));
    }
    blocks
}

fn table(runs: &[(String, &RunRecord)]) -> Table {
    let dense = runs.iter().any(|(_, run)| run.report.dense.is_some());
    let score = score_name(runs);
    let mut header = vec!["run", "penalty", "part", "strength", "seed", score.as_str()];
    if dense {
        header.push("dense");
    }
    header.extend(["MACs a row", "times fewer"]);
    // Networks that are no chains have units in groups, and read all inputs.
    let chains = runs.iter().any(|(_, run)| run.report.is_chain());
    match chains {
        true => header.extend(["hidden units", "inputs read"]),
        false => header.push("units"),
    }
    header.push("seconds");
    let row = |(name, run): &(String, &RunRecord)| {
        let (config, report) = (&run.config, &run.report);
        let after = &report.after;
        let text = |choice: &Option<String>| choice.clone().unwrap_or_default();
        let mut row = vec![
            name.clone(),
            text(&config.penalty),
            text(
                config
                    .budget
                    .as_ref()
                    .map_or(&config.part, |_| &config.budget),
            ),
            short(report.strength),
            config.seed.map(|s| s.to_string()).unwrap_or_default(),
            report.score_text(after.test_score),
        ];
        if dense {
            let score = |arm: &Arm| report.score_text(arm.test_score);
            row.push(report.dense.as_ref().map(score).unwrap_or_default());
        }
        let times = report.before.macs as f64 / after.macs.max(1) as f64;
        row.extend([grouped(after.macs), format!("{times:.2}")]);
        match report.is_chain() {
            true => row.extend([joined(&after.units[1..]), grouped(after.units[0] as u64)]),
            false => {
                let all = after.units.iter().sum::<usize>();
                row.push(format!(
                    "{} in {} groups",
                    grouped(all as u64),
                    after.units.len()
                ));
                row.extend(chains.then(String::new));
            }
        }
        row.push(seconds(report.seconds.search));
        row
    };
    Table {
        title: "Runs on this data".to_owned(),
        note: Some(
            "Scores are on the test rows; seconds include the search for the strength.".to_owned(),
        ),
        ..Table::of(&header, runs.iter().map(row).collect())
    }
}

fn score_name(runs: &[(String, &RunRecord)]) -> String {
    match runs[0].1.report.higher_is_better() {
        true => "test accuracy (%)".to_owned(),
        false => "test RMSE".to_owned(),
    }
}

/// Runs that differ in no choice but seed and what [`NOT_ARMS`] names, by the choices in which arms differ.
fn arms<'a>(runs: &[(String, &'a RunRecord)]) -> Vec<(String, Vec<&'a RunRecord>)> {
    let chosen: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|(_, run)| {
            let all = choices(run).into_iter();
            all.filter(|(key, _)| !NOT_ARMS.contains(&key.as_str()))
                .collect()
        })
        .collect();
    let keys: BTreeSet<&String> = chosen.iter().flat_map(BTreeMap::keys).collect();
    let differs = |key: &&&String| chosen.iter().any(|c| c.get(**key) != chosen[0].get(**key));
    let differing: Vec<&String> = keys.iter().filter(differs).copied().collect();
    let name = |choices: &BTreeMap<String, String>| {
        let part = |key: &&String| choices.get(*key).map(|value| format!("{key} {value}"));
        let parts: Vec<String> = differing.iter().filter_map(part).collect();
        if parts.is_empty() {
            "these runs".to_owned()
        } else {
            parts.join(", ")
        }
    };
    let mut arms: Vec<(String, Vec<&RunRecord>)> = vec![];
    for ((_, run), choices) in runs.iter().zip(&chosen) {
        let name = name(choices);
        match arms.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(run),
            None => arms.push((name, vec![run])),
        }
    }
    arms
}

fn scores_by_cost(runs: &[(String, &RunRecord)], arms: &[(String, Vec<&RunRecord>)]) -> TradeOff {
    let higher = runs[0].1.report.higher_is_better();
    let score = |arm: &Arm| {
        if higher {
            100.0 * arm.test_score
        } else {
            arm.test_score
        }
    };
    let point = |name: String, members: &[&Arm]| {
        let (macs, macs_sd) = spread(&members.iter().map(|a| a.macs as f64).collect::<Vec<_>>());
        let (score, score_sd) = spread(&members.iter().map(|a| score(a)).collect::<Vec<_>>());
        Point {
            arm: name,
            macs,
            macs_sd,
            score,
            score_sd,
        }
    };
    let mut points = vec![];
    for (name, members) in arms {
        let after: Vec<&Arm> = members.iter().map(|run| &run.report.after).collect();
        points.push(point(name.clone(), &after));
        let narrow: Vec<&Arm> = members
            .iter()
            .filter_map(|r| r.report.narrow.as_ref())
            .collect();
        if !narrow.is_empty() {
            points.push(point(format!("uniformly narrowed, beside {name}"), &narrow));
        }
    }
    let dense: Vec<f64> = runs
        .iter()
        .filter_map(|(_, run)| run.report.dense.as_ref())
        .map(score)
        .collect();
    TradeOff {
        title: runs[0].1.report.data.name.clone(),
        score_name: score_name(runs),
        higher_is_better: higher,
        points,
        dense: (!dense.is_empty()).then(|| spread(&dense)),
    }
}
