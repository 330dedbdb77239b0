//! Everything that a run needs to go on from where it was, to the same bits.

use secateur_engine::{Chain, Network};
use secateur_graph::{Graph, ValueId};
use serde::{Deserialize, Serialize};

use crate::net::NetPast;
use crate::penalised::Layer;
use crate::removal::Body;
use crate::{Epoch, Removal, Seconds, UnitNorms};

/// A run at rest, to be stored and gone on with by [`resume`](crate::resume).
///
/// It holds no data and no settings: who goes on brings the same. What follows from these (the order of rows, the learning
/// rate, draws of pictures) is found again from the number of steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) network: Kept,
    /// The network of the last whole epoch, where this is not it.
    pub(crate) good: Option<Graph>,
    /// Lambda, once it was found.
    pub(crate) lambda: Option<f64>,
    pub(crate) top_lambda: f64,
    /// What the run's budget allows, a share taken of the network at the start.
    pub(crate) budget: Option<u64>,
    pub(crate) penalised_share: f64,
    pub(crate) initial_norms: Vec<UnitNorms>,
    pub(crate) removals: Vec<Removal>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) seconds: Seconds,
}

impl Checkpoint {
    /// Whole epochs behind it.
    pub fn epochs(&self) -> usize {
        self.position.epochs
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Whole epochs.
    pub(crate) epochs: usize,
    /// Steps of the epoch that has begun.
    pub(crate) batches: usize,
    /// Sum of the losses of its rows, and how many these are.
    pub(crate) loss: f64,
    pub(crate) rows: f64,
    /// Steps of the whole run.
    pub(crate) steps: usize,
}

/// What a learner is, its data and settings apart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Kept {
    Chain {
        graph: Graph,
        moments: Vec<Moments>,
        penalised: Option<Vec<Layer>>,
    },
    Net {
        graph: Graph,
        moments: Vec<Moments>,
        penalised: Option<Vec<NetPast>>,
    },
}

impl Kept {
    pub(crate) fn graph(&self) -> &Graph {
        match self {
            Self::Chain { graph, .. } | Self::Net { graph, .. } => graph,
        }
    }
}

/// What an optimiser knows of one constant, laid out as the engine does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Moments {
    id: ValueId,
    /// The gradient, or the velocity where momentum is fused.
    gradient: Vec<f32>,
    state: Vec<Vec<f32>>,
}

/// One constant of a network, as an engine holds it.
struct Place<'a> {
    id: ValueId,
    gradient: &'a mut [f32],
    state: Vec<&'a mut [f32]>,
}

/// Moments of a network, in its order.
pub(crate) fn moments_of_net(network: &Network) -> Vec<Moments> {
    let of = |p: &secateur_engine::Parameter| Moments {
        id: p.id(),
        gradient: p.gradient().to_vec(),
        state: p.state().to_vec(),
    };
    network.parameters().iter().map(of).collect()
}

/// Moments of a chain, in its order.
pub(crate) fn moments_of_chain(body: &Body) -> Vec<Moments> {
    let mut all = vec![];
    for layer in body.network.layers() {
        all.push(Moments {
            id: layer.weight_id(),
            gradient: layer.weight_gradient().to_vec(),
            state: layer.weight_state().to_vec(),
        });
        all.extend(layer.bias_id().map(|id| Moments {
            id,
            gradient: layer.bias_gradient().to_vec(),
            state: layer.bias_state().to_vec(),
        }));
    }
    all
}

/// Gives a network moments of its own; false if they are of another one.
pub(crate) fn restore_net(network: &mut Network, moments: Vec<Moments>) -> bool {
    let places = network.parameters_mut().iter_mut().map(|p| {
        let id = p.id();
        let parts = p.parts();
        Place {
            id,
            gradient: parts.gradient,
            state: parts.state,
        }
    });
    restore(places.collect(), moments)
}

/// The same of a chain.
pub(crate) fn restore_chain(network: &mut Chain, moments: Vec<Moments>) -> bool {
    let mut places = vec![];
    for layer in network.layers_mut() {
        let ids = (layer.weight_id(), layer.bias_id());
        let [weight, bias] = layer.moments_mut();
        let place = |id, (gradient, state)| Place {
            id,
            gradient,
            state,
        };
        places.push(place(ids.0, weight));
        places.extend(ids.1.map(|id| place(id, bias)));
    }
    restore(places, moments)
}

fn restore(mut places: Vec<Place<'_>>, moments: Vec<Moments>) -> bool {
    let fits = |(place, moments): (&Place<'_>, &Moments)| {
        let lengths = |state: &[Vec<f32>]| state.iter().map(Vec::len).collect::<Vec<_>>();
        let own: Vec<usize> = place.state.iter().map(|s| s.len()).collect();
        place.id == moments.id
            && place.gradient.len() == moments.gradient.len()
            && own == lengths(&moments.state)
    };
    if places.len() != moments.len() || !places.iter().zip(&moments).all(fits) {
        return false;
    }
    for (place, moments) in places.iter_mut().zip(moments) {
        place.gradient.copy_from_slice(&moments.gradient);
        for (own, state) in place.state.iter_mut().zip(&moments.state) {
            own.copy_from_slice(state);
        }
    }
    true
}
