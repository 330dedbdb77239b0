//! What was typed: one flag for every key of a config file, and those that are about this one call.

pub(crate) mod bench;
pub(crate) mod compare;
mod data;
mod dropped;
pub(crate) mod grid;
pub(crate) mod model;
pub(crate) mod new;
pub(crate) mod path;
pub(crate) mod structure;

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};
use secateur::{Config, Result};

/// What every command ends with, for scripts.
const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 verification failed, engines disagree, a limit was missed behind training, or a loss diverged; \
2 usage; 3 input; 4 environment; 5 nothing can be removed, or a limit is out of reach; 130 interrupted";

/// Train a neural network down to the size that its data needs.
#[derive(Debug, Parser)]
#[command(name = "secateur", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// When to use colour; `auto` looks at the terminal and at NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network on data, remove what it does not need, verify and write the rest
    ///
    /// Flags beat the config file, which beats the defaults. Exit codes: 0 done; 1 verification failed, a limit was
    /// missed, or the loss diverged; 2 usage; 3 input; 4 environment; 5 a limit is out of reach, told before anything is
    /// trained; 130 interrupted, with the model so far written.
    Compress(Box<CompressCommand>),
    /// Train a network and cut it down step by step: one trade-off of size and quality, every point of it a
    /// verified model
    ///
    /// Each point starts from the one before. Exit codes are those of compress, 5 where nothing could be cut; 1, 5 and
    /// 130 leave the points so far, if there are any.
    Path(Box<path::PathFlags>),
    /// Train with and without penalties, on the whole and on parts of the network, over several seeds, and
    /// say what the differences show
    ///
    /// A comparison can be stopped and taken up again: finished cells are kept in its folder.
    Compare(Box<compare::CompareFlags>),
    /// Train from several starting widths and say which widths survive, whether starts agree, and how
    /// networks of those widths do when trained from scratch
    Structure(Box<structure::StructureFlags>),
    /// Make one page of any runs and comparisons
    Report(ReportFlags),
    /// Write an untrained network for images as an ONNX model: LeNet, VGG, ResNet and others by name
    New(new::NewFlags),
    /// Show what is in an ONNX model: cost by node, and which channels live and die together
    Inspect(model::InspectFlags),
    /// Remove units from an ONNX model, verify that nothing else changed, and write the smaller one
    ///
    /// Exit codes: 0 done; 1 verification failed; 2 usage; 3 input; 4 environment; 5 nothing can be removed, or --macs is
    /// out of reach. Nothing is written unless it is 0.
    Shrink(Box<model::ShrinkFlags>),
    /// Measure latencies of ONNX models side by side, on the engine and on an independent runtime
    Bench(bench::BenchFlags),
}

/// Flags of `secateur compress`.
#[derive(Debug, Args)]
pub(crate) struct CompressCommand {
    #[command(flatten)]
    pub(crate) run: CompressFlags,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

/// Runs that are stopped, or limited.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Go on with the run in this folder, which was stopped or killed: to the same bytes as if it had not been
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Stop after this long, such as 90s, 20m or 8h, and write the best so far; --resume goes on
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Refuse data and training that would take more memory than this, such as 500MB or 2GiB, before they take it
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
}

