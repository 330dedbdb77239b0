//! The rows of one thread, taken through the steps of a plan and back.

use std::ops::Range;
use std::time::Instant;

use super::Parameter;
use super::back::Back;
use super::pass::Fill;
use super::plan::{Place, Plan, Planned, Segment};
use super::step::{Inputs, Into, Shared, State, Sums};
use crate::Phases;

/// Consecutive rows of a batch with their part of every buffer.
pub(super) struct Shard<'a> {
    pub(super) rows: Range<usize>,
    pub(super) buffers: Vec<&'a mut [f32]>,
    pub(super) sums: &'a mut [Sums],
    pub(super) scratch: &'a mut [f32],
    pub(super) busy: Phases,
}

/// What is the same for all threads.
#[derive(Clone, Copy)]
pub(super) struct Together<'a> {
    pub(super) states: &'a [State],
    pub(super) parameters: &'a [Parameter],
}

/// Inputs of a step: those rows of every buffer that it is given.
struct Read<'s, 'a> {
    plan: &'s Plan,
    planned: &'s Planned,
    buffers: &'s [&'a mut [f32]],
    rows: Range<usize>,
    /// On the way back only what a step says that it needs is still there.
    is_back: bool,
}

impl Inputs for Read<'_, '_> {
    fn get(&self, k: usize) -> &[f32] {
        let place = &self.plan.places[self.planned.x[k]];
        let buffer = &self.buffers[place.value];
        if self.is_back && !self.planned.step.work().needs_input(k) {
            return &[];
        }
        // A buffer that is being written is taken out while it is.
        match buffer.is_empty() {
            true => &[],
            false => &buffer[within(self.plan, place.value, place.layout.len, &self.rows)],
        }
    }
}

impl<'s, 'a> Read<'s, 'a> {
    fn new(
        plan: &'s Plan,
        planned: &'s Planned,
        buffers: &'s [&'a mut [f32]],
        rows: &Range<usize>,
        is_back: bool,
    ) -> Self {
        Self {
            plan,
            planned,
            buffers,
            rows: rows.clone(),
            is_back,
        }
    }

    /// What the step made, where it needs that; what a statistic is given is the gradient of what was made of it.
    fn output(&self) -> &[f32] {
        let place = &self.plan.places[self.planned.y];
        match self.planned.makes && self.planned.step.work().needs_output() {
            true => {
                &self.buffers[place.value]
                    [within(self.plan, place.value, place.layout.len, &self.rows)]
            }
            false => &[],
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

    pub(super) fn forward(&mut self, plan: &Plan, segment: &Segment, together: Together<'_>) {
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
                let x = Read::new(plan, planned, &self.buffers, &rows, false);
                let work = planned.step.work();
                work.forward(&x, &mut y[own], &mut self.sums[s], self.scratch, shared);
                if planned.makes {
                    self.buffers[place.value] = y;
                }
            }
        }
        self.busy.forward += start.elapsed().as_secs_f64();
    }

    /// Fills in the gradient of a place.
    pub(super) fn seed(&mut self, place: &Place, gradient: usize, fill: Fill<'_>) -> f64 {
        let len = self.rows.len() * place.layout.len;
        let dy = std::mem::take(&mut self.buffers[gradient]);
        let total = fill(
            self.rows.clone(),
            &self.buffers[place.value][..len],
            &mut dy[..len],
        );
        self.buffers[gradient] = dy;
        total
    }

    pub(super) fn backward(
        &mut self,
        way: (&Plan, &Back),
        segment: &Segment,
        together: Together<'_>,
    ) {
        let start = Instant::now();
        let mut weights = 0.0;
        for rows in self.passes(segment) {
            for &s in &segment.steps {
                weights += self.back(way, s, &rows, together);
            }
        }
        self.busy.weight_gradient += weights;
        self.busy.backward += start.elapsed().as_secs_f64() - weights;
    }

    /// Takes one step back; returns the seconds that the gradients of parameters took.
    fn back(
        &mut self,
        (plan, back): (&Plan, &Back),
        s: usize,
        rows: &Range<usize>,
        together: Together<'_>,
    ) -> f64 {
        let planned = &plan.steps[s];
        let Some(gradients) = back.step(s, planned) else {
            return 0.0;
        };
        let place = &plan.places[planned.y];
        let Some(gradient) = place.gradient else {
            return 0.0;
        };
        let shared = together.of(planned);
        let work = planned.step.work();
        let own = within(plan, gradient, place.layout.len, rows);
        let dy = std::mem::take(&mut self.buffers[gradient]);
        let read = Read::new(plan, planned, &self.buffers, rows, true);
        work.through_output(
            &read,
            read.output(),
            &mut dy[own.clone()],
            &mut self.sums[s],
            shared,
        );
        let mut seconds = 0.0;
        if planned.is_trained {
            let start = Instant::now();
            let sums = &mut self.sums[s];
            work.parameter_gradient(&read, &dy[own.clone()], sums, self.scratch, shared);
            seconds = start.elapsed().as_secs_f64();
        }
        for (k, wanted) in gradients.iter().enumerate() {
            let x = &plan.places[planned.x[k]];
            let (Some(add), Some(into)) = (*wanted, x.gradient) else {
                continue;
            };
            // A gradient that is passed on as it is lies where it should already.
            if into == gradient {
                continue;
            }
            let dx = std::mem::take(&mut self.buffers[into]);
            let read = Read::new(plan, planned, &self.buffers, rows, true);
            let target = Into {
                gradient: &mut dx[within(plan, into, x.layout.len, rows)],
                add,
            };
            let dy = &dy[own.clone()];
            work.input_gradient(k, &read, read.output(), dy, target, self.scratch, shared);
            self.buffers[into] = dx;
        }
        self.buffers[gradient] = dy;
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
