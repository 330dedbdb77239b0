//! What tests run networks on.

use secateur_graph::{Array, ChannelGroups, Graph, Keep, evaluate};
use secateur_testkit::Stream;

use super::{Activation, Compiled, Runner};
use crate::Result;

/// Runs networks on the naive evaluator.
pub(super) struct Naive;

struct Whole(Graph);

impl Runner for Naive {
    fn compile(&self, graph: &Graph) -> Result<Box<dyn Compiled>> {
        Ok(Box::new(Whole(graph.clone())))
    }
}

impl Compiled for Whole {
    fn run(&self, inputs: &[&Activation]) -> Result<Vec<Activation>> {
        let array = |x: &&Activation| Array {
            shape: x.shape.clone(),
            values: x.values.iter().map(|&v| f64::from(v)).collect(),
        };
        let inputs: Vec<Array> = inputs.iter().map(array).collect();
        let made = evaluate(&self.0, &inputs)?.into_iter();
        let made = made.map(|a| Activation {
            shape: a.shape,
            values: a.values.into_iter().map(|v| v as f32).collect(),
        });
        Ok(made.collect())
    }
}

/// A decision that drops about half of the units that may go, features of inputs apart, and one of each group at least.
pub(super) fn half(groups: &ChannelGroups, seed: u64) -> Keep {
    let mut stream = Stream::new(seed);
    let mut keep = Keep::all(groups);
    for (id, group) in groups.iter().filter(|(_, group)| group.is_free()) {
        let order = stream.order(group.units);
        let count = 1 + stream.below(group.units - 1);
        for &unit in &order[..count] {
            keep.drop(id, unit).unwrap();
        }
    }
    keep
}
