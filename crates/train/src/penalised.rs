//! Which rows of each layer are penalised, and how much each counts.

use std::ops::Range;

use secateur_engine::{Chain, Dense};
use secateur_prox::{GroupSize, Inputs, LayerUnits, Members, Part, Strength, Which, Widths};
use serde::{Deserialize, Serialize};

use crate::{PenaltySettings, UnitNorms, incoming};

/// The penalised groups of every layer as one contiguous range, kept true while units are removed.
///
/// With outgoing members the groups of layer `l` are the rows of its weights, so that layer 0 holds
/// the input features and layer `l` the units of hidden layer `l - 1`. With incoming members they
/// are its columns with their biases: the units of hidden layer `l`.
#[derive(Debug, Clone)]
pub(crate) struct Penalised {
    settings: PenaltySettings,
    layers: Vec<Layer>,
    /// The group weight of each layer at its present width.
    weights: Vec<f64>,
}

/// Which groups of one layer are penalised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Layer {
    range: Range<usize>,
    /// Whether some of its groups were penalised at the first step.
    is_watched: bool,
    initial_units: usize,
    initial_size: usize,
    /// Which hidden layer the part takes these groups for; none where it does not hold.
    hidden_index: Option<usize>,
}

impl Penalised {
    /// The groups of a network that has not lost a unit yet.
    pub(crate) fn new(settings: PenaltySettings, network: &Chain) -> Self {
        let count = network.layers().len();
        let layers = network
            .layers()
            .iter()
            .enumerate()
            .map(|(l, dense)| {
                let (units, size, hidden_index) = match settings.members {
                    Members::Outgoing => (dense.inputs(), dense.outputs(), l.checked_sub(1)),
                    Members::Incoming => {
                        let hidden = (l + 1 < count).then_some(l);
                        (dense.outputs(), dense.inputs() + 1, hidden)
                    }
                };
                let reads_features = l == 0 && settings.members == Members::Outgoing;
                let hidden_index = match settings.inputs {
                    Inputs::LikeHidden if reads_features => Some(0),
                    _ => hidden_index,
                };
                let range = match hidden_index {
                    Some(hidden_index) => settings.part.penalised(LayerUnits {
                        hidden_index,
                        initial: units,
                        current: units,
                    }),
                    None if reads_features && settings.inputs == Inputs::Penalised => 0..units,
                    None => 0..0,
                };
                Layer {
                    is_watched: !range.is_empty(),
                    range,
                    initial_units: units,
                    initial_size: size,
                    hidden_index,
                }
            })
            .collect();
        let mut this = Self {
            settings,
            layers,
            weights: vec![],
        };
        this.reweigh(network);
        this
    }

    /// The groups of a network that lost units before, as [`Penalised::layers`] told; none if they are not those of `network`.
    pub(crate) fn resumed(
        settings: PenaltySettings,
        layers: Vec<Layer>,
        network: &Chain,
    ) -> Option<Self> {
        let groups = |d: &Dense| match settings.members {
            Members::Outgoing => d.inputs(),
            Members::Incoming => d.outputs(),
        };
        let fits = |(layer, dense): (&Layer, &Dense)| {
            layer.range.start <= layer.range.end && layer.range.end <= groups(dense)
        };
        let count = network.layers().len();
        let is_its_own = layers.len() == count && layers.iter().zip(network.layers()).all(fits);
        is_its_own.then(|| {
            let mut this = Self {
                settings,
                layers,
                weights: vec![],
            };
            this.reweigh(network);
            this
        })
    }

