//! Reorders the units of hidden layers, which changes nothing of the function, so that the penalised
//! part of each layer is one range.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use secateur_engine::Chain;
use secateur_graph::{ChannelGroups, Graph, GroupId, GroupKind, Role, ValueId, permute};

use crate::Result;
use crate::penalised::Penalised;

/// Stream of random numbers for permutations.
const PERMUTATION_STREAM: u64 = 3;

/// The graph with the units of every hidden layer in a random order.
pub(crate) fn random_order(graph: &Graph, seed: u64) -> Result<Graph> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(PERMUTATION_STREAM);
    let groups = ChannelGroups::of(graph)?;
    let mut graph = graph.clone();
    for (id, group) in groups.iter() {
        if group.frozen.is_none() && group.kind == GroupKind::Hidden {
            let mut order: Vec<usize> = (0..group.units).collect();
            order.shuffle(&mut rng);
            graph = permute(&graph, &groups, id, &order)?.graph;
        }
    }
    Ok(graph)
}

/// Reorders the hidden units so that those of least outgoing norm lie in the penalised range.
pub(crate) fn rank_by_norm(
    graph: &mut Graph,
    network: &mut Chain,
    penalised: &Penalised,
) -> Result<()> {
    network.write_back(graph)?;
    let part = penalised.settings().part;
    let groups = ChannelGroups::of(graph)?;
    for l in 1..network.layers().len() {
        let layer = &network.layers()[l];
        let norms: Vec<f64> = layer
            .weight()
            .chunks_exact(layer.outputs())
            .map(|row| row.iter().map(|&w| f64::from(w).powi(2)).sum())
            .collect();
        let order = part.order_by_norm(&norms);
        let Some(group) = reading_group(&groups, layer.weight_id()) else {
            continue;
        };
        let permuted = permute(graph, &groups, group, &order)?;
        network.cut(&permuted.cuts)?;
        *graph = permuted.graph;
    }
    Ok(())
}

/// The group whose units a weight reads.
pub(crate) fn reading_group(groups: &ChannelGroups, weight: ValueId) -> Option<GroupId> {
    groups
        .iter()
        .find(|(_, g)| {
            g.members
                .iter()
                .any(|m| m.tensor == weight && m.role == Role::Reads)
        })
        .map(|(id, _)| id)
}
