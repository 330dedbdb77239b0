//! Makes the tables of `docs/results.md`: arms over data sets and seeds, paired with dense runs.
//!
//! `results seeds=3 [json=FILE] [at=9.5|20] key=value ...`, where a key is a config key and a value may
//! be a list with `|` between, which makes an arm each. Every seed of every data set also trains the
//! dense network once. `at` picks, for each ratio of MACs, the arm that is best on validation rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use secateur::{Config, Flow, Report, compress};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
/// What is set apart from the defaults.
type Arm = BTreeMap<String, String>;

/// Keys that a dense run does not depend on.
const PENALTY_KEYS: [&str; 12] = [
    "penalty",
    "strength",
    "part",
    "inputs",
    "members",
    "group-weights",
    "compensation",
    "penalty-step",
    "adam-metric",
    "removal",
    "settle",
    "control",
];

struct Cell {
    arm: Arm,
    report: Report,
    dense: Report,
}

fn main() -> Outcome<()> {
    let (mut seeds, mut json, mut at) = (1u64, None, vec![]);
    let mut arms = vec![Arm::new()];
    for argument in std::env::args().skip(1) {
        let (key, value) = argument.split_once('=').ok_or("arguments are key=value")?;
        match key {
            "seeds" => seeds = value.parse()?,
            "json" => json = Some(PathBuf::from(value)),
            "at" => at = ratios(value)?,
            _ => arms = expand(&arms, key, value),
        }
    }
    let mut cells = vec![];
    for seed in 0..seeds {
        let mut dense: BTreeMap<Arm, Report> = BTreeMap::new();
        for arm in &arms {
            let mut bare = arm.clone();
            bare.retain(|key, _| !PENALTY_KEYS.contains(&key.as_str()));
            bare.insert("penalty".into(), "none".into());
            if !dense.contains_key(&bare) {
                dense.insert(bare.clone(), run(&bare, seed)?);
            }
            let cell = Cell {
                arm: arm.clone(),
                report: run(arm, seed)?,
                dense: dense[&bare].clone(),
            };
            log(&cell, seed, json.as_deref())?;
            cells.push(cell);
        }
    }
    let mut text = table(&arms, &cells);
    for ratio in at {
        text += &pick(&arms, &cells, ratio);
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn ratios(values: &str) -> Outcome<Vec<f64>> {
    values.split('|').map(|v| Ok(v.parse()?)).collect()
}

fn expand(arms: &[Arm], key: &str, values: &str) -> Vec<Arm> {
    let with = |arm: &Arm, value: &str| {
        let mut arm = arm.clone();
        arm.insert(key.to_owned(), value.to_owned());
        arm
    };
    let each = |arm| values.split('|').map(move |value| with(arm, value));
    arms.iter().flat_map(each).collect()
}

fn run(arm: &Arm, seed: u64) -> Outcome<Report> {
    let mut text = format!("seed = {seed}\n");
    for (key, value) in arm {
        let bare = value.parse::<f64>().is_ok() || value == "true" || value == "false";
        let quoted = if bare && key != "net" {
            value.clone()
        } else {
            format!("\"{value}\"")
        };
        writeln!(text, "{key} = {quoted}")?;
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("arm.toml");
    std::fs::write(&path, text)?;
    let data_dir = std::env::var_os("SECATEUR_DATA").map(PathBuf::from);
    let outcome = compress(&Config::read(&path)?, data_dir.as_deref(), &mut |_| {
        Flow::Continue
    })
    .map_err(|e| format!("{arm:?}: {e}"))?;
    Ok(outcome.report)
}

fn log(cell: &Cell, seed: u64, json: Option<&std::path::Path>) -> Outcome<()> {
    let Cell { arm, report, dense } = cell;
    writeln!(
        std::io::stderr(),
        "{} seed {seed}: {:.4} against {:.4}, {:.2} x, units {:?}, {:.2} s against {:.2} s",
        name(arm),
        report.after.test_score,
        dense.after.test_score,
        ratio(cell),
        report.after.units,
        report.seconds.search,
        dense.seconds.total,
    )?;
    if let Some(path) = json {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        let entry =
            serde_json::json!({ "arm": arm, "seed": seed, "report": report, "dense": dense });
        writeln!(file, "{entry}")?;
    }
    Ok(())
}

fn name(arm: &Arm) -> String {
    arm.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn ratio(cell: &Cell) -> f64 {
    cell.report.before.macs as f64 / cell.report.after.macs as f64
}

/// After minus dense: points of accuracy, or per cent of the dense error.
fn difference(cell: &Cell) -> f64 {
    let (after, dense) = (cell.report.after.test_score, cell.dense.after.test_score);
    match cell.report.higher_is_better() {
        true => 100.0 * (after - dense),
        false => 100.0 * (after / dense - 1.0),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean and standard deviation over seeds.
fn spread(values: &[f64], digits: usize) -> String {
    let centre = mean(values);
    let n = values.len() as f64;
    let squares = values.iter().map(|v| (v - centre).powi(2)).sum::<f64>();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt();
    format!("{centre:.digits$} ± {deviation:.digits$}")
}

fn of<'a>(cells: &'a [Cell], arm: &Arm) -> Vec<&'a Cell> {
    cells.iter().filter(|c| c.arm == *arm).collect()
}

fn table(arms: &[Arm], cells: &[Cell]) -> String {
    let shared: Vec<(&String, &String)> = arms[0]
        .iter()
        .filter(|(k, v)| arms.iter().all(|a| a.get(*k) == Some(v)))
        .collect();
    let mut text = String::from(
        "| arm | test | dense | difference | narrowed | MACs | time / dense | penalty time | \
         penalised |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for arm in arms {
        let cells = of(cells, arm);
        let column = |get: &dyn Fn(&Cell) -> f64, digits: usize| {
            spread(&cells.iter().map(|c| get(c)).collect::<Vec<_>>(), digits)
        };
        let higher = cells[0].report.higher_is_better();
        let score = |score: f64| if higher { 100.0 * score } else { score };
        let digits = if higher || cells[0].dense.after.test_score < 1000.0 {
            2
        } else {
            0
        };
        let narrow = match cells.iter().all(|c| c.report.narrow.is_some()) {
            true => column(
                &|c| score(c.report.narrow.as_ref().map_or(f64::NAN, |n| n.test_score)),
                digits,
            ),
            false => "-".into(),
        };
        let mut own = arm.clone();
        own.retain(|k, v| !shared.contains(&(k, v)));
        text += &format!(
            "| {} | {} | {} | {} {} | {narrow} | {} x | {} | {} % | {} % |\n",
            if own.is_empty() {
                name(arm)
            } else {
                name(&own)
            },
            column(&|c| score(c.report.after.test_score), digits),
            column(&|c| score(c.dense.after.test_score), digits),
            column(&difference, 2),
            if higher { "points" } else { "%" },
            column(&ratio, 1),
            column(&|c| c.report.seconds.search / c.dense.seconds.total, 2),
            column(
                &|c| 100.0 * c.report.seconds.penalty / c.report.seconds.total,
                1
            ),
            column(&|c| 100.0 * c.report.penalised_share, 0),
        );
    }
    text
}

/// The arm of at least `least` times fewer MACs (mean over seeds) that is best on validation rows.
fn pick(arms: &[Arm], cells: &[Cell], least: f64) -> String {
    let quality = |arm: &Arm| {
        let cells = of(cells, arm);
        let sign = if cells[0].report.higher_is_better() {
            1.0
        } else {
            -1.0
        };
        let scores: Vec<f64> = cells
            .iter()
            .map(|c| c.report.after.validation_score)
            .collect();
        sign * mean(&scores)
    };
    let reaches = |arm: &&Arm| {
        let ratios: Vec<f64> = of(cells, arm).into_iter().map(ratio).collect();
        mean(&ratios) >= least
    };
    match arms
        .iter()
        .filter(reaches)
        .max_by(|a, b| quality(a).total_cmp(&quality(b)))
    {
        Some(arm) => format!("\nBest on validation rows at {least} x: {}\n", name(arm)),
        None => format!("\nNo arm reaches {least} x.\n"),
    }
}
