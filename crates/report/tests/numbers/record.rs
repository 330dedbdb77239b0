//! The records, and their numbers as they are to be printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use secateur::RunRecord;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/distinct")
}

/// The run as the report reads it.
pub(crate) fn run() -> RunRecord {
    RunRecord::read(&folder()).unwrap()
}

/// A file of its folder as anyone reads it.
pub(crate) struct Json(Value);

impl Json {
    pub(crate) fn of(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(name)).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    fn at(&self, place: &str) -> &Value {
        self.0.pointer(place).unwrap_or_else(|| panic!("{place}"))
    }

    pub(crate) fn float(&self, place: &str) -> f64 {
        self.at(place).as_f64().unwrap()
    }

    /// As it stands in the file.
    pub(crate) fn text(&self, place: &str) -> String {
        match self.at(place) {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// A whole number with commas.
    pub(crate) fn count(&self, place: &str) -> String {
        let digits = (self.float(place) as u64).to_string();
        let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
        let groups = groups.iter().map(|g| std::str::from_utf8(g).unwrap());
        groups.collect::<Vec<_>>().join(",")
    }

    /// A share of one in per cent.
    pub(crate) fn percent(&self, place: &str) -> String {
        format!("{:.2}", 100.0 * self.float(place))
    }

    pub(crate) fn ratio(&self, from: &str, to: &str) -> String {
        format!("{:.2}", self.float(from) / self.float(to))
    }

    /// Numbers of a list from one on.
    pub(crate) fn joined(&self, place: &str, from: usize) -> String {
        let all = self.at(place).as_array().unwrap().iter().skip(from);
        all.map(ToString::to_string).collect::<Vec<_>>().join("-")
    }
}

fn numbers(value: &Value, place: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Number(number) => {
            // Where a share and its per cent would be the same digits, too.
            let text = number.to_string();
            let bare = text.strip_prefix("0.").or(text.strip_suffix(".0"));
            let bare = bare.unwrap_or(&text).to_owned();
            found.entry(bare).or_default().push(place.to_owned());
        }
        Value::Array(all) => {
            let all = all.iter().enumerate();
            all.for_each(|(i, v)| numbers(v, &format!("{place}/{i}"), found));
        }
        Value::Object(all) => all
            .iter()
            .for_each(|(k, v)| numbers(v, &format!("{place}/{k}"), found)),
        _ => {}
    }
}

#[test]
fn no_two_numbers_of_a_record_are_equal() {
    for name in ["report.json", "path.json"] {
        let mut found = BTreeMap::new();
        numbers(&Json::of(name).0, "", &mut found);
        assert!(found.len() > 70, "{name}: {}", found.len());
        for (number, places) in found {
            // Tolerances are no measurements.
            let same = places.iter().filter(|p| !p.ends_with("/tolerance"));
            assert!(same.count() < 2, "{name}: {number} at {places:?}");
        }
    }
}
