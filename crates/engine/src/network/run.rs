//! Runs a plan: each thread takes rows of its own through the steps, and waits for the others where a batch must meet.

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

use super::Parameter;
use super::plan::{Buffer, Plan, Planned, Segment};
use super::step::{Inputs, Into, Shared, State, Sums};
use crate::aligned::Aligned;
use crate::{Phases, Threads};

/// The memory of a plan.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Buffers that keep all rows of a batch; empty for others.
    rows: Vec<Aligned>,
    threads: Vec<Own>,
    pub(crate) states: Vec<State>,
    /// Whether parameters have changed since they were brought into order.
    pub(crate) is_stale: bool,
}

/// What a thread has for itself.
#[derive(Debug)]
struct Own {
    /// Buffers of one row; empty for others.
    row: Vec<Aligned>,
    /// By step.
    sums: Vec<Sums>,
    scratch: Aligned,
}

impl Memory {
    pub(crate) fn new(plan: &Plan, batch: usize, threads: usize) -> Self {
        let sized = |keeps: bool, rows: usize| -> Vec<Aligned> {
            let len = |b: &Buffer| {
                if b.keeps_rows == keeps {
                    b.len * rows
                } else {
                    0
                }
            };
            plan.buffers
                .iter()
                .map(|b| Aligned::zeros(len(b)))
                .collect()
        };
        let trains = !plan.backward.is_empty();
        let own = |_| Own {
            row: sized(false, 1),
            sums: match trains {
                true => plan.steps.iter().map(|p| p.step.work().sums()).collect(),
                false => vec![Sums::default(); plan.steps.len()],
            },
            scratch: Aligned::zeros(plan.scratch),
        };
        Self {
            rows: sized(true, batch),
            threads: (0..threads).map(own).collect(),
            states: vec![State::default(); plan.states],
            is_stale: true,
        }
    }
}

/// A plan in the middle of a run over some rows.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    threads: &'a Threads,
    shards: Vec<Shard<'a>>,
    states: &'a mut [State],
    parameters: &'a [Parameter],
    rows: usize,
}

