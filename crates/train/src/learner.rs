//! What a run trains: a chain of dense layers, or a network of any form.
//!
//! Chains have an engine of their own, which fuses the optimiser's step with the penalty's and removes input features.

use secateur_engine::{Chain, Network, Phases, Threads};
use secateur_graph::{Graph, Keep};
use secateur_prox::{Part, Quantity};
use secateur_prune::Criterion;

use crate::budget::ranked::Ranked;
use crate::checkpoint::{Kept, moments_of_chain, moments_of_net};
use crate::evaluate::SCORE_ROWS;
use crate::net::{NetLearner, measuring_bytes, row_of};
use crate::removal::{Body, Due};
use crate::settings::Widths;
use crate::strength::Lambda;
use crate::unit_norms::LayerHead;
use crate::{Error, Removal, Result, Rows, Score, Settings, Targets, UnitNorms};

/// A network with its data, its optimiser and its penalty.
#[derive(Debug)]
pub(crate) enum Learner {
    Chain(Box<Body>),
    Net(Box<NetLearner>),
}

/// Whether the engine for chains of dense layers takes a network.
///
/// # Errors
/// If it does, and units are to be ranked otherwise than it ranks them.
fn is_chain(graph: &Graph, settings: &Settings) -> Result<bool> {
    let is_chain = Body::is_chain(graph);
    match settings.penalty.map(|p| p.by) {
        Some(by) if is_chain && by != Criterion::Flap => {
            let message = format!(
                "units of a chain of dense layers are ranked by flap alone, not by {}",
                by.name()
            );
            Err(Error::settings(message)
                .at("--by")
                .hint("leave it out, or train a network of another form, such as --net mlp"))
        }
        _ => Ok(is_chain),
    }
}

/// Bytes that training holds beside the rows, found without taking them: buffers for a batch, and the network four times, with
/// gradients, the optimiser's state and copies in the order of kernels. `row` is the shape of a row of data.
///
/// # Errors
/// If the network cannot be run on such rows.
pub fn planned_bytes(graph: &Graph, row: &[usize], settings: &Settings) -> Result<u64> {
    let slots = settings.optimizer.state_slots();
    let engine = match is_chain(graph, settings)? {
        true => Chain::planned_bytes(graph, settings.batch.max(SCORE_ROWS), slots)?,
        false => {
            let row = row_of(graph, row)?;
            let threads = settings.threads;
            let ranked = settings.penalty.map(|p| (p.part, p.by));
            let measuring = match ranked {
                Some((Part::Budget { .. }, by)) => measuring_bytes(graph, &row, by, threads)?,
                _ => 0,
            };
            measuring + Network::planned_bytes(graph, &row, settings.batch, slots, threads)?
        }
    };
    let constants = graph.values().iter().filter_map(|v| v.constant.as_deref());
    let network: usize = constants.map(secateur_graph::Tensor::len).sum();
    // As it was before the run, as it is, as it was after the last epoch, and while units are taken out.
    Ok(engine + 4 * 4 * network as u64)
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
        match is_chain(&graph, settings)? {
            true => Ok(Self::Chain(Box::new(Body::new(graph, train, settings)?))),
            false => Ok(Self::Net(Box::new(NetLearner::new(
                graph, train, settings,
            )?))),
        }
    }

    /// A learner as it was kept; none if its parts do not fit each other.
    ///
    /// # Errors
    /// If the network cannot be run, or does not fit the data.
    pub(crate) fn resumed(kept: Kept, train: Rows, settings: &Settings) -> Result<Option<Self>> {
        Ok(match kept {
            Kept::Chain {
                graph,
                moments,
                penalised,
            } => Body::resumed((graph, moments, penalised), train, settings)?
                .map(|body| Self::Chain(Box::new(body))),
            Kept::Net {
                graph,
                moments,
                penalised,
            } => NetLearner::resumed((graph, moments, penalised), train, settings)?
                .map(|net| Self::Net(Box::new(net))),
        })
    }

    /// All of it but data and settings.
    ///
    /// # Errors
    /// If numbers do not fit the graph that they came from.
    pub(crate) fn keep(&self) -> Result<Kept> {
        let mut graph = self.graph().clone();
        either!(self, l => l.network.write_back(&mut graph)?);
        Ok(match self {
            Self::Chain(body) => Kept::Chain {
                graph,
                moments: moments_of_chain(body),
                penalised: body.penalised.as_ref().map(|p| p.layers().to_vec()),
            },
            Self::Net(net) => Kept::Net {
                graph,
                moments: moments_of_net(&net.network),
                penalised: net.past(),
            },
        })
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
    pub(crate) fn ranked(&mut self, of: Quantity, widths: Widths) -> Result<Ranked> {
        either!(self, l => l.ranked(of, widths))
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
