//! One way to train: what an arm sets, and what it is called.

use std::collections::BTreeMap;

use secateur_prox::{Part, Penalty};
use serde::{Deserialize, Serialize};

use crate::{Config, Error, Result};

/// What an arm sets apart from the settings that all share: config keys and their values.
pub type Choices = BTreeMap<String, String>;
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
        let is_budget = matches!(self.part(), Some(Part::Budget { .. }));
        match self.choices.get("by") {
            Some(by) if !is_budget => Err(Error::usage(format!(
                "without a budget no units are ranked, by {by} or otherwise"
            ))
            .at("--vary")
            .hint("give parts that are budgets, such as --parts budget:25%")),
            _ => Ok(()),
        }
    }

    /// Whether it can be run: a budget cannot be met by a penalty that takes no units away.
    pub fn is_possible(&self) -> bool {
        self.removes_units() || !matches!(self.part(), Some(Part::Budget { .. }))
    }

    /// Whether its penalty is a subgradient in the loss, which makes nothing exactly zero.
    pub(super) fn is_subgradient(&self) -> bool {
        self.choices
            .get("penalty-step")
            .is_some_and(|s| s == "subgradient")
    }

    /// Whether its penalty can take units away.
    pub fn removes_units(&self) -> bool {
        let penalty = self.choices.get("penalty").map(|p| p.parse::<Penalty>());
        let subgradient = self.is_subgradient();
        match penalty {
            Some(Ok(penalty)) => penalty.removes_units() && !subgradient,
            Some(Err(_)) => false,
            None => !subgradient,
        }
    }

    /// What a dense network of the same training sets: everything but the penalty.
    pub(super) fn bare(&self) -> Choices {
        let mut bare = self.choices.clone();
        bare.retain(|key, _| !PENALTY_KEYS.contains(&key.as_str()));
        bare
    }
}

/// Keys on which a network without a penalty does not depend.
const PENALTY_KEYS: [&str; 14] = [
    "penalty",
    "strength",
    "part",
    "budget",
    "by",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(choices: &[(&str, &str)]) -> Arm {
        let choices = choices.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        Arm::new(choices.collect())
    }

    #[test]
    fn criteria_are_compared_under_budgets_alone() {
        for part in ["budget", "budget:25%", "budget:params=1000"] {
            let arm = arm(&[("part", part), ("by", "taylor")]);
            arm.check().unwrap();
            assert!(!arm.bare().contains_key("by"));
        }
        for choices in [
            &[("part", "full"), ("by", "taylor")][..],
            &[("by", "taylor")],
        ] {
            let error = arm(choices).check().unwrap_err();
            let told = "--vary: without a budget no units are ranked, by taylor or otherwise";
            assert_eq!(error.to_string(), told);
            assert!(error.hint_text().unwrap().contains("--parts budget:25%"));
        }
        arm(&[("part", "full")]).check().unwrap();
    }
}
