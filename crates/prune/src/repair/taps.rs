//! Values of a network in one run, wherever they lie and however often they are asked for.

use std::collections::HashMap;

use secateur_graph::{Graph, ValueId};

use super::lockstep::{Batch, Compiled, Runner};
use super::samples::Activation;
use crate::{Error, ErrorKind, Result};

/// A network that gives some of its values.
pub(crate) struct Taps {
    network: Box<dyn Compiled>,
    /// The inputs of the network that these values take.
    inputs: Vec<usize>,
    /// Of each value that was asked for, which output it is.
    at: Vec<usize>,
    outputs: usize,
}

/// What a run gave, in the order in which it was asked for.
pub(crate) struct Made<'a> {
    values: Vec<Activation>,
    at: &'a [usize],
}

impl Taps {
    /// Makes ready to run what `wanted` takes.
    pub(crate) fn of(graph: &Graph, wanted: &[ValueId], runner: &dyn Runner) -> Result<Self> {
        let mut places: HashMap<ValueId, usize> = HashMap::new();
        let mut unique = vec![];
        let at = wanted.iter().map(|&id| {
            *places.entry(id).or_insert_with(|| {
                unique.push(id);
                unique.len() - 1
            })
        });
        let at = at.collect();
        let part = graph.segment(graph.inputs(), &unique)?;
        let place = |id: &ValueId| graph.inputs().iter().position(|own| own == id);
        Ok(Self {
            network: runner.compile(&part)?,
            inputs: part.inputs().iter().filter_map(place).collect(),
            at,
            outputs: unique.len(),
        })
    }

    /// Runs it once.
    pub(crate) fn run(&self, batch: &Batch) -> Result<Made<'_>> {
        let inputs = self.inputs.iter().filter_map(|&at| batch.get(at));
        let values = self.network.run(&inputs.collect::<Vec<_>>())?;
        match values.len() == self.outputs {
            true => Ok(Made {
                values,
                at: &self.at,
            }),
            false => {
                let message = format!("{} values came of {}", values.len(), self.outputs);
                Err(Error::new(ErrorKind::Network, message))
            }
        }
    }
}

impl Made<'_> {
    /// The values, in the order in which they were asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Activation> {
        self.at.iter().map(|&at| &self.values[at])
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Binary, Dim, GraphBuilder, Op};

    use super::*;
    use crate::repair::tests::Naive;

    #[test]
    fn values_take_the_inputs_that_they_are_made_of() {
        let mut b = GraphBuilder::new("net");
        let [x, y, z] = ["x", "y", "z"].map(|name| b.input(name, [Dim::batch(), Dim::Fixed(1)]));
        let sum = b.node("sum", Op::Binary(Binary::Sub), &[z, y]);
        let all = b.node("all", Op::Binary(Binary::Add), &[sum, x]);
        b.output(all);
        let graph = b.build().unwrap();
        let batch = [1.0, 10.0, 100.0].map(|v| Activation {
            shape: vec![1, 1],
            values: vec![v],
        });
        let made = |wanted: &[ValueId]| -> Vec<f32> {
            let taps = Taps::of(&graph, wanted, &Naive).unwrap();
            let made = taps.run(&batch.to_vec()).unwrap();
            made.iter().map(|a| a.values[0]).collect()
        };
        assert_eq!(made(&[sum]), [90.0]);
        assert_eq!(made(&[y, sum, y]), [10.0, 90.0, 10.0]);
        assert_eq!(made(&[all]), [91.0]);
    }
}