/// What a run is, and where its results go.
#[derive(Debug, Args)]
pub(crate) struct CompressFlags {
    #[command(flatten)]
    data: data::DataFlags,
    /// How training pictures are changed in every epoch: none, flip, crop:4 or flip+crop:4
    /// [default: flip+crop:4 for colour pictures and networks of images, else none]
    #[arg(long, value_name = "CHOICE", help_heading = "Data")]
    augment: Option<String>,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    penalty: PenaltyFlags,
    #[command(flatten)]
    training: TrainingFlags,
    #[command(flatten)]
    results: ResultFlags,
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
struct NetworkFlags {
    /// An ONNX file to start from: its weights are trained on, and written back into it
    #[arg(long, value_name = "FILE")]
    model: Option<String>,
    /// Hidden widths at the start, such as 400-300-100, or a network for images: lenet5, resnet20,
    /// vgg-small, mobilenet-small and others that `secateur new` knows [default: 256-128]
    #[arg(long, value_name = "WIDTHS|NAME")]
    net: Option<String>,
    /// relu, leaky-relu, tanh or sigmoid [default: relu]
    #[arg(long, value_name = "NAME")]
    activation: Option<String>,
    /// Initial weights: scaled (by the widths), or truncated-normal:DEVIATION[:BIAS] [default: scaled]
    #[arg(long, value_name = "LAW")]
    init: Option<String>,
    /// Put out probabilities beside the logits of a classifier
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    softmax: Option<bool>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Penalty")]
struct PenaltyFlags {
    /// group-lasso, sparse-group-lasso:ALPHA, group-mcp, group-scad, group-log-sum, group-l0, l1, l2,
    /// exclusive, cges, or none for a dense run [default: group-lasso]
    #[arg(long, value_name = "NAME")]
    penalty: Option<String>,
    /// Lambda, or auto [default: auto]
    #[arg(long, value_name = "LAMBDA", allow_hyphen_values = true)]
    strength: Option<String>,
    /// The penalised share of the hidden units: full, spare-last:8, fraction:0.5:ranked, every-second
    /// or budget:25% [default: budget:25%]
    #[arg(long)]
    part: Option<String>,
    /// What the network may keep at most, in place of a part: macs=25%, macs=2000000, params=10%,
    /// params=50000, bytes=20%, bytes=100KB or latency=2ms
    #[arg(long, value_name = "LIMIT")]
    budget: Option<String>,
    /// Input features: penalised (unused ones are removed), spared, or like-hidden (under the part, as if
    /// they could be permuted) [default: penalised; spared in networks for images]
    #[arg(long, value_name = "CHOICE")]
    inputs: Option<String>,
    /// A unit's group: its outgoing or its incoming weights [default: outgoing]
    #[arg(long, value_name = "CHOICE")]
    members: Option<String>,
    /// Factor of each group: current-widths, initial-widths, one or macs [default: current-widths]
    #[arg(long, value_name = "CHOICE")]
    group_weights: Option<String>,
    /// Whether the penalised part makes up for the spared one: on or off [default: off]
    #[arg(long, value_name = "on|off")]
    compensation: Option<String>,
    /// proximal or subgradient [default: proximal]
    #[arg(long, value_name = "NAME")]
    penalty_step: Option<String>,
    /// How the proximal step is measured under Adam: mean or exact [default: mean]
    #[arg(long, value_name = "NAME")]
    adam_metric: Option<String>,
    /// When dead units go: epoch, steps:N or end [default: epoch]
    #[arg(long, value_name = "WHEN")]
    removal: Option<String>,
    /// Units that every layer keeps in any case [default: 1]
    #[arg(long, value_name = "UNITS")]
    floor: Option<usize>,
    /// Every layer that loses units is left with a multiple of this many, or with all [default: 8 for budgets of large networks for images, else 1]
    #[arg(long, value_name = "UNITS")]
    round: Option<usize>,
    /// In how many stages a budget is come to: 3 save time, 1 keeps the full size longest [default: 3 for dense layers on pixels, else 1]
    #[arg(long, value_name = "COUNT")]
    stages: Option<usize>,
    /// By what a budget ranks units: flap (share of the variance of what reads them), taylor, reconstruction, l1, l2, fpgm, variance
    /// or random; chains of dense layers know flap alone [default: flap]
    #[arg(long, value_name = "CRITERION")]
    by: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
struct TrainingFlags {
    /// cross-entropy, double-softmax, mse, mae or huber:DELTA [default: by the task]
    #[arg(long)]
    loss: Option<String>,
    /// equal, or balanced for rare classes [default: equal]
    #[arg(long, value_name = "CHOICE")]
    class_weights: Option<String>,
    /// sgd, nesterov, adam or adamw [default: sgd for images, adam for tables]
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// Highest learning rate [default: by task and optimizer]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Momentum of SGD, in [0, 1) [default: 0.9]
    #[arg(long, allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// Decoupled weight decay: a step shrinks weights by this times the learning rate
    /// [default: 0; 5e-4 in networks for images]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    weight_decay: Option<f64>,
    /// Learning rate over time: cosine, constant or step:STAGES:FACTOR [default: cosine]
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Epochs over which the learning rate rises [default: 0]
    #[arg(long, value_name = "EPOCHS")]
    warm_up: Option<usize>,
    /// Passes over the training rows [default: by their number]
    #[arg(long)]
    epochs: Option<usize>,
    /// Optimiser steps, in place of --epochs
    #[arg(long)]
    steps: Option<usize>,
    /// Epochs without penalty at the end
    /// [default: a third of all; three fifths under budgets of networks for images]
    #[arg(long, value_name = "EPOCHS")]
    settle: Option<usize>,
    /// Rows a step [default: by their number]
    #[arg(long, value_name = "ROWS")]
    batch: Option<usize>,
    /// Order of rows: shuffled, or as-is (round and round) [default: shuffled]
    #[arg(long, value_name = "NAME")]
    order: Option<String>,
    /// Decides the split, the initial weights and the order of rows [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// Worker threads [default: one a core]
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
struct ResultFlags {
    /// Also train the same network without a penalty: the column "dense"
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    baseline: Option<bool>,
    /// Also train a uniformly narrowed dense network of equal MACs: none, narrow (the best of three weight decays) or
    /// narrow-same-decay (that of the run) [default: none]
    #[arg(long, value_name = "NAME")]
    control: Option<String>,
}

/// Where the config comes from and where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// Read choices from this TOML file; its keys are the names of the flags above
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The run folder [default: runs/ and a name that tells data, net and seed]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the run folder if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// No progress and no table; warnings and errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print report.json on stdout instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `secateur report`.
#[derive(Debug, Args)]
pub(crate) struct ReportFlags {
    /// Folders that compress, compare or structure wrote
    #[arg(required = true, value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
    /// The page, as Markdown if its name ends so
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Replace the page if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

impl CompressFlags {
    /// The choices typed, and for those left out the ones of the config file.
    ///
    /// # Errors
    /// If the config file cannot be read or has an unknown key.
    pub(crate) fn config(&self) -> Result<Config> {
        let file = match &self.output.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        Ok(self.typed().or(file))
    }

