//! Sets config keys by name, with values as they are typed.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::{Config, Error, Result};

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
                .ok_or_else(|| Error::usage(first.message()).at(format!("{key}={value}")))
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
    fn unknown_keys_and_wrong_types_are_refused() {
        let error = with(&[("epoch", "7")]).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `epoch`"),
            "{error}"
        );
        assert!(with(&[("epochs", "many")]).is_err());
    }
}
