//! What tests run networks on.

use secateur_graph::{Array, Graph, evaluate};

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
