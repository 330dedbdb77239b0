//! What a path takes beside a config: how many points, how far down, and what quality the chosen one may cost.

use std::path::Path;

use secateur_prox::Share;
use serde::{Deserialize, Serialize};

use super::quality_drop::QualityDrop;
use crate::{Config, Error, ErrorKind, Result};

/// More points than anybody reads; beyond it a typing error would train for days.
const MOST_POINTS: usize = 100;

/// How a path goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathOptions {
    /// Networks that are cut, from 1 to 100; the one that they are cut from comes on top.
    pub points: usize,
    /// The share of the starting MACs that the last of them may keep; below 1.
    pub least: Share,
    /// What quality a chosen network may cost, if one is to be chosen.
    pub drop: Option<QualityDrop>,
}

impl PathOptions {
    /// Cuts, unless the user says otherwise: with [`PathOptions::LEAST`], each keeps about two thirds of the one before, which a
    /// short stretch of training makes up for.
    pub const POINTS: usize = 8;
    /// Share of the MACs at the end of a path, unless the user says otherwise.
    pub const LEAST: &str = "5%";

    /// The options as they are typed: a number, a share such as `5%`, and a drop such as `0.5pt`.
    ///
    /// # Errors
    /// Names the flag whose value is not allowed, and what is.
    pub fn new(points: usize, least: &str, drop: Option<&str>) -> Result<Self> {
        if !(1..=MOST_POINTS).contains(&points) {
            return Err(Error::usage(format!("{points} points make no path"))
                .at("--points")
                .hint(format!("give a number from 1 to {MOST_POINTS}")));
        }
        let share: Share = least
            .parse()
            .map_err(|e: secateur_prox::Error| Error::usage(e.to_string()).at("--to").hint(TO))?;
        if share.get() >= 1.0 {
            return Err(
                Error::usage("a path goes down, and this is all of the MACs")
                    .at("--to")
                    .hint(TO),
            );
        }
        Ok(Self {
            points,
            least: share,
            drop: drop.map(str::parse).transpose()?,
        })
    }

    /// The text of a file that tells them.
    ///
    /// # Errors
    /// If they cannot be written, which they can.
    pub(super) fn to_toml(self) -> Result<String> {
        let typed = Typed {
            points: self.points,
            to: self.least.to_string(),
            drop: self.drop,
        };
        toml::to_string(&typed).map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))
    }

    /// Those that a file tells.
    ///
    /// # Errors
    /// If it cannot be read, or tells none.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
        let at = |e: Error| e.at(path.display().to_string());
        let typed: Typed = toml::from_str(&text)
            .map_err(|e| at(Error::new(ErrorKind::Input, e.message().to_owned())))?;
        let drop = typed.drop;
        let options = Self::new(typed.points, &typed.to, None).map_err(at)?;
        Ok(Self { drop, ..options })
    }

    /// The shares of the starting MACs to cut to, falling by the same factor each, the last one [`PathOptions::least`].
    ///
    /// Equal factors, as what a network loses hangs on what a cut leaves of it: a curve over log MACs has its points at equal
    /// distances.
    pub(super) fn shares(&self) -> Vec<f64> {
        let share = |i: usize| self.least.get().powf(i as f64 / self.points as f64);
        (1..=self.points).map(share).collect()
    }

    /// The config with the part that a path cuts by, and nothing that a path does otherwise.
    ///
    /// # Errors
    /// If the config asks for such a thing.
    pub(super) fn config(&self, config: &Config) -> Result<Config> {
        let refused = |place: &str, message: &str, hint: &str| {
            Err(Error::usage(message).at(place).hint(hint))
        };
        if config.budget.is_some() {
            return refused(
                "--budget",
                "a path cuts by budgets of its own",
                "leave it out, in a config file too: --to says how far down the path goes, --drop what it may cost",
            );
        }
        if config.part.is_some() {
            return refused(
                "--part",
                "a path cuts by budgets of its own",
                "leave it out, in a config file too: --to says how far down the path goes, --points in how many steps",
            );
        }
        if config.penalty.as_deref() == Some("none") {
            return refused(
                "--penalty",
                "a path needs a penalty",
                "leave it out: the first point is the network without one",
            );
        }
        if config.baseline == Some(true) {
            return refused(
                "--baseline",
                "the first point of a path is the dense network already",
                "leave it out",
            );
        }
        if config.control.as_deref().is_some_and(|c| c != "none") {
            return refused(
                "--control",
                "a path narrows no networks",
                "use compress with --part budget:SHARE for a point of the path",
            );
        }
        Ok(Config {
            part: Some(format!("budget:{}", self.least)),
            baseline: None,
            control: None,
            ..config.clone()
        })
    }
}

/// The options as they are typed, to be kept while a path goes on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    points: usize,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<QualityDrop>,
}

const TO: &str = "give a share below 1, such as 5%";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fall_by_one_factor_to_the_least() {
        let shares = PathOptions::new(3, "12.5%", None).unwrap().shares();
        for (have, want) in shares.iter().zip([0.5, 0.25, 0.125]) {
            assert!((have - want).abs() < 1e-12, "{shares:?}");
        }
        assert_eq!(shares.len(), 3);
        assert_eq!(PathOptions::new(1, "0.3", None).unwrap().shares(), [0.3]);
    }

    #[test]
    fn a_file_tells_the_same_options() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("path.toml");
        for (least, drop) in [
            ("5%", None),
            ("0.123456789", Some("0.1pt")),
            ("1e-3", Some("2.12345%")),
        ] {
            let options = PathOptions::new(7, least, drop).unwrap();
            std::fs::write(&file, options.to_toml().unwrap()).unwrap();
            assert_eq!(PathOptions::read(&file).unwrap(), options);
        }
        for wrong in [
            "",
            "points = 0\nto = '5%'",
            "points = 3\nto = '5%'\nfrom = 1",
        ] {
            std::fs::write(&file, wrong).unwrap();
            let error = PathOptions::read(&file).unwrap_err();
            assert!(error.to_string().contains("path.toml"), "{error}");
        }
    }

    #[test]
    fn options_out_of_range_name_their_flag() {
        let told = |points, least, drop| {
            let error = PathOptions::new(points, least, drop).unwrap_err();
            assert!(error.hint_text().is_some());
            error.to_string()
        };
        for points in [0, 101] {
            assert!(told(points, "5%", None).starts_with("--points: "));
        }
        for least in ["0", "100%", "1", "-5%", "nan", "most", "500%"] {
            assert!(told(8, least, None).starts_with("--to: "), "{least}");
        }
        assert!(told(8, "5%", Some("half")).starts_with("--drop: "));
    }

    #[test]
    fn what_a_path_does_otherwise_is_refused_and_the_rest_is_kept() {
        let options = PathOptions::new(2, "5%", None).unwrap();
        let config = |change: fn(&mut Config)| {
            let mut config = Config {
                seed: Some(3),
                baseline: Some(false),
                control: Some("none".into()),
                ..Config::default()
            };
            change(&mut config);
            options.config(&config)
        };
        let kept = config(|_| {}).unwrap();
        assert_eq!(
            (kept.seed, kept.part.as_deref()),
            (Some(3), Some("budget:0.05"))
        );
        assert!(config(|c| c.part = Some("full".into())).is_err());
        assert!(config(|c| c.penalty = Some("none".into())).is_err());
        assert!(config(|c| c.baseline = Some(true)).is_err());
        assert!(config(|c| c.control = Some("narrow".into())).is_err());
    }
}
