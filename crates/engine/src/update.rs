//! Which part of a layer's parameters an update is handed, with all that belongs to it.

use std::time::Duration;

use crate::dense::{MAX_STATE_SLOTS, Parameter};
use crate::kernels::update::{self, Adam, Nesterov, Sgd};

/// What the numbers of a [`RowBlock`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Rows of a weight matrix: row `i` is what leaves unit `i` of the layer before.
    Weight,
    /// The biases of a layer as one row.
    Bias,
}

/// Consecutive rows of one layer's weights, or its biases, with their fresh gradient.
///
/// All slices have the same shape: `rows() * width`, row-major.
#[derive(Debug)]
pub struct RowBlock<'a> {
    /// Position of the layer in [`crate::Network::layers`].
    pub layer: usize,
    /// Whether these are weights or biases.
    pub kind: BlockKind,
    /// The first row of the block within the layer's weights; 0 for biases.
    pub first_row: usize,
    /// Numbers in a row: the outputs of the layer.
    pub width: usize,
    /// The parameters.
    pub weight: &'a mut [f32],
    /// `momentum * old + gradient`: the velocity under momentum, the plain gradient without.
    pub gradient: &'a mut [f32],
    /// Optimiser state; slots beyond those that the network was compiled with are empty.
    pub state: [&'a mut [f32]; MAX_STATE_SLOTS],
    /// To be set to the time that went into the penalty, which is then told apart in
    /// [`crate::Phases`].
    pub penalty_time: &'a mut Duration,
}

impl RowBlock<'_> {
    /// How many rows the block has.
    pub fn rows(&self) -> usize {
        self.weight.len() / self.width
    }

    /// Takes an SGD step; `prox` is then called with each row's place in the layer and its weights.
    pub fn sgd(self, step: Sgd, prox: impl Fn(usize, &mut [f32])) {
        let first = self.first_row;
        let prox = |row: usize, weights: &mut [f32]| prox(first + row, weights);
        *self.penalty_time = update::sgd(self.weight, self.gradient, self.width, step, prox);
    }

    /// Takes a step of Nesterov's momentum with the velocity in the first state slot; `prox` is then
    /// called with each row's place in the layer and its weights.
    ///
    /// # Panics
    /// If the network was compiled without state.
    pub fn nesterov(self, step: Nesterov, prox: impl Fn(usize, &mut [f32])) {
        let first = self.first_row;
        let prox = |row: usize, weights: &mut [f32]| prox(first + row, weights);
        let [velocity, _] = self.state;
        *self.penalty_time =
            update::nesterov(self.weight, self.gradient, velocity, self.width, step, prox);
    }

    /// Takes an Adam step with the moments in the two state slots; `prox` is then called with each
    /// row's place in the layer, its weights and its second moments, not yet corrected.
    ///
    /// # Panics
    /// If the network was compiled with fewer than two state slots.
    pub fn adam(self, step: Adam, prox: impl Fn(usize, &mut [f32], &[f32])) {
        let start = self.first_row;
        let prox = |row: usize, weights: &mut [f32], second: &[f32]| {
            prox(start + row, weights, second);
        };
        let [first, second] = self.state;
        *self.penalty_time = update::adam(
            self.weight,
            self.gradient,
            first,
            second,
            self.width,
            step,
            prox,
        );
    }
}

/// A block before its gradient is computed.
pub(crate) struct Task<'a> {
    pub(crate) layer: usize,
    pub(crate) kind: BlockKind,
    pub(crate) first_row: usize,
    pub(crate) width: usize,
    pub(crate) weight: &'a mut [f32],
    pub(crate) gradient: &'a mut [f32],
    pub(crate) state: [&'a mut [f32]; MAX_STATE_SLOTS],
}

impl<'a> Task<'a> {
    /// Cuts a parameter into blocks of `rows` rows; the last may be smaller.
    pub(crate) fn split(
        parameter: &'a mut Parameter,
        layer: usize,
        kind: BlockKind,
        width: usize,
        rows: usize,
    ) -> impl Iterator<Item = Task<'a>> {
        let size = (rows * width).max(1);
        let mut slots = parameter.state.iter_mut().map(|s| s.chunks_mut(size));
        let mut state: [_; MAX_STATE_SLOTS] = std::array::from_fn(|_| slots.next());
        let blocks = parameter.values.chunks_mut(size);
        blocks
            .zip(parameter.gradient.chunks_mut(size))
            .enumerate()
            .map(move |(i, (weight, gradient))| Task {
                layer,
                kind,
                first_row: i * rows,
                width,
                weight,
                gradient,
                state: state
                    .each_mut()
                    .map(|s| s.as_mut().and_then(Iterator::next).unwrap_or_default()),
            })
    }

    pub(crate) fn block<'b>(&'b mut self, penalty_time: &'b mut Duration) -> RowBlock<'b> {
        RowBlock {
            layer: self.layer,
            kind: self.kind,
            first_row: self.first_row,
            width: self.width,
            weight: self.weight,
            gradient: self.gradient,
            state: self.state.each_mut().map(|s| &mut **s),
            penalty_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_parameter_once_with_matching_state() {
        let mut parameter = Parameter::new((0..21).map(|i| i as f32).collect(), 1);
        parameter.state[0] = parameter.values.clone();
        let tasks: Vec<_> = Task::split(&mut parameter, 4, BlockKind::Weight, 3, 2).collect();
        let seen: Vec<f32> = tasks.iter().flat_map(|t| t.weight.to_vec()).collect();
        assert_eq!(seen, (0..21).map(|i| i as f32).collect::<Vec<_>>());
        let first: Vec<_> = tasks.iter().map(|t| t.first_row).collect();
        assert_eq!(first, [0, 2, 4, 6]);
        for task in &tasks {
            assert_eq!(task.state[0], task.weight);
            assert!(task.state[1].is_empty());
            assert_eq!(task.gradient.len(), task.weight.len());
        }
    }
}
