//! What is compared: data, arms and seeds, and the order in which their cells are run.

use secateur_prox::{Part, Share};
use serde::{Deserialize, Serialize};

use super::arm::{Arm, Choices, Role};
use super::data::DataChoice;
use crate::{Config, Error, Result};

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

#[cfg(test)]
mod tests {
    use super::super::shard::Shard;
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
