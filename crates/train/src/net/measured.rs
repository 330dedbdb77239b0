//! What a criterion has to know of a network while it trains, from training rows.

use secateur_engine::Network;
use secateur_graph::{ChannelGroups, Graph, Group, GroupId, at_lengths, infer_shapes};
use secateur_prune::repair::{Activation, Batch, Effort, Parts, held_bytes, reconstruction};
use secateur_prune::{Criterion, Measured, Needs};

use super::runner::OnEngine;
use super::taylor::taylor;
use super::variances::variances;
use super::{NetLearner, row_shape};
use crate::{Result, Rows};

/// Rows that gradients and covariances are measured on, drawn by the seed of the run.
const ROWS: usize = 1024;
/// One of so many is held out: what a unit costs is measured on other rows than the order in which units go.
const HELD_OUT: usize = 6;
/// Rows of a batch whose gradients are summed before they are squared, as Molchanov et al. (2019) take.
const GRADIENT_BATCH: usize = 32;

/// As in repairs, groups being ranked one after the other, which takes what is planned.
fn effort(seed: u64) -> Effort {
    Effort::usual(seed, 0)
}

impl NetLearner {
    /// What `by` needs to know of the network, which its graph holds as it is now.
    pub(super) fn measured(&mut self, by: Criterion) -> Result<Measured> {
        let mut measured = Measured::default();
        let threads = self.network.threads().clone();
        match by.needs() {
            Needs::Nothing => {}
            Needs::Variances => measured.variances = Some(self.variances()?),
            Needs::Gradients => {
                let rows = self.rows.drawn(ROWS, self.seed);
                let found = taylor(&self.graph, &self.groups, &rows, GRADIENT_BATCH, threads)?;
                measured.gradients = Some(found);
            }
            Needs::Covariances => {
                let row = row_shape(&self.graph, &self.rows)?;
                let inputs = one_by_one(&self.rows.drawn(ROWS, self.seed), &row)?;
                let (choose, fit) = inputs.split_at(inputs.len().div_ceil(HELD_OUT));
                let parts = Parts {
                    fit,
                    choose,
                    test: &[],
                };
                let runner = OnEngine::new(&self.graph, &row, threads)?;
                let graph = infer_shapes(&self.graph)?;
                let effort = effort(self.seed);
                let found = reconstruction(&graph, &self.groups, parts, effort, &runner)?;
                measured.reconstruction = Some(found);
            }
        }
        Ok(measured)
    }

    /// Variances of activations on the first batch, of the groups that may lose units; where nobody can tell, all count the same.
    ///
    /// Each group has a pass of its own, by which running statistics move.
    fn variances(&mut self) -> Result<Vec<Vec<f64>>> {
        let rows = self.network.batch().min(self.rows.len());
        let features = self.rows.features(0, rows)?;
        let layers = self.penalised.iter().flat_map(|p| &p.layers);
        let may_go: Vec<GroupId> = layers.map(|layer| layer.past.id).collect();
        let of = |(id, group): (GroupId, &Group)| {
            let found = may_go.contains(&id).then(|| {
                let batch = (&features[..], rows);
                variances(&mut self.network, &self.graph, group, batch)
            });
            found.flatten().unwrap_or_else(|| vec![1.0; group.units])
        };
        Ok(self.groups.iter().map(of).collect())
    }
}

/// Rows as inputs of the shape `row`, each by itself.
fn one_by_one(rows: &Rows, row: &[usize]) -> Result<Vec<Batch>> {
    let one = |at: usize| {
        Ok(vec![Activation {
            shape: row.to_vec(),
            values: rows.features(at, 1)?.into_owned(),
        }])
    };
    (0..rows.len()).map(one).collect()
}

/// Bytes that measuring takes beside what training holds, where the network takes rows of the shape `row`.
///
/// # Errors
/// If the network cannot be run on such rows.
pub(crate) fn measuring_bytes(
    graph: &Graph,
    row: &[usize],
    by: Criterion,
    threads: usize,
) -> Result<u64> {
    Ok(match by.needs() {
        Needs::Nothing | Needs::Variances => 0,
        Needs::Gradients => Network::planned_bytes(graph, row, GRADIENT_BATCH, 0, threads)?,
        Needs::Covariances => {
            let whole = at_lengths(graph, &[row.to_vec()])?;
            let groups = ChannelGroups::of(graph)?;
            let inputs = 4 * ROWS * row.iter().product::<usize>();
            inputs as u64 + held_bytes(&whole, &groups, effort(0), ROWS)
        }
    })
}
