//! Training a network of any form.

mod budget;
mod measured;
mod order;
mod penalised;
mod removal;
mod runner;
mod scale_free;
mod slices;
mod step;
mod taylor;
#[cfg(test)]
mod tests;
mod variances;

use std::ops::Range;

use secateur_engine::{Network, Threads};
use secateur_graph::{ChannelGroups, Dim, Graph, cost};

use self::penalised::{Layer, PenalisedGroups};
use crate::checkpoint::{Moments, restore_net};
use crate::evaluate::SCORE_ROWS;
use crate::learner::{Step, Stepped};
use crate::score::Scorer;
use crate::unit_norms::LayerHead;
use crate::update::Update;
use crate::{Error, ErrorKind, PenaltyStep, Result, Rows, Score, Settings, UnitNorms};

pub(crate) use self::penalised::Past as NetPast;

pub(crate) use self::budget::NetUnits;
pub(crate) use self::measured::measuring_bytes;
pub use self::order::strongest_last;
pub use self::taylor::taylor_scores;
pub use self::variances::activation_variances;

/// What a run owns of a network of any form while units come and go.
#[derive(Debug)]
pub(crate) struct NetLearner {
    pub(crate) graph: Graph,
    pub(crate) network: Network,
    pub(crate) rows: Rows,
    groups: ChannelGroups,
    penalised: Option<PenalisedGroups>,
    /// Draws the rows that units are ranked on.
    seed: u64,
    /// Seconds of penalty steps, which are not fused with the optimiser's here.
    penalty_seconds: f64,
}

impl NetLearner {
    pub(crate) fn new(graph: Graph, rows: Rows, settings: &Settings) -> Result<Self> {
        let mut graph = graph;
        if let Some(p) = &settings.penalty
            && p.part.is_drawn()
        {
            graph = crate::order::random_order(&graph, settings.seed)?;
        }
        let network = compiled(&graph, &rows, settings)?;
        let groups = ChannelGroups::of(&graph)?;
        let penalised = match settings.penalty {
            Some(p) => Some(PenalisedGroups::new(p, &graph, &groups, &network)?),
            None => None,
        };
        Ok(Self {
            graph,
            network,
            rows,
            groups,
            penalised,
            seed: settings.seed,
            penalty_seconds: 0.0,
        })
    }

    /// A network as it was kept; none if its parts do not fit each other.
    pub(crate) fn resumed(
        (graph, moments, past): (Graph, Vec<Moments>, Option<Vec<NetPast>>),
        rows: Rows,
        settings: &Settings,
    ) -> Result<Option<Self>> {
        let mut network = compiled(&graph, &rows, settings)?;
        let groups = ChannelGroups::of(&graph)?;
        let penalised = match (settings.penalty, past) {
            (Some(p), Some(past)) => {
                PenalisedGroups::resumed(p, past, &graph, &groups, &network)?.map(Some)
            }
            (None, None) => Some(None),
            _ => None,
        };
        let fits = restore_net(&mut network, moments);
        Ok(penalised.filter(|_| fits).map(|penalised| Self {
            graph,
            network,
            rows,
            groups,
            penalised,
            seed: settings.seed,
            penalty_seconds: 0.0,
        }))
    }

    /// What of the penalised groups does not follow from the network.
    pub(crate) fn past(&self) -> Option<Vec<NetPast>> {
        self.penalised.as_ref().map(PenalisedGroups::past)
    }

    /// Share of the weights that are penalised.
    pub(crate) fn share(&self) -> f64 {
        let penalised = self.penalised.as_ref();
        penalised.map_or(0.0, |p| p.share(self.network.parameters()))
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
        let momentum = settings.optimizer.gradient_momentum();
        let network = &mut self.network;
        let loss = network.forward_backward(
            features,
            targets.rows(),
            momentum,
            |range, outputs, gradient| targets.loss_and_gradient(range, outputs, gradient),
        );
        let penalised = self.penalised.as_mut().filter(|_| is_penalised);
        let lambda = penalised.as_ref().map_or(0.0, |p| {
            lambda.value(|| (loss, p.value(network.parameters())))
        });
        let penalised = penalised.filter(|_| lambda > 0.0);
        let update = Update::new(settings, rate, number);
        if let Some(p) = &penalised
            && p.settings().step == PenaltyStep::Subgradient
        {
            self.penalty_seconds += step::subgradient(p, lambda, network);
        }
        network.update(|block| step::move_block(&update, block));
        if let Some(p) = penalised {
            self.penalty_seconds += step::proximal(p, settings, &update, (rate, lambda), network);
        }
        Stepped {
            loss,
            lambda,
            penalty_seconds: 0.0,
        }
    }

    /// Seconds of penalty steps so far.
    pub(crate) fn penalty_seconds(&self) -> f64 {
        self.penalty_seconds
    }

