//! Makes the tables of `docs/results.md`: arms over data sets and seeds, as JSON lines and Markdown.
//!
//! `cargo run --release -p secateur --example results -- [key=value ...]` where a key is a config key
//! (or one of `seeds`, `json`), and a value may be a list with `|` between, which makes an arm each.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use secateur::{Config, Flow, Report, compress};

/// One arm of the grid: what is set apart from the defaults.
type Arm = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut seeds = 1u64;
    let mut json: Option<PathBuf> = None;
    let mut arms = vec![Arm::new()];
    for argument in std::env::args().skip(1) {
        let (key, value) = argument.split_once('=').ok_or("arguments are key=value")?;
        match key {
            "seeds" => seeds = value.parse()?,
            "json" => json = Some(value.into()),
            _ => arms = expand(&arms, key, value),
        }
    }
    let mut rows = vec![];
    for seed in 0..seeds {
        for arm in &arms {
            let report = run(arm, seed)?;
            eprintln!("{}", line(arm, seed, &report));
            if let Some(path) = &json {
                let mut file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)?;
                let entry = serde_json::json!({ "arm": arm, "seed": seed, "report": report });
                writeln!(file, "{entry}")?;
            }
            rows.push((arm.clone(), seed, report));
        }
    }
    std::io::stdout().write_all(table(&arms, &rows).as_bytes())?;
    Ok(())
}

fn expand(arms: &[Arm], key: &str, values: &str) -> Vec<Arm> {
    let with = |arm: &Arm, value: &str| {
        let mut arm = arm.clone();
        arm.insert(key.to_owned(), value.to_owned());
        arm
    };
    arms.iter()
        .flat_map(|arm| values.split('|').map(move |v| with(arm, v)))
        .collect()
}

fn run(arm: &Arm, seed: u64) -> Result<Report, Box<dyn std::error::Error>> {
    let mut text = format!("seed = {seed}\n");
    for (key, value) in arm {
        let bare = value.parse::<f64>().is_ok() || value == "true" || value == "false";
        let quoted = if key == "net" || !bare {
            format!("\"{value}\"")
        } else {
            value.clone()
        };
        text += &format!("{key} = {quoted}\n");
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("arm.toml");
    std::fs::write(&path, text)?;
    let config = Config::read(&path)?;
    let data_dir = std::env::var_os("SECATEUR_DATA").map(PathBuf::from);
    let outcome = compress(&config, data_dir.as_deref(), &mut |_| Flow::Continue)
        .map_err(|e| format!("{arm:?}: {e}"))?;
    Ok(outcome.report)
}

fn line(arm: &Arm, seed: u64, r: &Report) -> String {
    format!(
        "{arm:?} seed {seed}: test {:.4} validation {:.4} x{:.2} units {:?} {:.2} s (dense {:?} {:?}, narrow {:?})",
        r.after.test_score,
        r.after.validation_score,
        r.before.macs as f64 / r.after.macs as f64,
        r.after.units,
        r.seconds.total,
        r.dense.as_ref().map(|d| d.test_score),
        r.dense.as_ref().map(|d| d.train_seconds),
        r.narrow.as_ref().map(|d| d.test_score),
    )
}

/// Mean and standard deviation over seeds.
fn spread(values: &[f64]) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    format!("{mean:.4} ± {sd:.4}")
}

fn table(arms: &[Arm], rows: &[(Arm, u64, Report)]) -> String {
    let mut text = String::from(
        "| arm | test | dense test | narrow test | MACs ratio | seconds / dense | penalty / total |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for arm in arms {
        let of: Vec<&Report> = rows
            .iter()
            .filter(|(a, ..)| a == arm)
            .map(|(.., r)| r)
            .collect();
        let column = |get: &dyn Fn(&Report) -> Option<f64>| {
            let values: Option<Vec<f64>> = of.iter().map(|r| get(r)).collect();
            values.map_or_else(|| "-".to_owned(), |v| spread(&v))
        };
        let name: Vec<String> = arm.iter().map(|(k, v)| format!("{k}={v}")).collect();
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            name.join(" "),
            column(&|r| Some(r.after.test_score)),
            column(&|r| r.dense.as_ref().map(|d| d.test_score)),
            column(&|r| r.narrow.as_ref().map(|d| d.test_score)),
            column(&|r| Some(r.before.macs as f64 / r.after.macs as f64)),
            column(&|r| r.dense.as_ref().map(|d| r.seconds.total / d.train_seconds)),
            column(&|r| Some(r.seconds.penalty / r.seconds.total)),
        );
    }
    text
}
