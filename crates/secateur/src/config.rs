//! What a user may choose, as typed on the command line or written in a config file.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, ErrorKind, Result};

/// Every choice of a run; what is left out is decided by [`crate::Plan`].
///
/// The same names serve as keys of the config file and, with two dashes in front, as flags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// An embedded set, a file, a folder, or a name below the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// `idx`, `csv`, `cifar10`, `cifar100`, `npz`, `npy`, `image-folder` or `embedded`; by default found from the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Height and width, joined by an `x`, to which pictures of a folder are brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Whether pictures of a folder are read without their colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gray: Option<bool>,
    /// What is subtracted of pixels that lie in 0 to 1: a number, or one for each channel, joined by commas.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_number"
    )]
    #[serde(default)]
    pub mean: Option<String>,
    /// What they are divided by then.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_number"
    )]
    #[serde(default)]
    pub std: Option<String>,
    /// `none`, `flip`, `crop:PIXELS` or `flip+crop:PIXELS`: how training pictures are changed anew in every epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<String>,
    /// Names or numbers (from 1) of the target columns; by default the last.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "one_or_many"
    )]
    #[serde(default)]
    pub target: Option<Vec<String>>,
    /// `classification` or `regression`; by default found from the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// `error` or `mean`: what to do about missing values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// An ONNX file to start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Hidden widths, joined by dashes, or the name of a network for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    /// `relu`, `leaky-relu`, `tanh` or `sigmoid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// The law of the initial weights: `scaled` by the widths, with biases of 0, or
    /// `truncated-normal:DEVIATION[:BIAS]`, drawn anew beyond two deviations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// `cross-entropy`, `double-softmax` (of the softmax's softmax), `mse`, `mae` or `huber:DELTA`.
    ///
    /// The model puts out logits under either loss of classes; losses that are reported are of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<String>,
    /// `equal` or `balanced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<String>,
    /// A penalty, or `none` for a dense run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<String>,
    /// Lambda, or `auto`.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_number"
    )]
    #[serde(default)]
    pub strength: Option<String>,
    /// The penalised share of the hidden units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What the network may keep at most, in place of a part: see [`Budget`](crate::Budget).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// `penalised`, `spared` or `like-hidden` (penalised and spared by the part, as hidden units are):
    /// whether unused input features are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// `outgoing` or `incoming`: which weights make up a unit's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<String>,
    /// `current-widths`, `initial-widths`, `one` or `macs`: the factor of each group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_weights: Option<String>,
    /// `on` or `off`: whether the penalised part makes up for the spared one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compensation: Option<String>,
    /// `proximal`, or `subgradient`, which removes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty_step: Option<String>,
    /// `exact` or `mean`: how the proximal step is measured under Adam.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adam_metric: Option<String>,
    /// `sgd`, `nesterov`, `adam` or `adamw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<String>,
    /// Highest learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Momentum of SGD, in [0, 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Decoupled weight decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// `cosine`, `constant` or `step:STAGES:FACTOR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Epochs over which the learning rate rises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<usize>,
    /// Passes over the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Optimiser steps, in place of epochs: the last epoch may be short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Epochs without penalty at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle: Option<usize>,
    /// Rows a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// `shuffled`, or `as-is`: round and round in the order of the data, with exactly `batch` rows a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// `epoch`, `steps:N` or `end`: when dead units are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removal: Option<String>,
    /// Units that every layer keeps in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<usize>,
    /// Every layer that loses units is left with a multiple of this many, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<usize>,
    /// In how many stages a budget is come to, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<usize>,
    /// By what a budget ranks units: `flap`, `taylor`, `reconstruction`, `l1`, `l2`, `fpgm`, `variance` or `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Decides the split, the initial weights and the order of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Worker threads; by default one a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Whether the written classifier also puts out probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub softmax: Option<bool>,
    /// Whether the same network is also trained without penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<bool>,
    /// `none` or `narrow`: a uniformly narrowed dense network of equal MACs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
}

/// Bytes of a file of settings at most: a device or a pipe may have no end.
const MOST_TEXT: u64 = 1 << 24;

