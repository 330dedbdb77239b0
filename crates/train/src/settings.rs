//! Everything that decides how a run goes, checked before it starts.

use secateur_prox::{Compensation, GroupWeights, Inputs, Members, Part, Penalty, Strength};
use secateur_prune::Criterion;

use crate::{Decay, Error, Order, Result, StrengthChoice};

/// More worker threads than any machine has cores; beyond it a typing error would start them all.
const MAX_THREADS: usize = 1024;

/// How weights follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent; `v = momentum v + g`, undampened.
    Sgd {
        /// In [0, 1).
        momentum: f64,
        /// Steps along `g + momentum v` in place of `v` (Nesterov's look-ahead).
        nesterov: bool,
    },
    /// Kingma & Ba 2015, with the constants of their algorithm 1.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW,
}

impl Optimizer {
    /// Buffers of the size of the weights, beside the gradient.
    pub(crate) fn state_slots(self) -> usize {
        match self {
            Self::Sgd {
                nesterov: false, ..
            } => 0,
            Self::Sgd { nesterov: true, .. } => 1,
            Self::Adam | Self::AdamW => 2,
        }
    }

    /// Factor of the last gradient that the engine adds to the new one: plain momentum.
    pub(crate) fn gradient_momentum(self) -> f32 {
        match self {
            Self::Sgd {
                momentum,
                nesterov: false,
            } => momentum as f32,
            Self::Sgd { nesterov: true, .. } | Self::Adam | Self::AdamW => 0.0,
        }
    }
}

/// Which step lowers the penalty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PenaltyStep {
    /// The proximal operator after each optimiser step: exact zeros.
    Proximal,
    /// A subgradient added to the gradient, as published: no exact zeros, so nothing is removed.
    Subgradient,
}

/// How the proximal step is measured under Adam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdamMetric {
    /// In Adam's own diagonal metric.
    Exact,
    /// In the mean of that metric over a group, capped at the mean over the layer.
    Mean,
}

/// How often dead units are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalTime {
    /// At the end of every epoch.
    Epoch,
    /// Every so many steps; at least 1.
    Steps(usize),
    /// Only when the penalised epochs are over: for comparisons.
    End,
}

/// The penalty of a run and what it may remove.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PenaltySettings {
    /// What is added to the loss.
    pub penalty: Penalty,
    /// Which hidden units are penalised.
    pub part: Part,
    /// Whether unused input features are removed too.
    pub inputs: Inputs,
    /// Which weights make up a unit's group.
    pub members: Members,
    /// The factor of each group.
    pub weights: GroupWeights,
    /// Whether the penalised part makes up for the spared one.
    pub compensation: Compensation,
    /// Lambda.
    pub strength: StrengthChoice,
    /// Proximal or subgradient.
    pub step: PenaltyStep,
    /// The proximal step's metric under Adam.
    pub adam_metric: AdamMetric,
    /// When dead units go.
    pub removal: RemovalTime,
    /// Units that each layer keeps in any case.
    pub floor: usize,
    /// A layer that loses units is left with a multiple of this many; at least 1. Inference engines take channels by the vector:
    /// with odd counts a smaller network can be the slower one.
    pub round: usize,
    /// In how many stages a budget is come to; at least 1.
    pub stages: usize,
    /// By what a budget ranks units. Chains of dense layers are ranked by [`Criterion::Flap`] alone, as shares of what is left of a layer.
    pub by: Criterion,
}

/// Which numbers of units a layer may be left with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Widths {
    /// No fewer.
    pub(crate) floor: usize,
    /// Multiples of this, or all units that there are.
    pub(crate) round: usize,
}

impl Widths {
    /// How many of `left` units go next, so that a multiple is left; none if fewer than `least` were.
    pub(crate) fn next_to_go(self, left: usize, least: usize) -> Option<usize> {
        let less = left.checked_sub(1)? / self.round * self.round;
        (less >= least.max(self.floor)).then_some(left - less)
    }
}

impl PenaltySettings {
    pub(crate) fn widths(&self) -> Widths {
        Widths {
            floor: self.floor.max(1),
            round: self.round.max(1),
        }
    }
}