    pub(crate) fn score(&mut self, rows: &Rows) -> Result<Score> {
        let mut scorer = Scorer::new(rows.targets());
        each_output(&mut self.network, rows, |chunk| scorer.add(chunk))?;
        Ok(scorer.finish())
    }

    /// Units of each group that layers make.
    pub(crate) fn units(&self) -> Vec<usize> {
        widths(&self.groups)
    }

    pub(crate) fn penalised_layers(&self) -> Vec<LayerHead> {
        let head = |layer: &Layer| LayerHead {
            name: self.groups.group(layer.past.id).name.clone(),
            is_scale_free: layer.past.is_scale_free,
        };
        self.watched().map(head).collect()
    }

    pub(crate) fn norms(&self) -> Vec<UnitNorms> {
        let parameters = self.network.parameters();
        let of = |l: &Layer| UnitNorms::of(&l.slices.norms(parameters), l.slices.size());
        self.watched().map(of).collect()
    }

    /// Steps that would have left each of the penalised layers no unit.
    pub(crate) fn held(&self) -> Vec<usize> {
        self.watched().map(|layer| layer.past.held).collect()
    }

    fn watched(&self) -> impl Iterator<Item = &Layer> {
        let layers = self.penalised.iter().flat_map(|p| &p.layers);
        layers.filter(|layer| layer.past.is_watched)
    }

    pub(crate) fn macs(&self) -> Result<u64> {
        Ok(cost(&self.graph)?.macs)
    }
}

/// The network of a graph, if it takes and makes what the rows hold.
fn compiled(graph: &Graph, rows: &Rows, settings: &Settings) -> Result<Network> {
    let threads = Threads::new(settings.threads)?;
    let row = row_shape(graph, rows)?;
    let slots = settings.optimizer.state_slots();
    let network = Network::compile(graph, &row, settings.batch, slots, threads)?;
    fits(&network, rows)?;
    Ok(network)
}

/// Units of each group that layers make, those of outputs left out.
pub(crate) fn widths(groups: &ChannelGroups) -> Vec<usize> {
    let free = groups.groups().iter().filter(|g| g.is_free());
    free.map(|g| g.units).collect()
}

/// The shape that the network takes a row in, its batch axis of length 1 included.
pub(crate) fn row_shape(graph: &Graph, rows: &Rows) -> Result<Vec<usize>> {
    row_of(graph, rows.shape())
}

/// The same for rows of a shape.
pub(crate) fn row_of(graph: &Graph, own: &[usize]) -> Result<Vec<usize>> {
    let declared = graph
        .inputs()
        .first()
        .and_then(|&i| graph.value(i).shape.clone());
    let Some(declared) = declared.filter(|s| !s.is_empty()) else {
        return Err(Error::new(
            ErrorKind::Data,
            "the network states no shape for its input",
        ));
    };
    let is_alike = own.len() + 1 == declared.len();
    let axes = declared.iter().skip(1).enumerate();
    let lengths =
        axes.map(|(axis, dim)| dim.fixed().or(own.get(axis).copied().filter(|_| is_alike)));
    let row: Option<Vec<usize>> = std::iter::once(Some(1)).chain(lengths).collect();
    let row = row.filter(|r| r.iter().product::<usize>() == own.iter().product());
    row.ok_or_else(|| {
        let declared: Vec<String> = declared.iter().map(Dim::to_string).collect();
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        Error::new(
            ErrorKind::Data,
            format!(
                "the network takes rows of {}, the data have {}",
                declared[1..].join(" x "),
                own.join(" x ")
            ),
        )
        .hint("take a network for inputs of this shape, or bring the data into its shape")
    })
}

/// Checks that a network takes the features and makes the targets of some rows.
pub(crate) fn fits(network: &Network, rows: &Rows) -> Result<()> {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    if inputs == rows.columns() && outputs == rows.targets().outputs() {
        return Ok(());
    }
    let wanted = rows.targets().outputs();
    let have = rows.columns();
    Err(Error::new(
        ErrorKind::Data,
        format!(
            "the network maps {inputs} features to {outputs} outputs, the rows have {have} and {wanted}"
        ),
    )
    .hint("take the data that the network was made for, with all of its classes"))
}

/// Rows in batches of at most so many, whose sizes differ by one at most.
pub(crate) fn even_batches(rows: usize, batch: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(batch.max(1));
    (0..count).map(move |i| rows * i / count..rows * (i + 1) / count)
}

/// Runs rows chunk by chunk.
pub(crate) fn each_output(
    network: &mut Network,
    rows: &Rows,
    mut each: impl FnMut(&[f32]),
) -> Result<()> {
    let mut start = 0;
    while start < rows.len() {
        let count = SCORE_ROWS.min(rows.len() - start);
        each(network.forward(&rows.features(start, count)?, count));
        start += count;
    }
    Ok(())
}