    /// What does not follow from the network alone.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn settings(&self) -> &PenaltySettings {
        &self.settings
    }

    /// The penalised groups of a layer.
    pub(crate) fn range(&self, layer: usize) -> Range<usize> {
        self.layers[layer].range.clone()
    }

    /// The layers whose groups were penalised at the first step, and what each of its groups is called.
    pub(crate) fn watched(&self) -> impl Iterator<Item = (usize, String)> {
        let first = match self.settings.members {
            Members::Outgoing => 0,
            Members::Incoming => 1,
        };
        let watched = self.layers.iter().enumerate().filter(|(_, l)| l.is_watched);
        watched.map(move |(l, _)| match l + first {
            0 => (l, "inputs".to_owned()),
            hidden => (l, format!("hidden layer {hidden}")),
        })
    }

    /// The norm of each group of a layer, penalised or spared, and how many numbers a group has.
    pub(crate) fn norms(&self, layer: usize, network: &Chain) -> UnitNorms {
        let dense = &network.layers()[layer];
        let (units, size) = match self.settings.members {
            Members::Outgoing => (dense.inputs(), dense.outputs()),
            Members::Incoming => (dense.outputs(), dense.inputs() + 1),
        };
        let mut group = vec![];
        let norm = |unit: usize| {
            self.gather(unit, dense, &mut group);
            let squares = group.iter().map(|&w: &f32| f64::from(w).powi(2));
            squares.sum::<f64>().sqrt()
        };
        UnitNorms::of(&(0..units).map(norm).collect::<Vec<f64>>(), size)
    }

    /// The numbers of a group, one after the other.
    fn gather(&self, unit: usize, dense: &Dense, into: &mut Vec<f32>) {
        let width = dense.outputs();
        match self.settings.members {
            Members::Outgoing => {
                into.clear();
                into.extend_from_slice(&dense.weight()[unit * width..(unit + 1) * width]);
            }
            Members::Incoming => {
                incoming::gather(dense.weight(), dense.bias(), unit, width, into);
            }
        }
    }

    /// Follows a removal: `kept` are the old indices of the units that stay.
    pub(crate) fn after_removal(&mut self, layer: usize, kept: &[usize]) {
        let this = &mut self.layers[layer];
        let before = kept.iter().filter(|&&k| k < this.range.start).count();
        let within = kept.iter().filter(|&&k| this.range.contains(&k)).count();
        this.range = before..before + within;
        if let Some(hidden_index) = this.hidden_index
            && follows_current_width(&self.settings.part)
        {
            this.range = self.settings.part.penalised(LayerUnits {
                hidden_index,
                initial: this.initial_units,
                current: kept.len(),
            });
        }
    }

    /// Computes the group weights anew, after the network's widths have changed.
    pub(crate) fn reweigh(&mut self, network: &Chain) {
        let sizes = self.sizes(network);
        let mut groups = vec![];
        for (l, layer) in self.layers.iter().enumerate() {
            let size = GroupSize {
                initial: layer.initial_size,
                current: sizes[l],
                macs: self.macs_freed(network, l),
            };
            // One entry a group, and one more so that layers without penalised groups have a weight.
            groups.extend(std::iter::repeat_n((l, size), layer.range.len().max(1)));
        }
        let sizes: Vec<GroupSize> = groups.iter().map(|&(_, size)| size).collect();
        self.weights = vec![0.0; self.layers.len()];
        for (weight, (l, _)) in self
            .settings
            .weights
            .weights(&sizes)
            .into_iter()
            .zip(groups)
        {
            self.weights[l] = weight;
        }
    }

    /// Lambda and group weight of every layer.
    pub(crate) fn strengths(&self, lambda: f64) -> Vec<Strength> {
        let strength = |(layer, &weight): (&Layer, &f64)| {
            let factor = match layer.hidden_index {
                Some(_) => self.settings.compensation.factor(&self.settings.part),
                None => 1.0,
            };
            Strength {
                lambda: lambda * factor,
                weight,
            }
        };
        self.layers
            .iter()
            .zip(&self.weights)
            .map(strength)
            .collect()
    }

    /// The penalty's value at lambda = 1.
    pub(crate) fn value(&self, network: &Chain) -> f64 {
        let strengths = self.strengths(1.0);
        let mut sum = 0.0;
        let mut group = vec![];
        for (l, (layer, dense)) in self.layers.iter().zip(network.layers()).enumerate() {
            for g in layer.range.clone() {
                self.gather(g, dense, &mut group);
                sum += self.settings.penalty.value(&group, strengths[l]);
            }
        }
        sum
    }

    /// Share of all weights (biases apart) that are penalised, in [0, 1].
    pub(crate) fn share(&self, network: &Chain) -> f64 {
        let sizes = self.sizes(network);
        let penalised: usize = self
            .layers
            .iter()
            .zip(sizes)
            .map(|(layer, size)| layer.range.len() * size)
            .sum();
        let all: usize = network.layers().iter().map(|d| d.weight().len()).sum();
        penalised as f64 / all.max(1) as f64
    }

    /// Scalars in one group of each layer, biases apart.
    fn sizes(&self, network: &Chain) -> Vec<usize> {
        let size = |d: &Dense| match self.settings.members {
            Members::Outgoing => d.outputs(),
            Members::Incoming => d.inputs(),
        };
        network.layers().iter().map(size).collect()
    }

    /// Multiplications that go with one unit of the layer's groups, per row.
    fn macs_freed(&self, network: &Chain, layer: usize) -> u64 {
        let layers = network.layers();
        let (maker, reader) = match self.settings.members {
            Members::Outgoing => (layer.checked_sub(1), Some(layer)),
            Members::Incoming => (Some(layer), Some(layer + 1)),
        };
        let made = maker.map_or(0, |m| layers[m].inputs());
        let read = reader.and_then(|r| layers.get(r)).map_or(0, Dense::outputs);
        (made + read) as u64
    }
}

/// Whether the spared units are derived anew from the units that are left.
pub(crate) fn follows_current_width(part: &Part) -> bool {
    matches!(
        part,
        Part::SpareLast {
            of: Widths::Current,
            ..
        } | Part::Fraction {
            which: Which::Ranked { .. },
            ..
        }
    )
}
