//! What a report holds, in its order.

use std::collections::BTreeMap;

use secateur::RunRecord;

use crate::input::Comparison;
use crate::outline::{Block, Section};
use crate::sections::{comparison, overview, run};

/// From this many runs on, the details of each are folded.
const MANY: usize = 5;

/// The sections: the comparison, then the runs by the data they saw.
pub(crate) fn contents(runs: &[RunRecord], compared: Option<&Comparison>) -> Vec<Section> {
    let mut sections: Vec<Section> = compared.map(comparison::section).into_iter().collect();
    let groups = by_data(runs);
    let folded = runs.len() >= MANY;
    // The caller's trade-offs are over all arms and seeds: one of the runs at hand beside them would only confuse.
    let trade_offs = compared.is_none_or(|c| c.trade_offs.is_empty());
    let mut number = 0;
    for (index, group) in groups.iter().enumerate() {
        let id = format!("data-{}", index + 1);
        let named = groups.iter().filter(|g| name(g) == name(group)).count();
        let report = &group[0].1.report;
        let title = match named {
            1 => name(group).to_owned(),
            _ => format!(
                "{} ({})",
                name(group),
                short_print(&report.data.fingerprint)
            ),
        };
        if let [(run_name, record)] = group.as_slice() {
            number += 1;
            let mut section = run::section(&format!("run-{number}"), run_name, record);
            section
                .blocks
                .insert(0, Block::Text(format!("Run {run_name}.")));
            sections.push(Section {
                id,
                title,
                ..section
            });
            continue;
        }
        let mut section = Section {
            id,
            title,
            blocks: overview::blocks(group, trade_offs),
            ..Section::default()
        };
        for (run_name, record) in group {
            number += 1;
            section.sections.push(Section {
                folded,
                ..run::section(&format!("run-{number}"), run_name, record)
            });
        }
        sections.push(section);
    }
    sections
}

/// Sentences that stand above everything.
pub(crate) fn preface(runs: &[RunRecord]) -> Vec<String> {
    let groups = by_data(runs).len();
    let mut sentences = vec![];
    if groups > 1 {
        sentences.push(format!(
            "These runs saw {groups} different data sets. Scores on different data do not compare, so each data \
             set has a part and tables of its own."
        ));
    }
    sentences
}

type Named<'a> = (String, &'a RunRecord);

/// Runs with their names, together where data and metric are the same; in the order of the first of each.
fn by_data(runs: &[RunRecord]) -> Vec<Vec<Named<'_>>> {
    let mut groups: Vec<Vec<Named<'_>>> = vec![];
    for (name, run) in names(runs).into_iter().zip(runs) {
        let same = |group: &&mut Vec<Named<'_>>| {
            let other = &group[0].1.report;
            other.data.fingerprint == run.report.data.fingerprint
                && other.metric == run.report.metric
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((name, run)),
            None => groups.push(vec![(name, run)]),
        }
    }
    groups
}

/// The names of the folders, or their paths where names repeat.
fn names(runs: &[RunRecord]) -> Vec<String> {
    let last = |run: &RunRecord| match run.folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => run.folder.display().to_string(),
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for run in runs {
        *seen.entry(last(run)).or_default() += 1;
    }
    let name = |run| match seen.get(&last(run)) {
        Some(1) => last(run),
        _ => run.folder.display().to_string(),
    };
    runs.iter().map(name).collect()
}

fn name<'a>(group: &[Named<'a>]) -> &'a str {
    &group[0].1.report.data.name
}

/// Enough of a fingerprint to tell data sets apart.
fn short_print(fingerprint: &str) -> &str {
    fingerprint.get(..8).unwrap_or(fingerprint)
}
