//! Parts of a network on the engine, one row at a time.

use std::cell::RefCell;

use secateur_engine::{Network, Threads};
use secateur_graph::{Dim, Graph, ValueId, at_lengths};
use secateur_prune::repair::{Activation, Compiled, Runner};
use secateur_prune::{Error, ErrorKind, Result};

/// Runs parts of a network that trains.
pub(super) struct OnEngine {
    /// The network with the shape of every value for one row.
    whole: Graph,
    threads: Threads,
}

/// A part that is ready.
struct Part {
    /// None where what is given is what is wanted.
    network: Option<RefCell<Network>>,
    /// Shapes of what it makes.
    made: Vec<Vec<usize>>,
}

impl OnEngine {
    /// For parts of `graph`, which takes a row in the shape `row`.
    pub(super) fn new(graph: &Graph, row: &[usize], threads: Threads) -> crate::Result<Self> {
        Ok(Self {
            whole: at_lengths(graph, &[row.to_vec()])?,
            threads,
        })
    }

    /// Those of some values, one after the other.
    fn shapes(&self, values: &[ValueId]) -> Vec<Vec<usize>> {
        let lengths = |id: &ValueId| self.whole.value(*id).shape.iter().flatten();
        let shape = |id: &ValueId| lengths(id).filter_map(Dim::fixed).collect();
        values.iter().map(shape).collect()
    }
}

impl Runner for OnEngine {
    fn compile(&self, part: &Graph) -> Result<Box<dyn Compiled>> {
        let network = match part.nodes() {
            [] => None,
            _ => {
                let given = self.shapes(part.inputs());
                let network = Network::to_run_all(part, &given, 1, self.threads.clone());
                let network = network.map_err(|e| Error::new(ErrorKind::Network, e.to_string()))?;
                Some(RefCell::new(network))
            }
        };
        Ok(Box::new(Part {
            network,
            made: self.shapes(part.outputs()),
        }))
    }
}

impl Compiled for Part {
    fn run(&self, inputs: &[&Activation]) -> Result<Vec<Activation>> {
        let Some(network) = &self.network else {
            return Ok(inputs.iter().map(|&x| x.clone()).collect());
        };
        let given: Vec<&[f32]> = inputs.iter().map(|x| x.values.as_slice()).collect();
        let mut network = network.borrow_mut();
        let made = self.made.iter().zip(network.forward_all(&given, 1));
        let made = made.map(|(shape, values)| Activation {
            shape: shape.clone(),
            values: values.clone(),
        });
        Ok(made.collect())
    }
}
