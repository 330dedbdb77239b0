//! What a config means for a given data set: every choice made, every number checked.

use std::path::Path;

use secateur_data::{Augment, Dataset, Format, LoadOptions, Missing, Target, Task};
use secateur_graph::Unary;
use secateur_prox::{Compensation, GroupWeights, Inputs, Members, Part, Penalty};
use secateur_prune::Criterion;
use secateur_train::{
    AdamMetric, ClassLoss, Init, Optimizer, Order, PenaltySettings, PenaltyStep, RegressionLoss,
    Settings,
};

use crate::budget::{Budget, PLACE};
use crate::choice::choose;
use crate::defaults::{Defaults, default_part, default_round, default_settle, ranked_by};
use crate::origin::image_size;
use crate::spelt::{augment, decay, init, regression_loss, removal, size, strength, widths};
use crate::{Config, Error, Origin, Result};

/// Hidden widths unless the user gives others: more than small data need, so that they can tell.
pub(crate) const DEFAULT_NET: &str = "256-128";
/// Slope of leaky rectifiers below zero.
const LEAK: f32 = 0.01;

/// Every choice of a run, in types that the trainer takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The complete config: running it again gives the same model.
    pub config: Config,
    /// The network that the run starts from.
    pub start: Origin,
    /// Units of each hidden layer at the start of a chain of dense layers; empty for other networks.
    pub hidden: Vec<usize>,
    /// How training pictures are changed.
    pub augment: Augment,
    /// Function after each hidden layer.
    pub activation: Unary,
    /// The law of the initial weights.
    pub init: Init,
    /// What classifiers minimise.
    pub class_loss: ClassLoss,
    /// Distance of regression targets.
    pub regression_loss: RegressionLoss,
    /// Whether rare classes count as much as frequent ones.
    pub balanced: bool,
    /// What the trainer is told.
    pub settings: Settings,
    /// What the network may keep at most, where the part is a budget.
    pub budget: Option<Budget>,
    /// Whether the strength is to be found on validation rows; the settings hold the first try.
    pub auto: bool,
    /// Whether the written classifier also puts out probabilities.
    pub softmax: bool,
    /// Whether the dense network is trained too.
    pub baseline: bool,
    /// Whether a narrowed dense network of equal MACs is trained too, and under which weight decay.
    pub narrow: Option<Decay>,
}

/// The weight decay of a narrowed network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// The best of three on validation rows.
    Best,
    /// That of the run.
    AsSet,
}

/// How to read the data that a config names.
///
/// # Errors
/// If a choice about the data is none of those on offer.
pub(crate) fn load_options(config: &Config, data_dir: Option<&Path>) -> Result<LoadOptions> {
    let mut options = LoadOptions {
        target: config.target.clone(),
        data_dir: data_dir.map(Path::to_path_buf),
        size: config.size.as_deref().map(size).transpose()?,
        gray: config.gray.unwrap_or_default(),
        on_demand: !Origin::of(config)?.is_chain(),
        ..LoadOptions::default()
    };
    if let Some(text) = &config.format {
        let formats = [
            ("idx", Format::Idx),
            ("csv", Format::Csv),
            ("cifar10", Format::Cifar10),
            ("cifar100", Format::Cifar100),
            ("npz", Format::Npz),
            ("npy", Format::Npy),
            ("image-folder", Format::ImageFolder),
            ("embedded", Format::Embedded),
        ];
        options.format = Some(choose("--format", text, &formats)?);
    }
    if let Some(text) = &config.task {
        let tasks = [
            ("classification", Task::Classification),
            ("regression", Task::Regression),
        ];
        options.task = Some(choose("--task", text, &tasks)?);
    }
    if let Some(text) = &config.missing {
        let choices = [("error", Missing::Error), ("mean", Missing::Mean)];
        options.missing = choose("--missing", text, &choices)?;
    }
    Ok(options)
}

