//! What units cost: multiply-adds or parameters as products of the shares that are left of each axis.

use std::collections::HashSet;

use secateur_graph::{ChannelGroups, Cost, Graph, GroupId, Member, ValueId};
use secateur_prox::Quantity;

/// An axis of a constant with the units that lie on it.
#[derive(Debug, Clone)]
struct Axis {
    /// Which axis.
    number: usize,
    /// Positions that no unit holds, or that are left.
    left: f64,
    /// The groups that lie on it, side by side, and the positions of an average unit of each.
    groups: Vec<(GroupId, f64)>,
}

impl Axis {
    /// Positions that go with a unit of a group.
    fn freed(&self, group: GroupId) -> f64 {
        let own = self.groups.iter().filter(|(id, _)| *id == group);
        let freed: f64 = own.map(|(_, each)| each).sum();
        freed.min(self.left)
    }

    /// What share that is of those that are left; none once none are.
    fn share(&self, group: GroupId) -> f64 {
        match self.left > 0.0 {
            true => self.freed(group) / self.left,
            false => 0.0,
        }
    }
}

/// The multiply-adds of one node, or the numbers of one constant.
#[derive(Debug, Clone)]
struct Product {
    count: f64,
    axes: Vec<Axis>,
}

/// The multiply-adds or parameters of a network as units go, one after the other.
///
/// The multiply-adds of a node are proportional to the positions left along each axis of its weights, as all units of a group have as
/// many; where they differ this is an average.
#[derive(Debug, Clone)]
pub struct UnitCosts {
    products: Vec<Product>,
    /// Those that no units hold.
    fixed: f64,
}

impl UnitCosts {
    /// Those of a network that costs `cost`, while it has all its units.
    pub fn of(graph: &Graph, groups: &ChannelGroups, of: Quantity, cost: &Cost) -> Self {
        let mut costs = Self {
            products: vec![],
            fixed: 0.0,
        };
        match of {
            Quantity::Macs => {
                for node in &cost.nodes {
                    let inputs = graph.node(node.node).inputs.iter().flatten();
                    // Weights, not biases: the constant with the most axes.
                    let weight = inputs
                        .filter_map(|&id| Some((graph.constant(id)?.shape().len(), id)))
                        .max_by_key(|w| w.0);
                    let axes = weight.map_or(vec![], |(_, id)| axes(groups, id));
                    costs.add(node.macs.unwrap_or(0) as f64, axes);
                }
            }
            Quantity::Params => {
                let read = graph.nodes().iter().flat_map(|n| n.inputs.iter().flatten());
                let mut seen = HashSet::new();
                for &id in read.filter(|id| seen.insert(**id)) {
                    if let Some(tensor) = graph.constant(id).filter(|t| t.is_float()) {
                        costs.add(tensor.len() as f64, axes(groups, id));
                    }
                }
            }
        }
        costs
    }

    fn add(&mut self, count: f64, axes: Vec<Axis>) {
        match axes.is_empty() {
            _ if count == 0.0 => {}
            true => self.fixed += count,
            false => self.products.push(Product { count, axes }),
        }
    }

    /// What is left.
    pub fn left(&self) -> f64 {
        self.fixed + self.products.iter().map(|p| p.count).sum::<f64>()
    }

    /// What goes with the next unit of a group.
    pub fn freed_by_one(&self, group: GroupId) -> f64 {
        let freed = |p: &Product| {
            let axes = p.axes.iter();
            let kept: f64 = axes.map(|a| 1.0 - a.share(group)).product();
            p.count * (1.0 - kept)
        };
        self.products.iter().map(freed).sum()
    }

    /// Takes a unit of a group away.
    pub fn remove(&mut self, group: GroupId) {
        for product in &mut self.products {
            for axis in &mut product.axes {
                product.count *= 1.0 - axis.share(group);
                axis.left -= axis.freed(group);
            }
        }
    }
}

fn axes(groups: &ChannelGroups, tensor: ValueId) -> Vec<Axis> {
    let mut axes: Vec<Axis> = vec![];
    for (group, all) in groups.iter() {
        for Member { axis, unit_of, .. } in all.members.iter().filter(|m| m.tensor == tensor) {
            let held = unit_of.iter().flatten().count() as f64;
            let own = (group, held / all.units.max(1) as f64);
            match axes.iter_mut().find(|a| a.number == *axis) {
                Some(found) => found.groups.push(own),
                None => axes.push(Axis {
                    number: *axis,
                    left: unit_of.len() as f64,
                    groups: vec![own],
                }),
            }
        }
    }
    axes
}
