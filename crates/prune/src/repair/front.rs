//! The values of a network between what was run and what was not, for all inputs.

use std::collections::{BTreeMap, HashSet};

use secateur_graph::{Graph, NodeId, ValueId};

use super::lockstep::{Batch, Compiled, Runner};
use super::samples::Activation;
use crate::{Error, ErrorKind, Result};

/// Values that are read still, by batch, as far as they may be held; what lies behind them is made anew whenever it is asked for.
#[derive(Debug)]
pub(crate) struct Front {
    values: BTreeMap<ValueId, Vec<Activation>>,
    /// What was run to make them.
    done: HashSet<NodeId>,
    batches: usize,
    /// Bytes that they may take.
    most: u64,
}

impl Front {
    /// The inputs of a network, and values that take no more than so many bytes.
    pub(crate) fn new(graph: &Graph, batches: &[&Batch], most: u64) -> Self {
        let of = |(at, &id): (usize, &ValueId)| {
            let values = batches.iter().filter_map(|batch| batch.get(at)).cloned();
            (id, values.collect())
        };
        Self {
            values: graph.inputs().iter().enumerate().map(of).collect(),
            done: HashSet::new(),
            batches: batches.len(),
            most,
        }
    }

    /// Hands a value over, batch by batch, as `graph` makes it with the weights that it has now: those of what was run before may not have
    /// changed since.
    pub(crate) fn visit(
        &mut self,
        graph: &Graph,
        value: ValueId,
        runner: &dyn Runner,
        take: &mut dyn FnMut(usize, &Activation) -> Result<()>,
    ) -> Result<()> {
        if !self.values.contains_key(&value) && !self.moved_to(graph, value, runner)? {
            let run = self.beyond(graph, &[value], runner)?;
            for batch in 0..self.batches {
                for made in &run(batch)? {
                    take(batch, made)?;
                }
            }
            return Ok(());
        }
        let own = self.values.get(&value).into_iter().flatten();
        own.enumerate()
            .try_for_each(|(batch, made)| take(batch, made))
    }

    /// Values that are not held and stay so, as `graph` makes them with the weights that it has now: those of a batch.
    pub(crate) fn beyond<'f>(
        &'f self,
        graph: &Graph,
        wanted: &[ValueId],
        runner: &dyn Runner,
    ) -> Result<impl Fn(usize) -> Result<Vec<Activation>> + use<'f>> {
        let given: Vec<ValueId> = self.values.keys().copied().collect();
        let part = Part::new(graph, &given, wanted, runner)?;
        Ok(move |batch| part.run(&self.values, batch))
    }

    /// Runs what a value takes and holds that value and the others that are read still, unless that takes too much memory.
    fn moved_to(&mut self, graph: &Graph, value: ValueId, runner: &dyn Runner) -> Result<bool> {
        let given: Vec<ValueId> = self.values.keys().copied().collect();
        let way = graph.segment(&given, &[value])?;
        let makers = way.nodes().iter();
        let makers = makers.filter_map(|n| graph.producer(*n.outputs.first()?));
        let makers: HashSet<NodeId> = makers.collect();
        let is_open = |node: &NodeId| !self.done.contains(node) && !makers.contains(node);
        let is_read = |id: &ValueId| *id == value || graph.readers(*id).iter().any(is_open);
        let mut ordered: Vec<NodeId> = makers.iter().copied().collect();
        ordered.sort_unstable_by_key(|id| id.index());
        let made = ordered.iter().flat_map(|&id| &graph.node(id).outputs);
        let wanted: Vec<ValueId> = made.copied().filter(is_read).collect();
        let part = Part::new(graph, &given, &wanted, runner)?;
        let first = part.run(&self.values, 0)?;
        let stay: HashSet<ValueId> = given.into_iter().filter(is_read).collect();
        let held = self.values.iter().filter(|(id, _)| stay.contains(id));
        let held = held.flat_map(|(_, all)| all).map(bytes).sum::<u64>();
        let new = first
            .iter()
            .map(bytes)
            .sum::<u64>()
            .saturating_mul(self.batches as u64);
        if held.saturating_add(new) > self.most {
            return Ok(false);
        }
        let mut found: Vec<Vec<Activation>> = first.into_iter().map(|own| vec![own]).collect();
        for batch in 1..self.batches {
            let made = part.run(&self.values, batch)?;
            found
                .iter_mut()
                .zip(made)
                .for_each(|(all, own)| all.push(own));
        }
        self.values.retain(|id, _| stay.contains(id));
        self.values.extend(wanted.into_iter().zip(found));
        self.done.extend(makers);
        Ok(true)
    }

    /// Multiplies each channel of a value by a number and adds another, where it is held.
    pub(crate) fn shift(&mut self, value: ValueId, channels: usize, by: &[(f64, f64)]) {
        for own in self.values.get_mut(&value).into_iter().flatten() {
            own.shift(channels, by);
        }
    }
}

impl Front {
    /// Changes all numbers along the last axis of a value, position by position, where it is held.
    pub(crate) fn change(&mut self, value: ValueId, change: impl Fn(&mut [f64])) {
        for own in self.values.get_mut(&value).into_iter().flatten() {
            let channels = own.shape.last().copied().unwrap_or(0).max(1);
            for position in own.values.chunks_exact_mut(channels) {
                let mut numbers: Vec<f64> = position.iter().map(|&v| f64::from(v)).collect();
                change(&mut numbers);
                let pairs = position.iter_mut().zip(numbers);
                pairs.for_each(|(to, v)| *to = v as f32);
            }
        }
    }
}

fn bytes(of: &Activation) -> u64 {
    size_of_val(&of.values[..]) as u64
}

/// A part of a network, ready to run on what is held.
struct Part {
    network: Box<dyn Compiled>,
    inputs: Vec<ValueId>,
    outputs: usize,
}

impl Part {
    fn new(
        graph: &Graph,
        given: &[ValueId],
        wanted: &[ValueId],
        runner: &dyn Runner,
    ) -> Result<Self> {
        let part = graph.segment(given, wanted)?;
        Ok(Self {
            network: runner.compile(&part)?,
            inputs: part.inputs().to_vec(),
            outputs: wanted.len(),
        })
    }

    fn run(
        &self,
        values: &BTreeMap<ValueId, Vec<Activation>>,
        batch: usize,
    ) -> Result<Vec<Activation>> {
        let inputs = self
            .inputs
            .iter()
            .filter_map(|id| values.get(id)?.get(batch));
        let made = self.network.run(&inputs.collect::<Vec<_>>())?;
        match made.len() == self.outputs {
            true => Ok(made),
            false => {
                let message = format!("{} values came of {}", made.len(), self.outputs);
                Err(Error::new(ErrorKind::Network, message))
            }
        }
    }
}