    fn typed(&self) -> Config {
        let Self {
            data,
            augment,
            network,
            penalty,
            training,
            results,
            output: _,
        } = self;
        Config {
            augment: augment.clone(),
            model: network.model.clone(),
            net: network.net.clone(),
            activation: network.activation.clone(),
            init: network.init.clone(),
            loss: training.loss.clone(),
            class_weights: training.class_weights.clone(),
            penalty: penalty.penalty.clone(),
            strength: penalty.strength.clone(),
            part: penalty.part.clone(),
            budget: penalty.budget.clone(),
            inputs: penalty.inputs.clone(),
            members: penalty.members.clone(),
            group_weights: penalty.group_weights.clone(),
            compensation: penalty.compensation.clone(),
            penalty_step: penalty.penalty_step.clone(),
            adam_metric: penalty.adam_metric.clone(),
            optimizer: training.optimizer.clone(),
            learning_rate: training.learning_rate,
            momentum: training.momentum,
            weight_decay: training.weight_decay,
            schedule: training.schedule.clone(),
            warm_up: training.warm_up,
            epochs: training.epochs,
            steps: training.steps,
            settle: training.settle,
            batch: training.batch,
            order: training.order.clone(),
            removal: penalty.removal.clone(),
            floor: penalty.floor,
            round: penalty.round,
            stages: penalty.stages,
            by: penalty.by.clone(),
            seed: training.seed,
            threads: training.threads,
            softmax: network.softmax,
            baseline: results.baseline,
            control: results.control.clone(),
            ..data.config()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn typed(text: &str) -> Config {
        let words = ["secateur", "compress"]
            .into_iter()
            .chain(text.split_whitespace());
        let Command::Compress(flags) = Cli::try_parse_from(words).unwrap().command else {
            panic!("compress was typed");
        };
        flags.run.typed()
    }

    #[test]
    fn the_flags_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_typed_chooses_nothing() {
        assert_eq!(typed(""), Config::default());
    }

    #[test]
    fn every_key_of_a_config_file_is_a_flag() {
        let text = "data=d format=f target=t task=k missing=m net=1-2 activation=a init=j loss=l class-weights=c \
                    penalty=p strength=-1 part=q budget=v inputs=i members=n group-weights=g compensation=o \
                    penalty-step=s adam-metric=e optimizer=z learning-rate=-0.5 momentum=0.25 \
                    weight-decay=0.125 schedule=h warm-up=3 epochs=4 steps=10 settle=5 batch=6 order=u removal=r floor=7 \
                    round=4 stages=2 by=b seed=8 threads=9 softmax=true baseline=false control=x";
        let flags: String = text
            .split_whitespace()
            .map(|pair| format!("--{pair} "))
            .collect();
        let written = typed(&flags).to_toml().unwrap();
        let mut keys: Vec<String> = written
            .lines()
            .map(|line| line.replace([' ', '"', '[', ']'], ""))
            .collect();
        let mut wanted: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        keys.sort();
        wanted.sort();
        assert_eq!(keys, wanted);
    }
}
