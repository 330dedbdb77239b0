//! What is compared: data, arms and seeds, and the order in which their cells are run.

use std::collections::BTreeMap;
use std::fmt;

use secateur_prox::{Part, Penalty, Share};
use serde::{Deserialize, Serialize};

use crate::{Config, Error, Result};

/// What an arm sets apart from the settings that all share: config keys and their values.
pub type Choices = BTreeMap<String, String>;

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

/// What an arm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The network as it is, without a penalty.
    Dense,
    /// A dense network narrowed uniformly to the MACs that are asked for, its weight decay tuned.
    Narrow,
    /// A network under a penalty.
    Penalised,
}

/// One way to train.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// What it is for.
    pub role: Role,
    /// What a set of choices is called, where that is shorter than to list them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What it sets.
    pub choices: Choices,
}

impl Arm {
    /// An arm under a penalty, or the dense one if that is `none`.
    pub fn new(choices: Choices) -> Self {
        let role = match choices.get("penalty").map(String::as_str) {
            Some("none") => Role::Dense,
            _ => Role::Penalised,
        };
        Self {
            role,
            mode: None,
            choices,
        }
    }

    /// The part, if it is set; that of `budget` alone is the share at which arms are compared.
    pub fn part(&self) -> Option<Part> {
        match self.choices.get("part")?.as_str() {
            "budget" => "budget:50%".parse().ok(),
            part => part.parse().ok(),
        }
    }

    /// What it is called in tables.
    pub fn label(&self) -> String {
        let mut words = match self.role {
            Role::Dense => vec!["dense".to_owned()],
            Role::Narrow => vec!["narrowed dense".to_owned()],
            Role::Penalised => vec![],
        };
        if let Some(mode) = &self.mode {
            words.push(mode.clone());
        }
        let plain = ["penalty", "part"];
        if self.role == Role::Penalised {
            words.extend(
                plain
                    .iter()
                    .filter_map(|key| self.choices.get(*key).cloned()),
            );
        }
        let others = self
            .choices
            .iter()
            .filter(|(key, _)| self.mode.is_none() && !plain.contains(&key.as_str()));
        words.extend(others.map(|(key, value)| match key.as_str() {
            "optimizer" => value.clone(),
            key => format!("{key} {value}"),
        }));
        words.join(", ")
    }

    /// Whether what it sets has a meaning.
    ///
    /// # Errors
    /// Names the value that has none.
    pub fn check(&self) -> Result<()> {
        let config = Config::default().with(&self.choices)?;
        if let Some(penalty) = config.penalty.as_deref().filter(|p| *p != "none") {
            penalty.parse::<Penalty>()?;
        }
        if let Some(part) = config.part.as_deref().filter(|p| *p != "budget") {
            part.parse::<Part>()?;
        }
        Ok(())
    }

    /// Whether it can be run: a budget cannot be met by a penalty that takes no units away.
    pub fn is_possible(&self) -> bool {
        self.removes_units() || !matches!(self.part(), Some(Part::Budget { .. }))
    }

    /// Whether its penalty can take units away.
    pub fn removes_units(&self) -> bool {
        let penalty = self.choices.get("penalty").map(|p| p.parse::<Penalty>());
        let subgradient = self
            .choices
            .get("penalty-step")
            .is_some_and(|s| s == "subgradient");
        match penalty {
            Some(Ok(penalty)) => penalty.removes_units() && !subgradient,
            Some(Err(_)) => false,
            None => !subgradient,
        }
    }

    /// What a dense network of the same training sets: everything but the penalty.
    fn bare(&self) -> Choices {
        let mut bare = self.choices.clone();
        bare.retain(|key, _| !PENALTY_KEYS.contains(&key.as_str()));
        bare
    }
}

/// A share of the MACs, written 0.25 or 25%.
///
/// # Errors
/// If it is no number above 0 and at most 1.
pub fn share(place: &str, text: &str) -> Result<f64> {
    match text.parse::<Share>() {
        Ok(share) => Ok(share.get()),
        Err(error) => Err(Error::usage(error.to_string())
            .at(place)
            .hint("write 0.25 or 25%")),
    }
}

/// Keys on which a network without a penalty does not depend.
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

/// One run, or one search for a strength, of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Name of the data.
    pub data: String,
    /// The arm.
    pub arm: Arm,
    /// Share of the dense MACs at which arms are compared, if they are.
    pub at: Option<f64>,
    /// Decides split, initial weights and order of rows.
    pub seed: u64,
}

/// The data, arms and seeds of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// What all cells share.
    pub shared: Config,
    /// On what.
    pub data: Vec<DataChoice>,
    /// Penalised arms.
    pub arms: Vec<Arm>,
    /// Seeds, from 0.
    pub seeds: u64,
    /// Shares of the dense MACs at which arms are compared; none to compare at equal strengths.
    pub at: Vec<f64>,
}

