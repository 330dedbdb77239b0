//! A batch on its way through a network: forwards, then back from wherever a gradient is given.

use std::ops::Range;
use std::time::{Duration, Instant};

use secateur_graph::ValueId;

use super::run::{Run, finish};
use super::{Network, Parameter};
use crate::{Error, Phases, Result};

/// Where gradients of parameters go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gradients {
    /// Into the gradient that the update moves by, which becomes this momentum times what it was plus the new one.
    Fused(f32),
    /// Into a slot of its own, whose numbers they replace.
    Raw(usize),
}

/// Fills in gradients of a value. It is called for consecutive ranges of rows, possibly at once on several threads: it is given the range,
/// the numbers of those rows, and a slice of the same size to fill with their gradient; it returns the loss of those rows.
pub type Fill<'f> = &'f (dyn Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync);

/// A batch that has gone forwards through a network, by the statistics of the batch.
#[derive(Debug)]
pub struct Pass<'n> {
    network: &'n mut Network,
    rows: usize,
    /// By output and tap, whether it has a gradient.
    seeded: Vec<bool>,
    /// How often it went back.
    times: usize,
    took: Duration,
    busy: Phases,
}

impl Network {
    /// Takes `rows` rows of each input forwards; running statistics move towards those of the batch.
    ///
    /// # Panics
    /// If an input is missing or has another size, there are more rows than [`Network::batch`], or the network was compiled to run only.
    pub fn pass(&mut self, x: &[&[f32]], rows: usize) -> Pass<'_> {
        assert!(rows <= self.batch, "{rows} rows beyond {}", self.batch);
        assert_eq!(x.len(), self.inputs.len(), "inputs");
        for (x, width) in x.iter().zip(&self.inputs) {
            assert_eq!(x.len(), rows * width, "inputs of {rows} rows");
        }
        let start = Instant::now();
        let mut pass = Pass {
            seeded: vec![],
            rows,
            times: 0,
            took: Duration::ZERO,
            busy: Phases::default(),
            network: self,
        };
        let (rows, busy) = (
            pass.rows,
            pass.run(|run| {
                run.forward(x);
                run.busy()
            }),
        );
        let (plan, memory) = Network::trains(&mut pass.network.train);
        let states = &memory.states;
        for planned in &plan.steps {
            let state = &states[planned.state];
            planned
                .step
                .work()
                .measured(rows, state, &mut pass.network.parameters);
        }
        pass.seeded = vec![false; plan.outputs.len()];
        // Running statistics have moved.
        pass.network.run.1.is_stale = true;
        pass.busy = busy;
        pass.took = start.elapsed();
        pass
    }
}

