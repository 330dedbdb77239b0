//! Takes dead units out of a network of any form while it trains, and proves that nothing else changed.

use secateur_graph::{
    Array, ChannelGroups, Graph, GroupKind, Keep, Op, Tensor, fold_constants, mask, shrink,
};

use super::NetLearner;
use crate::removal::{Cause, Due, NAIVE_ROWS, agree_naively, agree_on_engine};
use crate::{Removal, Result};

/// Multiply-adds that the naive evaluator may spend on one network: it is a hundred times slower than the engine.
const NAIVE_MACS: u64 = 60_000_000;

impl NetLearner {
    /// Removes what is dead; nothing if nothing is.
    pub(crate) fn remove_dead(&mut self, due: Due) -> Result<Option<Removal>> {
        self.network.write_back(&mut self.graph)?;
        let graph = settled_means(&self.graph)?;
        let groups = ChannelGroups::of(&graph)?;
        let folded = fold_constants(&graph, &groups)?;
        let mut keep = Keep::unread(&folded.graph, &groups, due.widths.floor);
        keep.round_up(due.widths.round);
        // Channels of the input are not chosen among.
        let inputs = groups.iter().filter(|(_, g)| g.kind != GroupKind::Hidden);
        inputs.for_each(|(id, _)| keep.restore(id));
        if keep.is_all() {
            return Ok(None);
        }
        let cause = Cause::dead(&folded, &keep);
        self.apply(&graph, &folded.graph, &groups, &keep, due.epoch, cause)
            .map(Some)
    }

    /// Removes the units that `keep` drops, dead or not.
    pub(crate) fn remove_asked(&mut self, keep: &Keep, epoch: usize) -> Result<Option<Removal>> {
        self.network.write_back(&mut self.graph)?;
        if keep.is_all() {
            return Ok(None);
        }
        let groups = ChannelGroups::of(&self.graph)?;
        let base = self.graph.clone();
        self.apply(&base, &base, &groups, keep, epoch, Cause::Asked)
            .map(Some)
    }

    /// Takes units out of `base`, which is `before` or what folding made of it.
    fn apply(
        &mut self,
        before: &Graph,
        base: &Graph,
        groups: &ChannelGroups,
        keep: &Keep,
        epoch: usize,
        cause: Cause,
    ) -> Result<Removal> {
        let masked = mask(base, groups, keep)?;
        let shrunk = shrink(base, groups, keep)?;
        let naive_rows = affordable(self.macs()?).min(self.rows.len());
        let sample = [self.sample(naive_rows)?];
        let networks = [before, &masked, &shrunk.graph];
        let naive_difference = agree_naively(networks, &sample, cause, epoch)?;
        let engine_rows = self.network.batch().min(self.rows.len());
        let features = self.rows.features(0, engine_rows)?.into_owned();
        let reference = match cause {
            Cause::Asked => &masked,
            Cause::Dead { .. } => before,
        };
        self.network.read(reference)?;
        let outputs = self.network.forward(&features, engine_rows).to_vec();
        self.network.follow(&shrunk.graph, &shrunk.cuts)?;
        self.graph = shrunk.graph;
        let after = self.network.forward(&features, engine_rows);
        let engine_difference = agree_on_engine(&outputs, after, epoch)?;
        self.follow(keep)?;
        let hidden = groups.iter().filter(|(_, g)| g.kind == GroupKind::Hidden);
        Ok(Removal {
            epoch,
            units: hidden.map(|(id, g)| g.units - keep.count(id)).sum(),
            folded: cause.folded(),
            inputs: 0,
            asked: matches!(cause, Cause::Asked),
            naive_difference,
            naive_rows,
            engine_difference,
            engine_rows,
        })
    }

    /// Finds groups, and what is penalised of them, in the network as it is now.
    fn follow(&mut self, keep: &Keep) -> Result<()> {
        self.groups = ChannelGroups::of(&self.graph)?;
        if let Some(penalised) = &mut self.penalised {
            penalised.after_removal(
                |id| keep.kept(id),
                &self.graph,
                &self.groups,
                &self.network,
            )?;
        }
        Ok(())
    }

    /// The first rows in the shape of the network's input.
    fn sample(&self, count: usize) -> Result<Array> {
        let mut shape = super::row_shape(&self.graph, &self.rows)?;
        let batch = self
            .graph
            .inputs()
            .first()
            .and_then(|&i| self.graph.value(i).shape.as_ref()?.first()?.fixed());
        // A batch that the graph fixes is the only one that it can be evaluated at.
        shape[0] = batch.unwrap_or(count);
        let rows = shape[0].min(self.rows.len());
        let mut values: Vec<f64> = self
            .rows
            .features(0, rows)?
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        values.resize(shape.iter().product(), 0.0);
        Ok(Array::new(shape, values)?)
    }
}

/// Rows of so many multiply-accumulates that the naive evaluator is given.
fn affordable(macs: u64) -> usize {
    let rows = NAIVE_MACS / macs.max(1);
    rows.clamp(1, NAIVE_ROWS as u64) as usize
}

/// The graph in which a channel that is made of nothing but a bias has that as its running mean.
///
/// Under the statistics of the batch such a channel is normalised to 0; with a running mean that still lags behind it would be
/// something else, and the two would disagree when it is folded.
pub(super) fn settled_means(graph: &Graph) -> Result<Graph> {
    let mut settled = graph.clone();
    for node in graph.nodes() {
        let (Op::BatchNorm { .. }, Ok(x), Ok(mean)) = (&node.op, node.input(0), node.input(3))
        else {
            continue;
        };
        let Some(maker) = graph.producer(x).map(|id| graph.node(id)) else {
            continue;
        };
        let (Op::Conv(_), Ok(weight)) = (&maker.op, maker.input(1)) else {
            continue;
        };
        let bias = maker.inputs.get(2).copied().flatten();
        let bias = bias
            .and_then(|id| graph.constant(id))
            .and_then(Tensor::as_f32);
        let weights = graph.constant(weight).and_then(Tensor::as_f32);
        let means = graph.constant(mean).and_then(Tensor::as_f32);
        let (Some(weights), Some(means)) = (weights, means) else {
            continue;
        };
        let filter = weights.len() / means.len().max(1);
        let filters = weights.chunks_exact(filter.max(1));
        let mut new = means.to_vec();
        for (c, filter) in filters.enumerate() {
            if filter.iter().all(|&w| w == 0.0) {
                new[c] = bias.map_or(0.0, |b| b[c]);
            }
        }
        if new != means {
            settled.set_constant(mean, Tensor::f32([new.len()], new)?)?;
        }
    }
    Ok(settled)
}

#[cfg(test)]
mod tests;
