//! Which units of a network of any form are penalised, and how much each counts.

use std::ops::Range;

use secateur_engine::{Network, Parameter};
use secateur_graph::{ChannelGroups, Graph, GroupId, Role};
use secateur_prox::{GroupSize, LayerUnits, Members, Penalty, Quantity, Strength};

use super::costs::Costs;
use super::scale_free::is_scale_free;
use super::slices::Slices;
use crate::penalised::follows_current_width;
use crate::{PenaltySettings, Result};

/// The units of one group of channels.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) id: GroupId,
    pub(crate) slices: Slices,
    pub(crate) units: usize,
    /// The penalised units.
    pub(crate) range: Range<usize>,
    pub(crate) penalty: Penalty,
    /// Whether a normalisation follows all weights that are penalised.
    pub(crate) is_scale_free: bool,
    /// Whether some of its units were penalised at the first step.
    pub(crate) is_watched: bool,
    /// Steps that would have left no unit.
    pub(crate) held: usize,
    initial_units: usize,
    initial_size: usize,
    weight: f64,
}

/// The penalised units of every group, kept true while units are removed.
///
/// Groups that are frozen, that products of activations sum over, or that constants read which are not trained, are spared,
/// and so are the channels of the input.
#[derive(Debug, Clone)]
pub(crate) struct PenalisedGroups {
    settings: PenaltySettings,
    pub(crate) layers: Vec<Layer>,
}

impl PenalisedGroups {
    /// The groups of a network that has not lost a unit yet.
    pub(crate) fn new(
        settings: PenaltySettings,
        graph: &Graph,
        groups: &ChannelGroups,
        network: &Network,
    ) -> Result<Self> {
        let mut layers = vec![];
        for (id, group) in groups.iter() {
            let Some(slices) = Slices::new(group, roles(settings.members), network) else {
                continue;
            };
            let units = group.units;
            let initial_size = slices.size();
            layers.push(Layer {
                id,
                slices,
                units,
                range: 0..units,
                penalty: settings.penalty,
                is_scale_free: is_scale_free(graph, group, roles(settings.members)),
                is_watched: false,
                held: 0,
                initial_units: units,
                initial_size,
                weight: 0.0,
            });
        }
        let count = layers.len();
        for (depth, layer) in layers.iter_mut().enumerate() {
            layer.penalty = settings.penalty.at_depth(depth, count);
            layer.range = settings.part.penalised(LayerUnits {
                hidden_index: depth,
                initial: layer.units,
                current: layer.units,
            });
            layer.is_watched = !layer.range.is_empty();
        }
        let mut this = Self { settings, layers };
        this.reweigh(graph, groups)?;
        Ok(this)
    }

    pub(crate) fn settings(&self) -> &PenaltySettings {
        &self.settings
    }

    /// Follows a removal: `kept` tells the old indices of the units of a group that stay. Slices and weights are found anew.
    pub(crate) fn after_removal(
        &mut self,
        kept: impl Fn(GroupId) -> Vec<usize>,
        graph: &Graph,
        groups: &ChannelGroups,
        network: &Network,
    ) -> Result<()> {
        for (depth, layer) in self.layers.iter_mut().enumerate() {
            let kept = kept(layer.id);
            let before = kept.iter().filter(|&&k| k < layer.range.start).count();
            let within = kept.iter().filter(|&&k| layer.range.contains(&k)).count();
            layer.range = before..before + within;
            layer.units = kept.len();
            if follows_current_width(&self.settings.part) {
                layer.range = self.settings.part.penalised(LayerUnits {
                    hidden_index: depth,
                    initial: layer.initial_units,
                    current: kept.len(),
                });
            }
            let group = groups.group(layer.id);
            if let Some(slices) = Slices::new(group, roles(self.settings.members), network) {
                layer.slices = slices;
            }
        }
        self.reweigh(graph, groups)
    }

    /// Computes the group weights anew, after widths have changed.
    fn reweigh(&mut self, graph: &Graph, groups: &ChannelGroups) -> Result<()> {
        let costs = Costs::of(graph, groups, Quantity::Macs)?;
        let mut sizes = vec![];
        for (l, layer) in self.layers.iter().enumerate() {
            let size = GroupSize {
                initial: layer.initial_size,
                current: layer.slices.size(),
                macs: costs.freed_by_one(layer.id) as u64,
            };
            // One entry a unit, and one more so that layers without penalised units have a weight.
            sizes.extend(std::iter::repeat_n((l, size), layer.range.len().max(1)));
        }
        let all: Vec<GroupSize> = sizes.iter().map(|&(_, size)| size).collect();
        let weights = self.settings.weights.weights(&all);
        for (weight, (l, _)) in weights.into_iter().zip(sizes) {
            self.layers[l].weight = weight;
        }
        Ok(())
    }

    /// Lambda and group weight of a layer.
    pub(crate) fn strength(&self, layer: &Layer, lambda: f64) -> Strength {
        Strength {
            lambda: lambda * self.settings.compensation.factor(&self.settings.part),
            weight: layer.weight,
        }
    }

    /// The penalty's value at lambda = 1.
    pub(crate) fn value(&self, parameters: &[Parameter]) -> f64 {
        let mut sum = 0.0;
        let mut unit = vec![];
        for layer in &self.layers {
            let strength = self.strength(layer, 1.0);
            for u in layer.range.clone() {
                layer
                    .slices
                    .gather(u, parameters, Parameter::values, &mut unit);
                sum += layer.penalty.value(&unit, strength);
            }
        }
        sum
    }

    /// Share of all weights (biases and scales apart) that are penalised, in [0, 1].
    pub(crate) fn share(&self, parameters: &[Parameter]) -> f64 {
        let penalised: usize = self
            .layers
            .iter()
            .map(|l| l.range.len() * l.slices.size())
            .sum();
        let weights = parameters
            .iter()
            .filter(|p| p.kind() == secateur_engine::ParameterKind::Weight);
        let all: usize = weights.map(|p| p.values().len()).sum();
        (penalised as f64 / all.max(1) as f64).min(1.0)
    }
}

/// The roles of the slices that make up a unit's group.
fn roles(members: Members) -> &'static [Role] {
    match members {
        Members::Outgoing => &[Role::Reads],
        Members::Incoming => &[Role::Produces],
    }
}
