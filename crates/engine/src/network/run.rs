//! Runs a plan: each thread takes rows of its own through the steps, and waits for the others where a batch must meet.

use rayon::prelude::*;

use super::Parameter;
use super::back::Back;
use super::memory::Memory;
use super::pass::Fill;
use super::plan::{Plan, Segment};
use super::shard::{Shard, Together};
use super::step::{State, Sums};
use crate::{Phases, Threads};

/// A plan in the middle of a run over some rows.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    threads: &'a Threads,
    shards: Vec<Shard<'a>>,
    states: &'a mut [State],
    back: &'a Back,
    parameters: &'a [Parameter],
    rows: usize,
}

impl<'a> Run<'a> {
    /// Brings parameters into order and divides `rows` rows among `count` threads.
    pub(crate) fn new(
        plan: &'a Plan,
        memory: &'a mut Memory,
        parameters: &'a [Parameter],
        threads: &'a Threads,
        (rows, count): (usize, usize),
    ) -> Self {
        if std::mem::replace(&mut memory.is_stale, false) {
            for planned in &plan.steps {
                let state = &mut memory.states[planned.state];
                planned.step.work().prepare(parameters, state);
            }
        }
        let count = count.min(rows).max(1);
        let mut rest: Vec<&mut [f32]> = memory.rows.iter_mut().map(|r| &mut **r).collect();
        let shards = memory.threads[..count]
            .iter_mut()
            .enumerate()
            .map(|(i, own)| {
                let range = rows * i / count..rows * (i + 1) / count;
                let buffers = plan.buffers.iter().zip(&mut own.row).zip(&mut rest);
                let buffers = buffers.map(|((buffer, row), rest)| match buffer.keeps_rows {
                    true => {
                        let (front, back) =
                            std::mem::take(rest).split_at_mut(range.len() * buffer.len);
                        *rest = back;
                        front
                    }
                    false => &mut **row,
                });
                Shard {
                    buffers: buffers.collect(),
                    rows: range,
                    sums: &mut own.sums,
                    scratch: &mut own.scratch,
                    busy: Phases::default(),
                }
            });
        Self {
            shards: shards.collect(),
            plan,
            threads,
            states: &mut memory.states,
            back: &memory.back,
            parameters,
            rows,
        }
    }

    /// Takes the rows `x` of each input of the network to its outputs.
    pub(crate) fn forward(&mut self, x: &[&[f32]]) {
        let plan = self.plan;
        for shard in &mut self.shards {
            for (x, &input) in x.iter().zip(&plan.inputs) {
                let place = &plan.places[input];
                let len = place.layout.len;
                let own = &x[shard.rows.start * len..shard.rows.end * len];
                shard.buffers[place.value][..own.len()].copy_from_slice(own);
            }
            shard.sums.iter_mut().for_each(Sums::clear);
        }
        for segment in &plan.forward {
            self.each(|shard, shared| shard.forward(plan, segment, shared));
            if segment.meets {
                self.meet(segment, true);
            }
        }
    }

    /// Fills in the gradient of a place, and adds up what that returns, in the order of rows; none if it has no gradient.
    pub(crate) fn seed(&mut self, place: usize, fill: Fill<'_>) -> Option<f64> {
        let place = &self.plan.places[place];
        let gradient = place.gradient?;
        let losses = self.each(|shard, _| shard.seed(place, gradient, fill));
        Some(losses.into_iter().sum())
    }

    /// Goes back from what was seeded. Sums that were gone for before begin anew.
    pub(crate) fn backward(&mut self, is_again: bool) {
        let (plan, back) = (self.plan, self.back);
        if is_again {
            for shard in &mut self.shards {
                let sums = plan.steps.iter().zip(shard.sums.iter_mut());
                let own = sums.filter(|(planned, _)| !planned.step.meets_forward());
                own.for_each(|(_, sums)| sums.clear());
            }
        }
        for segment in &plan.backward {
            self.each(|shard, shared| shard.backward((plan, back), segment, shared));
            if segment.meets {
                self.meet(segment, false);
            }
        }
    }

    /// Calls `work` with every shard at once; results are in the order of rows.
    fn each<R: Send>(&mut self, work: impl Fn(&mut Shard<'_>, Together<'_>) -> R + Sync) -> Vec<R> {
        let together = Together {
            states: self.states,
            parameters: self.parameters,
        };
        match &mut self.shards[..] {
            [only] => vec![work(only, together)],
            shards => {
                let shards = shards.par_iter_mut().with_max_len(1);
                self.threads
                    .run(|| shards.map(|shard| work(shard, together)).collect())
            }
        }
    }

    fn meet(&mut self, segment: &Segment, is_forward: bool) {
        let Some(&s) = segment.steps.last() else {
            return;
        };
        let planned = &self.plan.steps[s];
        let sums: Vec<&Sums> = self.shards.iter().map(|shard| &shard.sums[s]).collect();
        let work = planned.step.work();
        let state = &mut self.states[planned.state];
        match is_forward {
            true => work.meet_forward(&sums, self.rows, self.parameters, state),
            false => work.meet_backward(&sums, self.rows, self.parameters, state),
        }
    }

    /// Each output of all rows, one after the other.
    pub(crate) fn outputs(&self, into: &mut [Vec<f32>]) {
        for (&output, into) in self.plan.outputs.iter().zip(into) {
            let layout = &self.plan.places[output].layout;
            self.rows_of(output)
                .for_each(|row| layout.gather(row, into));
        }
    }

    /// A value of every row, or its gradient, as ONNX counts it.
    pub(crate) fn gather(&self, place: usize, is_gradient: bool, into: &mut Vec<f32>) {
        let place = &self.plan.places[place];
        let buffer = match is_gradient {
            true => place.gradient,
            false => Some(place.value),
        };
        let Some(buffer) = buffer else {
            return;
        };
        let len = place.layout.len;
        for shard in &self.shards {
            let rows = shard.buffers[buffer][..shard.rows.len() * len].chunks_exact(len.max(1));
            rows.for_each(|row| place.layout.gather(row, into));
        }
    }

    /// What is run.
    pub(crate) fn plan(&self) -> &Plan {
        self.plan
    }

    /// A value of every row, one after the other.
    pub(crate) fn rows_of(&self, place: usize) -> impl Iterator<Item = &[f32]> {
        let place = &self.plan.places[place];
        let len = place.layout.len;
        self.shards.iter().flat_map(move |shard| {
            shard.buffers[place.value][..shard.rows.len() * len].chunks_exact(len.max(1))
        })
    }

    /// Time that threads spent, by phase.
    pub(crate) fn busy(&self) -> Phases {
        let shards = self.shards.iter();
        shards.fold(Phases::default(), |sum, shard| sum.plus(shard.busy))
    }
}

/// Adds what threads added up to the gradients of the parameters, in the order of threads.
pub(crate) fn finish(
    plan: &Plan,
    memory: &Memory,
    (rows, count): (usize, usize),
    parameters: &mut [Parameter],
) {
    let threads = &memory.threads[..count.min(rows).max(1)];
    for (s, planned) in plan.steps.iter().enumerate().filter(|(_, p)| p.is_trained) {
        let sums: Vec<&Sums> = threads.iter().map(|own| &own.sums[s]).collect();
        let state = &memory.states[planned.state];
        planned.step.work().finish(&sums, rows, state, parameters);
    }
}
