//! What was chosen, and what a run depended on beside that.

use secateur::RunRecord;
use serde_json::Value;

use crate::input::Table;
use crate::number::{grouped, seconds, short, significant, tiny};
use crate::outline::Block;

pub(super) fn blocks(run: &RunRecord) -> Vec<Block> {
    let report = &run.report;
    let mut blocks = vec![Block::Aside(Table {
        title: "Configuration".to_owned(),
        note: Some(format!("Its hash is {}.", report.config_hash)),
        header: vec!["choice".to_owned(), "value".to_owned()],
        rows: choices(run)
            .into_iter()
            .map(|(key, value)| vec![key, value])
            .collect(),
    })];
    if report.tries.len() > 1 {
        let rows = report.tries.iter().map(|t| {
            vec![
                short(t.strength),
                significant(t.validation_quality),
                grouped(t.macs),
                seconds(t.seconds),
            ]
        });
        blocks.push(Block::Aside(Table {
            title: "Strengths that were tried".to_owned(),
            note: Some(
                "Quality is accuracy on the validation rows, or minus the standardised RMSE."
                    .to_owned(),
            ),
            ..Table::of(
                &["strength", "quality", "MACs a row", "seconds"],
                rows.collect(),
            )
        }));
    }
    if !report.removals.is_empty() {
        blocks.push(Block::Aside(removals(run)));
    }
    blocks.push(Block::Aside(Table {
        title: "Versions and machine".to_owned(),
        ..Table::of(&["", "value"], versions(run))
    }));
    blocks
}

/// Keys and values of the config, as they are typed.
pub(super) fn choices(run: &RunRecord) -> Vec<(String, String)> {
    let Ok(Value::Object(all)) = serde_json::to_value(&run.config) else {
        return vec![];
    };
    all.into_iter()
        .map(|(key, value)| (key, typed(&value)))
        .collect()
}

fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(typed).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn removals(run: &RunRecord) -> Table {
    let rows = run.report.removals.iter().map(|r| {
        vec![
            r.epoch.to_string(),
            r.units.to_string(),
            r.folded.to_string(),
            r.inputs.to_string(),
            if r.asked { "budget" } else { "dead" }.to_owned(),
            tiny(r.naive_difference),
            tiny(r.engine_difference),
        ]
    });
    Table {
        title: "Removals with their evidence".to_owned(),
        note: Some(
            "Differences are relative, masked network against shrunk one: on the naive f64 evaluator, and on \
             the engine."
                .to_owned(),
        ),
        ..Table::of(
            &["epoch", "units", "folded", "inputs", "why", "naive difference", "engine difference"],
            rows.collect(),
        )
    }
}

fn versions(run: &RunRecord) -> Vec<Vec<String>> {
    let report = &run.report;
    let machine = &report.machine;
    let memory = match machine.peak_memory_bytes {
        0 => "not known".to_owned(),
        bytes => format!("{} MiB", grouped(bytes >> 20)),
    };
    [
        ("secateur", report.secateur.clone()),
        ("runtime of the check", report.verify.runtime.clone()),
        (
            "data fingerprint (SHA-256)",
            report.data.fingerprint.clone(),
        ),
        ("strength", short(report.strength)),
        (
            "weights penalised at the start (%)",
            format!("{:.1}", 100.0 * report.penalised_share),
        ),
        (
            "ended",
            format!("{}, epoch {}", report.ended, report.epochs),
        ),
        ("threads", machine.threads.to_string()),
        ("instruction set", machine.instruction_set.clone()),
        ("peak memory of the process", memory),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_owned(), value])
    .collect()
}
