//! Which units of a network of any form are penalised, and how much each counts.

use std::ops::Range;

use secateur_engine::{Network, Parameter};
use secateur_graph::{ChannelGroups, Graph, GroupId, Role, cost};
use secateur_prox::{GroupSize, LayerUnits, Members, Penalty, Quantity, Strength};
use secateur_prune::UnitCosts;
use serde::{Deserialize, Serialize};

use super::scale_free::is_scale_free;
use super::slices::Slices;
use crate::penalised::follows_current_width;
use crate::{PenaltySettings, Result};

/// The units of one group of channels.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) slices: Slices,
    pub(crate) penalty: Penalty,
    pub(crate) past: Past,
    weight: f64,
}

/// What of a group's units does not follow from the network as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) id: GroupId,
    pub(crate) units: usize,
    /// The penalised units.
    pub(crate) range: Range<usize>,
    /// Whether a normalisation follows all weights that are penalised.
    pub(crate) is_scale_free: bool,
    /// Whether some of its units were penalised at the first step.
    pub(crate) is_watched: bool,
    /// Steps that would have left no unit.
    pub(crate) held: usize,
    initial_units: usize,
    initial_size: usize,
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
            let range = settings.part.penalised(LayerUnits {
                hidden_index: layers.len(),
                initial: units,
                current: units,
            });
            let past = Past {
                id,
                units,
                is_watched: !range.is_empty(),
                range,
                is_scale_free: is_scale_free(graph, group, roles(settings.members)),
                held: 0,
                initial_units: units,
                initial_size,
            };
            layers.push((slices, past));
        }
        Self::of(settings, layers, graph, groups)
    }

    /// The groups of a network that lost units before, as [`PenalisedGroups::past`] told; none if they are not those of `network`.
    ///
    /// # Errors
    /// If multiply-adds cannot be counted.
    pub(crate) fn resumed(
        settings: PenaltySettings,
        past: Vec<Past>,
        graph: &Graph,
        groups: &ChannelGroups,
        network: &Network,
    ) -> Result<Option<Self>> {
        let found = past.into_iter().map(|past| {
            let (_, group) = groups.iter().find(|(id, _)| *id == past.id)?;
            let slices = Slices::new(group, roles(settings.members), network)?;
            let is_within = past.range.start <= past.range.end && past.range.end <= past.units;
            (group.units == past.units && is_within).then_some((slices, past))
        });
        match found.collect() {
            Some(layers) => Self::of(settings, layers, graph, groups).map(Some),
            None => Ok(None),
        }
    }

    fn of(
        settings: PenaltySettings,
        layers: Vec<(Slices, Past)>,
        graph: &Graph,
        groups: &ChannelGroups,
    ) -> Result<Self> {
        let count = layers.len();
        let layer = |(depth, (slices, past))| Layer {
            slices,
            penalty: settings.penalty.at_depth(depth, count),
            past,
            weight: 0.0,
        };
        let mut this = Self {
            settings,
            layers: layers.into_iter().enumerate().map(layer).collect(),
        };
        this.reweigh(graph, groups)?;
        Ok(this)
    }

    /// What does not follow from the network alone.
    pub(crate) fn past(&self) -> Vec<Past> {
        self.layers.iter().map(|layer| layer.past.clone()).collect()
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
            let past = &mut layer.past;
            let kept = kept(past.id);
            let before = kept.iter().filter(|&&k| k < past.range.start).count();
            let within = kept.iter().filter(|&&k| past.range.contains(&k)).count();
            past.range = before..before + within;
            past.units = kept.len();
            if follows_current_width(&self.settings.part) {
                past.range = self.settings.part.penalised(LayerUnits {
                    hidden_index: depth,
                    initial: past.initial_units,
                    current: kept.len(),
                });
            }
            let group = groups.group(past.id);
            if let Some(slices) = Slices::new(group, roles(self.settings.members), network) {
                layer.slices = slices;
            }
        }
        self.reweigh(graph, groups)
    }

    /// Computes the group weights anew, after widths have changed.
    fn reweigh(&mut self, graph: &Graph, groups: &ChannelGroups) -> Result<()> {
        let costs = UnitCosts::of(graph, groups, Quantity::Macs, &cost(graph)?);
        let mut sizes = vec![];
        for (l, layer) in self.layers.iter().enumerate() {
            let size = GroupSize {
                initial: layer.past.initial_size,
                current: layer.slices.size(),
                macs: costs.freed_by_one(layer.past.id).round() as u64,
            };
            // One entry a unit, and one more so that layers without penalised units have a weight.
            sizes.extend(std::iter::repeat_n(
                (l, size),
                layer.past.range.len().max(1),
            ));
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
            for u in layer.past.range.clone() {
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
            .map(|l| l.past.range.len() * l.slices.size())
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
