//! What one step does to the parameters of a network of any form: the optimiser's move, then the penalty's.

use std::time::Instant;

use secateur_engine::kernels::update as kernels;
use secateur_engine::{Block, Network, Parameter, ParameterKind};
use secateur_prox::Strength;

use super::penalised::{Layer, PenalisedGroups};
use crate::metric::mean_metric;
use crate::update::{Update, prox_under_adam};
use crate::{AdamMetric, PenaltyStep, Settings};

/// The optimiser's move of one block; `subgradient` has been added to the gradient already.
pub(crate) fn move_block(update: &Update, block: Block<'_>) {
    let update = match block.kind {
        ParameterKind::Weight => *update,
        ParameterKind::Offset | ParameterKind::Running => update.without_decay(),
    };
    let width = block.values.len();
    let [first, second] = block.state;
    match update {
        Update::Sgd(rule) => {
            kernels::sgd(block.values, block.gradient, width, rule, |_, _| {});
        }
        Update::Nesterov(rule) => {
            kernels::nesterov(block.values, block.gradient, first, width, rule, |_, _| {});
        }
        Update::Adam(rule) => {
            kernels::adam(
                block.values,
                block.gradient,
                first,
                second,
                width,
                rule,
                |_, _, _| {},
            );
        }
    }
}

/// The penalty's part of a step, behind the optimiser's; counts the layers that it would have emptied, and returns the seconds
/// that it took.
pub(crate) fn proximal(
    penalised: &mut PenalisedGroups,
    settings: &Settings,
    update: &Update,
    (rate, lambda): (f64, f64),
    network: &mut Network,
) -> f64 {
    let start = Instant::now();
    if penalised.settings().step == PenaltyStep::Proximal {
        let step = settings.optimizer.steady_step(rate);
        for index in 0..penalised.layers.len() {
            let layer = &penalised.layers[index];
            let rule = Proximal {
                layer,
                strength: penalised.strength(layer, lambda),
                step,
                kind: penalised.settings().adam_metric,
                adam: update.adam(),
            };
            let is_held = rule.apply(network.parameters_mut());
            penalised.layers[index].past.held += usize::from(is_held);
        }
    }
    start.elapsed().as_secs_f64()
}

/// Adds a subgradient of the penalty to the gradients.
pub(crate) fn subgradient(penalised: &PenalisedGroups, lambda: f64, network: &mut Network) -> f64 {
    let start = Instant::now();
    let (mut unit, mut slope) = (vec![], vec![]);
    for layer in &penalised.layers {
        let strength = penalised.strength(layer, lambda);
        for u in layer.past.range.clone() {
            let parameters = network.parameters_mut();
            layer
                .slices
                .gather(u, parameters, Parameter::values, &mut unit);
            layer
                .slices
                .gather(u, parameters, Parameter::gradient, &mut slope);
            layer.penalty.subgradient_add(&unit, strength, &mut slope);
            layer.slices.scatter_gradient(u, &slope, parameters);
        }
    }
    start.elapsed().as_secs_f64()
}

/// The proximal steps of one layer's units.
struct Proximal<'a> {
    layer: &'a Layer,
    strength: Strength,
    /// Under SGD.
    step: f64,
    kind: AdamMetric,
    adam: Option<kernels::Adam>,
}

impl Proximal<'_> {
    /// Every penalised unit takes its step. If no unit of the layer were left, the strongest stays as it was: in front
    /// of a normalisation weights can shrink at no loss, all together. Returns whether that was so.
    fn apply(&self, parameters: &mut [Parameter]) -> bool {
        let layer = self.layer;
        let (mut unit, mut second, mut strongest) = (vec![], vec![], vec![]);
        let mut best = (0.0f64, None);
        let layer_mean = self.adam.map_or(0.0, |adam| {
            let of = layer
                .slices
                .parameters()
                .map(|p| (second_moments(&parameters[p]), adam));
            let means: Vec<f64> = of
                .map(|(second, adam)| mean_metric(second, &adam))
                .collect();
            means.iter().sum::<f64>() / means.len().max(1) as f64
        });
        let mut alive = (0..layer.past.units).any(|u| !layer.past.range.contains(&u));
        for u in layer.past.range.clone() {
            layer
                .slices
                .gather(u, parameters, Parameter::values, &mut unit);
            let norm: f64 = unit.iter().map(|&w| f64::from(w).powi(2)).sum();
            if norm == 0.0 {
                continue;
            }
            if !alive && norm > best.0 {
                best = (norm, Some(u));
                strongest.clone_from(&unit);
            }
            match &self.adam {
                None => layer
                    .penalty
                    .prox_in_place(&mut unit, self.strength, self.step),
                Some(adam) => {
                    layer
                        .slices
                        .gather(u, parameters, second_moments, &mut second);
                    prox_under_adam(
                        layer.penalty,
                        self.strength,
                        (self.kind, layer_mean),
                        &mut unit,
                        &second,
                        adam,
                    );
                }
            }
            alive |= unit.iter().any(|&w| w != 0.0);
            layer.slices.scatter(u, &unit, parameters);
        }
        let (false, (_, Some(u))) = (alive, best) else {
            return false;
        };
        layer.slices.scatter(u, &strongest, parameters);
        true
    }
}

fn second_moments(parameter: &Parameter) -> &[f32] {
    parameter.state().get(1).map_or(&[], Vec::as_slice)
}
