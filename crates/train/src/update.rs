//! The optimiser's move at one step, and the step of the proximal operator that goes with it.

use secateur_engine::kernels::update as kernels;
use secateur_prox::{Penalty, Strength};

use crate::metric::mean_metric;
use crate::{AdamMetric, Optimizer, Settings};

/// Adam's constants (Kingma & Ba 2015, algorithm 1).
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The optimiser's move at one step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Update {
    Sgd(kernels::Sgd),
    Nesterov(kernels::Nesterov),
    Adam(kernels::Adam),
}

impl Update {
    /// The move of step `step` (from 0) at learning rate `rate`.
    pub(crate) fn new(settings: &Settings, rate: f64, step: usize) -> Self {
        let (rate, decay) = (rate as f32, settings.weight_decay as f32);
        let adam = |decay| {
            Self::Adam(kernels::Adam {
                rate,
                beta1: BETA1,
                beta2: BETA2,
                epsilon: EPSILON,
                decay,
                step: step as u32 + 1,
            })
        };
        match settings.optimizer {
            Optimizer::Sgd {
                nesterov: false, ..
            } => Self::Sgd(kernels::Sgd { rate, decay }),
            Optimizer::Sgd {
                momentum,
                nesterov: true,
            } => Self::Nesterov(kernels::Nesterov {
                rate,
                momentum: momentum as f32,
                decay,
            }),
            Optimizer::Adam => adam(0.0),
            Optimizer::AdamW => adam(decay),
        }
    }

    /// The same move of what does not decay: biases, scales and shifts.
    pub(crate) fn without_decay(mut self) -> Self {
        match &mut self {
            Self::Sgd(s) => s.decay = 0.0,
            Self::Nesterov(n) => n.decay = 0.0,
            Self::Adam(a) => a.decay = 0.0,
        }
        self
    }

    /// The move, if it is Adam's.
    pub(crate) fn adam(&self) -> Option<kernels::Adam> {
        match self {
            Self::Adam(adam) => Some(*adam),
            Self::Sgd(_) | Self::Nesterov(_) => None,
        }
    }
}

impl Optimizer {
    /// The step of the proximal operator at learning rate `rate`: a weight under steady force moves by
    /// `rate / (1 - momentum)` a step, so that is the step in whose units the penalty must pull.
    pub(crate) fn steady_step(self, rate: f64) -> f64 {
        match self {
            Self::Sgd { momentum, .. } => rate / (1.0 - momentum),
            Self::Adam | Self::AdamW => rate,
        }
    }
}

/// The proximal step in Adam's metric `d = (sqrt(v) + eps) / rate`, exact or by its mean.
///
/// `second` are the second moments of `w`, not yet corrected; `layer_mean` is the mean of the metric over the layer.
pub(crate) fn prox_under_adam(
    penalty: Penalty,
    strength: Strength,
    (kind, layer_mean): (AdamMetric, f64),
    w: &mut [f32],
    second: &[f32],
    adam: &kernels::Adam,
) {
    match kind {
        AdamMetric::Mean => {
            // A group without gradient must not take a step longer than its layer's.
            let mean = mean_metric(second, adam).max(layer_mean);
            penalty.prox_in_place(w, strength, 1.0 / mean);
        }
        AdamMetric::Exact => {
            let scale = 1.0 / adam.corrections().1.sqrt();
            let metric: Vec<f32> = second
                .iter()
                .map(|v| (v.sqrt() * scale + adam.epsilon) / adam.rate)
                .collect();
            if penalty.prox_in_metric(w, &metric, strength).is_err() {
                // Settings admit only penalties that have this step, so the metric itself is
                // not finite: the run has diverged, and must be seen to have.
                w.fill(f32::NAN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_prox::GroupLasso;

    use super::*;

    const ADAM: kernels::Adam = kernels::Adam {
        rate: 0.5,
        beta1: BETA1,
        beta2: BETA2,
        epsilon: EPSILON,
        decay: 0.0,
        step: 1,
    };

    /// What is left of a group of length 5 where its second moments are so many.
    fn left(metric: (AdamMetric, f64), second: f32) -> [f32; 2] {
        let strength = Strength {
            lambda: 1.0,
            weight: 2.0,
        };
        let mut group = [3.0, 4.0];
        let penalty = Penalty::GroupLasso(GroupLasso);
        prox_under_adam(penalty, strength, metric, &mut group, &[second; 2], &ADAM);
        group
    }

    #[test]
    fn weights_that_never_had_a_gradient_go_in_the_exact_metric_and_wait_for_their_layer_in_the_mean()
     {
        assert_eq!(left((AdamMetric::Exact, 0.0), 0.0), [0.0; 2]);
        assert_eq!(left((AdamMetric::Mean, 0.0), 0.0), [0.0; 2]);
        // A threshold of 2 / 4 leaves nine tenths.
        let [a, b] = left((AdamMetric::Mean, 4.0), 0.0);
        assert!((a - 2.7).abs() < 1e-6 && (b - 3.6).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn moments_that_are_no_numbers_are_seen_in_the_weights() {
        let left = left((AdamMetric::Exact, 0.0), f32::NAN);
        assert!(left.iter().all(|w| w.is_nan()), "{left:?}");
    }
}
