//! Which data a comparison is made on.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A data set of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataChoice {
    /// In tables.
    pub name: String,
    /// As for `--data` of `compress`.
    pub path: String,
    /// Target columns; by default the last.
    pub target: Vec<String>,
}

/// `NAME`, `NAME=PATH`, and either with `@TARGET` or `@TARGET+TARGET` behind it.
impl std::str::FromStr for DataChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (place, targets) = text.split_once('@').unwrap_or((text, ""));
        let (name, path) = place.split_once('=').unwrap_or((place, place));
        let target: Vec<String> = targets
            .split('+')
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .collect();
        if name.is_empty() || path.is_empty() || (text.contains('@') && target.is_empty()) {
            return Err(Error::usage(format!("'{text}' names no data"))
                .at("--data")
                .hint("write digits, mnist=path/to/mnist or wine=wine.csv@quality"));
        }
        let stem = |path: &str| {
            let file = path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or(path);
            file.split('.').next().unwrap_or(file).to_owned()
        };
        Ok(Self {
            name: match place.contains('=') {
                true => name.to_owned(),
                false => stem(name),
            },
            path: path.to_owned(),
            target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_named_with_path_and_targets() {
        let data: DataChoice = "energy=uci/energy.csv@Y1+Y2".parse().unwrap();
        assert_eq!(
            (data.name.as_str(), data.path.as_str()),
            ("energy", "uci/energy.csv")
        );
        assert_eq!(data.target, ["Y1", "Y2"]);
        let data: DataChoice = "some/wine.csv.gz@quality".parse().unwrap();
        assert_eq!(
            (data.name.as_str(), data.path.as_str()),
            ("wine", "some/wine.csv.gz")
        );
        for wrong in ["", "=x", "x=", "x@"] {
            assert!(wrong.parse::<DataChoice>().is_err(), "{wrong}");
        }
    }
}
