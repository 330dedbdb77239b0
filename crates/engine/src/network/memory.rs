//! What a plan keeps between its steps, and between its runs.

use super::back::Back;
use super::plan::{Buffer, Plan};
use super::step::{State, Sums};
use crate::aligned::Aligned;

/// The memory of a plan.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Buffers that keep all rows of a batch; empty for others.
    pub(super) rows: Vec<Aligned>,
    pub(super) threads: Vec<Own>,
    pub(crate) states: Vec<State>,
    /// The way back that was gone last.
    pub(crate) back: Back,
    /// Whether parameters have changed since they were brought into order.
    pub(crate) is_stale: bool,
}

/// What a thread has for itself.
#[derive(Debug)]
pub(super) struct Own {
    /// Buffers of one row; empty for others.
    pub(super) row: Vec<Aligned>,
    /// By step.
    pub(super) sums: Vec<Sums>,
    pub(super) scratch: Aligned,
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
            back: Back::default(),
            is_stale: true,
        }
    }
}