impl Grid {
    /// Every combination of the values of some keys, as arms.
    pub fn arms(axes: &[(String, Vec<String>)]) -> Vec<Arm> {
        let mut all = vec![Choices::new()];
        for (key, values) in axes {
            let with = |choices: &Choices, value: &String| {
                let mut choices = choices.clone();
                choices.insert(key.clone(), value.clone());
                choices
            };
            all = all
                .iter()
                .flat_map(|c| values.iter().map(|v| with(c, v)))
                .collect();
        }
        all.into_iter().map(Arm::new).collect()
    }

    /// All units: seed by seed and data set by data set, so that the arms of a pair run near each other
    /// and a drift of the machine hits them alike.
    pub fn units(&self) -> Vec<Unit> {
        let dense = distinct(&self.arms);
        let shares: Vec<Option<f64>> = match self.at.is_empty() {
            true => vec![None],
            false => self.at.iter().copied().map(Some).collect(),
        };
        let mut units = vec![];
        for seed in 0..self.seeds {
            for data in &self.data {
                let mut add = |arm: &Arm, at: Option<f64>| {
                    units.push(Unit {
                        data: data.name.clone(),
                        arm: arm.clone(),
                        at,
                        seed,
                    });
                };
                for bare in &dense {
                    add(
                        &Arm {
                            role: Role::Dense,
                            ..bare.clone()
                        },
                        None,
                    );
                }
                for at in &shares {
                    if at.is_some() {
                        for bare in &dense {
                            add(
                                &Arm {
                                    role: Role::Narrow,
                                    ..bare.clone()
                                },
                                *at,
                            );
                        }
                    }
                    for arm in &self.arms {
                        // What cannot lose units is the same at every share.
                        let share = at.filter(|_| arm.removes_units());
                        if share == *at || *at == shares[0] {
                            add(arm, share);
                        }
                    }
                }
            }
        }
        // A budget takes its strength from the full part, which must have been found by then.
        units.sort_by_key(|u| (u.seed, matches!(u.arm.part(), Some(Part::Budget { .. }))));
        units
    }
}

/// The dense networks of some arms, each once.
fn distinct(arms: &[Arm]) -> Vec<Arm> {
    let mut seen: Vec<Arm> = vec![];
    for arm in arms {
        let mut choices = arm.bare();
        choices.insert("penalty".into(), "none".into());
        if !seen.iter().any(|s| s.choices == choices) {
            seen.push(Arm {
                role: Role::Dense,
                mode: arm.mode.clone(),
                choices,
            });
        }
    }
    seen
}

/// One share of a grid: the units whose number leaves this remainder, so that shards take equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
}

impl Shard {
    /// Everything.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// The units of this shard, in their order.
    pub fn take(self, units: Vec<Unit>) -> Vec<Unit> {
        let mine = |&(i, _): &(usize, Unit)| i % self.of == self.number - 1;
        units
            .into_iter()
            .enumerate()
            .filter(mine)
            .map(|(_, unit)| unit)
            .collect()
    }
}

impl std::str::FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(Error::usage(format!("'{text}' is not a shard"))
                .at("--shard")
                .hint("write 3/16 for the third of sixteen; they are numbered from 1")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(at: &[f64]) -> Grid {
        let axes = [
            (
                "penalty".to_owned(),
                vec!["group-lasso".to_owned(), "exclusive".to_owned()],
            ),
            (
                "part".to_owned(),
                vec!["budget:25%".to_owned(), "full".to_owned()],
            ),
        ];
        Grid {
            shared: Config::default(),
            data: vec!["digits".parse().unwrap(), "d=diabetes".parse().unwrap()],
            arms: Grid::arms(&axes),
            seeds: 3,
            at: at.to_vec(),
        }
    }

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

    #[test]
    fn every_seed_has_its_dense_network_and_all_arms() {
        let units = grid(&[]).units();
        assert_eq!(units.len(), 3 * 2 * (1 + 4));
        let dense = units.iter().filter(|u| u.arm.role == Role::Dense).count();
        assert_eq!(dense, 6);
    }

    #[test]
    fn at_equal_macs_each_share_has_a_narrowed_control() {
        let units = grid(&[0.25, 0.1]).units();
        // Dense; at each share a narrowed one and both parts of the group lasso; exclusive once.
        assert_eq!(units.len(), 3 * 2 * (1 + 2 * 3 + 2));
        let place = |part: &str| {
            let is = |u: &&Unit| {
                u.at == Some(0.1) && u.arm.choices.get("part").is_some_and(|p| p == part)
            };
            units.iter().position(|u| is(&u)).unwrap()
        };
        assert!(place("full") < place("budget:25%"));
    }

    #[test]
    fn shards_divide_the_units() {
        let units = grid(&[0.25]).units();
        let mut joined: Vec<Unit> = (1..=4)
            .flat_map(|number| Shard { number, of: 4 }.take(units.clone()))
            .collect();
        assert_eq!(joined.len(), units.len());
        for unit in &units {
            let i = joined.iter().position(|u| u == unit).unwrap();
            joined.remove(i);
        }
        for wrong in ["0/3", "4/3", "3", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
