//! What one step does to the parameters: the optimiser's move, then the penalty's.

use std::ops::Range;
use std::time::{Duration, Instant};

use secateur_engine::kernels::{separate, update as kernels};
use secateur_engine::{BlockKind, Chain, RowBlock};
use secateur_prox::{Members, Penalty, Strength};

use crate::incoming;
use crate::metric::mean_metric;
use crate::penalised::Penalised;
use crate::update::{Update, prox_under_adam};
use crate::{AdamMetric, PenaltyStep, Settings};

/// One step's rule for every block of parameters.
#[derive(Debug)]
pub(crate) struct StepRule {
    update: Update,
    penalty: Option<PenaltyRule>,
}

#[derive(Debug)]
struct PenaltyRule {
    step: PenaltyStep,
    members: Members,
    metric: AdamMetric,
    /// Step of the proximal operator under SGD.
    prox_step: f64,
    layers: Vec<LayerRule>,
}

#[derive(Debug)]
struct LayerRule {
    range: Range<usize>,
    penalty: Penalty,
    strength: Strength,
    /// Mean of Adam's metric over the layer, before this step.
    mean_metric: f64,
    /// Subgradient of incoming groups: of the weights, then of the biases.
    incoming: Option<(Vec<f32>, Vec<f32>)>,
}

impl StepRule {
    /// The rule of step `step` (from 0) at learning rate `rate`.
    pub(crate) fn new(
        settings: &Settings,
        rate: f64,
        step: usize,
        penalised: Option<&Penalised>,
        lambda: f64,
        network: &Chain,
    ) -> Self {
        let update = Update::new(settings, rate, step);
        let prox_step = settings.optimizer.steady_step(rate);
        let mut this = Self {
            update,
            penalty: None,
        };
        this.penalty = penalised.map(|p| this.penalty_rule(p, lambda, prox_step, network));
        this
    }

    fn penalty_rule(
        &self,
        penalised: &Penalised,
        lambda: f64,
        prox_step: f64,
        network: &Chain,
    ) -> PenaltyRule {
        let settings = penalised.settings();
        let count = network.layers().len();
        let layers = penalised.strengths(lambda).into_iter().enumerate();
        let layers = layers
            .map(|(l, strength)| {
                let mut layer = LayerRule {
                    range: penalised.range(l),
                    penalty: settings.penalty.at_depth(l, count),
                    strength,
                    mean_metric: match settings.step {
                        PenaltyStep::Proximal => self.mean_metric(settings.adam_metric, network, l),
                        PenaltyStep::Subgradient => 0.0,
                    },
                    incoming: None,
                };
                if settings.step == PenaltyStep::Subgradient
                    && settings.members == Members::Incoming
                {
                    let (penalty, strength) = (layer.penalty, layer.strength);
                    let dense = &network.layers()[l];
                    let units = layer.range.clone();
                    layer.incoming = Some(incoming::subgradient(penalty, strength, units, dense));
                }
                layer
            })
            .collect();
        PenaltyRule {
            step: settings.step,
            members: settings.members,
            metric: settings.adam_metric,
            prox_step,
            layers,
        }
    }

    fn mean_metric(&self, kind: AdamMetric, network: &Chain, layer: usize) -> f64 {
        match (self.update, kind) {
            (Update::Adam(adam), AdamMetric::Mean) => {
                let second = &network.layers()[layer].weight_state()[1];
                let before = kernels::Adam {
                    step: adam.step - 1,
                    ..adam
                };
                if before.step == 0 {
                    0.0
                } else {
                    mean_metric(second, &before)
                }
            }
            (Update::Sgd(_) | Update::Nesterov(_) | Update::Adam(_), _) => 0.0,
        }
    }

    /// Moves one block.
    pub(crate) fn apply(&self, mut block: RowBlock<'_>) {
        let rule = self.penalty.as_ref().map(|p| (p, &p.layers[block.layer]));
        if let Some((penalty, layer)) = rule
            && penalty.step == PenaltyStep::Subgradient
        {
            let start = Instant::now();
            add_subgradient(layer, &mut block);
            *block.penalty_time += start.elapsed();
        }
        if block.kind == BlockKind::Bias {
            return self.apply_bias(&mut block);
        }
        let prox =
            rule.filter(|(p, _)| p.step == PenaltyStep::Proximal && p.members == Members::Outgoing);
        let Some((penalty, layer)) = prox else {
            self.rows(&mut block, |_, _| {}, |_, _, _| {});
            return;
        };
        let (first, step) = (block.first_row, penalty.prox_step);
        let adam = self.adam();
        let spent = self.rows(
            &mut block,
            #[inline(always)]
            |row, w| {
                if layer.range.contains(&(first + row)) {
                    layer.penalty.prox_in_place(w, layer.strength, step);
                }
            },
            #[inline(always)]
            |row, w, second| {
                if layer.range.contains(&(first + row)) {
                    layer.prox_under_adam(penalty.metric, w, second, &adam);
                }
            },
        );
        *block.penalty_time += spent;
    }