/// Consecutive rows of a batch with their part of every buffer.
struct Shard<'a> {
    rows: Range<usize>,
    buffers: Vec<&'a mut [f32]>,
    sums: &'a mut [Sums],
    scratch: &'a mut [f32],
    busy: Phases,
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
            parameters,
            rows,
        }
    }

    /// Takes the rows `x` from the input of the network to its output.
    pub(crate) fn forward(&mut self, x: &[f32]) {
        let plan = self.plan;
        let place = &plan.places[plan.input];
        let len = place.layout.len;
        for shard in &mut self.shards {
            let own = &x[shard.rows.start * len..shard.rows.end * len];
            shard.buffers[place.value][..own.len()].copy_from_slice(own);
            shard.sums.iter_mut().for_each(Sums::clear);
        }
        for segment in &plan.forward {
            self.each(|shard, shared| shard.forward(plan, segment, shared));
            if segment.meets {
                self.meet(segment, true);
            }
        }
    }

    /// The loss of all rows, in their order, and the gradients of all parameters.
    pub(crate) fn backward<L>(&mut self, loss: &L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync,
    {
        let plan = self.plan;
        let losses = self.each(|shard, _| shard.loss(plan, loss));
        for segment in &plan.backward {
            self.each(|shard, shared| shard.backward(plan, segment, shared));
            if segment.meets {
                self.meet(segment, false);
            }
        }
        losses.into_iter().sum()
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

    /// The outputs of all rows, one after the other.
    pub(crate) fn outputs(&self, into: &mut Vec<f32>) {
        let place = &self.plan.places[self.plan.output];
        for shard in &self.shards {
            into.extend_from_slice(
                &shard.buffers[place.value][..shard.rows.len() * place.layout.len],
            );
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
            shard.buffers[place.value][..shard.rows.len() * len].chunks_exact(len)
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

/// What is the same for all threads.
#[derive(Clone, Copy)]
struct Together<'a> {
    states: &'a [State],
    parameters: &'a [Parameter],
}

/// Inputs of a step: those rows of every buffer that it is given.
struct Read<'s, 'a> {
    plan: &'s Plan,
    planned: &'s Planned,
    buffers: &'s [&'a mut [f32]],
    rows: Range<usize>,
}

impl Inputs for Read<'_, '_> {
    fn get(&self, k: usize) -> &[f32] {
        let place = &self.plan.places[self.planned.x[k]];
        let buffer = &self.buffers[place.value];
        // A buffer that is being written is taken out while it is.
        match buffer.is_empty() {
            true => &[],
            false => &buffer[within(self.plan, place.value, place.layout.len, &self.rows)],
        }
    }
}

/// Where rows lie in a buffer.
fn within(plan: &Plan, buffer: usize, len: usize, rows: &Range<usize>) -> Range<usize> {
    match plan.buffers[buffer].keeps_rows {
        true => rows.start * len..rows.end * len,
        false => 0..len,
    }
}

impl Shard<'_> {
    /// The rows of each pass through a segment.
    fn passes(&self, segment: &Segment) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = self.rows.len();
        let (step, passes) = if segment.takes_all_rows {
            (count, 1)
        } else {
            (1, count)
        };
        (0..passes).map(move |i| i * step..(i + 1) * step)
    }

    fn forward(&mut self, plan: &Plan, segment: &Segment, together: Together<'_>) {
        let start = Instant::now();
        for rows in self.passes(segment) {
            for &s in &segment.steps {
                let planned = &plan.steps[s];
                let place = &plan.places[planned.y];
                let shared = together.of(planned);
                let y = if planned.makes {
                    std::mem::take(&mut self.buffers[place.value])
                } else {
                    &mut []
                };
                let own = match planned.makes {
                    true => within(plan, place.value, place.layout.len, &rows),
                    false => 0..0,
                };
                let x = Read {
                    plan,
                    planned,
                    buffers: &self.buffers,
                    rows: rows.clone(),
                };
                let work = planned.step.work();
                work.forward(&x, &mut y[own], &mut self.sums[s], self.scratch, shared);
                if planned.makes {
                    self.buffers[place.value] = y;
                }
            }
        }
        self.busy.forward += start.elapsed().as_secs_f64();
    }

    fn loss<L>(&mut self, plan: &Plan, loss: &L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64,
    {
        let place = &plan.places[plan.output];
        let Some(gradient) = place.gradient else {
            return f64::NAN;
        };
        let len = self.rows.len() * place.layout.len;
        let dy = std::mem::take(&mut self.buffers[gradient]);
        let total = loss(
            self.rows.clone(),
            &self.buffers[place.value][..len],
            &mut dy[..len],
        );
        self.buffers[gradient] = dy;
        total
    }

    fn backward(&mut self, plan: &Plan, segment: &Segment, together: Together<'_>) {
        let start = Instant::now();
        let mut weights = 0.0;
        for rows in self.passes(segment) {
            for &s in &segment.steps {
                weights += self.back(plan, s, &rows, together);
            }
        }
        self.busy.weight_gradient += weights;
        self.busy.backward += start.elapsed().as_secs_f64() - weights;
    }

    /// Takes one step back; returns the seconds that the gradients of parameters took.
    fn back(&mut self, plan: &Plan, s: usize, rows: &Range<usize>, together: Together<'_>) -> f64 {
        let planned = &plan.steps[s];
        if !planned.is_trained && planned.gradients.iter().all(Option::is_none) {
            return 0.0;
        }
        let place = &plan.places[planned.y];
        let Some(gradient) = place.gradient else {
            return 0.0;
        };
        let shared = together.of(planned);
        let work = planned.step.work();
        let own = within(plan, gradient, place.layout.len, rows);
        let dy = std::mem::take(&mut self.buffers[gradient]);
        // What a statistic is given is the gradient of what was made of it.
        let y = match planned.makes && work.needs_output() {
            true => &self.buffers[place.value][within(plan, place.value, place.layout.len, rows)],
            false => &[],
        };
        let x = Read {
            plan,
            planned,
            buffers: &self.buffers,
            rows: rows.clone(),
        };
        work.through_output(&x, y, &mut dy[own.clone()], &mut self.sums[s], shared);
        let mut seconds = 0.0;
        if planned.is_trained {
            let start = Instant::now();
            work.parameter_gradient(
                &x,
                &dy[own.clone()],
                &mut self.sums[s],
                self.scratch,
                shared,
            );
            seconds = start.elapsed().as_secs_f64();
        }
        self.buffers[gradient] = dy;
        for (k, wanted) in planned.gradients.iter().enumerate() {
            let (Some(add), Some(into)) = (*wanted, plan.places[planned.x[k]].gradient) else {
                continue;
            };
            // A gradient that is passed on as it is lies where it should already.
            if into == gradient {
                continue;
            }
            let len = plan.places[planned.x[k]].layout.len;
            let dx = std::mem::take(&mut self.buffers[into]);
            let x = Read {
                plan,
                planned,
                buffers: &self.buffers,
                rows: rows.clone(),
            };
            let y = match planned.makes && work.needs_output() {
                true => {
                    &self.buffers[place.value][within(plan, place.value, place.layout.len, rows)]
                }
                false => &[],
            };
            let target = Into {
                gradient: &mut dx[within(plan, into, len, rows)],
                add,
            };
            let dy = &self.buffers[gradient][own.clone()];
            work.input_gradient(k, &x, y, dy, target, self.scratch, shared);
            self.buffers[into] = dx;
        }
        seconds
    }
}

impl Together<'_> {
    fn of(&self, planned: &Planned) -> Shared<'_> {
        Shared {
            parameters: self.parameters,
            state: &self.states[planned.state],
        }
    }
}
