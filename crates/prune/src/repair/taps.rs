//! Values of a network in one run, wherever they lie and however often they are asked for.

use std::collections::HashMap;

use secateur_graph::{Graph, ValueId};

use super::lockstep::{Batch, Compiled, Runner};
use super::samples::Activation;
use crate::{Error, ErrorKind, Result};

/// A network that gives some of its values.
pub(crate) struct Taps {
    network: Box<dyn Compiled>,
    /// Which inputs of the whole it takes.
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
        let all = graph.inputs().iter().enumerate();
        let taken = all.filter(|(_, id)| part.inputs().contains(id));
        Ok(Self {
            network: runner.compile(&part)?,
            inputs: taken.map(|(at, _)| at).collect(),
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
    use secateur_graph::{Binary, Dim, GraphBuilder, Op, Unary};

    use super::*;
    use crate::repair::tests::Naive;

    #[test]
    fn values_are_those_of_the_inputs_that_they_take() {
        let mut b = GraphBuilder::new("net");
        let [x, y] = ["x", "y"].map(|name| b.input(name, [Dim::batch()]));
        let turned = b.node("turned", Op::Unary(Unary::Neg), &[y]);
        let sum = b.node("sum", Op::Binary(Binary::Add), &[x, turned]);
        b.output(sum);
        let graph = b.build().unwrap();
        let of = |value: f32| Activation {
            shape: vec![1],
            values: vec![value],
        };
        let run = |wanted: &[ValueId]| -> Vec<f32> {
            let taps = Taps::of(&graph, wanted, &Naive).unwrap();
            let made = taps.run(&vec![of(1.0), of(5.0)]).unwrap();
            made.iter().map(|a| a.values[0]).collect()
        };
        assert_eq!(run(&[turned]), [-5.0]);
        assert_eq!(run(&[sum, turned, sum]), [-4.0, -5.0, -4.0]);
        assert_eq!(run(&[]), [0.0; 0]);
    }
}