impl Plan {
    /// Makes every choice that `config` leaves open, for a data set with `train_rows` training rows.
    ///
    /// # Errors
    /// Names the option whose value is not allowed, and what is.
    pub fn new(config: &Config, dataset: &Dataset, train_rows: usize) -> Result<Self> {
        let classes = matches!(dataset.target(), Target::Classes { .. });
        let start = Origin::of(config)?;
        let defaults = Defaults::of(dataset, train_rows, config, &start);
        if config.steps.is_some() && config.epochs.is_some() {
            return Err(Error::usage("both epochs and steps are given")
                .at("--steps")
                .hint("give one of them: the other follows"));
        }
        if matches!(start, Origin::Model(_))
            && config.control.as_deref().is_some_and(|c| c != "none")
        {
            return Err(Error::usage(
                "a model that was given cannot be narrowed before it is trained",
            )
            .at("--control")
            .hint("start from a network by name, with --net"));
        }
        if !start.is_chain() && config.inputs.as_deref().is_some_and(|i| i != "spared") {
            return Err(Error::usage("the channels of images are not chosen among")
                .at("--inputs")
                .hint("leave it out, or use spared"));
        }
        contradicts_no_part(config)?;
        let in_epoch = train_rows.div_ceil(defaults.batch.max(1)).max(1);
        let epochs = match config.steps {
            Some(steps) => steps.div_ceil(in_epoch),
            None => config.epochs.unwrap_or(defaults.epochs),
        };
        let penalty_name = config
            .penalty
            .clone()
            .unwrap_or_else(|| "group-lasso".into());
        let part = match (&config.budget, &config.part) {
            (Some(_), _) => "budget",
            (None, part) => part.as_deref().unwrap_or(default_part(&penalty_name)),
        };
        let by = ranked_by(config, &penalty_name, part)?;
        let or = |choice: &Option<String>, default: &str| {
            Some(choice.clone().unwrap_or_else(|| default.to_owned()))
        };
        let config = Config {
            data: config.data.clone(),
            format: config.format.clone(),
            target: config.target.clone(),
            task: Some(
                if classes {
                    "classification"
                } else {
                    "regression"
                }
                .into(),
            ),
            missing: or(&config.missing, "error"),
            size: config.size.clone(),
            gray: config.gray,
            mean: config.mean.clone(),
            std: config.std.clone(),
            // Left out where nothing can be changed, so that configs of dense networks stay what they were.
            augment: match start {
                Origin::Chain => config.augment.clone(),
                _ => or(&config.augment, start.default_augment(dataset)),
            },
            model: config.model.clone(),
            net: match start {
                Origin::Model(_) => None,
                _ => or(&config.net, DEFAULT_NET),
            },
            activation: or(&config.activation, "relu"),
            init: or(&config.init, "scaled"),
            loss: or(&config.loss, if classes { "cross-entropy" } else { "mse" }),
            class_weights: or(&config.class_weights, "equal"),
            penalty: Some(penalty_name.clone()),
            strength: or(&config.strength, "auto"),
            part: match config.budget {
                Some(_) => None,
                None => or(&config.part, default_part(&penalty_name)),
            },
            budget: config.budget.clone(),
            inputs: or(
                &config.inputs,
                if start.is_chain() {
                    "penalised"
                } else {
                    "spared"
                },
            ),
            members: or(&config.members, "outgoing"),
            group_weights: or(&config.group_weights, "current-widths"),
            compensation: or(&config.compensation, "off"),
            penalty_step: or(&config.penalty_step, "proximal"),
            adam_metric: or(&config.adam_metric, "mean"),
            optimizer: or(&config.optimizer, defaults.optimizer),
            learning_rate: config.learning_rate.or(Some(defaults.rate)),
            momentum: config.momentum.or(Some(0.9)),
            weight_decay: config.weight_decay.or(Some(start.default_decay())),
            schedule: or(&config.schedule, "cosine"),
            warm_up: config.warm_up.or(Some(0)),
            // One of the two, so that the config can be read back.
            epochs: config.steps.is_none().then_some(epochs),
            steps: config.steps,
            settle: config
                .settle
                .or(Some(default_settle(&start, &penalty_name, part, epochs))),
            batch: Some(defaults.batch),
            order: or(&config.order, "shuffled"),
            removal: or(&config.removal, "epoch"),
            floor: config.floor.or(Some(1)),
            round: config.round.or_else(|| {
                let (image, outputs) = (image_size(dataset), dataset.outputs());
                Some(default_round(&start, part, image, outputs))
            }),
            stages: config.stages.or(Some(defaults.stages)),
            by: by.map(|by| by.name().to_owned()),
            seed: config.seed.or(Some(0)),
            threads: config.threads.or_else(|| {
                Some(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
            }),
            softmax: config.softmax.or(Some(false)),
            baseline: config.baseline.or(Some(false)),
            control: or(&config.control, "none"),
        };
        let mut plan = Self::of_complete(config, classes, epochs)?;
        // More rows than there are make no larger step.
        plan.settings.batch = plan.settings.batch.min(train_rows.max(1));
        Ok(plan)
    }

    /// `config` has every choice but those about reading the data.
    fn of_complete(config: Config, classes: bool, epochs: usize) -> Result<Self> {
        let text = |choice: &Option<String>| choice.clone().unwrap_or_default();
        let start = Origin::of(&config)?;
        let loss = text(&config.loss);
        let class_losses = [
            ("cross-entropy", ClassLoss::CrossEntropy),
            ("double-softmax", ClassLoss::DoubleSoftmax),
        ];
        let class_loss = class_losses.iter().find(|(name, _)| *name == loss);
        if classes != class_loss.is_some() {
            let task = if classes { "classes" } else { "numbers" };
            return Err(Error::usage(format!("{loss} is not a loss for {task}"))
                .at("--loss")
                .hint(if classes {
                    "use cross-entropy"
                } else {
                    "use mse, mae or huber:1"
                }));
        }
        let (part, budget) = part_or_budget(&config)?;
        let penalty = match text(&config.penalty).as_str() {
            "none" => None,
            _ => Some(penalty_settings(&config, part)?),
        };
        let momentum = config.momentum.unwrap_or_default();
        let optimizers = [
            (
                "sgd",
                Optimizer::Sgd {
                    momentum,
                    nesterov: false,
                },
            ),
            (
                "nesterov",
                Optimizer::Sgd {
                    momentum,
                    nesterov: true,
                },
            ),
            ("adam", Optimizer::Adam),
            ("adamw", Optimizer::AdamW),
        ];
        let orders = [("shuffled", Order::Shuffled), ("as-is", Order::AsIs)];
        let settings = Settings {
            optimizer: choose("--optimizer", &text(&config.optimizer), &optimizers)?,
            rate: config.learning_rate.unwrap_or_default(),
            decay: decay(&text(&config.schedule))?,
            warm_up: config.warm_up.unwrap_or_default(),
            weight_decay: config.weight_decay.unwrap_or_default(),
            epochs,
            steps: config.steps,
            order: choose("--order", &text(&config.order), &orders)?,
            settle: config.settle.unwrap_or_default(),
            batch: config.batch.unwrap_or_default(),
            seed: config.seed.unwrap_or_default(),
            threads: config.threads.unwrap_or_default(),
            penalty,
        };
        let activations = [
            ("relu", Unary::Relu),
            ("leaky-relu", Unary::LeakyRelu { alpha: LEAK }),
            ("tanh", Unary::Tanh),
            ("sigmoid", Unary::Sigmoid),
        ];
        let weights = [("equal", false), ("balanced", true)];
        let controls = [
            ("none", None),
            ("narrow", Some(Decay::Best)),
            ("narrow-same-decay", Some(Decay::AsSet)),
        ];
        Ok(Self {
            hidden: match start {
                Origin::Chain => widths(&text(&config.net))?,
                Origin::Named(_) | Origin::Model(_) => vec![],
            },
            augment: augment(&text(&config.augment))?,
            start,
            activation: choose("--activation", &text(&config.activation), &activations)?,
            init: init(&text(&config.init))?,
            class_loss: class_loss.map_or(ClassLoss::default(), |(_, loss)| *loss),
            regression_loss: regression_loss(&loss)?,
            balanced: choose("--class-weights", &text(&config.class_weights), &weights)?,
            budget: settings.penalty.and(budget),
            settings: settings.checked()?,
            auto: text(&config.strength) == "auto" && text(&config.penalty) != "none",
            softmax: config.softmax.unwrap_or_default(),
            baseline: config.baseline.unwrap_or_default(),
            narrow: choose("--control", &text(&config.control), &controls)?,
            config,
        })
    }
}

/// The part, and the budget where it is one.
fn part_or_budget(config: &Config) -> Result<(Part, Option<Budget>)> {
    match (&config.budget, config.part.as_deref()) {
        (Some(budget), _) => {
            let budget: Budget = budget.parse()?;
            let limit = budget.ranking();
            Ok((Part::Budget { limit }, Some(budget)))
        }
        (None, part) => match part.unwrap_or_default().parse::<Part>()? {
            part @ Part::Budget { limit } => Ok((part, Some(Budget::Counted(limit)))),
            part => Ok((part, None)),
        },
    }
}

/// Checks that a budget stands for the only choice of what goes.
fn contradicts_no_part(config: &Config) -> Result<()> {
    let Some(budget) = &config.budget else {
        return Ok(());
    };
    let refused = |message: String, hint: &str| Err(Error::usage(message).at(PLACE).hint(hint));
    if let Some(part) = config.part.as_deref().filter(|p| !p.starts_with("budget")) {
        let message = format!("both the budget {budget} and the part {part} are given");
        return refused(message, "give one of them: a budget decides which units go");
    }
    if config.penalty.as_deref() == Some("none") {
        let message = format!("nothing is removed without a penalty, and {budget} not met");
        return refused(message, "leave --penalty out, or --budget");
    }
    Ok(())
}

fn penalty_settings(config: &Config, part: Part) -> Result<PenaltySettings> {
    let text = |choice: &Option<String>| choice.clone().unwrap_or_default();
    let steps = [
        ("proximal", PenaltyStep::Proximal),
        ("subgradient", PenaltyStep::Subgradient),
    ];
    let metrics = [("mean", AdamMetric::Mean), ("exact", AdamMetric::Exact)];
    Ok(PenaltySettings {
        penalty: text(&config.penalty).parse::<Penalty>()?,
        part,
        inputs: text(&config.inputs).parse::<Inputs>()?,
        members: text(&config.members).parse::<Members>()?,
        weights: text(&config.group_weights).parse::<GroupWeights>()?,
        compensation: text(&config.compensation).parse::<Compensation>()?,
        strength: strength(&text(&config.strength))?,
        step: choose("--penalty-step", &text(&config.penalty_step), &steps)?,
        adam_metric: choose("--adam-metric", &text(&config.adam_metric), &metrics)?,
        removal: removal(&text(&config.removal))?,
        floor: config.floor.unwrap_or_default(),
        round: config.round.unwrap_or(1),
        stages: config.stages.unwrap_or(1),
        by: config
            .by
            .as_deref()
            .map_or(Ok(Criterion::Flap), str::parse)?,
    })
}
