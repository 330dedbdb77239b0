//! The order of units in networks of any form: the penalised part of each group is one range.

use secateur_engine::{Network, Threads};
use secateur_graph::{ChannelGroups, Graph, Role, permute};

use super::NetLearner;
use super::slices::Slices;
use crate::{Result, Rows};

impl NetLearner {
    /// Reorders units so that those of least norm lie in the penalised range.
    pub(crate) fn rank_by_norm(&mut self) -> Result<()> {
        let Some(penalised) = &self.penalised else {
            return Ok(());
        };
        self.network.write_back(&mut self.graph)?;
        let part = penalised.settings().part;
        let mut cuts = vec![];
        for layer in &penalised.layers {
            let norms = layer.slices.norms(self.network.parameters());
            let order = part.order_by_norm(&norms);
            let permuted = permute(&self.graph, &self.groups, layer.past.id, &order)?;
            cuts.extend(permuted.cuts);
            self.graph = permuted.graph;
        }
        self.network.follow(&self.graph, &cuts)?;
        Ok(())
    }
}

/// The graph with the units of each group in rising order of the norms of the weights that read them: where a part spares
/// the last units of trained weights, it spares the strongest.
///
/// # Errors
/// If the network cannot be run.
pub fn strongest_last(graph: &Graph, rows: &Rows) -> Result<Graph> {
    let row = super::row_shape(graph, rows)?;
    let groups = ChannelGroups::of(graph)?;
    let network = Network::compile(graph, &row, 1, 0, Threads::new(1)?)?;
    let mut sorted = graph.clone();
    for (id, group) in groups.iter() {
        let Some(slices) = Slices::new(group, &[Role::Reads], &network) else {
            continue;
        };
        let norms = slices.norms(network.parameters());
        let mut order: Vec<usize> = (0..group.units).collect();
        order.sort_by(|&a, &b| norms[a].total_cmp(&norms[b]));
        // Units that lie unequally often on an axis stay where they are.
        if let Ok(permuted) = permute(&sorted, &groups, id, &order) {
            sorted = permuted.graph;
        }
    }
    Ok(sorted)
}
