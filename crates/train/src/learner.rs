//! What a run trains: a chain of dense layers, or a network of any form.
//!
//! Chains have an engine of their own, which fuses the optimiser's step with the penalty's and removes input features.

use secateur_engine::{Phases, Threads};
use secateur_graph::{Graph, Keep};
use secateur_prox::Quantity;

use crate::budget::ranked::Ranked;
use crate::net::NetLearner;
use crate::removal::{Body, Due};
use crate::strength::Lambda;
use crate::unit_norms::LayerHead;
use crate::{Removal, Result, Rows, Score, Settings, Targets, UnitNorms};

/// A network with its data, its optimiser and its penalty.
#[derive(Debug)]
pub(crate) enum Learner {
    Chain(Box<Body>),
    Net(Box<NetLearner>),
}

/// What one step needs to know.
pub(crate) struct Step<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) features: &'a [f32],
    pub(crate) targets: &'a Targets,
    /// Learning rate.
    pub(crate) rate: f64,
    /// Steps before this one.
    pub(crate) number: usize,
    pub(crate) lambda: &'a mut Lambda,
    pub(crate) is_penalised: bool,
}

/// What one step says.
pub(crate) struct Stepped {
    /// Mean loss of the batch, the penalty apart.
    pub(crate) loss: f64,
    /// Lambda; 0 without a penalty.
    pub(crate) lambda: f64,
    /// Seconds of the penalty that the engine did not count.
    pub(crate) penalty_seconds: f64,
}

macro_rules! either {
    ($learner:expr, $inner:ident => $call:expr) => {
        match $learner {
            Learner::Chain($inner) => $call,
            Learner::Net($inner) => $call,
        }
    };
}

impl Learner {
    /// Compiles the network; a chain of dense layers where it is one.
    pub(crate) fn new(graph: Graph, train: Rows, settings: &Settings) -> Result<Self> {
        match Body::is_chain(&graph) {
            true => Ok(Self::Chain(Box::new(Body::new(graph, train, settings)?))),
            false => Ok(Self::Net(Box::new(NetLearner::new(
                graph, train, settings,
            )?))),
        }
    }

    pub(crate) fn graph(&self) -> &Graph {
        either!(self, l => &l.graph)
    }

    pub(crate) fn into_graph(self) -> Graph {
        either!(self, l => l.graph)
    }

    pub(crate) fn set_graph(&mut self, graph: Graph) {
        either!(self, l => l.graph = graph);
    }

    pub(crate) fn rows(&self) -> &Rows {
        either!(self, l => &l.rows)
    }

    /// The threads that the network runs on.
    pub(crate) fn threads(&self) -> Threads {
        either!(self, l => l.network.threads().clone())
    }

    /// What of the network is not trained, and why.
    pub(crate) fn notes(&self) -> &[String] {
        match self {
            Self::Chain(_) => &[],
            Self::Net(net) => net.network.notes(),
        }
    }

    /// Writes the present numbers into the graph.
    pub(crate) fn write_back(&mut self) -> Result<()> {
        either!(self, l => Ok(l.network.write_back(&mut l.graph)?))
    }

    /// Seconds by phase; those of the penalty as far as the engine knows.
    pub(crate) fn phases(&self) -> Phases {
        either!(self, l => l.network.phases())
    }

    /// Seconds of the penalty that the engine does not know.
    pub(crate) fn penalty_seconds(&self) -> f64 {
        match self {
            Self::Chain(_) => 0.0,
            Self::Net(net) => net.penalty_seconds(),
        }
    }

    /// Share of the weights that are penalised.
    pub(crate) fn share(&self) -> f64 {
        either!(self, l => l.share())
    }

    pub(crate) fn train_step(&mut self, step: Step<'_>) -> Stepped {
        either!(self, l => l.train_step(step))
    }

    pub(crate) fn score(&mut self, rows: &Rows) -> Result<Score> {
        either!(self, l => l.score(rows))
    }

    /// Units left: input features of a chain, then those of each hidden layer or group.
    pub(crate) fn units(&self) -> Vec<usize> {
        either!(self, l => l.units())
    }

    /// The layers whose units were penalised at the first step.
    pub(crate) fn penalised_layers(&self) -> Vec<LayerHead> {
        either!(self, l => l.penalised_layers())
    }

    /// Lengths of the units of each of these layers.
    pub(crate) fn norms(&self) -> Vec<UnitNorms> {
        either!(self, l => l.norms())
    }

    /// In how many steps the penalty would have left each of these layers no unit.
    pub(crate) fn held(&self) -> Vec<usize> {
        match self {
            // Layers of chains keep units that are zero, which their norms tell.
            Self::Chain(body) => vec![0; body.penalised_layers().len()],
            Self::Net(net) => net.held(),
        }
    }

    /// Multiply-adds of a row.
    pub(crate) fn macs(&self) -> Result<u64> {
        either!(self, l => l.macs())
    }

    /// The network with its units ranked, for a budget of a quantity.
    pub(crate) fn ranked(&mut self, of: Quantity, floor: usize) -> Result<Ranked> {
        either!(self, l => l.ranked(of, floor))
    }

    pub(crate) fn remove_dead(&mut self, due: Due) -> Result<Option<Removal>> {
        either!(self, l => l.remove_dead(due))
    }

    pub(crate) fn remove_asked(&mut self, keep: &Keep, epoch: usize) -> Result<Option<Removal>> {
        either!(self, l => l.remove_asked(keep, epoch))
    }

    /// Reorders units so that those of least norm lie in the penalised range.
    pub(crate) fn rank_by_norm(&mut self) -> Result<()> {
        match self {
            Self::Chain(body) => body.rank_by_norm(),
            Self::Net(net) => net.rank_by_norm(),
        }
    }
}
