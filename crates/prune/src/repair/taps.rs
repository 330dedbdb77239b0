//! Values of a network in one run, wherever they lie and however often they are asked for.

use std::collections::HashMap;

use secateur_graph::{Graph, ValueId};

use super::lockstep::{Batch, Compiled, Runner};
use super::samples::Activation;
use crate::{Error, ErrorKind, Result};

/// A network that gives some of its values.
pub(crate) struct Taps {
    network: Box<dyn Compiled>,
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
        Ok(Self {
            network: runner.compile(&graph.segment(graph.inputs(), &unique)?)?,
            at,
            outputs: unique.len(),
        })
    }

    /// Runs it once.
    pub(crate) fn run(&self, batch: &Batch) -> Result<Made<'_>> {
        let values = self.network.run(&batch.iter().collect::<Vec<_>>())?;
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
