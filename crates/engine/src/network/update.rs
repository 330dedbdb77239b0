//! The second half of a step: an optimiser's move of every parameter, divided among threads.

use std::time::Instant;

use rayon::prelude::*;

use super::{Network, ParameterKind};
use crate::MAX_STATE_SLOTS;

/// Numbers that are updated at once: few enough to divide evenly, many enough to be worth it.
const BLOCK: usize = 1 << 14;

/// Some numbers of one parameter, with their gradient.
#[derive(Debug)]
pub struct Block<'a> {
    /// What the parameter is for; never [`ParameterKind::Running`].
    pub kind: ParameterKind,
    /// The numbers.
    pub values: &'a mut [f32],
    /// `momentum * old + gradient`: the velocity under momentum, the plain gradient without.
    pub gradient: &'a mut [f32],
    /// Optimiser state; slots beyond those that the network was compiled with are empty.
    pub state: [&'a mut [f32]; MAX_STATE_SLOTS],
}

impl Network {
    /// Hands every number that is trained to `update`, block by block, possibly at once on several threads and in any order.
    pub fn update(&mut self, update: impl Fn(Block<'_>) + Sync) {
        let start = Instant::now();
        let threads = self.threads.clone();
        let mut blocks = vec![];
        for parameter in self.parameters_mut() {
            let kind = parameter.kind;
            if kind == ParameterKind::Running {
                continue;
            }
            let mut slots = parameter.state.iter_mut().map(|s| s.chunks_mut(BLOCK));
            let mut state: [_; MAX_STATE_SLOTS] = std::array::from_fn(|_| slots.next());
            let gradients = parameter.gradient.chunks_mut(BLOCK);
            for (values, gradient) in parameter.values.chunks_mut(BLOCK).zip(gradients) {
                let state = state
                    .each_mut()
                    .map(|s| s.as_mut().and_then(Iterator::next).unwrap_or_default());
                blocks.push(Block {
                    kind,
                    values,
                    gradient,
                    state,
                });
            }
        }
        threads.run(|| blocks.into_par_iter().for_each(&update));
        self.phases.update += start.elapsed().as_secs_f64();
    }
}
