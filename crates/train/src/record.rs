//! What a run tells while it goes, and what it leaves behind.

use secateur_graph::Graph;
use serde::{Deserialize, Serialize};

use crate::{LayerNorms, Removal, Rest, Score, UnitNorms};

/// What a run tells while it goes.
#[derive(Debug)]
pub enum Event<'a> {
    /// Before the first step: what of the network is not trained, by the node that is the reason. Behind the last one: which
    /// layers shrank as a whole.
    Note(&'a str),
    /// After some steps.
    Step {
        /// Steps done.
        done: usize,
        /// Steps of the whole run.
        of: usize,
    },
    /// After every epoch.
    Epoch(&'a Epoch),
    /// Behind every epoch, and where a run is stopped within one: it can be kept as it is, to go on later.
    Rest(&'a Rest<'a>),
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It ends as soon as it can, with the best it has.
    Stop,
}

/// What happened in an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
    /// Lambda at its end; 0 while settling.
    pub lambda: f64,
    /// Mean training loss, penalty apart.
    pub loss: f64,
    /// On the validation rows.
    pub validation: Score,
    /// Units left: inputs, then each hidden layer.
    pub units: Vec<usize>,
    /// Lengths of the units of each penalised layer, in the order of [`Trained::layers`].
    pub norms: Vec<UnitNorms>,
    /// Multiply-accumulate operations a row.
    pub macs: u64,
    /// Seconds since the run began.
    pub seconds: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// All epochs were run.
    Complete,
    /// The caller stopped it in this epoch.
    Interrupted {
        /// From 1.
        epoch: usize,
    },
    /// The loss was not a number in this epoch; the model is that of the epoch before.
    Diverged {
        /// From 1.
        epoch: usize,
    },
}

/// Wall time of a run by what it went into, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Everything.
    pub total: f64,
    /// Layer outputs and loss.
    pub forward: f64,
    /// Gradients.
    pub backward: f64,
    /// The optimiser's moves.
    pub update: f64,
    /// The penalty.
    pub penalty: f64,
    /// Finding, removing and checking dead units.
    pub shrink: f64,
    /// Scoring validation rows.
    pub score: f64,
}

impl std::ops::Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            forward: self.forward + other.forward,
            backward: self.backward + other.backward,
            update: self.update + other.update,
            penalty: self.penalty + other.penalty,
            shrink: self.shrink + other.shrink,
            score: self.score + other.score,
        }
    }
}

/// A trained network that is already small, with its history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trained {
    /// From standardised features to logits or standardised targets.
    pub graph: Graph,
    /// One entry an epoch.
    pub epochs: Vec<Epoch>,
    /// Every removal.
    pub removals: Vec<Removal>,
    /// Every layer whose units were penalised at the first step.
    pub layers: Vec<LayerNorms>,
    /// Where the time went.
    pub seconds: Seconds,
    /// How it ended.
    pub ended: Ended,
    /// Largest lambda in use.
    pub lambda: f64,
    /// Share of the weights that were penalised at the first step.
    pub penalised_share: f64,
    /// Steps done.
    pub steps: usize,
}

impl Trained {
    /// Whether all epochs were run.
    pub fn is_complete(&self) -> bool {
        self.ended == Ended::Complete
    }
}
