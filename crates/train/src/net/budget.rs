//! Which units a network of any form must lose to meet a budget of multiply-adds.

use secateur_graph::{GroupId, Keep, Role, ValueId};

use super::NetLearner;
use super::costs::Costs;
use super::penalised::Layer;

use crate::{Error, Result};

/// What each group keeps at least, of what it would keep if all were narrowed alike.
///
/// Half, where chains of dense layers keep a quarter: a block of a few channels in a deep network is a bottleneck for all that
/// flows, which the shares of one layer at a time do not see.
const LEAST_OF_EVEN: f64 = 0.5;

/// The units of one group, the worst last.
struct Queue {
    group: GroupId,
    /// Units and their scores, falling.
    units: Vec<(usize, f64)>,
    least: usize,
}

impl NetLearner {
    /// The decision to drop the least useful units until at most `limit` multiply-adds a row remain.
    ///
    /// A unit's score is its share of the variance of the layers that read it ([`Slices::shares`]), added up over these layers,
    /// per multiply-add that its removal frees at the widths of that moment; units go greedily from the worst. (Without the sum
    /// the channels of residual stages go first, as they free at many places what they are of use at one by one; with weights
    /// by their size instead of shares, whichever layers cost most go down to the least.)
    ///
    /// [`Slices::shares`]: super::slices::Slices::shares
    ///
    /// # Errors
    /// If the least that groups keep is more than `limit`.
    pub(crate) fn surplus(&mut self, limit: u64, floor: usize) -> Result<Keep> {
        self.network.write_back(&mut self.graph)?;
        let mut costs = Costs::of(&self.graph, &self.groups)?;
        let even = (limit as f64 / costs.macs().max(1.0)).sqrt();
        let mut keep = Keep::all(&self.groups);
        let mut queues = self.queues(even, floor)?;
        while costs.macs() > limit as f64 {
            let next = queues
                .iter()
                .enumerate()
                .filter(|(_, q)| q.units.len() > q.least)
                .filter_map(|(i, q)| {
                    let freed = costs.freed_by_one(q.group);
                    q.units
                        .last()
                        .map(|&(_, score)| (score / freed.max(1e-9), i))
                })
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((group, (unit, _))) =
                next.and_then(|(_, i)| Some((queues[i].group, queues[i].units.pop()?)))
            else {
                return Err(Error::settings(format!(
                    "{limit} MACs a row cannot be reached: {:.0} are left when every layer keeps its least",
                    costs.macs()
                ))
                .at("part")
                .hint("allow a larger budget or a lower floor"));
            };
            if keep.can_drop(&self.groups, group, unit) {
                keep.drop(group, unit)?;
                costs.remove(group);
            }
        }
        Ok(keep)
    }

    fn queues(&mut self, even: f64, floor: usize) -> Result<Vec<Queue>> {
        let Some(penalised) = &self.penalised else {
            return Ok(vec![]);
        };
        let layers = penalised.layers.clone();
        let mut queues = vec![];
        for layer in &layers {
            let spread = self.spread(layer)?;
            let scores = layer.slices.shares(self.network.parameters(), &spread);
            let mut units: Vec<(usize, f64)> = scores.into_iter().enumerate().collect();
            units.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
            queues.push(Queue {
                group: layer.past.id,
                least: ((units.len() as f64 * even * LEAST_OF_EVEN).ceil() as usize)
                    .max(floor)
                    .max(1),
                units,
            });
        }
        Ok(queues)
    }

    /// The standard deviation of each unit's activation, as its first reader with weights sees it.
    fn spread(&mut self, layer: &Layer) -> Result<Vec<f64>> {
        let group = self.groups.group(layer.past.id);
        let readers = group.members.iter().filter(|m| m.role == Role::Reads);
        let read: Vec<ValueId> = readers
            .filter_map(|m| self.graph.readers(m.tensor).first())
            .filter_map(|&id| self.graph.node(id).input(0).ok())
            .collect();
        let rows = self.network.batch().min(self.rows.len());
        let features = self.rows.features(0, rows)?;
        for activation in group.activations.iter().filter(|a| read.contains(&a.value)) {
            let at = [(activation.value, activation.axis)];
            let Ok(mut measured) = self.network.deviations(&features, rows, &at) else {
                continue;
            };
            let positions = measured.remove(0);
            let mut variance = vec![(0.0, 0usize); group.units];
            for (unit, deviation) in activation.unit_of.iter().zip(&positions) {
                if let Some(unit) = unit {
                    let (sum, count) = &mut variance[*unit as usize];
                    *sum += deviation.powi(2);
                    *count += 1;
                }
            }
            return Ok(variance
                .iter()
                .map(|&(sum, n)| (sum / n.max(1) as f64).sqrt())
                .collect());
        }
        // Nobody could tell: all count the same, and their weights decide.
        Ok(vec![1.0; group.units])
    }
}
