//! Training a chain of dense layers.

use std::time::Instant;

use secateur_engine::{Chain, Dense};
use secateur_graph::Graph;

use crate::checkpoint::{Moments, restore_chain};
use crate::evaluate::{SCORE_ROWS, score_on};
use crate::learner::{Step, Stepped};
use crate::order::{random_order, rank_by_norm};
use crate::penalised::{Layer, Penalised};
use crate::removal::Body;
use crate::step::StepRule;
use crate::unit_norms::LayerHead;
use crate::{Error, ErrorKind, Result, Rows, Score, Settings, UnitNorms};

/// The chain of a graph, if it takes and makes what the rows hold.
fn compiled(graph: &Graph, train: &Rows, settings: &Settings) -> Result<Chain> {
    let capacity = settings.batch.max(SCORE_ROWS);
    let slots = settings.optimizer.state_slots();
    let network = Chain::compile(graph, capacity, slots, settings.threads)?;
    let (columns, outputs) = (train.columns(), train.targets().outputs());
    if network.inputs() == columns && network.outputs() == outputs {
        return Ok(network);
    }
    Err(Error::new(
        ErrorKind::Data,
        format!(
            "the network maps {} features to {} outputs, the rows have {columns} and {outputs}",
            network.inputs(),
            network.outputs(),
        ),
    ))
}

impl Body {
    /// Whether a graph is such a chain.
    pub(crate) fn is_chain(graph: &Graph) -> bool {
        Chain::compile(graph, 1, 0, 1).is_ok()
    }

    pub(crate) fn new(graph: Graph, train: Rows, settings: &Settings) -> Result<Self> {
        let mut network = compiled(&graph, &train, settings)?;
        let mut graph = graph;
        if let Some(p) = &settings.penalty
            && p.part.is_drawn()
        {
            graph = random_order(&graph, settings.seed)?;
            network.read(&graph)?;
        }
        let penalised = settings.penalty.map(|p| Penalised::new(p, &network));
        Ok(Self {
            graph,
            network,
            rows: train,
            penalised,
        })
    }

    /// A chain as it was kept, on rows with all columns; none if its parts do not fit each other.
    pub(crate) fn resumed(
        (graph, moments, layers): (Graph, Vec<Moments>, Option<Vec<Layer>>),
        mut train: Rows,
        settings: &Settings,
    ) -> Result<Option<Self>> {
        let selected = Chain::compile(&graph, 1, 0, 1)?
            .selected_inputs()
            .map(<[usize]>::to_vec);
        if let Some(selected) = selected {
            let is_ascending = selected.windows(2).all(|w| w[0] < w[1]);
            if !is_ascending || selected.last().is_none_or(|&s| s >= train.columns()) {
                return Ok(None);
            }
            train.keep_columns(&selected);
        }
        let mut network = compiled(&graph, &train, settings)?;
        let penalised = match (settings.penalty, layers) {
            (Some(p), Some(layers)) => Penalised::resumed(p, layers, &network).map(Some),
            (None, None) => Some(None),
            _ => None,
        };
        let fits = restore_chain(&mut network, moments);
        Ok(penalised.filter(|_| fits).map(|penalised| Self {
            graph,
            network,
            rows: train,
            penalised,
        }))
    }

    /// Share of the weights that are penalised.
    pub(crate) fn share(&self) -> f64 {
        let penalised = self.penalised.as_ref();
        penalised.map_or(0.0, |p| p.share(&self.network))
    }

    pub(crate) fn train_step(&mut self, step: Step<'_>) -> Stepped {
        let Step {
            settings,
            features,
            targets,
            rate,
            number,
            lambda,
            is_penalised,
        } = step;
        let rows = targets.rows();
        let network = &mut self.network;
        let loss = network.forward_backward(features, rows, |range, outputs, gradient| {
            targets.loss_and_gradient(range, outputs, gradient)
        });
        let lambda = match &self.penalised {
            Some(p) if is_penalised => lambda.value(|| (loss, p.value(network))),
            _ => 0.0,
        };
        let penalised = self.penalised.as_ref().filter(|_| lambda > 0.0);
        let start = Instant::now();
        let rule = StepRule::new(settings, rate, number, penalised, lambda, network);
        let mut apart = start.elapsed();
        let momentum = settings.optimizer.gradient_momentum();
        network.update(features, rows, momentum, |block| rule.apply(block));
        let start = Instant::now();
        rule.finish(network);
        apart += start.elapsed();
        Stepped {
            loss,
            lambda,
            penalty_seconds: if lambda > 0.0 {
                apart.as_secs_f64()
            } else {
                0.0
            },
        }
    }

    pub(crate) fn rank_by_norm(&mut self) -> Result<()> {
        match &self.penalised {
            Some(penalised) => rank_by_norm(&mut self.graph, &mut self.network, penalised),
            None => Ok(()),
        }
    }

    pub(crate) fn score(&mut self, rows: &Rows) -> Result<Score> {
        score_on(&mut self.network, rows)
    }

    /// Input features, then units of each hidden layer.
    pub(crate) fn units(&self) -> Vec<usize> {
        self.network.layers().iter().map(Dense::inputs).collect()
    }

    pub(crate) fn penalised_layers(&self) -> Vec<LayerHead> {
        let watched = self.penalised.iter().flat_map(Penalised::watched);
        // Chains that are trained hold no normalisation.
        let head = |(_, name)| LayerHead {
            name,
            is_scale_free: false,
        };
        watched.map(head).collect()
    }

    pub(crate) fn norms(&self) -> Vec<UnitNorms> {
        let of = |p: &Penalised| -> Vec<UnitNorms> {
            p.watched()
                .map(|(layer, _)| p.norms(layer, &self.network))
                .collect()
        };
        self.penalised.as_ref().map_or(vec![], of)
    }

    pub(crate) fn macs(&self) -> Result<u64> {
        let layers = self.network.layers().iter();
        Ok(layers.map(|d| (d.inputs() * d.outputs()) as u64).sum())
    }
}