/// All settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How weights follow their gradients.
    pub optimizer: Optimizer,
    /// Highest learning rate.
    pub rate: f64,
    /// Shape of the learning rate over the run.
    pub decay: Decay,
    /// Epochs over which the rate rises; may be 0.
    pub warm_up: usize,
    /// Decoupled weight decay: weights shrink by `rate * weight_decay` a step, biases do not.
    pub weight_decay: f64,
    /// Passes over the training rows; at least 1.
    pub epochs: usize,
    /// How many of them, at the end, run without penalty.
    pub settle: usize,
    /// Steps after which the run ends, if that is before its epochs do; at least 1.
    pub steps: Option<usize>,
    /// Rows a step; at least 1.
    pub batch: usize,
    /// In which order rows are learnt from.
    pub order: Order,
    /// Decides initial weights and the order of rows.
    pub seed: u64,
    /// Worker threads; at least 1.
    pub threads: usize,
    /// The penalty; none for a dense run.
    pub penalty: Option<PenaltySettings>,
}

impl Settings {
    /// The settings, if every number is in its range.
    ///
    /// # Errors
    /// Names the setting that is out of range and what is allowed.
    pub fn checked(self) -> Result<Self> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(Error::settings(format!("{value} is not a positive number"))
                .at(name)
                .hint("give a number above zero"))
        };
        let at_least_one = |name: &str, value: usize| match value {
            0 => Err(Error::settings("must be at least 1")
                .at(name)
                .hint("give a whole number above zero")),
            _ => Ok(()),
        };
        positive("learning rate", self.rate)?;
        // Epochs may follow from steps, so a wrong number of steps is told first.
        at_least_one("steps", self.steps.unwrap_or(1))?;
        at_least_one("epochs", self.epochs)?;
        at_least_one("batch", self.batch)?;
        at_least_one("threads", self.threads)?;
        if self.threads > MAX_THREADS {
            return Err(
                Error::settings(format!("{} is more than {MAX_THREADS}", self.threads))
                    .at("threads")
                    .hint("one thread a core is fastest"),
            );
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(Error::settings("must be zero or a positive number")
                .at("weight decay")
                .hint("0 is no decay; 1e-4 is a common one"));
        }
        if let Optimizer::Sgd { momentum, .. } = self.optimizer
            && !(0.0..1.0).contains(&momentum)
        {
            return Err(Error::settings(format!("{momentum} is not in [0, 1)"))
                .at("momentum")
                .hint("0.9 is the usual one"));
        }
        if let Decay::Step { stages, factor } = self.decay {
            positive("decay factor", factor)?;
            at_least_one("decay stages", stages as usize)?;
        }
        if self.settle >= self.epochs && self.penalty.is_some() {
            let message = format!(
                "{} of {} epochs leave none to penalise",
                self.settle, self.epochs
            );
            return Err(Error::settings(message)
                .at("settle")
                .hint("settle for fewer epochs than the run has"));
        }
        if let Some(p) = &self.penalty {
            at_least_one("stages", p.stages)?;
            at_least_one("round", p.round)?;
            let (StrengthChoice::Fixed(strength) | StrengthChoice::Balance(strength)) = p.strength;
            if !(strength.is_finite() && strength >= 0.0) {
                return Err(Error::settings(format!("{strength} is not a strength"))
                    .at("strength")
                    .hint("give zero or a positive number"));
            }
            if p.adam_metric == AdamMetric::Exact && !has_exact_metric(p) {
                return Err(Error::settings(format!(
                    "{} has no exact step in Adam's metric",
                    p.penalty.name()
                ))
                .at("adam metric")
                .hint("use mean"));
            }
            if let RemovalTime::Steps(every) = p.removal {
                at_least_one("removal steps", every)?;
            }
            if p.inputs == Inputs::LikeHidden
                && (p.part.is_drawn() || p.part.rank_every().is_some())
            {
                return Err(Error::settings(format!(
                    "{} would permute input features, which are not exchangeable",
                    p.part
                ))
                .at("inputs")
                .hint("use penalised or spared"));
            }
            if let Part::Budget { .. } = p.part
                && !p.penalty.removes_units()
            {
                return Err(Error::settings(format!(
                    "{} cannot remove units, so it cannot meet a budget",
                    p.penalty.name()
                ))
                .at("part")
                .hint("use group-lasso or sparse-group-lasso"));
            }
        }
        Ok(self)
    }
}

fn has_exact_metric(p: &PenaltySettings) -> bool {
    let unit = Strength {
        lambda: 1.0,
        weight: 1.0,
    };
    p.penalty
        .prox_in_metric(&mut [1.0f32], &[1.0], unit)
        .is_ok()
}