impl Pass<'_> {
    /// The numbers of an output or a tap: those of each row one after the other, as ONNX counts them.
    ///
    /// # Errors
    /// If the value is neither.
    pub fn value(&mut self, value: ValueId) -> Result<Vec<f32>> {
        let end = self.end(value)?;
        Ok(self.run(|run| {
            let mut into = vec![];
            run.gather(run.plan().outputs[end], false, &mut into);
            into
        }))
    }

    /// The gradient of a tap, behind the way back that reached it: 0 where none came.
    ///
    /// # Errors
    /// If the value is no tap.
    pub fn gradient(&mut self, value: ValueId) -> Result<Vec<f32>> {
        let (plan, memory) = Network::trains(&mut self.network.train);
        let tap = plan.taps.iter().find(|(id, _)| *id == value);
        let Some(&(_, place)) = tap else {
            return Err(Error::invalid(format!("value {} is no tap", value.index())));
        };
        let is_reached = memory.back.is_reached(place);
        let zeros = plan.places[place].layout.elements() * self.rows;
        if !is_reached {
            return Ok(vec![0.0; zeros]);
        }
        Ok(self.run(|run| {
            let mut into = vec![];
            run.gather(place, true, &mut into);
            into
        }))
    }

    /// Gives an output or a tap a gradient, from which the way back begins; returns the sum of what was returned, in the order of rows.
    ///
    /// # Errors
    /// If the value is neither, or nothing that is trained had a part in it.
    pub fn seed(&mut self, value: ValueId, fill: Fill<'_>) -> Result<f64> {
        let end = self.end(value)?;
        let start = Instant::now();
        let loss = self.run(|run| run.seed(run.plan().outputs[end], fill));
        self.took += start.elapsed();
        self.seeded[end] = true;
        loss.ok_or_else(|| {
            Error::invalid(format!(
                "value {} depends on nothing that is trained",
                value.index()
            ))
        })
    }

    /// Goes back from all seeds, which are used up by that, and not beyond the taps at which it is to stop. Gradients of parameters become
    /// those of the sum of all losses.
    ///
    /// # Errors
    /// If a stop is no tap, there is no such slot, or the way back was gone already in a network that was compiled without such slots.
    pub fn backward(&mut self, stops: &[ValueId], into: Gradients) -> Result<()> {
        let start = Instant::now();
        let raw = self.network.raw;
        match into {
            Gradients::Raw(slot) if slot >= raw => {
                let message = format!("there is no slot {slot} of raw gradients, but {raw}");
                return Err(Error::invalid(message));
            }
            _ if self.times > 0 && raw == 0 => {
                return Err(
                    Error::invalid("what is needed on the way back is gone").hint(
                        "compile the network with slots of raw gradients to go back more than once",
                    ),
                );
            }
            _ => {}
        }
        let (rows, times) = (self.rows, self.times);
        let threads = self.network.threads.clone();
        let count = threads.count();
        let (plan, memory) = Network::trains(&mut self.network.train);
        let mut ends = vec![];
        for stop in stops {
            let tap = plan.taps.iter().find(|(id, _)| id == stop);
            let tap =
                tap.ok_or_else(|| Error::invalid(format!("value {} is no tap", stop.index())))?;
            ends.push(tap.1);
        }
        memory.back.find(plan, &self.seeded, &ends);
        let parameters = &mut self.network.parameters;
        let busy = threads.run(|| {
            let mut run = Run::new(plan, memory, parameters, &threads, (rows, count));
            run.backward(times > 0);
            let busy = run.busy();
            let slot = |p: &mut Parameter| {
                if let Gradients::Raw(slot) = into
                    && let Some(raw) = p.raw.get_mut(slot)
                {
                    std::mem::swap(raw, &mut p.gradient);
                }
            };
            let momentum = match into {
                Gradients::Fused(momentum) => momentum,
                Gradients::Raw(_) => 0.0,
            };
            parameters.iter_mut().for_each(slot);
            for g in parameters.iter_mut().flat_map(|p| &mut p.gradient) {
                // Not a product with 0, which would keep a NaN.
                *g = if momentum == 0.0 { 0.0 } else { momentum * *g };
            }
            finish(plan, memory, (rows, count), parameters);
            parameters.iter_mut().for_each(slot);
            busy
        });
        self.seeded.fill(false);
        self.times += 1;
        self.busy = self.busy.plus(busy);
        self.took += start.elapsed();
        Ok(())
    }

    /// Which of outputs and taps a value is.
    fn end(&self, value: ValueId) -> Result<usize> {
        let end = self.network.ends.iter().position(|&id| id == value);
        end.ok_or_else(|| {
            Error::invalid(format!(
                "value {} is neither an output nor a tap",
                value.index()
            ))
        })
    }

    fn run<R: Send>(&mut self, work: impl FnOnce(&mut Run<'_>) -> R + Send) -> R {
        let network = &mut *self.network;
        let threads = network.threads.clone();
        let (plan, memory) = Network::trains(&mut network.train);
        let shape = (self.rows, threads.count());
        threads.run(|| {
            work(&mut Run::new(
                plan,
                memory,
                &network.parameters,
                &threads,
                shape,
            ))
        })
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.network.phases.add(self.took, &self.busy);
    }
}