/// A text file of settings.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    match file.take(MOST_TEXT).read_to_string(&mut text)? as u64 == MOST_TEXT {
        true => Err(std::io::Error::other("is too large for settings")),
        false => Ok(text),
    }
}

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or has an unknown key or a value of a wrong type.
    pub fn read(path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let text = read_text(path).map_err(|e| {
            Error::new(ErrorKind::Input, e.to_string())
                .at(place())
                .hint("check the path of --config")
        })?;
        toml::from_str(&text).map_err(|e| Error::usage(e.to_string().trim_end()).at(place()))
    }

    /// The choices of `self`, and where it has none those of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        // A choice that leaves no budget is not contradicted by a file that tells how one ranks.
        let is_budget = |part: &str| part.starts_with("budget");
        let may_rank =
            self.part.as_deref().is_none_or(is_budget) && self.penalty.as_deref() != Some("none");
        Self {
            data: self.data.or(other.data),
            format: self.format.or(other.format),
            size: self.size.or(other.size),
            gray: self.gray.or(other.gray),
            mean: self.mean.or(other.mean),
            std: self.std.or(other.std),
            augment: self.augment.or(other.augment),
            target: self.target.or(other.target),
            task: self.task.or(other.task),
            missing: self.missing.or(other.missing),
            model: self.model.or(other.model),
            net: self.net.or(other.net),
            activation: self.activation.or(other.activation),
            init: self.init.or(other.init),
            loss: self.loss.or(other.loss),
            class_weights: self.class_weights.or(other.class_weights),
            penalty: self.penalty.or(other.penalty),
            strength: self.strength.or(other.strength),
            by: self.by.or(other.by.filter(|_| may_rank)),
            // One is in place of the other, so that a typed one is not contradicted by a file.
            part: match self.budget {
                Some(_) => self.part.clone(),
                None => self.part.clone().or(other.part),
            },
            budget: match self.part {
                Some(_) => self.budget,
                None => self.budget.or(other.budget),
            },
            inputs: self.inputs.or(other.inputs),
            members: self.members.or(other.members),
            group_weights: self.group_weights.or(other.group_weights),
            compensation: self.compensation.or(other.compensation),
            penalty_step: self.penalty_step.or(other.penalty_step),
            adam_metric: self.adam_metric.or(other.adam_metric),
            optimizer: self.optimizer.or(other.optimizer),
            learning_rate: self.learning_rate.or(other.learning_rate),
            momentum: self.momentum.or(other.momentum),
            weight_decay: self.weight_decay.or(other.weight_decay),
            schedule: self.schedule.or(other.schedule),
            warm_up: self.warm_up.or(other.warm_up),
            epochs: self.epochs.or(other.epochs),
            steps: self.steps.or(other.steps),
            settle: self.settle.or(other.settle),
            batch: self.batch.or(other.batch),
            order: self.order.or(other.order),
            removal: self.removal.or(other.removal),
            floor: self.floor.or(other.floor),
            round: self.round.or(other.round),
            stages: self.stages.or(other.stages),
            seed: self.seed.or(other.seed),
            threads: self.threads.or(other.threads),
            softmax: self.softmax.or(other.softmax),
            baseline: self.baseline.or(other.baseline),
            control: self.control.or(other.control),
        }
    }

    /// The config as the text of a config file.
    ///
    /// # Errors
    /// Never in practice: every choice has a place in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::usage(e.to_string()))
    }
}

/// A value that users write as text or as a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "text or a number")]
enum Scalar {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a value or a list of values")]
enum Scalars {
    One(Scalar),
    Many(Vec<Scalar>),
}

fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Scalar::deserialize(from)?.into_text()))
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(match Scalars::deserialize(from)? {
        Scalars::One(one) => vec![one.into_text()],
        Scalars::Many(many) => many.into_iter().map(Scalar::into_text).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_choice_wins_and_gaps_are_filled() {
        let flags = Config {
            seed: Some(3),
            ..Config::default()
        };
        let file = Config {
            seed: Some(1),
            epochs: Some(9),
            ..Config::default()
        };
        let both = flags.or(file);
        assert_eq!(
            (both.seed, both.epochs, both.batch),
            (Some(3), Some(9), None)
        );
    }

    #[test]
    fn a_criterion_of_a_file_holds_as_long_as_there_may_be_a_budget() {
        let by = |part: Option<&str>, penalty: Option<&str>, by: Option<&str>| {
            let text = |choice: Option<&str>| choice.map(str::to_owned);
            let typed = Config {
                part: text(part),
                penalty: text(penalty),
                by: text(by),
                ..Config::default()
            };
            let file = Config {
                by: Some("l2".into()),
                ..Config::default()
            };
            typed.or(file).by
        };
        for part in [None, Some("budget"), Some("budget:10%")] {
            for penalty in [None, Some("group-lasso")] {
                assert_eq!(by(part, penalty, None).as_deref(), Some("l2"));
                assert_eq!(by(part, penalty, Some("l1")).as_deref(), Some("l1"));
            }
        }
        for (part, penalty) in [(Some("full"), None), (Some("budget:10%"), Some("none"))] {
            assert_eq!(by(part, penalty, None), None);
            // What is typed is told to make no sense.
            assert_eq!(by(part, penalty, Some("l1")).as_deref(), Some("l1"));
        }
    }

    #[test]
    fn toml_comes_back_as_it_was_and_unknown_keys_are_refused() {
        let config = Config {
            data: Some("digits".into()),
            target: Some(vec!["a".into(), "2".into()]),
            learning_rate: Some(0.1),
            softmax: Some(true),
            ..Config::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, config.to_toml().unwrap()).unwrap();
        assert_eq!(Config::read(&path).unwrap(), config);

        std::fs::write(&path, "strength = 1e-4\ntarget = 9\n").unwrap();
        let numbers = Config::read(&path).unwrap();
        assert_eq!(numbers.strength.unwrap().parse::<f64>().unwrap(), 1e-4);
        assert_eq!(numbers.target.unwrap(), ["9"]);

        std::fs::write(&path, "learningrate = 0.1\n").unwrap();
        let error = Config::read(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(
            error.to_string().contains("unknown field `learningrate`"),
            "{error}"
        );
    }
}
