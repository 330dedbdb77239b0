//! Sets config keys by name, with values as they are typed.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::choice::unknown;
use crate::{Config, Error, Result};

/// Every key of a config file.
const KEYS: [&str; 47] = [
    "data",
    "format",
    "size",
    "gray",
    "mean",
    "std",
    "augment",
    "target",
    "task",
    "missing",
    "model",
    "net",
    "activation",
    "init",
    "loss",
    "class-weights",
    "penalty",
    "strength",
    "part",
    "budget",
    "inputs",
    "members",
    "group-weights",
    "compensation",
    "penalty-step",
    "adam-metric",
    "optimizer",
    "learning-rate",
    "momentum",
    "weight-decay",
    "schedule",
    "warm-up",
    "epochs",
    "steps",
    "settle",
    "batch",
    "order",
    "removal",
    "floor",
    "round",
    "stages",
    "by",
    "seed",
    "threads",
    "softmax",
    "baseline",
    "control",
];

impl Config {
    /// The config with some keys set, as if they had been typed as flags.
    ///
    /// # Errors
    /// If there is no such key, or the value is of a wrong type.
    pub fn with(&self, choices: &BTreeMap<String, String>) -> Result<Self> {
        choices
            .iter()
            .try_fold(self.clone(), |config, (key, value)| {
                Ok(Self::one(key, value)?.or(config))
            })
    }

    /// A config of one key.
    fn one(key: &str, value: &str) -> Result<Self> {
        let of = |value: Value| Table::from_iter([(key.to_owned(), value)]).try_into::<Self>();
        let as_text = of(Value::String(value.to_owned()));
        // Numbers and booleans are typed without quotes; so try the value as it stands, too.
        as_text.or_else(|first| {
            let bare = value
                .parse::<i64>()
                .map(Value::Integer)
                .or_else(|_| value.parse::<f64>().map(Value::Float))
                .or_else(|_| value.parse::<bool>().map(Value::Boolean));
            bare.ok()
                .and_then(|bare| of(bare).ok())
                .ok_or_else(|| match KEYS.contains(&key) {
                    true => Error::usage(first.message()).at(format!("{key}={value}")),
                    false => unknown(key, key, &KEYS),
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config> {
        let choices = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        Config::default().with(&choices.collect())
    }

    #[test]
    fn texts_numbers_and_booleans_are_taken_as_typed() {
        let config = with(&[
            ("net", "64"),
            ("strength", "1e-4"),
            ("learning-rate", "1"),
            ("epochs", "7"),
            ("softmax", "true"),
            ("target", "y"),
        ])
        .unwrap();
        assert_eq!(config.net.as_deref(), Some("64"));
        assert_eq!(config.strength.as_deref(), Some("1e-4"));
        assert_eq!(config.learning_rate, Some(1.0));
        assert_eq!((config.epochs, config.softmax), (Some(7), Some(true)));
        assert_eq!(config.target.unwrap(), ["y"]);
    }

    #[test]
    fn the_keys_are_those_of_the_config() {
        let refusal = toml::from_str::<Config>("x = 1").unwrap_err();
        let named: Vec<&str> = refusal.message().split('`').skip(3).step_by(2).collect();
        assert_eq!(named, KEYS);
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused() {
        let error = with(&[("epoch", "7")]).unwrap_err();
        assert_eq!(error.to_string(), "epoch: there is no 'epoch'");
        assert!(
            error
                .hint_text()
                .unwrap()
                .starts_with("did you mean `epochs`?")
        );
        assert!(with(&[("epochs", "many")]).is_err());
    }
}