    /// The proximal steps of a block's outgoing groups and nothing else: what fusing them is compared with.
    pub(crate) fn apply_penalty_alone(&self, block: &mut RowBlock<'_>) {
        let Some(penalty) = &self.penalty else { return };
        if block.kind == BlockKind::Bias {
            return;
        }
        let start = Instant::now();
        let layer = &penalty.layers[block.layer];
        let (first, step, width) = (block.first_row, penalty.prox_step, block.width);
        let end = first + block.rows();
        let range = layer.range.start.clamp(first, end)..layer.range.end.clamp(first, end);
        let numbers = (range.start - first) * width..(range.end - first) * width;
        let w = &mut block.weight[numbers.clone()];
        match self.update {
            Update::Sgd(_) | Update::Nesterov(_) => separate::rows(
                w,
                width,
                #[inline(always)]
                |_, w| layer.penalty.prox_in_place(w, layer.strength, step),
            ),
            Update::Adam(adam) => separate::rows_beside(
                w,
                &block.state[1][numbers],
                width,
                #[inline(always)]
                |_, w, second| layer.prox_under_adam(penalty.metric, w, second, &adam),
            ),
        }
        *block.penalty_time += start.elapsed();
    }

    /// Biases: no decay, no penalty of their own.
    fn apply_bias(&self, block: &mut RowBlock<'_>) {
        let plain = Self {
            update: self.update.without_decay(),
            penalty: None,
        };
        plain.rows(block, |_, _| {}, |_, _, _| {});
    }

    /// Moves rows; returns the time in what was called for each.
    fn rows(
        &self,
        block: &mut RowBlock<'_>,
        prox: impl Fn(usize, &mut [f32]),
        adam_prox: impl Fn(usize, &mut [f32], &[f32]),
    ) -> Duration {
        let width = block.width;
        let (w, g) = (&mut *block.weight, &*block.gradient);
        let [first, second] = &mut block.state;
        match self.update {
            Update::Sgd(rule) => kernels::sgd(w, g, width, rule, prox),
            Update::Nesterov(rule) => kernels::nesterov(w, g, first, width, rule, prox),
            Update::Adam(rule) => kernels::adam(w, g, first, second, width, rule, adam_prox),
        }
    }

    fn adam(&self) -> kernels::Adam {
        self.update.adam().unwrap_or(kernels::Adam {
            rate: 0.0,
            beta1: 0.0,
            beta2: 0.0,
            epsilon: 0.0,
            decay: 0.0,
            step: 1,
        })
    }

    /// The part of the step that needs whole layers: proximal steps of incoming groups.
    pub(crate) fn finish(&self, network: &mut Chain) {
        let Some(rule) = &self.penalty else { return };
        if rule.step != PenaltyStep::Proximal || rule.members != Members::Incoming {
            return;
        }
        let adam = self.adam();
        let is_adam = matches!(self.update, Update::Adam(_));
        let (mut group, mut second) = (vec![], vec![]);
        for (layer, dense) in rule.layers.iter().zip(network.layers_mut()) {
            let width = dense.outputs();
            for unit in layer.range.clone() {
                incoming::gather(dense.weight(), dense.bias(), unit, width, &mut group);
                if is_adam {
                    let empty = vec![];
                    let bias = dense.bias_state().get(1).unwrap_or(&empty);
                    incoming::gather(&dense.weight_state()[1], bias, unit, width, &mut second);
                    layer.prox_under_adam(rule.metric, &mut group, &second, &adam);
                } else {
                    layer
                        .penalty
                        .prox_in_place(&mut group, layer.strength, rule.prox_step);
                }
                let column = dense.weight_mut().iter_mut().skip(unit).step_by(width);
                for (w, &v) in column.zip(&group) {
                    *w = v;
                }
                if let (Some(b), Some(&v)) = (dense.bias_mut().get_mut(unit), group.last()) {
                    *b = v;
                }
            }
        }
    }
}

impl LayerRule {
    /// The proximal step in Adam's metric `d = (sqrt(v) + eps) / rate`, exact or by its mean.
    fn prox_under_adam(
        &self,
        kind: AdamMetric,
        w: &mut [f32],
        second: &[f32],
        adam: &kernels::Adam,
    ) {
        let metric = (kind, self.mean_metric);
        prox_under_adam(self.penalty, self.strength, metric, w, second, adam);
    }
}

fn add_subgradient(layer: &LayerRule, block: &mut RowBlock<'_>) {
    let width = block.width;
    match (&layer.incoming, block.kind) {
        (Some((weight, _)), BlockKind::Weight) => {
            let start = block.first_row * width;
            let extra = &weight[start..start + block.gradient.len()];
            for (g, e) in block.gradient.iter_mut().zip(extra) {
                *g += e;
            }
        }
        (Some((_, bias)), BlockKind::Bias) => {
            for (g, e) in block.gradient.iter_mut().zip(bias) {
                *g += e;
            }
        }
        (None, BlockKind::Weight) => separate::rows_beside(
            block.gradient,
            block.weight,
            width,
            #[inline(always)]
            |i, g, w| {
                if layer.range.contains(&(block.first_row + i)) {
                    layer.penalty.subgradient_add(w, layer.strength, g);
                }
            },
        ),
        (None, BlockKind::Bias) => {}
    }
}

#[cfg(test)]
mod tests;
